//! Writing SQLite: one connection, one writer at a time. Those who wait for it meanwhile are committed together, since
//! what takes time is the disk's sync: a writer that is done lets those who wait already write too, in the same
//! transaction, and then commits for all. Nobody is answered before.

use std::sync::Arc;

use actix_web::rt;
use sqlx::{ConnectOptions, Executor, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    sync::{Mutex, OwnedMutexGuard, watch},
    time::timeout,
};

use super::PATIENCE;

/// The connection, in line for which writers wait.
#[derive(Clone)]
pub struct Writer(Arc<Mutex<State>>);

struct State {
    connection: SqliteConnection,
    /// The transaction that is open, with those whose writes are in it.
    group: Option<Group>,
    /// A writer has gone, or may have, without a word; what it wrote is to be undone.
    left_undone: bool,
}

/// Becomes true or false when the transaction has been committed or lost.
type Group = watch::Sender<Option<bool>>;

/// One writer's turn. Dropped without a commit, its writes are undone.
pub struct Write {
    /// None once it is committed.
    state: Option<OwnedMutexGuard<State>>,
    writer: Writer,
}

impl Writer {
    pub async fn open(options: &SqliteConnectOptions) -> sqlx::Result<Self> {
        let connection = options.connect().await?;
        Ok(Writer(Arc::new(Mutex::new(State { connection, group: None, left_undone: false }))))
    }

    /// Waits for its turn. The write lock is taken at once: one taken later can be refused.
    pub async fn begin(&self) -> sqlx::Result<Write> {
        let state = timeout(PATIENCE, self.0.clone().lock_owned()).await.map_err(|_| sqlx::Error::PoolTimedOut)?;
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
        self.0.clone().lock_owned().await.finish().await;
    }

    /// Runs a statement outside of any transaction.
    #[cfg(test)]
    pub async fn command(&self, sql: &'static str) -> sqlx::Result<()> {
        let mut state = self.0.lock().await;
        state.finish().await;
        state.connection.execute(sql).await.map(drop)
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self, migrator: &sqlx::migrate::Migrator) -> Result<(), sqlx::migrate::MigrateError> {
        let mut state = self.0.lock().await;
        state.finish().await;
        migrator.run_direct(None, &mut state.connection, false).await
    }

    /// Ends the last transaction.
    pub async fn close(&self) {
        let mut state = self.0.lock().await;
        state.finish().await;
        // Folds the log into the file, and gives the memory back.
        if let Err(error) = state.connection.execute("pragma wal_checkpoint(truncate)").await {
            log::warn!("the write-ahead log stays beside the database: {error}");
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
            self.lose().await;
        }
    }

    async fn lose(&mut self) {
        // An error says that it is undone already.
        let _ = self.connection.execute("rollback").await;
        self.end(false);
    }

    fn end(&mut self, kept: bool) {
        if let Some(group) = self.group.take() {
            group.send_replace(Some(kept));
        }
    }

    async fn finish(&mut self) {
        self.undo_what_was_left().await;
        if self.group.is_none() {
            return;
        }
        match self.connection.execute("commit").await {
            Ok(_) => self.end(true),
            Err(error) => {
                log::error!("a commit failed: {error}");
                self.lose().await;
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
            state.lose().await;
            return Err(released.err().unwrap_or(sqlx::Error::WorkerCrashed));
        };
        state.left_undone = false;
        drop(state);
        // The line is first come, first served: those who are in it now write before this one comes to commit.
        let mut state = self.writer.0.clone().lock_owned().await;
        if group.borrow().is_none() {
            state.finish().await;
        }
        drop(state);
        let kept = *group.borrow();
        match kept {
            Some(true) => Ok(()),
            _ => Err(sqlx::Error::Io(std::io::Error::other("the transaction could not be committed"))),
        }
    }
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
