//! The database: one SQL text for SQLite and PostgreSQL, run over an enum of the two.
//!
//! `db.read()` and `db.write()` say what is meant; a [`Tx`] that is dropped is undone.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use actix_web::rt;
use sqlx::{
    Connection, Executor, PgPool, Postgres, SqlSafeStr, Sqlite, SqlitePool, Transaction,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::time::timeout;

/// How long a request waits for a connection, and SQLite for its lock, before it is answered 503.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long PostgreSQL may take for one answer.
const LONGEST_ANSWER: Duration = Duration::from_secs(10);

/// A PostgreSQL connection unused for longer than this is tried before it is trusted.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// The two kinds of database. Cheap to clone.
#[derive(Clone)]
pub enum Db {
    /// One file. Readers beside one writer, as SQLite allows.
    Sqlite {
        readers: SqlitePool,
        writer: SqlitePool,
    },
    Postgres(PgPool),
}

/// A transaction on either database.
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Runs one query text on whichever database the [`Tx`] is of.
macro_rules! on {
    ($tx:expr, $conn:ident => $query:expr) => {
        match $tx {
            $crate::db::Tx::Sqlite(tx) => {
                let $conn = &mut **tx;
                $query
            }
            $crate::db::Tx::Postgres(tx) => {
                let $conn = &mut **tx;
                $crate::db::in_time(async { $query }).await
            }
        }
    };
}
pub(crate) use on;

/// A network that has fallen silent looks like a slow database: neither is waited for without end.
pub async fn in_time<T>(answer: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(LONGEST_ANSWER, answer).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Runs one write; the answer is the number of rows it touched.
macro_rules! run {
    ($tx:expr, $query:expr) => {
        $crate::db::on!($tx, conn => $query.execute(conn).await.map(|done| done.rows_affected()))
    };
}
pub(crate) use run;

/// Lets a newtype be a column on both databases.
macro_rules! column {
    ($name:ident($inner:ty)) => {
        impl<DB: sqlx::Database> sqlx::Type<DB> for $name
        where
            $inner: sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <$inner>::type_info()
            }
            fn compatible(ty: &DB::TypeInfo) -> bool {
                <$inner>::compatible(ty)
            }
        }
        impl<'q, DB: sqlx::Database> sqlx::Encode<'q, DB> for $name
        where
            $inner: sqlx::Encode<'q, DB>,
        {
            fn encode_by_ref(
                &self,
                buf: &mut DB::ArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                self.0.encode_by_ref(buf)
            }
        }
        impl<'r, DB: sqlx::Database> sqlx::Decode<'r, DB> for $name
        where
            $inner: sqlx::Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                <$inner>::decode(value).map(Self)
            }
        }
    };
}
pub(crate) use column;

/// Lets a struct be read from a row of either database, column by name. (sqlx's derive would build both of its
/// drivers a second time, for the compiler.)
macro_rules! row {
    ($name:ident { $($field:ident),* $(,)? }) => {
        $crate::db::row!(@ $name sqlx::sqlite::SqliteRow { $($field),* });
        $crate::db::row!(@ $name sqlx::postgres::PgRow { $($field),* });
    };
    ($name:ident, $row:ident => $read:expr) => {
        impl sqlx::FromRow<'_, sqlx::sqlite::SqliteRow> for $name {
            fn from_row($row: &sqlx::sqlite::SqliteRow) -> sqlx::Result<Self> {
                #[allow(unused_imports, reason = "not every row is made of other rows")]
                use sqlx::{FromRow, Row};
                Ok($read)
            }
        }
        impl sqlx::FromRow<'_, sqlx::postgres::PgRow> for $name {
            fn from_row($row: &sqlx::postgres::PgRow) -> sqlx::Result<Self> {
                #[allow(unused_imports, reason = "not every row is made of other rows")]
                use sqlx::{FromRow, Row};
                Ok($read)
            }
        }
    };
    (@ $name:ident $row:ty { $($field:ident),* }) => {
        impl sqlx::FromRow<'_, $row> for $name {
            fn from_row(row: &$row) -> sqlx::Result<Self> {
                use sqlx::Row;
                Ok(Self { $($field: row.try_get(stringify!($field))?),* })
            }
        }
    };
}
pub(crate) use row;

impl Db {
    /// Opens a SQLite file, which is made when missing.
    pub async fn sqlite(file: &Path, synchronous: SqliteSynchronous) -> Result<Self, String> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            .collation("C", |a, b| a.as_bytes().cmp(b.as_bytes()));
        let pool = || {
            SqlitePoolOptions::new()
                .acquire_timeout(PATIENCE)
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None)
        };
        let explain = |error| {
            let reason = match &error {
                sqlx::Error::Database(refusal) => refusal.message().to_owned(),
                other => other.to_string(),
            };
            format!("Cannot open the database {}: {reason}. The file and its folder must be writable.", file.display())
        };
        let writer = pool().max_connections(1).connect_with(options.clone()).await.map_err(explain)?;
        // A file that may only be read opens all the same; a write, undone, tells.
        let mut tx = writer.begin_with("begin immediate").await.map_err(explain)?;
        sqlx::query("pragma user_version = 1").execute(&mut *tx).await.map_err(explain)?;
        tx.rollback().await.map_err(explain)?;
        let readers =
            pool().max_connections(8).connect_with(options.pragma("query_only", "on")).await.map_err(explain)?;
        Ok(Db::Sqlite { readers, writer })
    }

    /// Opens PostgreSQL. The message of a failure names host and database, never the password.
    pub async fn postgres(url: &str, connections: u32) -> Result<Self, String> {
        let options = Some(url)
            .filter(|url| url.starts_with("postgres://") || url.starts_with("postgresql://"))
            .and_then(|url| PgConnectOptions::from_str(url).ok())
            .ok_or("DATABASE_URL is not a PostgreSQL URL such as postgres://user:password@host:5432/latchkey.")?
            .application_name("latchkey");
        let place =
            format!("{}:{}/{}", options.get_host(), options.get_port(), options.get_database().unwrap_or_default());
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > TRUSTED_IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            // The `rollback` below is mostly of nothing, which PostgreSQL would remark on each time.
            .after_connect(|connection, _| {
                Box::pin(async move { connection.execute("set client_min_messages = error").await.map(drop) })
            })
            // A `begin` given up halfway (its client went away, or time ran out) leaves a transaction that sqlx does
            // not know of; the next user must not stumble over it. A connection that stays silent is given up.
            .after_release(|connection, _| {
                Box::pin(async move { in_time(connection.execute("rollback")).await.map(|_| true) })
            });
        // The pool retries a refused connection until its patience ends; at start an answer at once is better.
        match sqlx::PgConnection::connect_with(&options).await {
            Ok(connection) => drop(connection.close().await),
            Err(error) => {
                return Err(format!(
                    "Cannot reach the database at {place}: {error}. Is PostgreSQL running, and may this user connect?"
                ));
            }
        }
        Ok(Db::Postgres(pool.connect_lazy_with(options)))
    }

    /// A transaction that only reads, all of it at one moment.
    pub async fn read(&self) -> sqlx::Result<Tx> {
        Ok(match self {
            Db::Sqlite { readers, .. } => Tx::Sqlite(readers.begin().await?),
            Db::Postgres(pool) => {
                Tx::Postgres(in_time(pool.begin_with("begin isolation level repeatable read read only")).await?)
            }
        })
    }

    /// A transaction that writes. On SQLite it takes the write lock at once: a lock taken later can be refused.
    pub async fn write(&self) -> sqlx::Result<Tx> {
        Ok(match self {
            Db::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("begin immediate").await?),
            Db::Postgres(pool) => Tx::Postgres(in_time(pool.begin()).await?),
        })
    }

    /// Closes all connections; on SQLite this also folds the log back into the file.
    pub async fn close(&self) {
        match self {
            Db::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }

    /// Brings the schema up to date. Many copies may do so at once: PostgreSQL has a lock of its own for this,
    /// SQLite gets a file that is locked meanwhile.
    pub async fn migrate(&self, sqlite_lock: &Path) -> Result<(), String> {
        let migrator = migrator();
        let newest = migrator.iter().map(|m| m.version).max().unwrap_or_default();
        let done = match self {
            Db::Sqlite { writer, .. } => {
                let _held = lock_when_free(sqlite_lock.to_owned()).await.map_err(|error| {
                    format!("Cannot write {}: {error}. The data folder must be writable.", sqlite_lock.display())
                })?;
                migrator.run(writer).await
            }
            Db::Postgres(pool) => migrator.run(pool).await,
        };
        done.map_err(|error| match error {
            MigrateError::VersionMissing(version) => format!(
                "The database was made by a newer version (its schema is {version}, this program knows {newest}). \
                 Run that version or a later one."
            ),
            other => format!("The database's schema could not be brought up to date: {other}."),
        })
    }
}

impl Tx {
    /// Makes the writes durable.
    pub async fn commit(self) -> sqlx::Result<()> {
        match self {
            Tx::Sqlite(tx) => tx.commit().await,
            Tx::Postgres(tx) => in_time(tx.commit()).await,
        }
    }
}

/// Waits for the lock on a blocking thread: another process may be migrating for a while.
async fn lock_when_free(path: PathBuf) -> io::Result<File> {
    rt::task::spawn_blocking(move || {
        let file = File::create(path)?;
        file.lock()?;
        Ok(file)
    })
    .await
    .map_err(io::Error::other)?
}

fn migrator() -> Migrator {
    let migration = |version, title: &'static str, sql: &'static str| {
        let kind = MigrationType::Simple;
        Migration::new(version, title.into(), kind, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(vec![
        migration(1, "users", include_str!("../migrations/0001_users.sql")),
        migration(2, "properties", include_str!("../migrations/0002_properties.sql")),
        migration(3, "api keys", include_str!("../migrations/0003_api_keys.sql")),
        migration(4, "rooms and rates", include_str!("../migrations/0004_rooms_and_rates.sql")),
        migration(5, "property search", include_str!("../migrations/0005_property_search.sql")),
    ])
}

/// True where the database, not the request, is at fault, and may work again soon.
pub fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(refusal) => match refusal.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
            // Connection, resources, operator intervention, read-only, I/O (PostgreSQL, appendix A).
            Some(pg) => ["08", "53", "57", "58", "25006", "40"].iter().any(|class| pg.code().starts_with(class)),
            // BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN; the low byte is the primary code.
            None => refusal
                .code()
                .and_then(|code| code.parse::<u32>().ok())
                .is_some_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14)),
        },
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

/// True where a unique rule refused the write.
pub fn is_taken(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(refusal) if refusal.is_unique_violation())
}

/// True where what a write names has gone meanwhile.
pub fn is_gone(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(refusal) if refusal.is_foreign_key_violation())
}

/// The key by which titles and addresses are ordered and compared: case and accents folded, as UTF-8, so that both
/// databases order them alike, byte by byte (contract/README.md, section 15, 15).
pub fn folded(text: &str) -> String {
    use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}
