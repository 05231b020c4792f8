//! Connections to PostgreSQL, and transactions that end even if their owner is dropped.

use std::sync::Arc;

use actix_web::rt;
use sqlx::{Executor, PgConnection, PgPool, Postgres, pool::PoolConnection};
use tokio::time::timeout;

use crate::db::{
    limits::{LONGEST_ANSWER, in_time},
    postgres::Server,
    postgres_version::{Opened, Versions},
    version::Version,
};

/// The SQL that begins a transaction. Behind a pooler that shares sessions, settings must be local to the transaction.
pub struct Begin {
    direct: &'static str,
    pooled: &'static str,
}

macro_rules! begin {
    ($begin:literal) => {
        Begin {
            direct: $begin,
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
    /// `None` once it is returned to the pool.
    connection: Option<PoolConnection<Postgres>>,
    /// A transaction is open, or may be: a `begin` can be cancelled halfway (the client went away, or it timed out).
    begun: bool,
    /// Prepared statements may be cached, which they cannot behind a pooler that shares sessions.
    pub caches_statements: bool,
}

/// Connections to PostgreSQL. Cheap to clone.
#[derive(Clone)]
pub struct Pool {
    pub connections: PgPool,
    /// `None` behind a pooler that shares sessions: it may send each question to another server.
    versions: Option<Arc<Versions>>,
    is_pooled: bool,
    /// The role that connects.
    pub user: String,
}

impl Pool {
    /// At most so many connections, of which one is for versions.
    pub fn new(server: &Server, connections: u32) -> Self {
        let opened = Opened::default();
        let has_versions = !server.is_pooled && connections > 1;
        Pool {
            connections: server.pool(connections - u32::from(has_versions), &opened),
            versions: has_versions.then(|| Versions::new(server.options.clone(), opened)),
            is_pooled: server.is_pooled,
            user: server.options.get_username().to_owned(),
        }
    }

    /// The same, with new connections, and without versions.
    pub fn reopened(&self) -> Self {
        let options = (*self.connections.connect_options()).clone();
        let connections = self.connections.options().clone().connect_lazy_with(options);
        Pool { connections, versions: None, ..self.clone() }
    }

    /// What every commit changes. `None` if it is not known.
    pub async fn version(&self) -> Option<Version> {
        match &self.versions {
            Some(versions) => versions.version().await,
            None => None,
        }
    }

    /// A connection without a transaction: each query sees the latest commit. Behind a pooler it has one, since the
    /// pooler could change the session between two messages of one query.
    pub async fn read_latest(&self) -> sqlx::Result<Turn> {
        if self.is_pooled { self.begin(TO_WRITE).await } else { self.turn().await }
    }

    pub async fn begin(&self, begin: Begin) -> sqlx::Result<Turn> {
        let mut turn = self.turn().await?;
        turn.begun = true;
        let sql = if self.is_pooled { begin.pooled } else { begin.direct };
        in_time(turn.connection().execute(sql)).await?;
        Ok(turn)
    }

    async fn turn(&self) -> sqlx::Result<Turn> {
        let connection = Some(in_time(self.connections.acquire()).await?);
        Ok(Turn { connection, begun: false, caches_statements: !self.is_pooled })
    }
}

impl Turn {
    /// # Panics
    /// Never: the connection is returned only when the turn is dropped.
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
    /// Rolls back, so that the next user of the connection does not find an open transaction. A connection that does
    /// not answer is closed: the pool itself would wait for it as long as the network does.
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
            // After the timeout the connection is closed, and its place in the pool is free.
            let _ = timeout(LONGEST_ANSWER, back).await;
        });
    }
}

/// A connection on its way back to the pool. Without a runtime, at the end of the process, the pool would panic, so the
/// connection is detached.
struct Lent(Option<PoolConnection<Postgres>>);

impl Drop for Lent {
    fn drop(&mut self) {
        if tokio::runtime::Handle::try_current().is_err() {
            drop(self.0.take().map(PoolConnection::detach));
        }
    }
}
