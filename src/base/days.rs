//! Days in time zones.

use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::base::clock::Moment;

/// The first moment of a day in a time zone, in which midnight may be left out by a change of clocks.
pub fn beginning(day: NaiveDate, zone: Tz) -> Moment {
    let midnight = day.and_time(NaiveTime::MIN);
    let quarters = (0..96).map(|quarter| midnight + TimeDelta::minutes(15 * quarter));
    quarters
        .filter_map(|time| zone.from_local_datetime(&time).earliest())
        .next()
        .map_or(midnight.and_utc(), |moment| moment.to_utc())
}

/// The last moment of a day, which is the first of the next one; `None` if that is after the year 9999.
pub fn end(day: NaiveDate, zone: Tz) -> Option<Moment> {
    let end = beginning(day.succ_opt()?, zone);
    (end.year() <= 9999).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_the_first_moment_that_the_clock_shows() {
        let begins =
            |day: &str, zone: &str| beginning(day.parse().expect("a day"), zone.parse().expect("a zone")).to_rfc3339();
        assert_eq!(begins("2026-07-01", "Europe/Lisbon"), "2026-06-30T23:00:00+00:00");
        // Clocks went from 23:59 to 01:00.
        assert_eq!(begins("2018-11-04", "America/Sao_Paulo"), "2018-11-04T03:00:00+00:00");
        // The day was left out.
        assert_eq!(begins("2011-12-30", "Pacific/Apia"), "2011-12-30T00:00:00+00:00");
    }
}
