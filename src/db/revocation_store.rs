//! The row of `auth_epoch`: read by every process, renewed by each change that revokes access.

use std::time::Duration;

use crate::db::{
    database::{Db, Tx},
    execute,
    revocation::{Instant, TRUST},
    statement::Statement,
};

impl Db {
    /// The generation of memory that a request may use that arrives now, if the last reading is young enough.
    pub fn fresh_generation(&self) -> Option<u64> {
        self.epoch.trusted(Instant::now(), TRUST)
    }

    /// The generation of memory that a request may use that arrives now.
    ///
    /// # Errors
    /// Where the epoch cannot be read nothing is known, and nobody let in. Those who wait for one reading share its
    /// failure: a database that answers nobody is not asked by each in turn.
    pub async fn generation(&self) -> sqlx::Result<u64> {
        self.generation_by(TRUST).await
    }

    /// Whether the database answers, and its schema is there. Those who ask at once wait for one answer.
    pub async fn is_ready(&self) -> sqlx::Result<()> {
        self.generation_by(Duration::ZERO).await.map(drop)
    }

    async fn generation_by(&self, trust: Duration) -> sqlx::Result<u64> {
        let arrived = Instant::now();
        if let Some(generation) = self.epoch.trusted(arrived, trust) {
            return Ok(generation);
        }
        let failures = self.epoch.reading().failures;
        let _turn = self.epoch.turn.lock().await;
        if let Some(generation) = self.epoch.trusted(arrived, trust) {
            return Ok(generation);
        }
        if self.epoch.reading().failures != failures {
            return Err(sqlx::Error::PoolTimedOut);
        }
        let began = Instant::now();
        let found = self.read_epoch().await;
        self.epoch.note(began, &found);
        found.map(|_| self.epoch.current())
    }

    async fn read_epoch(&self) -> sqlx::Result<i64> {
        let mut tx = self.read_latest().await?;
        Statement::new("select epoch from auth_epoch", Vec::new()).fetch_value(&mut tx).await
    }
}

impl Tx {
    /// Says that this transaction changes what callers may do. It comes last, when all other rows are held: every such
    /// change waits for this one row.
    ///
    /// The new value is a random one. A counter could come back to a value that it had before: where a database is set
    /// back, because it was restored or because a standby without the last commits took over, and then counts on.
    pub async fn revoke_cached_access(&mut self) -> sqlx::Result<()> {
        const SQL: &str = "update auth_epoch set epoch = $1";
        execute!(self, sqlx::query(SQL).bind(rand::random::<i64>()))?;
        self.raised = true;
        Ok(())
    }
}
