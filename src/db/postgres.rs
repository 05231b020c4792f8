//! PostgreSQL: opening it, and transactions that end whatever becomes of who began them.

use std::{str::FromStr, time::Duration};

use actix_web::rt;
use sqlx::{
    Connection, Executor, PgConnection, PgPool, Postgres,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;

use super::{LONGEST_ANSWER, PATIENCE, STATEMENTS, in_time};

/// What every connection is told first. A `rollback` may be of nothing, which PostgreSQL would remark on. And a process
/// that is lost in the middle of a transaction must not keep others from what it holds (a key that is to be withdrawn,
/// the epoch) for longer than they wait.
const GREETING: &str = "set client_min_messages = error; set idle_in_transaction_session_timeout = '5s'";

/// A connection unused for longer than this is tried before it is trusted.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// Opens PostgreSQL. The message of a failure names host and database, never the password.
pub async fn open(url: &str, connections: u32) -> Result<PgPool, String> {
    let options = Some(url)
        .filter(|url| url.starts_with("postgres://") || url.starts_with("postgresql://"))
        .and_then(|url| PgConnectOptions::from_str(url).ok())
        .ok_or("DATABASE_URL is not a PostgreSQL URL such as postgres://user:password@host:5432/latchkey.")?
        .application_name("latchkey")
        .statement_cache_capacity(STATEMENTS);
    let place = format!("{}:{}/{}", options.get_host(), options.get_port(), options.get_database().unwrap_or_default());
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
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute(GREETING).await?;
                match is_standby(connection).await? {
                    true => Err(sqlx::Error::Configuration("this PostgreSQL is a standby".into())),
                    false => Ok(()),
                }
            })
        });
    // The pool retries a refused connection until its patience ends; at start an answer at once is better.
    let explain = |error| {
        format!("Cannot reach the database at {place}: {error}. Is PostgreSQL running, and may this user connect?")
    };
    let mut first = PgConnection::connect_with(&options).await.map_err(explain)?;
    if is_standby(&mut first).await.map_err(explain)? {
        return Err(format!("The database at {place} is a standby. DATABASE_URL must lead to the primary."));
    }
    drop(first.close().await);
    Ok(pool.connect_lazy_with(options))
}

/// A standby may show what was true a while ago: who may do what, and the epoch that should tell, too. A primary becomes
/// one only by a restart, which ends its connections.
async fn is_standby(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar("select pg_is_in_recovery()").fetch_one(connection).await
}

/// A connection, perhaps in a transaction.
pub struct Turn {
    /// None once it has been given back.
    connection: Option<PoolConnection<Postgres>>,
    /// A transaction is open, or may be: a `begin` can be given up halfway (its client went away, or time ran out).
    begun: bool,
}

impl Turn {
    /// Without a transaction: each query sees the newest there is.
    pub async fn glance(pool: &PgPool) -> sqlx::Result<Self> {
        Ok(Turn { connection: Some(in_time(pool.acquire()).await?), begun: false })
    }

    /// In a transaction that `begin` begins.
    pub async fn begin(pool: &PgPool, begin: &'static str) -> sqlx::Result<Self> {
        let mut turn = Self::glance(pool).await?;
        turn.begun = true;
        in_time(turn.connection().execute(begin)).await?;
        Ok(turn)
    }

    /// # Panics
    /// Never: a turn that has given its connection back is gone.
    pub fn connection(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("a turn that is not over")
    }

    pub async fn commit(mut self) -> sqlx::Result<()> {
        in_time(self.connection().execute("commit")).await?;
        self.begun = false;
        Ok(())
    }
}

impl Drop for Turn {
    /// The next user must not stumble over a transaction that is open. A connection that stays silent is given up: the
    /// pool by itself would wait for it as long as the network does.
    fn drop(&mut self) {
        let (mut lent, begun) = (Lent(self.connection.take()), self.begun);
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        rt::spawn(async move {
            let Some(connection) = &mut lent.0 else { return };
            if begun && in_time(connection.execute("rollback")).await.is_err() {
                connection.close_on_drop();
                return;
            }
            let back = connection.return_to_pool();
            drop(lent.0.take());
            // One that is not back by then is closed, and its place is free.
            let _ = timeout(LONGEST_ANSWER, back).await;
        });
    }
}

/// A connection on its way back to the pool, also where the process ends meanwhile: the pool takes none without a
/// runtime, and a task that is dropped with its runtime has none.
struct Lent(Option<PoolConnection<Postgres>>);

impl Drop for Lent {
    fn drop(&mut self) {
        if tokio::runtime::Handle::try_current().is_err() {
            drop(self.0.take().map(PoolConnection::detach));
        }
    }
}
