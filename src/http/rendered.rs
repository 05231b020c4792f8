//! Resources as JSON, each made once per version and kept: a version that matches cannot be stale, whoever wrote it.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Bytes in each half.
const HALF: usize = 8 * 1024 * 1024;

/// What an entry takes beside its text.
const OVERHEAD: usize = 200;

/// A resource but for what depends on who asks, which stands between head and tail.
pub struct Part {
    pub head: Vec<u8>,
    pub tail: Vec<u8>,
    /// SHA-256 of both.
    pub digest: [u8; 32],
}

impl Part {
    pub fn new(head: Vec<u8>, tail: Vec<u8>) -> Self {
        let digest = Sha256::new().chain_update(&head).chain_update(&tail).finalize().into();
        Part { head, tail, digest }
    }

    fn size(&self) -> usize {
        self.head.len() + self.tail.len() + OVERHEAD
    }
}

/// The resources that were asked for lately.
#[derive(Default)]
pub struct Rendered(Mutex<Known>);

#[derive(Default)]
struct Known {
    young: HashMap<Uuid, (i64, Arc<Part>)>,
    /// Of the young half.
    bytes: usize,
    /// When the young half is full it becomes the old one, whose unused entries are dropped.
    old: HashMap<Uuid, (i64, Arc<Part>)>,
}

impl Rendered {
    /// The resource in this version, if it is kept.
    pub fn get(&self, id: Uuid, version: i64) -> Option<Arc<Part>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept, part) = match known.young.get(&id) {
            Some(found) => found.clone(),
            None => {
                let found = known.old.remove(&id)?;
                known.keep(id, found.clone());
                found
            }
        };
        (kept == version).then_some(part)
    }

    /// Keeps what was read from the database together with its version.
    pub fn keep(&self, id: Uuid, version: i64, part: Arc<Part>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keep(id, (version, part));
    }
}

impl Known {
    fn keep(&mut self, id: Uuid, new: (i64, Arc<Part>)) {
        // One that takes a good part of all room would drive out the others.
        if new.1.size() > HALF / 8 {
            return;
        }
        if self.bytes + new.1.size() > HALF {
            self.old = mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += new.1.size();
        if let Some((_, replaced)) = self.young.insert(id, new) {
            self.bytes -= replaced.size();
        }
    }
}
