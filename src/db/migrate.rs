//! Brings the schema up to date.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use actix_web::rt;
use sqlx::migrate::MigrateError;

use crate::db::{
    database::{Db, Kind},
    faults::plain,
    migrations::{lock_file, migrator, too_new},
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
                writer.migrate(&migrator).await
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
