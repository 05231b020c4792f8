//! When a key ends: the part "Expires" of the forms that create, edit and rotate keys.

use chrono::{Days, Duration, NaiveDate, SubsecRound};
use chrono_tz::Tz;
use serde::Deserialize;

use crate::{
    base::{
        clock::Moment,
        days::{self, beginning},
    },
    web::form::Field,
};

/// Numbers of days that the form offers.
const OFFERED: [i64; 3] = [30, 90, 365];

/// The fields, as they were sent.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ExpiryForm {
    /// `never`, a number of days that is offered, or `date`; without it, `never`.
    #[serde(default)]
    pub expires: String,
    /// With `date`: the last day, such as `2027-03-31`.
    #[serde(default)]
    pub expires_on: String,
}

/// What limits the end of a key.
pub struct Terms {
    pub now: Moment,
    /// When the key was created; now, for a new one.
    pub since: Moment,
    /// The time zone of the key's user, in which its last day ends.
    pub zone: Tz,
    /// The greatest number of days that a key may live (`LATCHKEY_MAX_KEY_DAYS`); 0 for any.
    pub max_days: u16,
}

/// Why an end is invalid: the message for one of the two fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    Expires(String),
    ExpiresOn(String),
}

impl Terms {
    /// The last day on which the key may end; `None` if it need not end.
    fn last_day(&self) -> Option<NaiveDate> {
        match self.max_days {
            0 => None,
            days => self.since.with_timezone(&self.zone).date_naive().checked_add_days(Days::new(days.into())),
        }
    }

    /// Which of the offered numbers of days are allowed.
    fn allowed_days(&self) -> impl Iterator<Item = i64> {
        OFFERED.into_iter().filter(|days| self.allows(self.in_days(*days)))
    }

    fn allows(&self, end: Moment) -> bool {
        self.last_day().is_none_or(|last| days::end(last, self.zone).is_some_and(|last| end <= last))
    }

    fn in_days(&self, days: i64) -> Moment {
        self.now.trunc_subsecs(0) + Duration::days(days)
    }

    fn too_late(&self) -> String {
        let last = self.last_day().map(|day| day.format("%-d %b %Y").to_string()).unwrap_or_default();
        let lives = crate::web::page::counted(self.max_days.into(), "day", "days");
        format!("A key works for at most {lives} here. Choose an end by {last}.")
    }
}

impl ExpiryForm {
    /// The initial form of a new key: never, or the longest time that is allowed.
    pub fn initial(terms: &Terms) -> Self {
        let choice = |expires: String| ExpiryForm { expires, expires_on: String::new() };
        match (terms.last_day(), terms.allowed_days().last()) {
            (None, _) => choice("never".to_owned()),
            (Some(_), Some(days)) => choice(days.to_string()),
            (Some(last), None) => ExpiryForm { expires: "date".to_owned(), expires_on: last.to_string() },
        }
    }

    /// The form of a key with this end, which saved as it is keeps the end.
    pub fn of(end: Option<Moment>, terms: &Terms) -> Self {
        match end {
            Some(end) => ExpiryForm { expires: "date".to_owned(), expires_on: last_day(end, terms.zone).to_string() },
            None => Self::initial(terms),
        }
    }

    /// The form of a key that takes the place of one with this end: the same time from now, if it is allowed.
    pub fn like(end: Option<Moment>, created: Moment, terms: &Terms) -> Self {
        let Some(end) = end else { return Self::initial(terms) };
        let lived = end - created;
        let is_offered = |days: &i64| (lived - Duration::days(*days)).abs() < Duration::seconds(2);
        if let Some(days) = terms.allowed_days().find(is_offered) {
            return ExpiryForm { expires: days.to_string(), expires_on: String::new() };
        }
        let day = terms.now.checked_add_signed(lived.max(Duration::zero())).map(|end| last_day(end, terms.zone));
        match (day, terms.last_day()) {
            (Some(day), last) if days::end(day, terms.zone).is_some() => {
                let day = last.map_or(day, |last| day.min(last));
                ExpiryForm { expires: "date".to_owned(), expires_on: day.to_string() }
            }
            _ => Self::initial(terms),
        }
    }

    /// The initial form unless something was entered.
    pub fn or(self, initial: impl FnOnce() -> Self) -> Self {
        if self.expires.is_empty() { initial() } else { self }
    }

    /// The end; `None` for a key without one. The last day of `present` stands for exactly that end, even if it is over.
    ///
    /// # Errors
    /// The message for one of the fields.
    pub fn read(&self, terms: &Terms, present: Option<Moment>) -> Result<Option<Moment>, Problem> {
        match self.expires.trim() {
            "" | "never" if terms.max_days == 0 => Ok(None),
            "" | "never" => Err(Problem::Expires(terms.too_late())),
            "date" => {
                let day = day(self.expires_on.trim()).map_err(Problem::ExpiresOn)?;
                if let Some(present) = present.filter(|present| last_day(*present, terms.zone) == day) {
                    return Ok(Some(present));
                }
                match days::end(day, terms.zone) {
                    None => Err(Problem::ExpiresOn("Enter a day up to 9999-12-30.".to_owned())),
                    Some(end) if end <= terms.now => {
                        Err(Problem::ExpiresOn("This day is over. Enter today or a later day.".to_owned()))
                    }
                    Some(end) if !terms.allows(end) => Err(Problem::ExpiresOn(terms.too_late())),
                    Some(end) => Ok(Some(end)),
                }
            }
            days => match days.parse().ok().filter(|days| OFFERED.contains(days)) {
                None => Err(Problem::Expires("Choose an end from the list.".to_owned())),
                Some(days) if !terms.allows(terms.in_days(days)) => Err(Problem::Expires(terms.too_late())),
                Some(days) => Ok(Some(terms.in_days(days))),
            },
        }
    }
}

/// The last day on which a key with this end works.
pub fn last_day(end: Moment, zone: Tz) -> NaiveDate {
    (end - Duration::microseconds(1)).with_timezone(&zone).date_naive()
}

/// True if the key works until the end of its last day.
pub fn is_whole_day(end: Moment, zone: Tz) -> bool {
    beginning(end.with_timezone(&zone).date_naive(), zone) == end
}

/// Parses a day, as `<input type="date">` sends it.
fn day(text: &str) -> Result<NaiveDate, String> {
    const NONE: &str = "Enter a day such as 2027-03-31.";
    let mut parts = text.split('-').map(|part| match part.bytes().all(|b| b.is_ascii_digit()) {
        true => part.parse::<u32>().ok(),
        false => None,
    });
    let (Some(Some(year)), Some(Some(month)), Some(Some(day)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(NONE.to_owned());
    };
    if !(1..=9999).contains(&year) {
        return Err("Enter a day up to 9999-12-30.".to_owned());
    }
    i32::try_from(year)
        .ok()
        .and_then(|year| NaiveDate::from_ymd_opt(year, month, day))
        .ok_or_else(|| format!("There is no day {year:04}-{month:02}-{day:02}."))
}

/// The fields, as the page shows them.
pub struct ExpiryFields {
    pub expires: Field,
    pub expires_on: Field,
    pub choices: Vec<Choice>,
    /// The time zone in which the last day ends.
    pub zone: &'static str,
}

/// An entry of the list.
pub struct Choice {
    pub value: String,
    pub label: String,
    pub is_chosen: bool,
}

impl ExpiryFields {
    pub fn new(form: ExpiryForm, terms: &Terms, problem: Option<Problem>) -> Self {
        let never = (terms.max_days == 0).then(|| ("never".to_owned(), "Never".to_owned()));
        let days = terms.allowed_days().map(|days| (days.to_string(), format!("In {days} days")));
        let all = never.into_iter().chain(days).chain([("date".to_owned(), "On a date".to_owned())]);
        let choices = all.map(|(value, label)| Choice { is_chosen: value == form.expires, value, label }).collect();
        let (mut expires, mut expires_on) = (Field::of(form.expires), Field::of(form.expires_on));
        match problem {
            Some(Problem::Expires(problem)) => expires.problem = Some(problem),
            Some(Problem::ExpiresOn(problem)) => expires_on.problem = Some(problem),
            None => {}
        }
        ExpiryFields { expires, expires_on, choices, zone: terms.zone.name() }
    }

    /// True if a field has a problem.
    pub fn has_problem(&self) -> bool {
        self.expires.problem.is_some() || self.expires_on.problem.is_some()
    }

    /// Further attributes of the field for the day. An input for dates would not show a text that is none.
    pub fn date_input(&self) -> &'static str {
        if self.expires_on.problem.is_some() { "autocomplete=\"off\"" } else { "type=\"date\"" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(zone: &str, max_days: u16) -> Terms {
        let now = "2027-03-10T12:00:00.5Z".parse().expect("a moment");
        Terms { now, since: now, zone: zone.parse().expect("a zone"), max_days }
    }

    fn read(terms: &Terms, expires: &str, expires_on: &str, present: Option<Moment>) -> Result<String, Problem> {
        let form = ExpiryForm { expires: expires.to_owned(), expires_on: expires_on.to_owned() };
        form.read(terms, present).map(|end| end.map_or("never".to_owned(), |end| end.to_rfc3339()))
    }

    #[test]
    fn a_key_ends_with_its_last_day_also_when_clocks_change() {
        for (zone, day, end) in [
            ("UTC", "2027-03-10", "2027-03-11T00:00:00+00:00"),
            ("Europe/Lisbon", "2027-03-27", "2027-03-28T00:00:00+00:00"),
            // 23 hours long, and 25.
            ("Europe/Lisbon", "2027-03-28", "2027-03-28T23:00:00+00:00"),
            ("Europe/Berlin", "2027-10-31", "2027-10-31T23:00:00+00:00"),
            ("America/New_York", "2027-11-07", "2027-11-08T05:00:00+00:00"),
            ("Pacific/Kiritimati", "2027-03-12", "2027-03-12T10:00:00+00:00"),
            // The next day begins at one o'clock, or its first hour comes twice.
            ("Africa/Cairo", "2027-04-29", "2027-04-29T22:00:00+00:00"),
            ("America/Havana", "2027-11-06", "2027-11-07T04:00:00+00:00"),
            ("UTC", "9999-12-30", "9999-12-31T00:00:00+00:00"),
        ] {
            assert_eq!(read(&terms(zone, 0), "date", day, None), Ok(end.to_owned()), "{zone} {day}");
            let end = end.parse().expect("a moment");
            let zone = zone.parse().expect("a zone");
            assert!(last_day(end, zone).to_string() == day && is_whole_day(end, zone), "{zone} {day}");
        }
        assert_eq!(read(&terms("UTC", 0), "30", "", None), Ok("2027-04-09T12:00:00+00:00".to_owned()));
        assert_eq!(read(&terms("UTC", 0), "never", "2027-01-01", None), Ok("never".to_owned()));
        assert_eq!(read(&terms("UTC", 0), "", "", None), Ok("never".to_owned()));
    }

    #[test]
    fn days_that_are_none_are_refused_in_words() {
        for (day, words) in [
            ("", "such as"),
            ("soon", "such as"),
            ("2027-3", "such as"),
            ("+2027-03-11", "such as"),
            ("2027-03-11-1", "such as"),
            ("2027-02-29", "There is no day 2027-02-29"),
            ("2027-13-01", "There is no day"),
            ("2027-00-00", "There is no day"),
            ("2027-03-09", "This day is over"),
            ("0001-01-01", "This day is over"),
            ("0000-01-01", "up to 9999"),
            ("10000-01-01", "up to 9999"),
            ("9999-12-31", "up to 9999"),
            ("99999999999-01-01", "such as"),
        ] {
            let problem = read(&terms("UTC", 0), "date", day, None).expect_err(day);
            assert!(matches!(&problem, Problem::ExpiresOn(text) if text.contains(words)), "{day}: {problem:?}");
        }
        for choice in ["31", "-30", "always", "0", "365.0"] {
            let problem = read(&terms("UTC", 0), choice, "2027-03-11", None).expect_err(choice);
            assert!(matches!(&problem, Problem::Expires(text) if text.contains("from the list")), "{problem:?}");
        }
    }

    #[test]
    fn a_longest_life_counts_from_the_creation_and_an_end_that_stays_is_not_asked_for() {
        let limited = terms("Europe/Lisbon", 90);
        assert!(read(&limited, "90", "", None).is_ok() && read(&limited, "date", "2027-06-08", None).is_ok());
        for (expires, day) in [("never", ""), ("", ""), ("365", "")] {
            let problem = read(&limited, expires, day, None).expect_err(expires);
            assert!(matches!(&problem, Problem::Expires(text) if text.contains("at most 90 days")), "{problem:?}");
        }
        let problem = read(&limited, "date", "2027-06-09", None).expect_err("a day more");
        assert!(matches!(&problem, Problem::ExpiresOn(text) if text.contains("by 8 Jun 2027")), "{problem:?}");
        let older = Terms { since: limited.now - Duration::days(80), ..terms("Europe/Lisbon", 90) };
        assert!(read(&older, "30", "", None).is_err() && read(&older, "date", "2027-03-20", None).is_ok());
        let past: Moment = "2027-01-05T08:15:00Z".parse().expect("a moment");
        assert_eq!(read(&limited, "date", "2027-01-05", Some(past)), Ok(past.to_rfc3339()));
        assert_eq!(ExpiryForm::of(Some(past), &limited).expires_on, "2027-01-05");
        let week = ExpiryForm::initial(&terms("UTC", 7));
        assert_eq!((&*week.expires, &*week.expires_on), ("date", "2027-03-17"));
        assert_eq!(ExpiryForm::initial(&limited).expires, "90");
    }
}
