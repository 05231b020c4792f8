//! The row of `auth_epoch`: read by every process, replaced by each change that revokes access.

use std::time::Duration;

use crate::db::{
    database::{Db, Tx},
    execute,
    revocation::{Instant, TRUST},
    statement::Statement,
};

impl Db {
    /// The generation of caches that a request arriving now may use, if the last reading is recent enough.
    pub fn fresh_generation(&self) -> Option<u64> {
        self.epoch.trusted(Instant::now(), TRUST)
    }

    /// The generation of caches that a request arriving now may use; reads the epoch if necessary.
    ///
    /// # Errors
    /// If the epoch cannot be read. Requests that wait for the same reading share its failure, so that a database that
    /// is down is not queried by each in turn.
    pub async fn generation(&self) -> sqlx::Result<u64> {
        self.generation_by(TRUST).await
    }

    /// `Ok` if the database answers and has its schema. Concurrent callers share one query.
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
    /// Revokes cached access: this transaction changes what callers may do. Comes last, after all other rows are
    /// locked, since every such change waits for this one row.
    ///
    /// The new value is random. A counter could repeat a value after the database was restored, or after a standby
    /// without the last commits took over.
    pub async fn revoke_cached_access(&mut self) -> sqlx::Result<()> {
        const SQL: &str = "update auth_epoch set epoch = $1";
        execute!(self, SQL, rand::random::<i64>())?;
        self.revokes = true;
        Ok(())
    }
}
