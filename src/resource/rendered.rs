//! Resources as JSON, each made once per version and kept: a version that matches cannot be stale, whoever wrote it, since
//! versions are random and none comes twice.

use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::base::cache::TwoGenerationCache;

/// Half of the bytes there is room for.
const HALF: usize = 8 * 1024 * 1024;

/// What an entry takes beside its text.
const OVERHEAD: usize = 200;

/// A resource but for what depends on who asks, which stands between head and tail.
pub struct Part {
    pub head: Vec<u8>,
    pub tail: Vec<u8>,
    /// Of both.
    pub digest: blake3::Hash,
}

impl Part {
    pub fn new(head: Vec<u8>, tail: Vec<u8>) -> Self {
        let digest = blake3::Hasher::new().update(&head).update(&tail).finalize();
        Part { head, tail, digest }
    }

    pub fn size(&self) -> usize {
        self.head.len() + self.tail.len() + OVERHEAD
    }
}

/// The resources that were asked for lately.
pub struct Rendered(Mutex<TwoGenerationCache<Uuid, (i64, Arc<Part>)>>);

impl Default for Rendered {
    fn default() -> Self {
        Rendered(Mutex::new(TwoGenerationCache::new(HALF, |(_, part)| part.size())))
    }
}

impl Rendered {
    fn known(&self) -> std::sync::MutexGuard<'_, TwoGenerationCache<Uuid, (i64, Arc<Part>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The resource in this version, if it is kept.
    pub fn get(&self, id: Uuid, version: i64) -> Option<Arc<Part>> {
        let (kept, part) = self.known().get(&id)?;
        (kept == version).then_some(part)
    }

    /// Keeps what was read from the database together with its version.
    pub fn keep(&self, id: Uuid, version: i64, part: Arc<Part>) {
        self.known().keep(id, (version, part));
    }
}
