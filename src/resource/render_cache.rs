//! Resources as JSON, each rendered once per version and cached: a version that matches cannot be stale, whoever wrote
//! it, since versions are random and none comes twice.

use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::{Weighter, unsync::Cache};
use uuid::Uuid;

/// Bytes in the cache at most.
const CAPACITY: usize = 16 * 1024 * 1024;

/// A larger resource is not cached: it would displace too many others.
const LARGEST: usize = CAPACITY / 16;

/// What an entry takes beside its text.
const OVERHEAD: usize = 200;

/// A resource but for what depends on who asks, which stands between head and tail.
pub struct Fragment {
    pub head: Vec<u8>,
    pub tail: Vec<u8>,
    /// Of both.
    pub digest: blake3::Hash,
}

impl Fragment {
    pub fn new(head: Vec<u8>, tail: Vec<u8>) -> Self {
        let digest = blake3::Hasher::new().update(&head).update(&tail).finalize();
        Fragment { head, tail, digest }
    }

    pub fn size(&self) -> usize {
        self.head.len() + self.tail.len() + OVERHEAD
    }
}

/// A resource in one version.
type Entry = (i64, Arc<Fragment>);

#[derive(Clone)]
struct Size;

impl Weighter<Uuid, Entry> for Size {
    fn weight(&self, _: &Uuid, (_, part): &Entry) -> u64 {
        part.size() as u64
    }
}

/// The rendered resources of recent requests.
pub struct RenderCache(Mutex<Cache<Uuid, Entry, Size>>);

impl Default for RenderCache {
    fn default() -> Self {
        RenderCache(Mutex::new(Cache::with_weighter(CAPACITY / 2048, CAPACITY as u64, Size)))
    }
}

impl RenderCache {
    fn known(&self) -> std::sync::MutexGuard<'_, Cache<Uuid, Entry, Size>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The resource in this version, if it is kept.
    pub fn get(&self, id: Uuid, version: i64) -> Option<Arc<Fragment>> {
        let known = self.known();
        let (cached, part) = known.get(&id)?;
        (*cached == version).then(|| part.clone())
    }

    /// Keeps what was read from the database together with its version.
    pub fn keep(&self, id: Uuid, version: i64, part: Arc<Fragment>) {
        if part.size() <= LARGEST {
            self.known().insert(id, (version, part));
        }
    }
}
