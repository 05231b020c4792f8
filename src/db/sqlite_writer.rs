//! Writing SQLite: one connection, one writer at a time. Those who wait for it meanwhile are committed together, since
//! what takes time is the disk's sync: a writer that is done lets those who wait already write too, in the same
//! transaction, and then commits for all. Nobody is answered before.

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

/// The connection, in line for which writers wait.
#[derive(Clone)]
pub struct Writer {
    state: Arc<Mutex<State>>,
    /// Commits that have failed.
    failed_commits: Arc<AtomicU64>,
}

struct State {
    connection: SqliteConnection,
    /// The transaction that is open, with those whose writes are in it.
    group: Option<GroupCommit>,
    /// A writer has gone, or may have, without a word; what it wrote is to be undone.
    left_undone: bool,
    failed_commits: Arc<AtomicU64>,
}

/// Writers that are committed together: becomes true when they are, false when the commit has failed.
type GroupCommit = watch::Sender<Option<bool>>;

/// One writer's turn. Dropped without a commit, its writes are undone.
pub struct Write {
    /// None once it is committed.
    state: Option<OwnedMutexGuard<State>>,
    writer: Writer,
}

impl Writer {
    pub async fn open(options: &SqliteConnectOptions) -> sqlx::Result<Self> {
        let connection = options.connect().await?;
        let failed_commits = Arc::<AtomicU64>::default();
        let state = State { connection, group: None, left_undone: false, failed_commits: failed_commits.clone() };
        Ok(Writer { state: Arc::new(Mutex::new(state)), failed_commits })
    }

    /// Waits for its turn. The write lock is taken at once: one taken later can be refused.
    pub async fn begin(&self) -> sqlx::Result<Write> {
        let state = self.in_line().await?;
        let mut write = Write { state: Some(state), writer: self.clone() };
        // In a task of its own: a client that goes away must not leave the others' transaction in doubt.
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

    /// Commits what is there, unless it was done meanwhile, or undoes what was left.
    async fn finish(&self) {
        self.state.clone().lock_owned().await.finish().await;
    }

    async fn in_line(&self) -> sqlx::Result<OwnedMutexGuard<State>> {
        timeout(PATIENCE, self.state.clone().lock_owned()).await.map_err(|_| sqlx::Error::PoolTimedOut)
    }

    /// How many commits have failed so far.
    pub fn failed_commits(&self) -> u64 {
        self.failed_commits.load(SeqCst)
    }

    /// Waits until what others have written so far is durable.
    ///
    /// # Errors
    /// Where a commit has failed since `failed_commits` were counted.
    pub async fn wait_durable(&self, failed_commits: u64) -> sqlx::Result<()> {
        let mut state = self.in_line().await?;
        state.undo_what_was_left().await;
        let group = state.group.as_ref().map(watch::Sender::subscribe);
        drop(state);
        if let Some(group) = group {
            self.committed(group).await?;
        }
        if self.failed_commits() == failed_commits { Ok(()) } else { Err(lost()) }
    }

    /// Commits a transaction with all who wait, unless it was done meanwhile.
    async fn committed(&self, group: watch::Receiver<Option<bool>>) -> sqlx::Result<()> {
        // The line is first come, first served: those who are in it now write before this one comes to commit.
        let mut state = self.state.clone().lock_owned().await;
        if group.borrow().is_none() {
            state.finish().await;
        }
        drop(state);
        let committed = *group.borrow();
        if committed == Some(true) { Ok(()) } else { Err(lost()) }
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

    /// Ends the last transaction.
    pub async fn close(&self) {
        let mut state = self.state.lock().await;
        state.finish().await;
        // Folds the log into the file, and gives the memory back.
        if let Err(error) = state.connection.execute("pragma wal_checkpoint(truncate)").await {
            log::warn!("could not checkpoint the write-ahead log: {error}");
        }
    }
}

impl State {
    async fn begin(&mut self) -> sqlx::Result<()> {
        self.undo_what_was_left().await;
        self.left_undone = true;
        if self.group.is_none() {
            self.connection.execute("begin immediate").await?;
            self.group = Some(watch::Sender::new(None));
        }
        self.connection.execute("savepoint one").await.map(drop)
    }

    async fn undo_what_was_left(&mut self) {
        if !std::mem::take(&mut self.left_undone) || self.group.is_none() {
            return;
        }
        // Where SQLite has undone the whole transaction by itself (a full disk), there is nothing to go back to, and
        // those who wait for it must hear.
        if self.connection.execute("rollback to one; release one").await.is_err() {
            self.fail().await;
        }
    }

    async fn fail(&mut self) {
        let group = self.group.take();
        self.failed_commits.fetch_add(1, SeqCst);
        // An error says that it is undone already.
        let _ = self.connection.execute("rollback").await;
        if let Some(group) = group {
            group.send_replace(Some(false));
        }
    }

    async fn finish(&mut self) {
        self.undo_what_was_left().await;
        // Taken first: where this is given up halfway the transaction may be over, and nobody may build on it.
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

    /// Makes the writes durable, together with those of all who wait. To be run in a task of its own.
    pub async fn commit(mut self) -> sqlx::Result<()> {
        let Some(mut state) = self.state.take() else { return Ok(()) };
        let released = state.connection.execute("release one").await;
        let Some(group) = state.group.as_ref().filter(|_| released.is_ok()).map(watch::Sender::subscribe) else {
            state.left_undone = false;
            state.fail().await;
            return Err(released.err().unwrap_or(sqlx::Error::WorkerCrashed));
        };
        state.left_undone = false;
        drop(state);
        self.writer.committed(group).await
    }
}

fn lost() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::other("the transaction could not be committed"))
}

impl Drop for Write {
    fn drop(&mut self) {
        if self.state.take().is_none() {
            return;
        }
        // Somebody may wait for the commit of this transaction, and nobody come after.
        let writer = self.writer.clone();
        if tokio::runtime::Handle::try_current().is_ok() {
            rt::spawn(async move { writer.finish().await });
        }
    }
}
