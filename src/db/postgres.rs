//! PostgreSQL: the server, its content, its pool and its migrations.

use std::time::Duration;

use sqlx::{
    Connection, Executor, PgConnection, PgPool, Row,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};
use uuid::Uuid;

use crate::db::{
    faults::plain,
    found::{Found, Ours, foreign},
    limits::{PATIENCE, STATEMENTS},
    migrations, postgres_url,
    postgres_version::{Opened, SERVER},
};

/// Sent first on every connection. A `rollback` without a transaction would be logged as a warning. And the locks of a
/// process that is lost in the middle of a transaction (on a key that is being withdrawn, on the epoch) must end before
/// others time out.
const SESSION_SETTINGS: &str = "set client_min_messages = error; set idle_in_transaction_session_timeout = '5s'";

/// A connection that was idle for longer is pinged before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// The advisory lock during migrations: "latchkey" in bytes.
const MIGRATION_LOCK: i64 = 0x6c61_7463_686b_6579;

/// A PostgreSQL database, and how to connect to it.
pub struct Server {
    pub options: PgConnectOptions,
    place: String,
    pub is_pooled: bool,
}

impl Server {
    /// Parses an address; `is_pooled` if a pooler lets other clients' transactions use the same sessions.
    pub fn new(url: &str, is_pooled: bool) -> Result<Self, String> {
        let (options, unknown) = postgres_url::read(url)?;
        if !unknown.is_empty() {
            log::warn!("these parameters of DATABASE_URL have no effect: {}", unknown.join(", "));
        }
        // Poolers reject `extra_float_digits`, and no column is a float.
        let options =
            options.application_name("latchkey").extra_float_digits(None).statement_cache_capacity(STATEMENTS);
        let host = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let place = format!("{host}/{}", options.get_database().unwrap_or(options.get_username()));
        Ok(Server { options, place, is_pooled })
    }

    /// Host, port and database, for people.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// True if traffic may cross a network unencrypted.
    pub fn may_be_read(&self) -> bool {
        postgres_url::may_be_read(&self.options)
    }

    /// Inspects the database. Nothing is written.
    ///
    /// # Errors
    /// A sentence for the host if it cannot be used.
    pub async fn inspect(&self) -> Result<Found, String> {
        let mut connection = self.connect().await?;
        if !self.is_pooled && self.shares_sessions(&mut connection).await.map_err(|error| self.explain(&error))? {
            return Err(format!(
                "The database at {} is behind a pooler that pools transactions (PgBouncer's pool_mode = transaction). \
                 Set LATCHKEY_DATABASE_POOLER=transaction, or pool_mode = session there.",
                self.place
            ));
        }
        let inspected = self.find_content(&mut connection).await;
        drop(connection.close().await);
        inspected.map_err(|error| self.explain(&error))?
    }

    /// A pool, which connects when needed, and notes in `opened` that it did.
    pub fn pool(&self, connections: u32, opened: &Opened) -> PgPool {
        let (is_pooled, opened) = (self.is_pooled, opened.clone());
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
            .after_connect(move |connection, _| {
                let opened = opened.clone();
                Box::pin(async move {
                    if !is_pooled {
                        connection.execute(SESSION_SETTINGS).await?;
                    }
                    match primary(connection).await? {
                        None => Err(sqlx::Error::Configuration("this PostgreSQL is a standby".into())),
                        Some(server) => {
                            opened.add(server);
                            Ok(())
                        }
                    }
                })
            });
        pool.connect_lazy_with(self.options.clone())
    }

    /// One connection. The pool would retry a refused one until its timeout; at start an immediate error is better.
    async fn connect(&self) -> Result<PgConnection, String> {
        let mut first = PgConnection::connect_with(&self.options).await.map_err(|error| self.explain(&error))?;
        if primary(&mut first).await.map_err(|error| self.explain(&error))?.is_none() {
            return Err(format!(
                "The database at {} is a standby. DATABASE_URL must point to the primary.",
                self.place
            ));
        }
        Ok(first)
    }

    /// True if a setting of one connection is seen by another.
    async fn shares_sessions(&self, first: &mut PgConnection) -> sqlx::Result<bool> {
        const SET: &str = "select set_config('latchkey.session', $1, false)";
        const GET: &str = "select coalesce(current_setting('latchkey.session', true), '')";
        let mark = Uuid::now_v7().to_string();
        let mut second = PgConnection::connect_with(&self.options).await?;
        let mut is_shared = false;
        for _ in 0..3 {
            // In transactions: a statement has several messages, which must reach the same session.
            let mut tx = first.begin().await?;
            sqlx::query(SET).bind(&mark).persistent(false).execute(&mut *tx).await?;
            tx.commit().await?;
            let mut tx = second.begin().await?;
            let seen: String = sqlx::query_scalar(GET).persistent(false).fetch_one(&mut *tx).await?;
            tx.commit().await?;
            is_shared |= seen == mark;
            for connection in [&mut *first, &mut second] {
                connection.execute("reset latchkey.session").await?;
            }
        }
        drop(second.close().await);
        Ok(is_shared)
    }

    /// The inner error says why the database may not be used.
    async fn find_content(&self, connection: &mut PgConnection) -> sqlx::Result<Result<Found, String>> {
        // Every object of any schema that belongs neither to PostgreSQL nor to an extension.
        const OBJECTS: &str = "
            with mine as (select oid, nspname from pg_namespace where nspname <> 'information_schema' and nspname !~ '^pg_'),
            things as (
                select 'pg_class'::regclass as kind, c.oid, nspname || '.' || relname as name
                from pg_class c join mine on mine.oid = relnamespace where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
                union all select 'pg_proc'::regclass, p.oid, nspname || '.' || proname
                from pg_proc p join mine on mine.oid = pronamespace
                union all select 'pg_type'::regclass, t.oid, nspname || '.' || typname
                from pg_type t join mine on mine.oid = typnamespace where typtype in ('e', 'd')
            )
            select name from things t
            where not exists (select from pg_depend d where d.classid = t.kind and d.objid = t.oid and d.deptype = 'e')
            order by name limit 4";
        const HAS_MIGRATIONS: &str =
            "select to_regclass(quote_ident(current_schema()) || '._sqlx_migrations') is not null";
        let mut tx = connection.begin().await?;
        tx.execute("set transaction isolation level repeatable read read only").await?;
        let names: Vec<String> = sqlx::query_scalar(OBJECTS).persistent(false).fetch_all(&mut *tx).await?;
        if names.is_empty() {
            return Ok(Ok(Found::Nothing));
        }
        let foreign = || Ok(Err(foreign(&self.place, &names[..names.len().min(3)])));
        let has_migrations: Option<bool> =
            sqlx::query_scalar(HAS_MIGRATIONS).persistent(false).fetch_one(&mut *tx).await?;
        if has_migrations != Some(true) {
            return foreign();
        }
        let rows = sqlx::query_as(migrations::APPLIED).persistent(false).fetch_all(&mut *tx).await;
        let rows: Vec<(i64, Vec<u8>)> = match rows {
            Ok(rows) => rows,
            Err(error) if is_forbidden(&error) => return Err(error),
            // A table of the same name with other columns.
            Err(_) => return foreign(),
        };
        if rows.is_empty() && names.len() == 1 {
            return Ok(Ok(Found::Nothing));
        }
        if !migrations::is_ours(&rows) {
            return foreign();
        }
        Ok(Ok(Found::Ours(Ours {
            applied: rows.into_iter().map(|(version, _)| version).collect(),
            is_demo: sqlx::query_scalar(migrations::IS_DEMO).persistent(false).fetch_one(&mut *tx).await?,
            has_users: sqlx::query_scalar(migrations::HAS_USERS).persistent(false).fetch_one(&mut *tx).await?,
        })))
    }

    /// The message of an error, with host and database, and never with the password.
    pub fn explain(&self, error: &sqlx::Error) -> String {
        let (place, user) = (&self.place, self.options.get_username());
        let code = match error {
            sqlx::Error::Database(refusal) => refusal.code().unwrap_or_default(),
            _ => "".into(),
        };
        let reason = plain(error);
        let next = match &*code {
            "42501" => remedy(user),
            "28P01" => {
                "Characters other than letters and digits in a password must be percent-encoded in a URL.".to_owned()
            }
            _ => "Is PostgreSQL running, and may this user connect?".to_owned(),
        };
        format!("Cannot use the database at {place}: {reason}. {next}")
    }
}

/// Brings the schema up to date in one transaction, all or nothing. The lock ends with the transaction: a pooler could
/// keep the session, and so a session's lock.
pub async fn migrate(pool: &PgPool, mut migrator: Migrator) -> Result<(), MigrateError> {
    migrator.set_locking(false);
    let mut connection = pool.acquire().await?;
    let done = async {
        let mut tx = connection.begin().await?;
        tx.execute("set local client_min_messages = error").await?;
        sqlx::query("select pg_advisory_xact_lock($1)")
            .bind(MIGRATION_LOCK)
            .persistent(false)
            .execute(&mut *tx)
            .await?;
        // The migrator's statements have names, which a shared session may know already.
        tx.execute("deallocate all").await?;
        migrator.run_direct(None, &mut *tx, false).await?;
        tx.execute("deallocate all").await?;
        Ok(tx.commit().await?)
    }
    .await;
    // The connection still caches deallocated statements.
    drop(connection.close().await);
    done
}

/// How to grant this role the privileges that it needs.
pub fn remedy(user: &str) -> String {
    let user = user.replace('"', "\"\"");
    format!(
        "Run there, as the owner of the database or an administrator: grant all on schema public to \"{user}\"; grant \
         all on all tables in schema public to \"{user}\";"
    )
}

/// True if a privilege is missing.
pub fn is_forbidden(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(refusal) if refusal.code().as_deref() == Some("42501"))
}

/// Which server this is, or `None` if it is a standby, whose data may be out of date: permissions, and the epoch that should
/// reveal it, too. A primary becomes a standby only by a restart, which ends its connections.
async fn primary(connection: &mut PgConnection) -> sqlx::Result<Option<String>> {
    // In one message: a pooler may send each to another session.
    let row = connection.fetch_one(SERVER).await?;
    Ok(if row.try_get(0)? { None } else { Some(row.try_get(1)?) })
}
