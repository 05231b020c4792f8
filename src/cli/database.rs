//! The database of a command, and whether the command may use it. Only `serve`, `demo` and `migrate` create one: with a
//! misspelt folder, or in another one, a command must not show an empty list.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    base::settings::Settings,
    db::{self, Db, Found, Server},
};

/// The database of the settings.
pub enum Place {
    File { folder: PathBuf, file: PathBuf },
    Postgres(Box<Server>),
}

impl Place {
    /// For a server: a pooler must be named, since statements cannot be cached behind one.
    pub fn of(settings: &Settings) -> Result<Self, String> {
        Self::new(settings, settings.database_pooler.is_some())
    }

    /// For a command: it works with and without a pooler, and need not know.
    pub fn for_command(settings: &Settings) -> Result<Self, String> {
        Self::new(settings, true)
    }

    fn new(settings: &Settings, is_pooled: bool) -> Result<Self, String> {
        if let Some(url) = &settings.database_url {
            return Server::new(url, is_pooled).map(|server| Place::Postgres(Box::new(server)));
        }
        let folder = settings.data_dir();
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        Ok(Place::File { file: folder.join("latchkey.db"), folder })
    }

    /// Its path or address, for people.
    pub fn name(&self) -> String {
        match self {
            Place::File { file, .. } => file.display().to_string(),
            Place::Postgres(server) => server.place().to_owned(),
        }
    }

    /// Inspects the database. Nothing is written.
    ///
    /// # Errors
    /// If it cannot be reached, or is another program's.
    pub async fn inspect(&self) -> Result<Found, String> {
        match self {
            Place::File { file, .. } => db::inspect_file(file),
            Place::Postgres(server) => server.inspect().await,
        }
    }

    /// Opens the database.
    ///
    /// # Errors
    /// A sentence for the host if it does not exist or is not up to date.
    pub async fn existing(&self, settings: &Settings, patience: Duration) -> Result<Db, String> {
        let name = self.name();
        match self.inspect().await? {
            Found::Nothing => Err(format!(
                "There is no Latchkey database at {name}. Name the one that the server uses with {}, or create one \
                 with `latchkey serve` or `latchkey migrate`.",
                match self {
                    Place::File { .. } => "--data-dir (LATCHKEY_DATA_DIR) or --database-url (DATABASE_URL)",
                    Place::Postgres(_) => "--database-url (DATABASE_URL)",
                }
            )),
            Found::Ours(ours) => match db::missing(&ours.applied)? {
                None => self.open(settings, patience).await,
                Some((is, wanted)) => Err(format!(
                    "The schema of {name} is older than this program ({is}, not {wanted}). Run: latchkey migrate"
                )),
            },
        }
    }

    /// Opens the database with the newest schema, creating or migrating it. The caller has inspected it before.
    pub async fn migrated(&self, settings: &Settings, patience: Duration) -> Result<Db, String> {
        if let Place::File { folder, file } = self {
            create_private(folder)?;
            // SQLite gives its other files the mode of this one. If it cannot be created, opening it reports why.
            drop(OpenOptions::new().create(true).append(true).mode(0o600).open(file));
        }
        let db = self.open(settings, patience).await?;
        let lock = match self {
            Place::File { folder, .. } => folder.join("migrate.lock"),
            Place::Postgres(_) => PathBuf::new(),
        };
        db.migrate(&lock).await?;
        Ok(db)
    }

    async fn open(&self, settings: &Settings, patience: Duration) -> Result<Db, String> {
        match self {
            Place::File { file, .. } => Db::sqlite(file, settings.sqlite_synchronous, patience).await,
            Place::Postgres(server) => Ok(Db::postgres(server, settings.database_connections)),
        }
    }

    /// Logs warnings about unprotected data, at each start.
    pub fn warn(&self) {
        match self {
            Place::Postgres(server) if server.may_be_read() => log::warn!(
                "what is sent to the database at {} may cross the network unencrypted: add sslmode=require or \
                 sslmode=verify-full to DATABASE_URL",
                server.place()
            ),
            Place::Postgres(_) => {}
            Place::File { folder, file } => {
                let open = |path: &Path, bits| std::fs::metadata(path).is_ok_and(|found| found.mode() & bits != 0);
                if !open(folder, 0o077) {
                    return;
                }
                log::warn!("other users of this machine can list the data folder: chmod 700 {}", folder.display());
                if open(file, 0o044) {
                    log::warn!("other users of this machine can read the database: chmod 600 {}*", file.display());
                }
            }
        }
    }
}

/// Creates a folder that only this user can read.
pub fn create_private(folder: &Path) -> Result<(), String> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| format!("Cannot create the data folder {}: {error}.", folder.display()))
}

/// Locks the data folder for one server. Waits a few seconds, since a server that was just killed may not be gone.
pub async fn lock_for_server(folder: &Path) -> Result<File, String> {
    const PATIENCE: Duration = Duration::from_secs(5);
    const STEP: Duration = Duration::from_millis(50);
    create_private(folder)?;
    let path = folder.join("serve.lock");
    let file = db::lock_file(&path)
        .map_err(|error| format!("Cannot write {}: {error}. The data folder must be writable.", path.display()))?;
    let until = tokio::time::Instant::now() + PATIENCE;
    while file.try_lock().is_err() {
        if tokio::time::Instant::now() >= until {
            return Err(format!(
                "Another server uses the data folder {}. Stop it, choose another --data-dir, or use PostgreSQL.",
                folder.display()
            ));
        }
        tokio::time::sleep(STEP).await;
    }
    Ok(file)
}
