//! How long what is remembered of callers holds.
//!
//! Every change that takes power away (a key withdrawn, a user deactivated, a subscription changed) renews the one row
//! of `auth_epoch` in its own transaction, and is answered only when [`WAIT`] has passed since its commit, if other
//! processes may serve. A process trusts its memory only on a reading of that row that began less than [`TRUST`]
//! before the request arrived. So no request that starts after such an answer is judged by what was true before it,
//! whatever the network between processes does: without a reading there is no memory, and no answer. (One thing can
//! still deceive it: a virtual machine that its host stands still, and whose clocks do not tell; for the rest of the
//! 250 ms after that a process may trust what it knew before.)

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

use crate::db::{Db, Select, Tx, run};

/// For how long a reading is trusted.
const TRUST: Duration = Duration::from_millis(250);

/// For how long a change is not answered: a little longer, since clocks that are being set go up to a thousandth faster
/// or slower.
pub const WAIT: Duration = Duration::from_millis(255);

/// Memory is of a generation; what was remembered under another is void.
pub struct Epoch {
    read: Mutex<Reading>,
    generation: AtomicU64,
    /// Changes that are being committed.
    changing: AtomicUsize,
    /// Held by the one that reads, while others wait for what it finds.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Clone, Copy, Default)]
struct Reading {
    /// The row's value, and since when it is known to have been that.
    found: Option<(i64, Instant)>,
    /// Readings that have failed.
    failures: u64,
}

/// Since the machine was started, its sleep included: a clock that nobody sets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Instant(Duration);

impl Instant {
    fn now() -> Self {
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

    /// Voids what is remembered in this process.
    fn forget(&self) {
        self.generation.fetch_add(1, SeqCst);
    }

    /// Begins the commit of a change. The first to see the change is not always the one who waits for it (a client may
    /// have gone, and others' writes be committed with it): until this is dropped nothing is remembered here, and then
    /// all is void.
    pub fn change(&self) -> Change<'_> {
        self.changing.fetch_add(1, SeqCst);
        Change(self)
    }

    /// The generation of now; while a change is being committed one of its own for everybody who asks.
    fn current(&self) -> u64 {
        match self.changing.load(SeqCst) {
            0 => self.generation.load(SeqCst),
            _ => self.generation.fetch_add(1, SeqCst) + 1,
        }
    }

    fn reading(&self) -> std::sync::MutexGuard<'_, Reading> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The generation that a request which arrived then may trust for so long, if the last reading is young enough.
    fn trusted(&self, arrived: Instant, trust: Duration) -> Option<u64> {
        let (_, began) = self.reading().found?;
        (arrived.0 < began.0 + trust).then(|| self.current())
    }

    fn note(&self, began: Instant, found: &sqlx::Result<i64>) {
        let mut reading = self.reading();
        match found {
            Ok(epoch) => {
                if reading.found.is_none_or(|(old, _)| old != *epoch) {
                    self.forget();
                }
                reading.found = Some((*epoch, began));
            }
            Err(_) => reading.failures += 1,
        }
    }
}

/// A change that is being committed.
pub struct Change<'a>(&'a Epoch);

impl Drop for Change<'_> {
    fn drop(&mut self) {
        self.0.forget();
        self.0.changing.fetch_sub(1, SeqCst);
    }
}

impl Db {
    /// The generation of memory that a request may use that arrives now, if the last reading is young enough.
    pub fn young_generation(&self) -> Option<u64> {
        self.epoch.trusted(Instant::now(), TRUST)
    }

    /// The generation of memory that a request may use that arrives now.
    ///
    /// # Errors
    /// Where the epoch cannot be read nothing is known, and nobody let in. Those who wait for one reading share its
    /// failure: a database that answers nobody is not asked by each in turn.
    pub async fn generation(&self) -> sqlx::Result<u64> {
        self.generation_by(TRUST).await
    }

    /// Whether the database answers, and its schema is there. Those who ask at once wait for one answer.
    pub async fn is_ready(&self) -> sqlx::Result<()> {
        self.generation_by(Duration::ZERO).await.map(drop)
    }

    async fn generation_by(&self, trust: Duration) -> sqlx::Result<u64> {
        let arrived = Instant::now();
        if let Some(generation) = self.epoch.trusted(arrived, trust) {
            return Ok(generation);
        }
        let failures = self.epoch.reading().failures;
        let _turn = self.epoch.turn.lock().await;
        if let Some(generation) = self.epoch.trusted(arrived, trust) {
            return Ok(generation);
        }
        if self.epoch.reading().failures != failures {
            return Err(sqlx::Error::PoolTimedOut);
        }
        let began = Instant::now();
        let found = self.read_epoch().await;
        self.epoch.note(began, &found);
        found.map(|_| self.epoch.current())
    }

    async fn read_epoch(&self) -> sqlx::Result<i64> {
        let mut tx = self.glance().await?;
        Select::new("select epoch from auth_epoch", Vec::new()).value(&mut tx).await
    }
}

impl Tx {
    /// Says that this transaction changes what callers may do. It comes last, when all other rows are held: every such
    /// change waits for this one row.
    ///
    /// The new value is a random one. A counter could come back to a value that it had before: where a database is set
    /// back, because it was restored or because a standby without the last commits took over, and then counts on.
    pub async fn raise_epoch(&mut self) -> sqlx::Result<()> {
        const SQL: &str = "update auth_epoch set epoch = $1";
        run!(self, sqlx::query(SQL).bind(rand::random::<i64>()))?;
        self.raised = true;
        Ok(())
    }
}
