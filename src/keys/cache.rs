//! Caches the credentials of keys, so that admitting a request costs no query. The whole cache is invalidated when
//! access is revoked from anybody (`db/revocation.rs`); what expires is compared with the clock on each request.

use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::unsync::Cache;

use crate::{
    db::{Db, Version},
    keys::{
        KeyDigest,
        store::{self, Credential},
    },
};

/// Maximum number of cached credentials, of about 350 bytes each.
const CAPACITY: usize = 20_000;

/// Maximum number of remembered keys that do not exist, of about 100 bytes each.
const UNKNOWN: usize = 2_000;

/// Credentials of recently used keys.
pub struct CredentialCache(Mutex<Cached>);

struct Cached {
    generation: u64,
    credentials: Cache<KeyDigest, Arc<Credential>>,
    /// Whether any key was imported.
    has_imported: Option<bool>,
    /// Keys that do not exist in this version of the database.
    unknown: Cache<KeyDigest, Version>,
}

impl Default for CredentialCache {
    fn default() -> Self {
        let (credentials, unknown) = (Cache::new(CAPACITY), Cache::new(UNKNOWN));
        CredentialCache(Mutex::new(Cached { generation: 0, credentials, has_imported: None, unknown }))
    }
}

impl CredentialCache {
    /// The credential of a key. `None` if there is no such key.
    ///
    /// # Errors
    /// If the epoch or the key cannot be read.
    pub async fn credential(&self, db: &Db, digest: KeyDigest) -> sqlx::Result<Option<Arc<Credential>>> {
        let cached = db.fresh_generation().and_then(|generation| self.cached().get(generation, &digest));
        match cached {
            Some(credential) => Ok(Some(credential)),
            None => Box::pin(self.look_up(db, digest)).await,
        }
    }

    /// Whether any key was imported: only then is what has not our form looked up. An import replaces the epoch, so this is
    /// as fresh as a credential.
    ///
    /// # Errors
    /// If the epoch or the keys cannot be read.
    pub async fn has_imported(&self, db: &Db) -> sqlx::Result<bool> {
        let cached = db.fresh_generation().and_then(|generation| self.cached().has_imported(generation));
        match cached {
            Some(has_imported) => Ok(has_imported),
            None => Box::pin(self.look_for_imported(db)).await,
        }
    }

    async fn look_for_imported(&self, db: &Db) -> sqlx::Result<bool> {
        let generation = db.generation().await?;
        if let Some(has_imported) = self.cached().has_imported(generation) {
            return Ok(has_imported);
        }
        let has_imported = store::has_imported(&mut db.read_latest().await?).await?;
        // In the generation from before the query, as a credential.
        let mut cached = self.cached();
        if cached.enter(generation) {
            cached.has_imported = Some(has_imported);
        }
        Ok(has_imported)
    }

    async fn look_up(&self, db: &Db, digest: KeyDigest) -> sqlx::Result<Option<Arc<Credential>>> {
        let generation = db.generation().await?;
        if let Some(credential) = self.cached().get(generation, &digest) {
            return Ok(Some(credential));
        }
        // Read before the query: a key that is made meanwhile makes another version.
        let version = db.version().await;
        if version.is_some() && self.cached().unknown.get(&digest).copied() == version {
            return Ok(None);
        }
        let mut tx = db.read_latest().await?;
        let Some(credential) = store::credential(&mut tx, &digest).await? else {
            if let Some(version) = version {
                self.cached().unknown.insert(digest, version);
            }
            return Ok(None);
        };
        let credential = Arc::new(credential);
        // In the generation from before the query: a revocation meanwhile has begun another.
        self.cached().insert(generation, digest, credential.clone());
        Ok(Some(credential))
    }

    fn cached(&self) -> std::sync::MutexGuard<'_, Cached> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cached {
    /// Clears credentials of an older generation. False if the request's own generation is older.
    fn enter(&mut self, generation: u64) -> bool {
        if self.generation < generation {
            self.generation = generation;
            self.credentials.clear();
            self.has_imported = None;
        }
        self.generation == generation
    }

    fn get(&mut self, generation: u64, digest: &KeyDigest) -> Option<Arc<Credential>> {
        if self.enter(generation) { self.credentials.get(digest).cloned() } else { None }
    }

    fn has_imported(&mut self, generation: u64) -> Option<bool> {
        if self.enter(generation) { self.has_imported } else { None }
    }

    fn insert(&mut self, generation: u64, digest: KeyDigest, credential: Arc<Credential>) {
        if self.enter(generation) {
            self.credentials.insert(digest, credential);
        }
    }
}
