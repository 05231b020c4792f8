//! A database and its transactions: SQLite or PostgreSQL.

use std::{path::Path, sync::Arc, time::Duration};

use actix_web::rt::{self, task::spawn_blocking, time::sleep};
use tokio::sync::Notify;

use crate::{
    base::settings::Synchronous,
    db::{
        faults::{from_rusqlite, plain},
        postgres::Server,
        postgres_pool::{self, Pool, Turn},
        revocation::{self, Epoch},
        sqlite_reader::{Reader, ReaderPool},
        sqlite_writer::{Write, Writer},
        version::Version,
    },
};

/// One database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pub(super) kind: Kind,
    pub(super) epoch: Arc<Epoch>,
    /// No other process serves this database.
    is_exclusive: bool,
}

#[derive(Clone)]
pub(super) enum Kind {
    /// One file: many readers and one writer at a time.
    Sqlite {
        readers: Arc<ReaderPool>,
        writer: Writer,
    },
    Postgres(Pool),
}

/// A connection to the database, in a transaction or for one query.
pub struct Tx {
    pub on: On,
    db: Db,
    /// The transaction changes what callers may do: see `revoke_cached_access`.
    pub(super) revokes: bool,
    /// Notified after the commit.
    wakes: Option<&'static Notify>,
}

/// The connection, by driver.
pub enum On {
    Reader(Reader),
    Sqlite(Write),
    Postgres(Turn),
}

impl Db {
    /// Opens a SQLite file, and creates it if it is missing; `patience` is the timeout for its lock.
    ///
    /// # Errors
    /// A sentence for the host if it cannot be written.
    pub async fn sqlite(file: &Path, synchronous: Synchronous, patience: Duration) -> Result<Self, String> {
        let path = file.to_owned();
        let opened = spawn_blocking(move || {
            let writer = Writer::open(&path, synchronous, patience).map_err(from_rusqlite)?;
            Ok(Kind::Sqlite { readers: ReaderPool::new(&path)?, writer })
        });
        opened.await.unwrap_or(Err(sqlx::Error::WorkerCrashed)).map(Self::new).map_err(|error| {
            let reason = plain(&error);
            format!("Cannot open the database {}: {reason}. The file and its folder must be writable.", file.display())
        })
    }

    /// A pool of connections to PostgreSQL, which connects when needed.
    pub fn postgres(server: &Server, connections: u32) -> Self {
        Self::new(Kind::Postgres(Pool::new(server, connections)))
    }

    fn new(kind: Kind) -> Self {
        Db { kind, epoch: Arc::new(Epoch::new()), is_exclusive: false }
    }

    /// The same, in the one process that serves a SQLite file. On PostgreSQL there may always be others.
    pub fn exclusive(mut self) -> Self {
        self.is_exclusive = matches!(self.kind, Kind::Sqlite { .. });
        self
    }

    /// The same database; on PostgreSQL with a new pool: connections that a worker of the server has opened end with
    /// that worker.
    pub fn reopened(&self) -> Self {
        match &self.kind {
            Kind::Sqlite { .. } => self.clone(),
            Kind::Postgres(pool) => Db { kind: Kind::Postgres(pool.reopened()), ..self.clone() },
        }
    }

    fn tx(&self, on: On) -> Tx {
        Tx { on, db: self.clone(), revokes: false, wakes: None }
    }

    /// A reading connection without a transaction, for one query: it sees the latest commit.
    pub async fn read_latest(&self) -> sqlx::Result<Tx> {
        Ok(self.tx(match &self.kind {
            Kind::Sqlite { readers, .. } => On::Reader(readers.read_latest()?),
            Kind::Postgres(pool) => On::Postgres(Box::pin(pool.read_latest()).await?),
        }))
    }

    /// Reads the version of a SQLite file from its WAL index from now on, if a commit changes it there. On some file
    /// systems it may not: then reading costs more, and the log says so.
    pub async fn read_versions_from_wal_index(&self) -> sqlx::Result<()> {
        let Kind::Sqlite { readers, .. } = &self.kind else { return Ok(()) };
        let index = match readers.open_wal_index() {
            Ok(index) => index,
            Err(error) => {
                log::warn!("cannot read the WAL index of the database ({error}): responses cost a little more");
                return Ok(());
            }
        };
        let before = index.version();
        let mut tx = self.write().await?;
        tx.revoke_cached_access().await?;
        tx.commit().await?;
        match (before, index.version()) {
            (Some(before), Some(after)) if before != after => readers.read_versions_from(index),
            _ => log::warn!("the WAL index of the database does not show commits: responses cost a little more"),
        }
        Ok(())
    }

    /// What changes with every commit, read after this was called. `None` if it is not known.
    pub async fn version(&self) -> Option<Version> {
        match &self.kind {
            Kind::Sqlite { readers, .. } => readers.version(),
            Kind::Postgres(pool) => pool.version().await,
        }
    }

    /// How many group commits of SQLite have failed so far.
    pub fn failed_commits(&self) -> u64 {
        match &self.kind {
            Kind::Sqlite { writer, .. } => writer.failed_commits(),
            Kind::Postgres(_) => 0,
        }
    }

    /// Waits until everything that a rejected write has read is durable: on SQLite it may be in a transaction that is
    /// still open.
    ///
    /// # Errors
    /// If a commit has failed since `failed_commits` was read.
    pub async fn wait_durable(&self, failed_commits: u64) -> sqlx::Result<()> {
        match &self.kind {
            Kind::Sqlite { writer, .. } => {
                // In a task of its own, as a commit: the client may go away, and others depend on this commit.
                let writer = writer.clone();
                let durable = rt::spawn(async move { writer.wait_durable(failed_commits).await });
                durable.await.map_err(|_| sqlx::Error::WorkerCrashed)?
            }
            Kind::Postgres(_) => Ok(()),
        }
    }

    /// A reading transaction: all queries see the same snapshot.
    pub async fn read(&self) -> sqlx::Result<Tx> {
        Ok(self.tx(match &self.kind {
            Kind::Sqlite { readers, .. } => On::Reader(readers.read()?),
            Kind::Postgres(pool) => {
                let begun = pool.begin(postgres_pool::TO_READ);
                On::Postgres(Box::pin(begun).await?)
            }
        }))
    }

    /// A writing transaction.
    pub async fn write(&self) -> sqlx::Result<Tx> {
        Ok(self.tx(match &self.kind {
            Kind::Sqlite { writer, .. } => On::Sqlite(Box::pin(writer.begin()).await?),
            Kind::Postgres(pool) => On::Postgres(Box::pin(pool.begin(postgres_pool::TO_WRITE)).await?),
        }))
    }

    /// Closes all connections; on SQLite this also checkpoints the log.
    pub async fn close(&self) {
        match &self.kind {
            Kind::Sqlite { readers, writer } => {
                readers.close();
                writer.close().await;
            }
            Kind::Postgres(pool) => pool.connections.close().await,
        }
    }

    /// Gathers statistics for the planner.
    #[cfg(test)]
    pub async fn analyze(&self) -> sqlx::Result<()> {
        match &self.kind {
            Kind::Sqlite { writer, .. } => {
                let analyzed = writer.alone(|sqlite| sqlite.connection.execute_batch("analyze"));
                analyzed.await?.map_err(from_rusqlite)
            }
            Kind::Postgres(pool) => sqlx::query("vacuum analyze").execute(&pool.connections).await.map(drop),
        }
    }
}

impl Tx {
    /// Makes the writes durable, even if the client goes away meanwhile. If the transaction revokes access, it returns
    /// when all processes know.
    pub async fn commit(self) -> sqlx::Result<()> {
        rt::spawn(self.commit_to_its_end()).await.map_err(|_| sqlx::Error::WorkerCrashed)?
    }

    async fn commit_to_its_end(self) -> sqlx::Result<()> {
        let Tx { on, db, revokes, wakes } = self;
        let change = revokes.then(|| db.epoch.change());
        let done = match on {
            On::Reader(_) => Ok(()),
            On::Sqlite(write) => write.commit().await,
            On::Postgres(turn) => turn.commit().await,
        };
        // Also after an error: it may have come after the commit.
        drop(change);
        if let Some(task) = wakes {
            task.notify_one();
        }
        if revokes && !db.is_exclusive {
            sleep(revocation::WAIT).await;
        }
        done
    }

    /// Wakes a task of this process after the commit, for which there is something to do then.
    pub fn wake_after_commit(&mut self, task: &'static Notify) {
        self.wakes = Some(task);
    }

    /// For the few places where the two databases need different SQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self.on, On::Postgres(_))
    }
}

#[cfg(test)]
mod tests {
    use super::{Db, Synchronous};
    use crate::db::{execute, limits::PATIENCE, statement::Statement};

    #[actix_web::test]
    async fn every_connection_to_sqlite_keeps_a_log_and_syncs_it_as_the_host_wants() {
        for (wanted, level) in [(Synchronous::Full, 2), (Synchronous::Normal, 1)] {
            let folder = tempfile::tempdir().unwrap();
            let db = Db::sqlite(&folder.path().join("latchkey.db"), wanted, PATIENCE).await.unwrap();
            db.migrate(&folder.path().join("lock")).await.unwrap();
            // None is dropped before all are open, so that each is a separate connection.
            let mut all = vec![db.write().await.unwrap()];
            for _ in 0..20 {
                all.push(db.read().await.unwrap());
                all.push(db.read_latest().await.unwrap());
            }
            for (number, tx) in all.iter_mut().enumerate() {
                let mode: String = Statement::new("pragma journal_mode", Vec::new()).fetch_value(tx).await.unwrap();
                let synchronous: i64 = Statement::new("pragma synchronous", Vec::new()).fetch_value(tx).await.unwrap();
                // Those who read have nothing to sync, and may be more careful than they need be.
                let fits = if number == 0 { synchronous == level } else { synchronous >= level };
                assert!(mode == "wal" && fits, "connection {number}: {mode}, {synchronous}");
            }
        }
    }

    #[actix_web::test]
    async fn a_write_to_sqlite_may_change_any_number_of_pages_and_be_rolled_back() {
        const FILL: &str = "
            insert into t (id, text)
            with recursive n(n) as (select 1 union all select n + 1 from n where n < 3000)
            select n, printf('%.*c', 3000, 'a') from n";
        const CHANGE: &str = "update t set text = replace(text, 'a', 'b') where id > 0";
        let folder = tempfile::tempdir().unwrap();
        let db = Db::sqlite(&folder.path().join("latchkey.db"), Synchronous::Normal, PATIENCE).await.unwrap();
        let mut tx = db.write().await.unwrap();
        execute!(&mut tx, "create table t (id integer primary key, text text not null check (text <> ''))").unwrap();
        execute!(&mut tx, FILL).unwrap();
        tx.commit().await.unwrap();
        for end in ["rollback", "commit"] {
            let mut tx = db.write().await.unwrap();
            assert_eq!(execute!(&mut tx, CHANGE).unwrap(), 3000);
            match end {
                "commit" => tx.commit().await.unwrap(),
                _ => drop(tx),
            }
            let changed = Statement::new("select count(*) from t where text like 'b%'", Vec::new());
            let changed: i64 = changed.fetch_value(&mut db.read().await.unwrap()).await.unwrap();
            assert_eq!(changed, if end == "commit" { 3000 } else { 0 }, "{end}");
        }
    }

    #[actix_web::test]
    async fn migrations_take_as_long_as_they_need() {
        const EARLIER: &str = "
            drop table property_totals;
            delete from _sqlx_migrations where version = 13;
            insert into groups (id, title, sort_title, created_at) values (x'01', 'Group', x'01', '2026-11-29T00:00:00+00:00');
            insert into users (id, email, email_key, time_zone, default_group_id, created_at)
            with recursive n(n) as (select 1 union all select n + 1 from n where n < 5000)
            select n, n || '@farol.example', n || '@farol.example', 'UTC', x'01', '2026-11-29T00:00:00+00:00' from n";
        let folder = tempfile::tempdir().unwrap();
        let (file, lock) = (folder.path().join("latchkey.db"), folder.path().join("lock"));
        let db = Db::sqlite(&file, Synchronous::Normal, PATIENCE).await.unwrap();
        db.migrate(&lock).await.unwrap();
        db.close().await;
        rusqlite::Connection::open(&file).unwrap().execute_batch(EARLIER).unwrap();
        let db = Db::sqlite(&file, Synchronous::Normal, PATIENCE).await.unwrap();
        db.migrate(&lock).await.unwrap();
        let totals = Statement::new("select count(*) from property_totals", Vec::new());
        assert_eq!(totals.fetch_value::<i64>(&mut db.read().await.unwrap()).await.unwrap(), 5000);
    }

    #[actix_web::test]
    async fn the_version_of_sqlite_without_its_index_can_be_read_any_number_of_times() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::sqlite(&folder.path().join("latchkey.db"), Synchronous::Normal, PATIENCE).await.unwrap();
        for number in 0..50_000 {
            assert!(db.version().await.is_some(), "reading {number}");
        }
    }
}
