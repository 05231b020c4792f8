//! The one place that reads the time.

use chrono::{DateTime, SubsecRound, Utc};

/// A moment in UTC, in whole microseconds, which both databases store exactly.
pub type Moment = DateTime<Utc>;

/// Now, cut to microseconds.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn now() -> Moment {
    Utc::now().trunc_subsecs(6)
}
