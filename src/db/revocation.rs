//! How long cached credentials are valid.
//!
//! A change that revokes access (a key withdrawn, a user deactivated, a subscription changed) replaces the one row of
//! `auth_epoch` in its own transaction and, where other processes may serve, is acknowledged only [`WAIT`] after its
//! commit. A process uses its cache only if it read that row less than [`TRUST`] before the request arrived; if it
//! cannot read it, it answers 503. So no request that starts after such an answer sees the old state, whatever the
//! network between processes does. Known gap: a virtual machine that is paused and whose clock stands still meanwhile
//! may trust its cache for the rest of these 250 ms.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

/// How long a reading of the epoch is trusted.
pub const TRUST: Duration = Duration::from_millis(250);

/// How long the response to a change is delayed: a little longer, since a clock that is being adjusted runs up to a
/// thousandth faster or slower.
pub const WAIT: Duration = Duration::from_millis(255);

/// The epoch as this process knows it. Caches belong to a generation; entries of another one are invalid.
pub struct Epoch {
    read: Mutex<Reading>,
    generation: AtomicU64,
    /// Changes that are being committed.
    changing: AtomicUsize,
    /// Locked by the task that reads the epoch, while others wait for its result.
    pub turn: tokio::sync::Mutex<()>,
}

#[derive(Clone, Copy, Default)]
pub struct Reading {
    /// The value of the row, and when the query that read it began.
    found: Option<(i64, Instant)>,
    /// How many readings have failed.
    pub failures: u64,
}

/// Time since the machine was booted, including suspend: a clock that nobody sets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(Duration);

impl Instant {
    pub fn now() -> Self {
        let now = clock_gettime(ClockId::Boottime);
        Instant(Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or_default()))
    }
}

impl Epoch {
    pub fn new() -> Self {
        Epoch {
            read: Mutex::default(),
            generation: AtomicU64::new(0),
            changing: AtomicUsize::new(0),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// Invalidates the caches of this process.
    fn invalidate(&self) {
        self.generation.fetch_add(1, SeqCst);
    }

    /// Begins the commit of a change. Nothing is cached until this guard is dropped; dropping it invalidates the cache.
    /// The commit can be visible to others before its waiter resumes.
    pub fn change(&self) -> RevocationGuard<'_> {
        self.changing.fetch_add(1, SeqCst);
        RevocationGuard(self)
    }

    /// The current generation; while a change is being committed, a new one for every caller.
    pub fn current(&self) -> u64 {
        match self.changing.load(SeqCst) {
            0 => self.generation.load(SeqCst),
            _ => self.generation.fetch_add(1, SeqCst) + 1,
        }
    }

    pub fn reading(&self) -> std::sync::MutexGuard<'_, Reading> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The generation that a request which arrived at `arrived` may use, if the last reading was less than `trust`
    /// before.
    pub fn trusted(&self, arrived: Instant, trust: Duration) -> Option<u64> {
        let (_, began) = self.reading().found?;
        (arrived.0 < began.0 + trust).then(|| self.current())
    }

    /// Stores a reading of the epoch; a new value invalidates the caches.
    pub fn note(&self, began: Instant, found: &sqlx::Result<i64>) {
        let mut reading = self.reading();
        match found {
            Ok(epoch) => {
                if reading.found.is_none_or(|(old, _)| old != *epoch) {
                    self.invalidate();
                }
                reading.found = Some((*epoch, began));
            }
            Err(_) => reading.failures += 1,
        }
    }
}

/// A change that is being committed.
pub struct RevocationGuard<'a>(&'a Epoch);

impl Drop for RevocationGuard<'_> {
    fn drop(&mut self) {
        self.0.invalidate();
        self.0.changing.fetch_sub(1, SeqCst);
    }
}
