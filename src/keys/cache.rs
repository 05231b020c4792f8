//! What is remembered of the holders of keys, so that a request costs no query before it is let in. It holds for as long
//! as nothing was taken away from anybody (`db/epoch.rs`); what ends by time is compared with the clock each time.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    base::cache::Recent,
    db::Db,
    keys::{
        KeyDigest,
        store::{self, Holder},
    },
};

/// Half of the holders there is room for: some 300 bytes each.
const HALF: usize = 10_000;

/// Holders of keys that were used lately.
pub struct Callers(Mutex<Known>);

struct Known {
    generation: u64,
    holders: Recent<KeyDigest, Arc<Holder>>,
}

impl Default for Callers {
    fn default() -> Self {
        Callers(Mutex::new(Known { generation: 0, holders: Recent::new(HALF, |_| 1) }))
    }
}

impl Callers {
    /// The holder of a key. `None` where there is no such key.
    pub async fn holder(&self, db: &Db, digest: KeyDigest) -> sqlx::Result<Option<Arc<Holder>>> {
        let remembered = db.young_generation().and_then(|generation| self.known().get(generation, &digest));
        match remembered {
            Some(holder) => Ok(Some(holder)),
            None => Box::pin(self.look_up(db, digest)).await,
        }
    }

    async fn look_up(&self, db: &Db, digest: KeyDigest) -> sqlx::Result<Option<Arc<Holder>>> {
        let generation = db.generation().await?;
        if let Some(holder) = self.known().get(generation, &digest) {
            return Ok(Some(holder));
        }
        let mut tx = db.glance().await?;
        let Some(holder) = store::holder(&mut tx, &digest).await? else { return Ok(None) };
        let holder = Arc::new(holder);
        // Of the generation from before the look-up: what was taken away meanwhile began another.
        self.known().keep(generation, digest, holder.clone());
        Ok(Some(holder))
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
            self.holders.clear();
        }
        self.generation == generation
    }

    fn get(&mut self, generation: u64, digest: &KeyDigest) -> Option<Arc<Holder>> {
        if self.is_of(generation) { self.holders.get(digest) } else { None }
    }

    fn keep(&mut self, generation: u64, digest: KeyDigest, holder: Arc<Holder>) {
        if self.is_of(generation) {
            self.holders.keep(digest, holder);
        }
    }
}
