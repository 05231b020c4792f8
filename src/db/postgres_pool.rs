//! Connections to PostgreSQL, and transactions that end whatever becomes of who began them.

use actix_web::rt;
use sqlx::{Executor, PgConnection, PgPool, Postgres, pool::PoolConnection};
use tokio::time::timeout;

use crate::db::{
    limits::{LONGEST_ANSWER, in_time},
    postgres::Server,
};

/// How a transaction begins. Where a pooler shares sessions, what is set for one would stay there for others.
pub struct Begin {
    alone: &'static str,
    pooled: &'static str,
}

macro_rules! begin {
    ($begin:literal) => {
        Begin {
            alone: $begin,
            pooled: concat!(
                $begin,
                "; set local client_min_messages = error; set local idle_in_transaction_session_timeout = '5s'"
            ),
        }
    };
}

pub const TO_READ: Begin = begin!("begin isolation level repeatable read read only");
pub const TO_WRITE: Begin = begin!("begin");

/// A connection, perhaps in a transaction.
pub struct Turn {
    /// None once it has been given back.
    connection: Option<PoolConnection<Postgres>>,
    /// A transaction is open, or may be: a `begin` can be given up halfway (its client went away, or time ran out).
    begun: bool,
    /// Its statements keep their names for the next query, which they cannot where a pooler shares sessions.
    pub keeps_statements: bool,
}

/// Connections to PostgreSQL. Cheap to clone.
#[derive(Clone)]
pub struct Pool {
    pub connections: PgPool,
    is_pooled: bool,
    /// The role that it connects as.
    pub user: String,
}

impl Pool {
    pub fn new(server: &Server, connections: u32) -> Self {
        let user = server.options.get_username().to_owned();
        Pool { connections: server.pool(connections), is_pooled: server.is_pooled, user }
    }

    /// The same with connections of its own.
    pub fn reopened(&self) -> Self {
        let options = (*self.connections.connect_options()).clone();
        Pool { connections: self.connections.options().clone().connect_lazy_with(options), ..self.clone() }
    }

    /// Without a transaction: each query sees the newest there is. Between two messages of one query a pooler could
    /// change the session, so there it has one.
    pub async fn read_latest(&self) -> sqlx::Result<Turn> {
        if self.is_pooled { self.begin(TO_WRITE).await } else { self.turn().await }
    }

    pub async fn begin(&self, begin: Begin) -> sqlx::Result<Turn> {
        let mut turn = self.turn().await?;
        turn.begun = true;
        let sql = if self.is_pooled { begin.pooled } else { begin.alone };
        in_time(turn.connection().execute(sql)).await?;
        Ok(turn)
    }

    async fn turn(&self) -> sqlx::Result<Turn> {
        let connection = Some(in_time(self.connections.acquire()).await?);
        Ok(Turn { connection, begun: false, keeps_statements: !self.is_pooled })
    }
}

impl Turn {
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
