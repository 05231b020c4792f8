//! Brings the schema up to date.

use std::{
    collections::HashMap,
    fs::File,
    io,
    path::{Path, PathBuf},
    time::Instant,
};

use actix_web::rt;
use rusqlite::{Connection, TransactionBehavior};
use sqlx::migrate::{MigrateError, Migrator};

use crate::db::{
    database::{Db, Kind},
    faults::{from_rusqlite, plain},
    migrations::{self, lock_file, migrator, too_new},
    postgres,
};

impl Db {
    /// Brings the schema up to date. Several processes may do so at once: on PostgreSQL they queue for an advisory
    /// lock, on SQLite for the lock on a file.
    ///
    /// # Errors
    /// A sentence for the host.
    pub async fn migrate(&self, sqlite_lock: &Path) -> Result<(), String> {
        let migrator = migrator();
        let done = match &self.kind {
            Kind::Sqlite { writer, .. } => {
                let _lock = lock_when_free(sqlite_lock.to_owned()).await.map_err(|error| {
                    format!("Cannot write {}: {error}. The data folder must be writable.", sqlite_lock.display())
                })?;
                let migrated = writer.alone(move |sqlite| migrate_sqlite(&mut sqlite.connection, &migrator));
                migrated.await.unwrap_or_else(|error| Err(error.into()))
            }
            Kind::Postgres(pool) => postgres::migrate(&pool.connections, migrator).await,
        };
        done.map_err(|error| match error {
            MigrateError::VersionMissing(version) => too_new(version),
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                let next = match &self.kind {
                    Kind::Postgres(pool) if postgres::is_forbidden(&error) => postgres::remedy(&pool.user),
                    _ => String::new(),
                };
                format!("Cannot migrate the database's schema: {}. {next}", plain(&error))
            }
            other => format!("Cannot migrate the database's schema: {other}."),
        })
    }
}

/// Applies the migrations that are missing, each in a transaction with the row that tells so. The table is sqlx's.
fn migrate_sqlite(connection: &mut Connection, migrator: &Migrator) -> Result<(), MigrateError> {
    const TABLE: &str = "
        create table if not exists _sqlx_migrations (
            version bigint primary key,
            description text not null,
            installed_on timestamp not null default current_timestamp,
            success boolean not null,
            checksum blob not null,
            execution_time bigint not null
        )";
    const APPLIED: &str = "
        insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (?, ?, true, ?, ?)";
    let mut run = || -> rusqlite::Result<Result<(), MigrateError>> {
        connection.execute_batch(TABLE)?;
        let mut applied = HashMap::new();
        let mut rows = connection.prepare(migrations::APPLIED)?;
        for row in rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))? {
            let (version, checksum): (i64, Vec<u8>) = row?;
            applied.insert(version, checksum);
        }
        drop(rows);
        for migration in migrator.iter() {
            match applied.remove(&migration.version) {
                Some(checksum) if checksum == *migration.checksum => continue,
                Some(_) => return Ok(Err(MigrateError::VersionMismatch(migration.version))),
                None => {}
            }
            let began = Instant::now();
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            tx.execute_batch(migration.sql.as_str())?;
            let took = i64::try_from(began.elapsed().as_nanos()).unwrap_or(i64::MAX);
            tx.execute(APPLIED, (migration.version, &*migration.description, &*migration.checksum, took))?;
            tx.commit()?;
        }
        Ok(applied.into_keys().max().map_or(Ok(()), |newest| Err(MigrateError::VersionMissing(newest))))
    };
    run().map_err(|error| MigrateError::Execute(from_rusqlite(error)))?
}

/// Waits for the lock on a blocking thread: another process may be migrating for a while.
async fn lock_when_free(path: PathBuf) -> io::Result<File> {
    rt::task::spawn_blocking(move || {
        let file = lock_file(&path)?;
        file.lock()?;
        Ok(file)
    })
    .await
    .map_err(io::Error::other)?
}
