//! The migrations, and which of them a database has.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rustix::fs::OFlags;
use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

/// The applied migrations. The table is sqlx's, so other programs may have one too.
pub const APPLIED: &str = "select version, checksum from _sqlx_migrations where success order by version";

/// Both use tables of the first migration, so every database of Latchkey answers them.
pub const IS_DEMO: &str = "select exists (select 1 from host_values where name = 'demo_user')";
pub const HAS_USERS: &str = "select exists (select 1 from users)";

/// True if the first applied migration is ours.
pub fn is_ours(applied: &[(i64, Vec<u8>)]) -> bool {
    let migrator = migrator();
    let first = migrator.iter().next();
    first.zip(applied.first()).is_some_and(|(ours, (version, checksum))| {
        ours.version == *version && ours.checksum.as_ref() == checksum.as_slice()
    })
}

/// If migrations are missing, the version of the database and the newest one.
///
/// # Errors
/// If a newer version of the program created or migrated the database.
pub fn missing(applied: &[i64]) -> Result<Option<(i64, i64)>, String> {
    let known: Vec<i64> = migrator().iter().map(|migration| migration.version).collect();
    if let Some(version) = applied.iter().rev().find(|version| !known.contains(version)) {
        return Err(too_new(*version));
    }
    let is_missing = known.iter().any(|version| !applied.contains(version));
    Ok(is_missing.then(|| (applied.last().copied().unwrap_or_default(), known.last().copied().unwrap_or_default())))
}

pub fn too_new(version: i64) -> String {
    let newest = migrator().iter().map(|m| m.version).max().unwrap_or_default();
    format!(
        "The database was made by a newer version of Latchkey (schema {version}; this program knows {newest}). Run that \
         version or a later one."
    )
}

/// Opens a lock file, creating it if necessary. A symbolic link in its place is not followed; content is not truncated.
pub fn lock_file(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).custom_flags(flags).open(path).map_err(
        |error| match path.is_symlink() {
            true => io::Error::other("it is a symbolic link"),
            false => error,
        },
    )
}

pub fn migrator() -> Migrator {
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
        migration(9, "key rights", include_str!("../../migrations/0009_key_rights.sql")),
        migration(10, "quotas", include_str!("../../migrations/0010_quotas.sql")),
        migration(11, "session notices", include_str!("../../migrations/0011_session_notices.sql")),
        migration(12, "collections", include_str!("../../migrations/0012_collections.sql")),
        migration(13, "property totals", include_str!("../../migrations/0013_property_totals.sql")),
        migration(14, "accounts", include_str!("../../migrations/0014_accounts.sql")),
        migration(15, "second factor", include_str!("../../migrations/0015_second_factor.sql")),
        migration(16, "mail", include_str!("../../migrations/0016_mail.sql")),
        migration(17, "key life", include_str!("../../migrations/0017_key_life.sql")),
        migration(19, "found keys", include_str!("../../migrations/0019_found_keys.sql")),
        migration(18, "key uses", include_str!("../../migrations/0018_key_uses.sql")),
    ])
}
