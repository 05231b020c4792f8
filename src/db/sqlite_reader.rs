//! Reads SQLite on the calling thread. Most queries take less time than handing them to another thread and back; one
//! that takes longer is interrupted and restarted on a blocking thread, so that it delays nobody else.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use actix_web::rt::task::spawn_blocking;
use chrono::SecondsFormat;
use rusqlite::{
    Connection, ErrorCode, OpenFlags, Statement,
    config::DbConfig,
    types::{ToSqlOutput, Value, ValueRef},
};
use tokio::{sync::Semaphore, time::timeout};

use crate::db::{
    bind::Bind,
    faults::from_rusqlite,
    limits::PATIENCE,
    row::{FromRow, Row},
    version::{Version, WalIndex},
};

/// Maximum number of idle connections.
const MAX_IDLE: usize = 8;

/// Maximum number of concurrent long queries.
const MAX_LONG: usize = 4;

/// VM instructions between two calls of the progress handler.
const STEPS: i32 = 1_000;

/// Calls of the progress handler until a query on the calling thread is interrupted: a few milliseconds.
const SHORT: i64 = 50;

/// Prepared statements that a connection caches.
const STATEMENTS: usize = 64;

/// Reading connections to one SQLite file.
pub struct ReaderPool {
    file: PathBuf,
    idle: Mutex<Vec<ReadConnection>>,
    /// Where versions are read, once it is known to show commits.
    wal_index: OnceLock<WalIndex>,
    /// Only for versions while there is no `wal_index`: `data_version` is a number of its connection.
    version_reader: Mutex<Option<ReadConnection>>,
    long: Arc<Semaphore>,
}

/// A connection, and how many calls of the progress handler its query has left.
struct ReadConnection {
    connection: Connection,
    left: Arc<AtomicI64>,
}

/// A reading connection, perhaps in a transaction; dropping it returns it to the pool.
pub struct Reader {
    /// `None` only while it is on another thread.
    reader: Option<ReadConnection>,
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

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<ReadConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> rusqlite::Result<ReadConnection> {
        let connection = Connection::open_with_flags(
            &self.file,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        // Waiting would block all other requests of this thread.
        connection.busy_timeout(Duration::ZERO)?;
        connection.pragma_update(None, "query_only", true)?;
        // A statement is planned once, not anew for the values of each user.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.create_collation("C", |a, b| a.as_bytes().cmp(b.as_bytes()))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let left = Arc::new(AtomicI64::new(SHORT));
        let used = left.clone();
        connection.progress_handler(STEPS, Some(move || used.fetch_sub(1, Relaxed) <= 0))?;
        Ok(ReadConnection { connection, left })
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
        reader.left.store(SHORT, Relaxed);
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
        match reader.all(&sql, &binds, cached, SHORT) {
            Ok(found) => found,
            Err(error) if is_too_long(&error) => Box::pin(self.all_on_blocking_thread(sql, binds, cached)).await,
            Err(error) => Err(from_rusqlite(error)),
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
            let found =
                reader.connection.busy_timeout(PATIENCE).and_then(|()| reader.all(&sql, &binds, cached, i64::MAX));
            let found = reader.connection.busy_timeout(Duration::ZERO).and(found);
            (reader, found)
        });
        let (reader, found) = long.await.map_err(|_| sqlx::Error::WorkerCrashed)?;
        self.reader = Some(reader);
        found.map_err(from_rusqlite)?
    }
}

impl ReadConnection {
    fn command(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    /// The outer error is SQLite's; the inner one says that a row could not be decoded.
    fn all<T: FromRow>(
        &self,
        sql: &str,
        binds: &[Bind],
        cached: bool,
        most: i64,
    ) -> rusqlite::Result<sqlx::Result<Vec<T>>> {
        self.left.store(most, Relaxed);
        if cached {
            rows_of(&mut *self.connection.prepare_cached(sql)?, binds)
        } else {
            rows_of(&mut self.connection.prepare(sql)?, binds)
        }
    }
}

/// All rows of a prepared statement.
fn rows_of<T: FromRow>(statement: &mut Statement<'_>, binds: &[Bind]) -> rusqlite::Result<sqlx::Result<Vec<T>>> {
    // SQLite numbers parameters by first occurrence, whatever their name: `$2` may be the first.
    for place in 1..=statement.parameter_count() {
        let name = statement.parameter_name(place).and_then(|name| name.strip_prefix('$'));
        let bind = name.and_then(|number| binds.get(number.parse::<usize>().ok()?.checked_sub(1)?));
        statement.raw_bind_parameter(place, bind.ok_or(rusqlite::Error::InvalidParameterCount(place, binds.len()))?)?;
    }
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        match T::from_row(&Row::Reader(row)) {
            Ok(one) => found.push(one),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(found))
}

/// True for a query that was interrupted, or found the file locked by another process.
fn is_too_long(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::OperationInterrupted | ErrorCode::DatabaseBusy))
}

/// Encodes values as sqlx does in the same file.
impl rusqlite::ToSql for Bind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Bind::Id(id) | Bind::MaybeId(Some(id)) => ToSqlOutput::Borrowed(ValueRef::Blob(id.as_bytes())),
            Bind::MaybeId(None) | Bind::MaybeText(None) | Bind::MaybeBoolean(None) | Bind::MaybeWhole(None) => {
                ToSqlOutput::Owned(Value::Null)
            }
            Bind::Text(text) | Bind::MaybeText(Some(text)) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Bind::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Bind::Boolean(value) | Bind::MaybeBoolean(Some(value)) => {
                ToSqlOutput::Owned(Value::Integer((*value).into()))
            }
            Bind::Whole(number) | Bind::MaybeWhole(Some(number)) => ToSqlOutput::Owned(Value::Integer(*number)),
            Bind::Moment(moment) => {
                ToSqlOutput::Owned(Value::Text(moment.to_rfc3339_opts(SecondsFormat::AutoSi, false)))
            }
        })
    }
}
