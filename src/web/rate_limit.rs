//! Rate limits per client, in requests per minute: a token bucket that refills evenly and holds a minute's worth
//! (GCRA). The state of a client is one word, and the number of clients is fixed, so memory is bounded; no lock is
//! taken. (`governor` keeps a map that grows with every new address until it is swept, and locks a part of it at every
//! request.)

use std::{
    hash::{BuildHasher, Hash, RandomState},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Instant,
};

use crate::base::error::RateLimited;

/// Clients per cache line of the processor.
const WAYS: usize = 8;

/// Cache lines: 32,768 clients in 256 KiB.
const LINES: usize = 4096;

/// A slot has the client's tag in its high bits; below is when its bucket is full again, in microseconds since the
/// start.
const TIME_BITS: u32 = 48;
const TIME: u64 = (1 << TIME_BITS) - 1;

/// The window of a limit.
pub const WINDOW_SECONDS: u64 = 60;

#[repr(align(64))]
#[derive(Default)]
struct Line([AtomicU64; WAYS]);

/// The limit for clients of one kind, and their buckets.
pub struct RateLimiter {
    /// Requests per minute; 0 means no limit.
    limit: u32,
    /// Microseconds per request.
    each: u64,
    start: Instant,
    hasher: RandomState,
    lines: Box<[Line]>,
}

impl RateLimiter {
    pub fn new(limit: u32) -> Self {
        let lines = if limit == 0 { 0 } else { LINES };
        RateLimiter {
            limit,
            each: (WINDOW_SECONDS * 1_000_000).checked_div(limit.into()).unwrap_or_default().max(1),
            start: Instant::now(),
            hasher: RandomState::new(),
            lines: std::iter::repeat_with(Line::default).take(lines).collect(),
        }
    }

    /// Counts one request of a client.
    ///
    /// # Errors
    /// If it exceeds the limit; with the seconds until the next request is allowed.
    pub fn take(&self, client: impl Hash) -> Result<(), RateLimited> {
        if self.limit == 0 {
            return Ok(());
        }
        let now = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.take_at(self.hasher.hash_one(client), now)
    }

    fn take_at(&self, hash: u64, now: u64) -> Result<(), RateLimited> {
        // The lowest bits select the line, the highest ones are the tag; no tag is 0, which is an empty slot.
        let Some(Line(slots)) = self.lines.get((hash as usize) % LINES) else { return Ok(()) };
        let tag = (hash >> TIME_BITS).max(1) << TIME_BITS;
        loop {
            let slot = slot_of(slots, tag);
            let seen = slot.load(Relaxed);
            let full_at = if seen & !TIME == tag { (seen & TIME).max(now) } else { now };
            let next = full_at + self.each;
            let most = now + self.each * u64::from(self.limit);
            if next > most {
                return Err(RateLimited { limit: self.limit, seconds: (next - most).div_ceil(1_000_000).max(1) });
            }
            if slot.compare_exchange_weak(seen, tag | (next & TIME), Relaxed, Relaxed).is_ok() {
                return Ok(());
            }
        }
    }
}

/// The slot of a client. A new one replaces the client whose bucket is full first: mostly one whose bucket is full
/// already, so that no state is lost.
fn slot_of(slots: &[AtomicU64; WAYS], tag: u64) -> &AtomicU64 {
    let mut first = (&slots[0], u64::MAX);
    for slot in slots {
        let seen = slot.load(Relaxed);
        if seen & !TIME == tag {
            return slot;
        }
        if seen & TIME < first.1 {
            first = (slot, seen & TIME);
        }
    }
    first.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = WINDOW_SECONDS * 1_000_000;

    fn hash(rates: &RateLimiter, client: u64) -> u64 {
        rates.hasher.hash_one(client)
    }

    #[test]
    fn a_minutes_worth_is_let_in_at_once_and_then_one_at_a_time() {
        let rates = RateLimiter::new(60);
        let (one, other) = (hash(&rates, 1), hash(&rates, 2));
        for _ in 0..60 {
            assert_eq!(rates.take_at(one, 5), Ok(()));
        }
        assert_eq!(rates.take_at(one, 5), Err(RateLimited { limit: 60, seconds: 1 }));
        assert_eq!(rates.take_at(other, 5), Ok(()), "another client has a bucket of its own");
        assert_eq!(rates.take_at(one, 1_000_005), Ok(()), "what was refilled in the seconds given");
        assert!(rates.take_at(one, 1_000_005).is_err());
        assert_eq!((0..100).filter(|_| rates.take_at(one, 2 * MINUTE).is_ok()).count(), 60, "it never holds more");
    }

    #[test]
    fn the_seconds_given_are_enough() {
        for limit in [1, 7, 60, 999, 6_000, 1_000_000] {
            let rates = RateLimiter::new(limit);
            let one = hash(&rates, 1);
            while rates.take_at(one, 17).is_ok() {}
            let refusal = rates.take_at(one, 17).expect_err("the bucket is empty");
            assert_eq!(rates.take_at(one, 17 + refusal.seconds * 1_000_000), Ok(()), "{limit}");
        }
    }

    #[test]
    fn a_busy_client_is_remembered_among_a_flood_of_others_in_the_same_memory() {
        let rates = RateLimiter::new(60);
        let busy = hash(&rates, 0);
        let mut let_in = 0;
        for other in 1..300_000 {
            let _ = rates.take_at(hash(&rates, other), other);
            let_in += u32::from(rates.take_at(busy, other).is_ok());
        }
        assert!(let_in <= 62, "{let_in}");
        assert_eq!(rates.lines.len() * WAYS, 32_768);
    }

    #[test]
    fn without_a_limit_all_are_admitted_and_nothing_is_stored() {
        let rates = RateLimiter::new(0);
        assert!((0..1_000).all(|_| rates.take(1).is_ok()));
        assert!(rates.lines.is_empty());
    }
}
