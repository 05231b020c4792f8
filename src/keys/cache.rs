//! What is remembered of the credentials of keys, so that a request costs no query before it is let in. It holds for as long
//! as nothing was taken away from anybody (`db/revocation.rs`); what ends by time is compared with the clock each time.

use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::unsync::Cache;

use crate::{
    db::Db,
    keys::{
        KeyDigest,
        store::{self, Credential},
    },
};

/// Credentials in the cache at most, of about 300 bytes each.
const CAPACITY: usize = 20_000;

/// Credentials of keys that were used lately.
pub struct CredentialCache(Mutex<Known>);

struct Known {
    generation: u64,
    credentials: Cache<KeyDigest, Arc<Credential>>,
}

impl Default for CredentialCache {
    fn default() -> Self {
        CredentialCache(Mutex::new(Known { generation: 0, credentials: Cache::new(CAPACITY) }))
    }
}

impl CredentialCache {
    /// The credential of a key. `None` where there is no such key.
    pub async fn credential(&self, db: &Db, digest: KeyDigest) -> sqlx::Result<Option<Arc<Credential>>> {
        let remembered = db.fresh_generation().and_then(|generation| self.known().get(generation, &digest));
        match remembered {
            Some(credential) => Ok(Some(credential)),
            None => Box::pin(self.look_up(db, digest)).await,
        }
    }

    async fn look_up(&self, db: &Db, digest: KeyDigest) -> sqlx::Result<Option<Arc<Credential>>> {
        let generation = db.generation().await?;
        if let Some(credential) = self.known().get(generation, &digest) {
            return Ok(Some(credential));
        }
        let mut tx = db.read_latest().await?;
        let Some(credential) = store::credential(&mut tx, &digest).await? else { return Ok(None) };
        let credential = Arc::new(credential);
        // Of the generation from before the look-up: what was taken away meanwhile began another.
        self.known().keep(generation, digest, credential.clone());
        Ok(Some(credential))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Forgets what is of an older generation. False for a request that is of an older one itself.
    fn is_of(&mut self, generation: u64) -> bool {
        if self.generation < generation {
            self.generation = generation;
            self.credentials.clear();
        }
        self.generation == generation
    }

    fn get(&mut self, generation: u64, digest: &KeyDigest) -> Option<Arc<Credential>> {
        if self.is_of(generation) { self.credentials.get(digest).cloned() } else { None }
    }

    fn keep(&mut self, generation: u64, digest: KeyDigest, credential: Arc<Credential>) {
        if self.is_of(generation) {
            self.credentials.insert(digest, credential);
        }
    }
}
