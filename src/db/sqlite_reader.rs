//! Reads SQLite on the calling thread. Most queries take less time than handing them to another thread and back; one
//! that takes longer is interrupted and restarted on a blocking thread, so that it delays nobody else.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use actix_web::rt::task::spawn_blocking;
use rusqlite::{OpenFlags, config::DbConfig};
use tokio::{sync::Semaphore, time::timeout};

use crate::db::{
    bind::Bind,
    faults::from_rusqlite,
    limits::PATIENCE,
    row::FromRow,
    sqlite_connection::SqliteConnection,
    version::{Version, WalIndex},
};

/// Maximum number of idle connections.
const MAX_IDLE: usize = 8;

/// Maximum number of concurrent long queries.
const MAX_LONG: usize = 4;

/// Prepared statements that a connection caches.
const STATEMENTS: usize = 64;

/// Reading connections to one SQLite file.
pub struct ReaderPool {
    file: PathBuf,
    idle: Mutex<Vec<SqliteConnection>>,
    /// Where versions are read, once it is known to show commits.
    wal_index: OnceLock<WalIndex>,
    /// Only for versions while there is no `wal_index`: `data_version` is a number of its connection.
    version_reader: Mutex<Option<SqliteConnection>>,
    long: Arc<Semaphore>,
}

/// A reading connection, perhaps in a transaction; dropping it returns it to the pool.
pub struct Reader {
    /// `None` only while it is on another thread.
    reader: Option<SqliteConnection>,
    begun: bool,
    pool: Arc<ReaderPool>,
}

impl ReaderPool {
    /// For a file that exists.
    pub fn new(file: &Path) -> sqlx::Result<Arc<Self>> {
        let readers = ReaderPool {
            file: file.to_owned(),
            idle: Mutex::default(),
            wal_index: OnceLock::new(),
            version_reader: Mutex::default(),
            long: Arc::new(Semaphore::new(MAX_LONG)),
        };
        let first = readers.open().map_err(from_rusqlite)?;
        readers.idle().push(first);
        Ok(Arc::new(readers))
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<SqliteConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> rusqlite::Result<SqliteConnection> {
        let opened = SqliteConnection::open(&self.file, OpenFlags::empty(), STATEMENTS)?;
        opened.connection.pragma_update(None, "query_only", true)?;
        // A statement is planned once, not anew for the values of each user.
        opened.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(opened)
    }

    /// A connection without a transaction: each query sees the latest commit.
    pub fn read_latest(self: &Arc<Self>) -> sqlx::Result<Reader> {
        let idle = self.idle().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => self.open().map_err(from_rusqlite)?,
        };
        Ok(Reader { reader: Some(reader), begun: false, pool: self.clone() })
    }

    /// A connection in a transaction: all queries see the same snapshot.
    pub fn read(self: &Arc<Self>) -> sqlx::Result<Reader> {
        let mut reader = self.read_latest()?;
        if let Some(connection) = &reader.reader {
            connection.command("begin").map_err(from_rusqlite)?;
            reader.begun = true;
        }
        Ok(reader)
    }

    /// The WAL index of the file.
    pub fn open_wal_index(&self) -> std::io::Result<WalIndex> {
        WalIndex::open(&self.file)
    }

    /// Reads versions from here from now on.
    pub fn read_versions_from(&self, index: WalIndex) {
        drop(self.wal_index.set(index));
    }

    /// What every commit of any process changes. `None` if it cannot be read.
    pub fn version(&self) -> Option<Version> {
        match self.wal_index.get().and_then(WalIndex::version) {
            None => self.data_version().map(Version::Number),
            version => version,
        }
    }

    fn data_version(&self) -> Option<i64> {
        let mut version_reader = self.version_reader.lock().unwrap_or_else(PoisonError::into_inner);
        if version_reader.is_none() {
            *version_reader = self.open().ok();
        }
        let reader = version_reader.as_ref()?;
        let mut statement = reader.connection.prepare_cached("pragma data_version").ok()?;
        statement.query_row([], |row| row.get(0)).ok()
    }

    /// Closes idle connections.
    pub fn close(&self) {
        self.version_reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.idle().clear();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some(reader) = self.reader.take() else { return };
        if self.begun && reader.command("rollback").is_err() {
            return;
        }
        let mut idle = self.pool.idle();
        if idle.len() < MAX_IDLE {
            idle.push(reader);
        }
    }
}

impl Reader {
    /// All rows of a query.
    pub async fn all<T: FromRow>(
        &mut self,
        sql: Cow<'static, str>,
        binds: Vec<Bind>,
        cached: bool,
    ) -> sqlx::Result<Vec<T>> {
        let Some(reader) = &self.reader else { return Err(sqlx::Error::WorkerCrashed) };
        match reader.all_if_short(&sql, &binds, cached) {
            Some(found) => found,
            None => Box::pin(self.all_on_blocking_thread(sql, binds, cached)).await,
        }
    }

    async fn all_on_blocking_thread<T: FromRow>(
        &mut self,
        sql: Cow<'static, str>,
        binds: Vec<Bind>,
        cached: bool,
    ) -> sqlx::Result<Vec<T>> {
        let pool = self.pool.clone();
        let permit = match timeout(PATIENCE, pool.long.clone().acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            _ => return Err(sqlx::Error::PoolTimedOut),
        };
        let Some(reader) = self.reader.take() else { return Err(sqlx::Error::WorkerCrashed) };
        // If the client goes away, the query continues, with its permit.
        let long = spawn_blocking(move || {
            let _permit = permit;
            let patient = reader.connection.busy_timeout(PATIENCE).map_err(from_rusqlite);
            let found = patient.and_then(|()| reader.all(&sql, &binds, cached));
            let found = reader.connection.busy_timeout(Duration::ZERO).map_err(from_rusqlite).and(found);
            (reader, found)
        });
        let (reader, found) = long.await.map_err(|_| sqlx::Error::WorkerCrashed)?;
        self.reader = Some(reader);
        found
    }
}
