//! Whether a key works, and until when.

use chrono::Duration;

use crate::{base::clock::Moment, keys::ApiKey};

/// How long before its end the list says that a key expires.
const SOON: Duration = Duration::days(30);

/// Whether a key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Active,
    /// It ends within 30 days.
    ExpiresSoon(Moment),
    /// A rotation created another in its place, and it still works.
    Replaced {
        until: Moment,
        /// It ends earlier once it is no longer used.
        when_unused: bool,
    },
    Expired(Moment),
    Withdrawn,
}

impl ApiKey {
    pub fn state(&self, now: Moment) -> State {
        match self.expires_at {
            _ if self.withdrawn_at.is_some() => State::Withdrawn,
            Some(end) if end <= now => State::Expired(end),
            Some(until) if self.replaced_by.is_some() => State::Replaced { until, when_unused: self.ends_when_unused },
            Some(end) if end <= now + SOON => State::ExpiresSoon(end),
            _ => State::Active,
        }
    }
}
