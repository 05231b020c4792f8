//! How a key is used, as its dialogs tell it: what would break if it were withdrawn, uses by day, and from where.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use chrono_tz::Tz;

use crate::{
    base::clock::Moment,
    db::Tx,
    keys::{
        ApiKey,
        refused::Reason,
        tally::{Counted, MOST_PLACES},
        use_store::{self, Day, Refusals, StoredPlace},
        uses::KeyUses,
    },
    web::page::{When, ago, counted},
};

/// Days that are added up.
const PERIODS: [i64; 3] = [7, 30, 90];

/// Characters of a client's name in a sentence.
const LONGEST_CLIENT: usize = 80;

/// The use of a key.
pub struct KeyUse {
    /// Whether it is used now: `Not used for 93 days.`
    pub sentence: String,
    /// That requests with it are refused, if any were.
    pub refused: Option<String>,
    pub periods: Vec<Period>,
    /// The newest first.
    pub days: Vec<DayRow>,
    pub places: Vec<PlaceRow>,
}

/// The uses of some days.
pub struct Period {
    /// Such as `Last 7 days`.
    pub title: String,
    pub uses: String,
    pub refused: Option<String>,
}

pub struct DayRow {
    /// Such as `2026-11-29`.
    pub machine: String,
    pub text: String,
    pub uses: String,
    pub refused: Option<String>,
}

pub struct PlaceRow {
    pub address: String,
    pub client: String,
    pub uses: String,
    pub refused: Option<String>,
    pub last: When,
    pub last_ago: String,
    pub first: String,
}

impl KeyUse {
    /// Reads what is stored of a key, and adds what is not written yet.
    pub async fn read(tx: &mut Tx, uses: &KeyUses, key: &ApiKey, zone: Tz, now: Moment) -> sqlx::Result<Self> {
        let days = use_store::days(tx, key.id, now).await?;
        let places = use_store::places(tx, key.id).await?;
        let refusals = use_store::refusals(tx, &[key.id]).await?;
        let unwritten = uses.unwritten(key.id);
        let days = with_unwritten(days, &unwritten, now);
        let places = places_with_unwritten(places, &unwritten);
        let last_used = last_used(key, &unwritten);
        let tried = Refused::of(refusals.first(), &unwritten);
        Ok(KeyUse {
            sentence: sentence(last_used, &days, &places, zone, now),
            refused: tried.map(|tried| tried.sentence(zone, now)),
            periods: PERIODS.iter().map(|length| Period::of(&days, *length, now)).collect(),
            days: days.iter().map(DayRow::of).collect(),
            places: places.iter().map(|place| PlaceRow::of(place, zone, now)).collect(),
        })
    }
}

/// When a key was last used, also if that is not written yet.
pub fn last_used(key: &ApiKey, unwritten: &Counted) -> Option<Moment> {
    key.last_used_at.max(unwritten.last_use)
}

fn with_unwritten(mut days: Vec<Day>, unwritten: &Counted, now: Moment) -> Vec<Day> {
    if unwritten.is_empty() {
        return days;
    }
    let today = use_store::day(now);
    if days.first().is_none_or(|day| day.day != today) {
        days.insert(0, Day { day: today, uses: 0, refused: 0 });
    }
    if let Some(day) = days.first_mut() {
        day.uses += whole(unwritten.uses);
        day.refused += whole(unwritten.refused);
    }
    days
}

/// The last one first.
fn places_with_unwritten(stored: Vec<StoredPlace>, unwritten: &Counted) -> Vec<StoredPlace> {
    let mut places: BTreeMap<String, StoredPlace> =
        stored.into_iter().map(|place| (place.address.clone(), place)).collect();
    for (address, seen) in &unwritten.places {
        let address = address.to_string();
        let place = places.entry(address.clone()).or_insert_with(|| StoredPlace {
            address,
            client: None,
            first_at: seen.first_at,
            last_at: seen.last_at,
            uses: 0,
            refused: 0,
        });
        place.client.clone_from(&seen.client);
        place.last_at = place.last_at.max(seen.last_at);
        place.uses += whole(seen.uses);
        place.refused += whole(seen.refused);
    }
    let mut places: Vec<StoredPlace> = places.into_values().collect();
    places.sort_by_key(|place| std::cmp::Reverse(place.last_at));
    places.truncate(MOST_PLACES);
    places
}

/// Whether a key is used now, and how much.
fn sentence(last_used: Option<Moment>, days: &[Day], places: &[StoredPlace], zone: Tz, now: Moment) -> String {
    let Some(last_used) = last_used else { return "Never used.".to_owned() };
    let a_day_ago = now - TimeDelta::days(1);
    if last_used < a_day_ago {
        return format!("Not used for {}.", counted((now - last_used).num_days(), "day", "days"));
    }
    let uses = in_a_day(days, now).max(1);
    let from = places.iter().filter(|place| place.uses > 0 && place.last_at >= a_day_ago).count();
    let from = match i64::try_from(from).unwrap_or(i64::MAX) {
        0 => String::new(),
        some if from >= MOST_PLACES => format!(", from at least {some} addresses"),
        some => format!(", from {}", counted(some, "address", "addresses")),
    };
    let times = if uses == 1 { "about once".to_owned() } else { format!("about {} times", grouped(uses)) };
    format!("Used {times} in the last 24 hours, last {}{from}.", since(last_used, zone, now))
}

/// Uses of the last 24 hours: those of today, and a part of yesterday's.
fn in_a_day(days: &[Day], now: Moment) -> i64 {
    let today = use_store::day(now);
    let on = |day: Moment| days.iter().find(|one| one.day == day).map_or(0, |one| one.uses);
    let left = (TimeDelta::days(1) - (now - today)).num_seconds();
    on(today) + on(today - TimeDelta::days(1)).saturating_mul(left) / TimeDelta::days(1).num_seconds()
}

/// The refusals of a key.
pub struct Refused {
    count: i64,
    at: Moment,
    address: Option<String>,
    client: Option<String>,
    reason: Option<Reason>,
}

impl Refused {
    /// What is stored, and what is not written yet. After a withdrawal or the end of a key, refusals are counted anew.
    pub fn of(stored: Option<&Refusals>, unwritten: &Counted) -> Option<Self> {
        let stored = stored.map(|stored| Refused {
            count: stored.count,
            at: stored.at,
            address: stored.address.clone(),
            client: stored.client.clone(),
            reason: stored.reason.as_deref().and_then(Reason::from_name),
        });
        let Some((at, reason)) = unwritten.last_refusal.filter(|_| unwritten.refused > 0) else { return stored };
        let from = unwritten.last_refused_from();
        let before = stored.filter(|stored| !reason.counts_anew() || stored.reason == Some(reason));
        Some(Refused {
            count: before.map_or(0, |before| before.count) + whole(unwritten.refused),
            at,
            address: from.map(|(address, _)| address.to_string()),
            client: from.and_then(|(_, place)| place.client.clone()),
            reason: Some(reason),
        })
    }

    /// True if it was refused because it was withdrawn or has expired.
    pub fn is_for_good(&self) -> bool {
        self.reason.is_some_and(Reason::counts_anew)
    }

    /// `Still tried 214 times, last 3 minutes ago from 203.0.113.7 (PMS-X/2.1).`
    pub fn sentence(&self, zone: Tz, now: Moment) -> String {
        let times = if self.count == 1 { "once".to_owned() } else { format!("{} times", grouped(self.count)) };
        let from = self.address.as_ref().map(|address| format!(" from {address}")).unwrap_or_default();
        let client = self.client.as_ref().filter(|client| !client.is_empty());
        let client = client.map(|client| format!(" ({})", shortened(client))).unwrap_or_default();
        let last = since(self.at, zone, now);
        match self.reason {
            Some(reason) if !reason.counts_anew() => {
                format!("Refused {times}, last {last}{from}{client}: {}.", reason.words())
            }
            _ => format!("Still tried {times}, last {last}{from}{client}."),
        }
    }
}

impl Period {
    fn of(days: &[Day], length: i64, now: Moment) -> Self {
        let first = use_store::day(now) - TimeDelta::days(length - 1);
        let within = || days.iter().filter(|day| day.day >= first);
        let refused: i64 = within().map(|day| day.refused).sum();
        Period {
            title: format!("Last {length} days"),
            uses: uses(within().map(|day| day.uses).sum()),
            refused: (refused > 0).then(|| grouped(refused)),
        }
    }
}

impl DayRow {
    fn of(day: &Day) -> Self {
        DayRow {
            machine: day.day.format("%Y-%m-%d").to_string(),
            text: day.day.format("%-d %b %Y").to_string(),
            uses: uses(day.uses),
            refused: (day.refused > 0).then(|| grouped(day.refused)),
        }
    }
}

impl PlaceRow {
    fn of(place: &StoredPlace, zone: Tz, now: Moment) -> Self {
        PlaceRow {
            address: place.address.clone(),
            client: place.client.clone().unwrap_or_default(),
            uses: uses(place.uses),
            refused: (place.refused > 0).then(|| grouped(place.refused)),
            last: When::new(place.last_at, zone),
            last_ago: since(place.last_at, zone, now),
            first: place.first_at.with_timezone(&zone).format("%-d %b %Y").to_string(),
        }
    }
}

/// `1 use`, `4,120 uses`.
fn uses(number: i64) -> String {
    format!("{} {}", grouped(number), if number == 1 { "use" } else { "uses" })
}

/// How long ago, within a sentence after "last".
fn since(at: Moment, zone: Tz, now: Moment) -> String {
    match &*ago(at, zone, now) {
        "just now" => "a moment ago".to_owned(),
        text if text.ends_with("ago") => text.to_owned(),
        date => format!("on {date}"),
    }
}

/// A number with a comma between thousands.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn shortened(client: &str) -> String {
    match client.chars().count() > LONGEST_CLIENT {
        true => client.chars().take(LONGEST_CLIENT).chain(['…']).collect(),
        false => client.to_owned(),
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone, Utc};

    use super::*;

    fn now() -> Moment {
        Utc.with_ymd_and_hms(2026, 11, 29, 6, 0, 0).single().expect("a time")
    }

    fn said(seconds: i64, days: &[(i64, i64)], addresses: usize) -> String {
        let days: Vec<Day> = days
            .iter()
            .map(|(back, uses)| Day { day: use_store::day(now()) - TimeDelta::days(*back), uses: *uses, refused: 0 })
            .collect();
        let place = |number| StoredPlace {
            address: format!("203.0.113.{number}"),
            client: None,
            first_at: now(),
            last_at: now(),
            uses: 1,
            refused: 0,
        };
        let places: Vec<StoredPlace> = (0..addresses).map(place).collect();
        sentence(Some(now() - TimeDelta::seconds(seconds)), &days, &places, Tz::UTC, now())
    }

    #[test]
    fn the_use_of_a_key_is_told_in_one_sentence() {
        assert_eq!(sentence(None, &[], &[], Tz::UTC, now()), "Never used.");
        assert_eq!(
            said(12, &[(0, 1_120), (1, 4_000), (2, 9_999)], 2),
            "Used about 4,120 times in the last 24 hours, last 12 seconds ago, from 2 addresses."
        );
        assert_eq!(said(0, &[(0, 1)], 1), "Used about once in the last 24 hours, last a moment ago, from 1 address.");
        let many = said(60, &[(0, 1_234_567)], 50);
        assert_eq!(
            many,
            "Used about 1,234,567 times in the last 24 hours, last 1 minute ago, from at least 50 addresses."
        );
        assert_eq!(said(93 * 86_400 + 5, &[], 0), "Not used for 93 days.");
        assert_eq!(said(86_401, &[(1, 5)], 1), "Not used for 1 day.");
    }

    #[test]
    fn refusals_are_told_with_their_number_and_the_last_of_them() {
        let mut refused = Refused {
            count: 214,
            at: now() - TimeDelta::minutes(3),
            address: Some("203.0.113.7".to_owned()),
            client: Some("PMS-X/2.1".to_owned()),
            reason: Some(Reason::Withdrawn),
        };
        let tried = "Still tried 214 times, last 3 minutes ago from 203.0.113.7 (PMS-X/2.1).";
        assert_eq!(refused.sentence(Tz::UTC, now()), tried);
        refused.reason = Some(Reason::ReadOnly);
        refused.client = None;
        refused.count = 1;
        let once = "Refused once, last 3 minutes ago from 203.0.113.7: the key may only read.";
        assert_eq!(refused.sentence(Tz::UTC, now()), once);
    }
}
