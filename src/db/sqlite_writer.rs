//! Writes SQLite: one connection, one writer at a time, with group commits. The sync of the disk takes the time, so a
//! writer that is done lets those that are queued write into the same transaction first, and then commits for all of
//! them. Nobody is answered before the commit.
//!
//! Statements run on the calling thread, since most take less time than handing them to another thread and back. Commits,
//! long queries, and waiting for another process run on blocking threads.

use std::{
    borrow::Cow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use actix_web::rt::task::spawn_blocking;
use rusqlite::OpenFlags;
use tokio::{
    sync::{Mutex, OwnedMutexGuard, watch},
    time::timeout,
};

use crate::{
    base::settings::Synchronous,
    db::{
        bind::Bind,
        faults::from_rusqlite,
        limits::{PATIENCE, STATEMENTS},
        row::FromRow,
        sqlite_connection::{SqliteConnection, is_too_long},
    },
};

/// The connection, for which writers queue.
#[derive(Clone)]
pub struct Writer {
    state: Arc<Mutex<State>>,
    /// How many commits have failed.
    failed_commits: Arc<AtomicU64>,
}

struct State {
    sqlite: SqliteConnection,
    /// How long to wait for a writer of another process.
    patience: Duration,
    /// The open transaction, with the writers whose writes are in it.
    group: Option<GroupCommit>,
    failed_commits: Arc<AtomicU64>,
}

/// Writers that are committed together: `Some(true)` after the commit, `Some(false)` if it failed.
type GroupCommit = watch::Sender<Option<bool>>;

type Turn = OwnedMutexGuard<State>;

/// One writer's turn. Dropped without a commit, its writes are rolled back.
pub struct Write {
    /// `None` once it is over, and while it is on another thread.
    state: Option<Turn>,
    writer: Writer,
}

impl Writer {
    /// Opens a file, and creates it if it is missing. A writer of another process is waited for as long as `patience`.
    pub fn open(file: &Path, synchronous: Synchronous, patience: Duration) -> rusqlite::Result<Self> {
        let sqlite = SqliteConnection::open(file, OpenFlags::SQLITE_OPEN_CREATE, STATEMENTS)?;
        let connection = &sqlite.connection;
        connection.busy_timeout(patience)?;
        // For large sorts, also on machines without a temporary folder. It applies to the process.
        let folder = file.parent().unwrap_or(Path::new(".")).to_string_lossy().into_owned();
        connection.pragma_update(None, "temp_store_directory", folder)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", synchronous.word())?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // The log is longer than by default, and copied less often: 16 MiB.
        connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
        // Deleted texts are overwritten.
        connection.pragma_update(None, "secure_delete", true)?;
        // A read-only file opens without an error, so a write is tried and rolled back.
        connection.execute_batch("begin immediate; pragma user_version = 1; rollback")?;
        connection.busy_timeout(Duration::ZERO)?;
        let failed_commits = Arc::<AtomicU64>::default();
        let state = State { sqlite, patience, group: None, failed_commits: failed_commits.clone() };
        Ok(Writer { state: Arc::new(Mutex::new(state)), failed_commits })
    }

    /// Waits for its turn. The write lock is taken at once: taken later, it could be refused.
    pub async fn begin(&self) -> sqlx::Result<Write> {
        let mut state = self.lock().await?;
        match state.begin() {
            // Another process writes.
            Err(error) if is_too_long(&error) => {
                let writer = self.clone();
                // If the client goes away meanwhile, the `Write` is dropped as any other.
                let begun =
                    spawn_blocking(move || state.begin_patiently().map(|()| Write { state: Some(state), writer }));
                begun.await.map_err(|_| sqlx::Error::WorkerCrashed)?.map_err(from_rusqlite)
            }
            Err(error) => Err(from_rusqlite(error)),
            Ok(()) => Ok(Write { state: Some(state), writer: self.clone() }),
        }
    }

    async fn lock(&self) -> sqlx::Result<Turn> {
        timeout(PATIENCE, self.state.clone().lock_owned()).await.map_err(|_| sqlx::Error::PoolTimedOut)
    }

    /// How many commits have failed so far.
    pub fn failed_commits(&self) -> u64 {
        self.failed_commits.load(SeqCst)
    }

    /// Waits until what others have written so far is durable.
    ///
    /// # Errors
    /// If a commit has failed since `failed_commits` was read.
    pub async fn wait_durable(&self, failed_commits: u64) -> sqlx::Result<()> {
        let state = self.lock().await?;
        let group = state.group.as_ref().map(watch::Sender::subscribe);
        drop(state);
        if let Some(group) = group {
            self.commit_group(group).await?;
        }
        if self.failed_commits() == failed_commits { Ok(()) } else { Err(commit_failed()) }
    }

    /// Commits a transaction for all its writers, unless one of them has done so.
    async fn commit_group(&self, group: watch::Receiver<Option<bool>>) -> sqlx::Result<()> {
        // The queue is first come, first served: those that are in it now write before this one commits.
        let mut state = self.state.clone().lock_owned().await;
        if group.borrow().is_none() {
            spawn_blocking(move || state.finish()).await.map_err(|_| sqlx::Error::WorkerCrashed)?;
        }
        let committed = *group.borrow();
        if committed == Some(true) { Ok(()) } else { Err(commit_failed()) }
    }

    /// Runs something with the connection, outside of any transaction, on a blocking thread.
    pub async fn alone<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut SqliteConnection) -> T + Send + 'static,
    ) -> sqlx::Result<T> {
        let mut state = self.state.clone().lock_owned().await;
        let done = spawn_blocking(move || {
            state.finish();
            run(&mut state.sqlite)
        });
        done.await.map_err(|_| sqlx::Error::WorkerCrashed)
    }

    /// Ends the last transaction and checkpoints the log.
    pub async fn close(&self) {
        let done = self.alone(|sqlite| sqlite.connection.execute_batch("pragma wal_checkpoint(truncate)")).await;
        if let Err(error) = done.and_then(|done| done.map_err(from_rusqlite)) {
            log::warn!("could not checkpoint the write-ahead log: {error}");
        }
    }
}

impl State {
    fn begin(&mut self) -> rusqlite::Result<()> {
        if self.group.is_none() {
            self.sqlite.command("begin immediate")?;
            self.group = Some(watch::Sender::new(None));
        }
        self.sqlite.command("savepoint one").inspect_err(|_| self.end_if_empty())
    }

    fn begin_patiently(&mut self) -> rusqlite::Result<()> {
        self.sqlite.connection.busy_timeout(self.patience)?;
        let begun = self.begin();
        self.sqlite.connection.busy_timeout(Duration::ZERO).and(begun)
    }

    /// Rolls back what the last writer wrote.
    fn roll_back(&mut self) {
        // If SQLite has rolled back the whole transaction itself (a full disk), there is no savepoint, and those that
        // wait for the commit must be told.
        match self.sqlite.command("rollback to one").and_then(|()| self.sqlite.command("release one")) {
            Ok(()) => self.end_if_empty(),
            Err(_) => self.fail(),
        }
    }

    /// Ends the transaction if nobody waits for its commit, so that other processes can write.
    fn end_if_empty(&mut self) {
        if self.group.take_if(|group| group.receiver_count() == 0).is_some() {
            // An error means that it has ended already.
            let _ = self.sqlite.command("rollback");
        }
    }

    fn fail(&mut self) {
        let group = self.group.take();
        self.failed_commits.fetch_add(1, SeqCst);
        // An error means that it is rolled back already.
        let _ = self.sqlite.command("rollback");
        if let Some(group) = group {
            group.send_replace(Some(false));
        }
    }

    fn finish(&mut self) {
        let Some(group) = self.group.take() else { return };
        match self.sqlite.command("commit") {
            Ok(()) => drop(group.send_replace(Some(true))),
            Err(error) => {
                log::error!("a commit failed: {error}");
                self.group = Some(group);
                self.fail();
            }
        }
    }
}

impl Write {
    fn state(&self) -> sqlx::Result<&Turn> {
        self.state.as_ref().ok_or(sqlx::Error::WorkerCrashed)
    }

    /// Runs a write, and tells how many rows it has affected.
    pub fn execute(&mut self, sql: &str, binds: &[Bind], cached: bool) -> sqlx::Result<u64> {
        self.state()?.sqlite.execute(sql, binds, cached).map_err(from_rusqlite)
    }

    /// All rows of a query.
    pub async fn all<T: FromRow>(
        &mut self,
        sql: Cow<'static, str>,
        binds: Vec<Bind>,
        cached: bool,
    ) -> sqlx::Result<Vec<T>> {
        match self.state()?.sqlite.all_if_short(&sql, &binds, cached) {
            Some(found) => found,
            None => self.on_blocking_thread(move |state| state.sqlite.all(&sql, &binds, cached)).await?,
        }
    }

    /// If the client goes away meanwhile, it runs to its end, and is rolled back then.
    async fn on_blocking_thread<T: Send + 'static>(
        &mut self,
        run: impl FnOnce(&State) -> T + Send + 'static,
    ) -> sqlx::Result<T> {
        let moved = Write { state: self.state.take(), writer: self.writer.clone() };
        let done = spawn_blocking(move || {
            let done = moved.state().map(|state| run(state));
            (moved, done)
        });
        let (mut moved, done) = done.await.map_err(|_| sqlx::Error::WorkerCrashed)?;
        self.state = moved.state.take();
        done
    }

    /// Makes the writes durable, together with those of all queued writers. To be run in a task of its own.
    pub async fn commit(mut self) -> sqlx::Result<()> {
        let Some(mut state) = self.state.take() else { return Err(sqlx::Error::WorkerCrashed) };
        let released = state.sqlite.command("release one");
        let Some(group) = state.group.as_ref().filter(|_| released.is_ok()).map(watch::Sender::subscribe) else {
            state.fail();
            return Err(released.err().map_or(sqlx::Error::WorkerCrashed, from_rusqlite));
        };
        drop(state);
        self.writer.commit_group(group).await
    }
}

fn commit_failed() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::other("the transaction could not be committed"))
}

impl Drop for Write {
    fn drop(&mut self) {
        if let Some(mut state) = self.state.take() {
            state.roll_back();
        }
    }
}
