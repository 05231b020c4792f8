//! A use of a key.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use crate::base::clock::Moment;

/// Microseconds for which a stored use is not updated.
const FRESH: u64 = 60 * 1_000_000;

/// When, from where and by which client.
#[derive(Clone)]
pub struct LastUse {
    pub at: Moment,
    pub address: Option<String>,
    /// The `User-Agent` as sent, at most 255 characters.
    pub client: Option<String>,
}

/// When the last stored use was, or the one about to be stored.
pub struct Written(AtomicI64);

impl Written {
    /// From the database.
    pub fn new(at: Option<Moment>) -> Self {
        Written(AtomicI64::new(at.map_or(i64::MIN, |at| at.timestamp_micros())))
    }

    /// True for exactly one concurrent caller, if the stored time is over a minute old or in the future (the clock was
    /// set back).
    pub fn is_old(&self, now: Moment) -> bool {
        let (last, now) = (self.0.load(Relaxed), now.timestamp_micros());
        now.abs_diff(last) >= FRESH && self.0.compare_exchange(last, now, Relaxed, Relaxed).is_ok()
    }
}
