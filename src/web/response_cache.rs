//! Whole responses of the API, each with the version of the database that was read before its handler ran
//! (`db/version.rs`, `db/postgres_version.rs`). As long as nothing at all was committed since, by any process, the response
//! to the same request of the same caller is the same. Who calls is authenticated each time.

use std::sync::{Mutex, PoisonError};

use actix_web::{HttpMessage, dev::ServiceRequest, http::header::HeaderValue, web::Bytes};
use quick_cache::{Weighter, unsync::Cache};

use crate::{
    base::ids::{ApiKeyId, UserId},
    db::Version,
};

/// Bytes in the cache at most.
const CAPACITY: usize = 16 * 1024 * 1024;

/// Entries for which there is room from the beginning.
const EXPECTED: usize = 1_000;

/// A larger response is not cached: it would displace too many others.
const LARGEST: usize = CAPACITY / 16;

/// What an entry takes beside its body and its address.
const OVERHEAD: usize = 350;

/// Responses to longer addresses are not cached.
const MAX_ADDRESS: usize = 300;

/// Whose response it is. Whoever authenticates puts it into the request's extensions.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Viewer {
    pub user: UserId,
    pub key: Option<ApiKeyId>,
}

/// What a response depends on, beside the database.
#[derive(PartialEq, Eq, Hash)]
pub struct ResponseKey {
    viewer: Viewer,
    address: String,
}

impl ResponseKey {
    /// Of a read. `None` if its response is not to be cached.
    pub fn of(request: &ServiceRequest) -> Option<Self> {
        let viewer = *request.extensions().get::<Viewer>()?;
        let address = request.uri().path_and_query()?.as_str();
        (address.len() <= MAX_ADDRESS).then(|| ResponseKey { viewer, address: address.to_owned() })
    }
}

/// A response 200: all that depends on its request.
#[derive(Clone)]
pub struct Cached {
    pub tag: HeaderValue,
    pub content_type: HeaderValue,
    pub body: Bytes,
}

#[derive(Clone)]
struct Size;

impl Weighter<ResponseKey, (Version, Cached)> for Size {
    fn weight(&self, key: &ResponseKey, (_, cached): &(Version, Cached)) -> u64 {
        (key.address.len() + cached.body.len() + OVERHEAD) as u64
    }
}

/// The responses to recent requests.
pub struct ResponseCache(Mutex<Cache<ResponseKey, (Version, Cached), Size>>);

impl Default for ResponseCache {
    fn default() -> Self {
        ResponseCache(Mutex::new(Cache::with_weighter(EXPECTED, CAPACITY as u64, Size)))
    }
}

impl ResponseCache {
    fn cached(&self) -> std::sync::MutexGuard<'_, Cache<ResponseKey, (Version, Cached), Size>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The response in this version of the database.
    pub fn get(&self, key: &ResponseKey, version: Version) -> Option<Cached> {
        let responses = self.cached();
        let (known, cached) = responses.get(key)?;
        (*known == version).then(|| cached.clone())
    }

    /// Caches a response with the version that was read before its handler ran.
    pub fn insert(&self, key: ResponseKey, version: Version, cached: Cached) {
        if cached.body.len() <= LARGEST {
            self.cached().insert(key, (version, cached));
        }
    }
}
