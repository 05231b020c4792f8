//! Reading SQLite on the thread that asks. Most queries of a request take less time than handing them to another
//! thread and back; one that turns out to take longer is restarted on a blocking thread, and delays nobody.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
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
};

/// Connections kept for the next reader.
const MOST_IDLE: usize = 8;

/// Long queries at a time.
const LONG_AT_ONCE: usize = 4;

/// VM instructions between two calls of the progress handler.
const STEPS: i32 = 1_000;

/// Thousands of steps that a query may take on the thread that asks: a few milliseconds.
const SHORT: i64 = 50;

/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 64;

/// The readers of one SQLite file.
pub struct ReaderPool {
    file: PathBuf,
    idle: Mutex<Vec<ReadConnection>>,
    /// Asked for the database's version alone: each connection counts its own.
    watch: Mutex<Option<ReadConnection>>,
    long: Arc<Semaphore>,
}

/// A connection, and what its query may still use up.
struct ReadConnection {
    connection: Connection,
    left: Arc<AtomicI64>,
}

/// A connection that reads, and in a transaction all of it at one moment.
pub struct Reader {
    /// None only while it is on another thread.
    reader: Option<ReadConnection>,
    begun: bool,
    home: Arc<ReaderPool>,
}

impl ReaderPool {
    /// Readers of a file that exists.
    pub fn new(file: &Path) -> sqlx::Result<Arc<Self>> {
        let (idle, watch) = (Mutex::default(), Mutex::default());
        let readers = ReaderPool { file: file.to_owned(), idle, watch, long: Arc::new(Semaphore::new(LONG_AT_ONCE)) };
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
        // Whoever waits holds up all others on this thread.
        connection.busy_timeout(Duration::ZERO)?;
        connection.pragma_update(None, "query_only", true)?;
        // A statement is planned once, not for each user whom it is asked for.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.create_collation("C", |a, b| a.as_bytes().cmp(b.as_bytes()))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let left = Arc::new(AtomicI64::new(SHORT));
        let used = left.clone();
        connection.progress_handler(STEPS, Some(move || used.fetch_sub(1, Relaxed) <= 0))?;
        Ok(ReadConnection { connection, left })
    }

    /// A connection, without a transaction: each query sees the newest there is.
    pub fn read_latest(self: &Arc<Self>) -> sqlx::Result<Reader> {
        let idle = self.idle().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => self.open().map_err(from_rusqlite)?,
        };
        Ok(Reader { reader: Some(reader), begun: false, home: self.clone() })
    }

    /// A connection whose queries all see the same moment.
    pub fn read(self: &Arc<Self>) -> sqlx::Result<Reader> {
        let mut reader = self.read_latest()?;
        if let Some(connection) = &reader.reader {
            connection.command("begin").map_err(from_rusqlite)?;
            reader.begun = true;
        }
        Ok(reader)
    }

    /// A number that every commit of any process changes. `None` where it cannot be had.
    pub fn version(&self) -> Option<i64> {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        if watch.is_none() {
            *watch = self.open().ok();
        }
        let reader = watch.as_ref()?;
        reader.left.store(SHORT, Relaxed);
        let mut statement = reader.connection.prepare_cached("pragma data_version").ok()?;
        statement.query_row([], |row| row.get(0)).ok()
    }

    /// Closes what is idle.
    pub fn close(&self) {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.idle().clear();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some(reader) = self.reader.take() else { return };
        if self.begun && reader.command("rollback").is_err() {
            return;
        }
        let mut idle = self.home.idle();
        if idle.len() < MOST_IDLE {
            idle.push(reader);
        }
    }
}

impl Reader {
    /// All rows that a query finds.
    pub async fn all<T: FromRow>(
        &mut self,
        sql: Cow<'static, str>,
        binds: Vec<Bind>,
        cached: bool,
    ) -> sqlx::Result<Vec<T>> {
        let Some(reader) = &self.reader else { return Err(sqlx::Error::WorkerCrashed) };
        match reader.all(&sql, &binds, cached, SHORT) {
            Ok(found) => found,
            Err(error) if is_too_long(&error) => Box::pin(self.all_elsewhere(sql, binds, cached)).await,
            Err(error) => Err(from_rusqlite(error)),
        }
    }

    async fn all_elsewhere<T: FromRow>(
        &mut self,
        sql: Cow<'static, str>,
        binds: Vec<Bind>,
        cached: bool,
    ) -> sqlx::Result<Vec<T>> {
        let home = self.home.clone();
        let turn = match timeout(PATIENCE, home.long.clone().acquire_owned()).await {
            Ok(Ok(turn)) => turn,
            _ => return Err(sqlx::Error::PoolTimedOut),
        };
        let Some(reader) = self.reader.take() else { return Err(sqlx::Error::WorkerCrashed) };
        // The query goes on where the client has gone, and keeps its turn.
        let long = spawn_blocking(move || {
            let _turn = turn;
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

    /// The outer error is SQLite's, the inner one that of a row that is not what was expected.
    fn all<T: FromRow>(
        &self,
        sql: &str,
        binds: &[Bind],
        cached: bool,
        most: i64,
    ) -> rusqlite::Result<sqlx::Result<Vec<T>>> {
        self.left.store(most, Relaxed);
        if cached {
            found(&mut *self.connection.prepare_cached(sql)?, binds)
        } else {
            found(&mut self.connection.prepare(sql)?, binds)
        }
    }
}

/// All rows that a statement finds.
fn found<T: FromRow>(statement: &mut Statement<'_>, binds: &[Bind]) -> rusqlite::Result<sqlx::Result<Vec<T>>> {
    // SQLite counts `$2` as the first where it stands first.
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

/// True for a query that used up what it had, or met another process that has the whole file for a moment.
fn is_too_long(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::OperationInterrupted | ErrorCode::DatabaseBusy))
}

/// Values as sqlx writes them into the same file.
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
