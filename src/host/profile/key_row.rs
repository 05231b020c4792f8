//! A key as a row of the list and as a dialog shows it.

use chrono::TimeDelta;
use chrono_tz::Tz;

use crate::{
    base::clock::Moment,
    host::profile::key_use::Refused,
    keys::{
        ApiKey, addresses, expiry,
        scope::{self, KeyScope},
        state::State,
        tally::Counted,
        use_store::Refusals,
    },
    web::page::{When, ago},
};

/// How old a stored last use is at most, of a key that is used all the time.
const WRITTEN_WITHIN: TimeDelta = TimeDelta::seconds(70);

/// A key, ready to be shown.
pub struct KeyRow {
    pub id: String,
    pub title: String,
    pub tail: String,
    pub scope: KeyScope,
    pub rights: &'static str,
    pub created: When,
    pub created_ago: String,
    pub imported: bool,
    pub last_used: Option<LastUse>,
    pub withdrawn: Option<Withdrawn>,
    pub status: KeyStatus,
    /// The end, of a key that has one.
    pub expires: Option<Ending>,
    /// From where it may be used; empty for anywhere.
    pub addresses: Vec<String>,
    pub is_replaced: bool,
    /// That it is still tried, though it was withdrawn or has expired.
    pub tried: Option<String>,
}

/// The end of a key.
pub struct Ending {
    pub when: When,
    /// The last day, of a key that works until the end of one.
    pub day: Option<String>,
}

/// Whether a key works, ready to be shown; of a withdrawn one [`KeyRow::withdrawn`] says more.
pub enum KeyStatus {
    Active,
    /// On this day.
    ExpiresSoon(String),
    Replaced {
        until: When,
        when_unused: bool,
    },
    Expired(When, String),
    Withdrawn,
}

impl KeyStatus {
    fn new(state: State, zone: Tz, now: Moment) -> Self {
        match state {
            State::Active => KeyStatus::Active,
            State::ExpiresSoon(end) => KeyStatus::ExpiresSoon(day_text(end, zone)),
            State::Replaced { until, when_unused } => {
                KeyStatus::Replaced { until: When::new(until, zone), when_unused }
            }
            State::Expired(end) => KeyStatus::Expired(When::new(end, zone), ago(end, zone, now)),
            State::Withdrawn => KeyStatus::Withdrawn,
        }
    }
}

/// The last day of a key with this end.
fn day_text(end: Moment, zone: Tz) -> String {
    expiry::last_day(end, zone).format("%-d %b %Y").to_string()
}

pub struct LastUse {
    pub when: When,
    pub ago: String,
    pub address: String,
    pub client: String,
}

pub struct Withdrawn {
    pub when: When,
    pub ago: String,
    pub by: String,
}

/// The id of the row of a key.
pub fn anchor(id: &str) -> String {
    format!("key_{id}")
}

impl KeyRow {
    pub fn new(key: ApiKey, zone: Tz, now: Moment) -> Self {
        let by = match (key.withdrawn_by.as_deref(), key.withdrawn_how.as_deref()) {
            (_, Some("leak_box")) => "found, leaked",
            (Some("host"), _) => "by the host",
            (_, Some("all")) => "by you, with all keys",
            (_, Some("rotation")) => "by you, in a rotation",
            _ => "by you",
        };
        let state = key.state(now);
        KeyRow {
            id: key.id.to_string(),
            title: key.title,
            tail: key.tail,
            scope: key.scope,
            rights: scope::rights(key.read_only, key.manage_users),
            created: When::new(key.created_at, zone),
            created_ago: ago(key.created_at, zone, now),
            imported: key.imported,
            status: KeyStatus::new(state, zone, now),
            expires: key.expires_at.map(|end| Ending {
                when: When::new(end, zone),
                day: expiry::is_whole_day(end, zone).then(|| day_text(end, zone)),
            }),
            addresses: key.allowed.as_deref().map(addresses::shown).unwrap_or_default(),
            is_replaced: key.replaced_by.is_some(),
            last_used: key.last_used_at.map(|at| LastUse {
                when: When::new(at, zone),
                ago: ago(at, zone, now),
                address: key.last_used_address.unwrap_or_default(),
                client: key.last_used_client.unwrap_or_default(),
            }),
            tried: None,
            withdrawn: key.withdrawn_at.map(|at| Withdrawn {
                when: When::new(at, zone),
                ago: ago(at, zone, now),
                by: by.to_owned(),
            }),
        }
    }

    /// The same with its refusals and with what is not written yet.
    pub fn with_uses(mut key: ApiKey, refused: Option<&Refusals>, unwritten: &Counted, zone: Tz, now: Moment) -> Self {
        // What is stored is mostly less than a minute old; only a database that is away leaves more unwritten.
        let stored = key.last_used_at.map(|at| at + WRITTEN_WITHIN);
        if let Some((address, place)) = unwritten.last_used_from().filter(|_| unwritten.last_use > stored) {
            key.last_used_at = unwritten.last_use;
            key.last_used_address = Some(address.to_string());
            key.last_used_client.clone_from(&place.client);
        }
        let refused = Refused::of(refused, unwritten).filter(Refused::is_for_good);
        let mut row = KeyRow::new(key, zone, now);
        row.tried = refused.filter(|_| !row.works()).map(|refused| refused.sentence(zone, now));
        row
    }

    /// It was not withdrawn and has not expired.
    pub fn works(&self) -> bool {
        !matches!(self.status, KeyStatus::Expired(..) | KeyStatus::Withdrawn)
    }

    /// True if another key may take its place.
    pub fn can_rotate(&self) -> bool {
        !self.is_replaced && matches!(self.status, KeyStatus::Active | KeyStatus::ExpiresSoon(_))
    }

    /// True while another key has taken its place and it still works.
    pub fn is_ending(&self) -> bool {
        matches!(self.status, KeyStatus::Replaced { .. })
    }

    /// The id of what has the focus when a dialog of this key leads back to the list.
    pub fn anchor(&self) -> String {
        anchor(&self.id)
    }
}
