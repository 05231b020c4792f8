//! Writes SQLite: one connection, one writer at a time, with group commits. The sync of the disk takes the time, so a
//! writer that is done lets those that are queued write into the same transaction first, and then commits for all of
//! them. Nobody is answered before the commit.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

use actix_web::rt;
use sqlx::{ConnectOptions, Executor, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    sync::{Mutex, OwnedMutexGuard, watch},
    time::timeout,
};

use crate::db::limits::PATIENCE;

/// The connection, for which writers queue.
#[derive(Clone)]
pub struct Writer {
    state: Arc<Mutex<State>>,
    /// How many commits have failed.
    failed_commits: Arc<AtomicU64>,
}

struct State {
    connection: SqliteConnection,
    /// The open transaction, with the writers whose writes are in it.
    group: Option<GroupCommit>,
    /// A writer was dropped, or may have been: its writes are to be rolled back.
    needs_rollback: bool,
    failed_commits: Arc<AtomicU64>,
}

/// Writers that are committed together: `Some(true)` after the commit, `Some(false)` if it failed.
type GroupCommit = watch::Sender<Option<bool>>;

/// One writer's turn. Dropped without a commit, its writes are rolled back.
pub struct Write {
    /// `None` once it is committed.
    state: Option<OwnedMutexGuard<State>>,
    writer: Writer,
}

impl Writer {
    pub async fn open(options: &SqliteConnectOptions) -> sqlx::Result<Self> {
        let connection = options.connect().await?;
        let failed_commits = Arc::<AtomicU64>::default();
        let state = State { connection, group: None, needs_rollback: false, failed_commits: failed_commits.clone() };
        Ok(Writer { state: Arc::new(Mutex::new(state)), failed_commits })
    }

    /// Waits for its turn. The write lock is taken at once: taken later, it could be refused.
    pub async fn begin(&self) -> sqlx::Result<Write> {
        let state = self.lock().await?;
        let mut write = Write { state: Some(state), writer: self.clone() };
        // In a task of its own: if the client goes away, the transaction of the others must not be left in doubt.
        let begun = rt::spawn(async move {
            let begun = match &mut write.state {
                Some(state) => state.begin().await,
                None => Ok(()),
            };
            (write, begun)
        });
        let (write, begun) = begun.await.map_err(|_| sqlx::Error::WorkerCrashed)?;
        begun.map(|()| write)
    }

    /// Rolls back what a dropped writer wrote, and commits the open transaction, if there is one.
    async fn finish(&self) {
        self.state.clone().lock_owned().await.finish().await;
    }

    async fn lock(&self) -> sqlx::Result<OwnedMutexGuard<State>> {
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
        let mut state = self.lock().await?;
        state.roll_back_dropped().await;
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
            state.finish().await;
        }
        drop(state);
        let committed = *group.borrow();
        if committed == Some(true) { Ok(()) } else { Err(commit_failed()) }
    }

    /// Runs a statement outside of any transaction.
    #[cfg(test)]
    pub async fn command(&self, sql: &'static str) -> sqlx::Result<()> {
        let mut state = self.state.lock().await;
        state.finish().await;
        state.connection.execute(sql).await.map(drop)
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self, migrator: &sqlx::migrate::Migrator) -> Result<(), sqlx::migrate::MigrateError> {
        let mut state = self.state.lock().await;
        state.finish().await;
        migrator.run_direct(None, &mut state.connection, false).await
    }

    /// Ends the last transaction and checkpoints the log.
    pub async fn close(&self) {
        let mut state = self.state.lock().await;
        state.finish().await;
        if let Err(error) = state.connection.execute("pragma wal_checkpoint(truncate)").await {
            log::warn!("could not checkpoint the write-ahead log: {error}");
        }
    }
}

impl State {
    async fn begin(&mut self) -> sqlx::Result<()> {
        self.roll_back_dropped().await;
        self.needs_rollback = true;
        if self.group.is_none() {
            self.connection.execute("begin immediate").await?;
            self.group = Some(watch::Sender::new(None));
        }
        self.connection.execute("savepoint one").await.map(drop)
    }

    async fn roll_back_dropped(&mut self) {
        if !std::mem::take(&mut self.needs_rollback) || self.group.is_none() {
            return;
        }
        // If SQLite has rolled back the whole transaction itself (a full disk), there is no savepoint, and those that
        // wait for the commit must be told.
        if self.connection.execute("rollback to one; release one").await.is_err() {
            self.fail().await;
        }
    }

    async fn fail(&mut self) {
        let group = self.group.take();
        self.failed_commits.fetch_add(1, SeqCst);
        // An error means that it is rolled back already.
        let _ = self.connection.execute("rollback").await;
        if let Some(group) = group {
            group.send_replace(Some(false));
        }
    }

    async fn finish(&mut self) {
        self.roll_back_dropped().await;
        // Taken first: if this is cancelled halfway, the transaction may be over, and nobody may write into it.
        let Some(group) = self.group.take() else { return };
        match self.connection.execute("commit").await {
            Ok(_) => drop(group.send_replace(Some(true))),
            Err(error) => {
                log::error!("a commit failed: {error}");
                self.group = Some(group);
                self.fail().await;
            }
        }
    }
}

impl Write {
    /// # Panics
    /// Never: a write that is committed is gone.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.state.as_mut().expect("a write that is not committed").connection
    }

    /// Makes the writes durable, together with those of all queued writers. To be run in a task of its own.
    pub async fn commit(mut self) -> sqlx::Result<()> {
        let Some(mut state) = self.state.take() else { return Ok(()) };
        let released = state.connection.execute("release one").await;
        let Some(group) = state.group.as_ref().filter(|_| released.is_ok()).map(watch::Sender::subscribe) else {
            state.needs_rollback = false;
            state.fail().await;
            return Err(released.err().unwrap_or(sqlx::Error::WorkerCrashed));
        };
        state.needs_rollback = false;
        drop(state);
        self.writer.commit_group(group).await
    }
}

fn commit_failed() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::other("the transaction could not be committed"))
}

impl Drop for Write {
    fn drop(&mut self) {
        if self.state.take().is_none() {
            return;
        }
        // Others may wait for the commit of this transaction, and there may be no later writer.
        let writer = self.writer.clone();
        if tokio::runtime::Handle::try_current().is_ok() {
            rt::spawn(async move { writer.finish().await });
        }
    }
}
