//! A connection to a SQLite file, which runs statements on the calling thread.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, Statement};

use crate::db::{
    bind::Bind,
    faults::from_rusqlite,
    row::{FromRow, Row},
};

/// VM instructions between two calls of the progress handler.
const STEPS: i32 = 1_000;

/// Calls of the progress handler until a query on the calling thread is interrupted: a few milliseconds.
const SHORT: i64 = 50;

/// For whatever is not interrupted.
const ANY_LENGTH: i64 = i64::MAX;

/// A connection. What it runs is not interrupted, but for queries that must be short.
pub struct SqliteConnection {
    pub connection: Connection,
    /// How many calls of the progress handler are left: any number, except while a query runs that must be short.
    left: Arc<AtomicI64>,
}

impl SqliteConnection {
    /// Opens a file and caches so many prepared statements.
    pub fn open(file: &Path, flags: OpenFlags, statements: usize) -> rusqlite::Result<Self> {
        let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        // Waiting would block all other requests of this thread.
        connection.busy_timeout(Duration::ZERO)?;
        connection.create_collation("C", |a, b| a.as_bytes().cmp(b.as_bytes()))?;
        connection.set_prepared_statement_cache_capacity(statements);
        let left = Arc::new(AtomicI64::new(ANY_LENGTH));
        let used = left.clone();
        connection.progress_handler(STEPS, Some(move || used.fetch_sub(1, Relaxed) <= 0))?;
        Ok(SqliteConnection { connection, left })
    }

    /// Runs one statement without values.
    pub fn command(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    /// All rows of a query, if it is short. `None` if it takes longer, or finds the file locked by another process: then it
    /// is to be run again on a blocking thread.
    pub fn all_if_short<T: FromRow>(&self, sql: &str, binds: &[Bind], cached: bool) -> Option<sqlx::Result<Vec<T>>> {
        let found = self.rows(sql, binds, cached, SHORT);
        match found {
            Err(error) if is_too_long(&error) => None,
            found => Some(found.map_err(from_rusqlite).flatten()),
        }
    }

    /// All rows of a query.
    pub fn all<T: FromRow>(&self, sql: &str, binds: &[Bind], cached: bool) -> sqlx::Result<Vec<T>> {
        self.rows(sql, binds, cached, ANY_LENGTH).map_err(from_rusqlite).flatten()
    }

    /// The outer error is SQLite's; the inner one says that a row could not be decoded.
    fn rows<T: FromRow>(
        &self,
        sql: &str,
        binds: &[Bind],
        cached: bool,
        most: i64,
    ) -> rusqlite::Result<sqlx::Result<Vec<T>>> {
        if cached {
            self.rows_of(&mut *self.connection.prepare_cached(sql)?, binds, most)
        } else {
            self.rows_of(&mut self.connection.prepare(sql)?, binds, most)
        }
    }

    /// Runs a write, and tells how many rows it has affected. It is never interrupted: SQLite would roll back the whole
    /// transaction, which may be others' too.
    pub fn execute(&self, sql: &str, binds: &[Bind], cached: bool) -> rusqlite::Result<u64> {
        let changed = |statement: &mut Statement<'_>| {
            bind(statement, binds)?;
            statement.raw_execute()
        };
        let rows = match cached {
            true => changed(&mut *self.connection.prepare_cached(sql)?),
            false => changed(&mut self.connection.prepare(sql)?),
        };
        rows.map(|rows| u64::try_from(rows).unwrap_or_default())
    }

    fn rows_of<T: FromRow>(
        &self,
        statement: &mut Statement<'_>,
        binds: &[Bind],
        most: i64,
    ) -> rusqlite::Result<sqlx::Result<Vec<T>>> {
        // Of what writes and returns rows, see `execute`.
        self.left.store(if statement.readonly() { most } else { ANY_LENGTH }, Relaxed);
        let found = fetched(statement, binds);
        self.left.store(ANY_LENGTH, Relaxed);
        found
    }
}

fn fetched<T: FromRow>(statement: &mut Statement<'_>, binds: &[Bind]) -> rusqlite::Result<sqlx::Result<Vec<T>>> {
    bind(statement, binds)?;
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        match T::from_row(&Row::Sqlite(row)) {
            Ok(one) => found.push(one),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(found))
}

/// Binds values to a prepared statement.
fn bind(statement: &mut Statement<'_>, binds: &[Bind]) -> rusqlite::Result<()> {
    // SQLite numbers parameters by first occurrence, whatever their name: `$2` may be the first.
    for place in 1..=statement.parameter_count() {
        let name = statement.parameter_name(place).and_then(|name| name.strip_prefix('$'));
        let bind = name.and_then(|number| binds.get(number.parse::<usize>().ok()?.checked_sub(1)?));
        statement.raw_bind_parameter(place, bind.ok_or(rusqlite::Error::InvalidParameterCount(place, binds.len()))?)?;
    }
    Ok(())
}

/// True for a query that was interrupted, or found the file locked by another process.
pub fn is_too_long(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::OperationInterrupted | ErrorCode::DatabaseBusy))
}
