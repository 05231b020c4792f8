//! The schema, brought up to date at each start.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use actix_web::rt;
use sqlx::{
    SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use super::{Db, Kind};

impl Db {
    /// Brings the schema up to date. Many copies may do so at once: PostgreSQL has a lock of its own for this,
    /// SQLite gets a file that is locked meanwhile.
    pub async fn migrate(&self, sqlite_lock: &Path) -> Result<(), String> {
        let migrator = migrator();
        let newest = migrator.iter().map(|m| m.version).max().unwrap_or_default();
        let done = match &self.kind {
            Kind::Sqlite { writer, .. } => {
                let _held = lock_when_free(sqlite_lock.to_owned()).await.map_err(|error| {
                    format!("Cannot write {}: {error}. The data folder must be writable.", sqlite_lock.display())
                })?;
                writer.migrate(&migrator).await
            }
            Kind::Postgres(pool) => migrator.run(pool).await,
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
        migration(1, "users", include_str!("../../migrations/0001_users.sql")),
        migration(2, "properties", include_str!("../../migrations/0002_properties.sql")),
        migration(3, "api keys", include_str!("../../migrations/0003_api_keys.sql")),
        migration(4, "rooms and rates", include_str!("../../migrations/0004_rooms_and_rates.sql")),
        migration(5, "property search", include_str!("../../migrations/0005_property_search.sql")),
        migration(6, "auth epoch", include_str!("../../migrations/0006_auth_epoch.sql")),
        migration(7, "property versions", include_str!("../../migrations/0007_property_versions.sql")),
        migration(8, "links", include_str!("../../migrations/0008_links.sql")),
        migration(10, "quotas", include_str!("../../migrations/0010_quotas.sql")),
    ])
}
