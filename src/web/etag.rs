//! Entity tags: the hash of this caller's body; a matching `If-None-Match` is answered 304 (RFC 9110, sections 8.8.3
//! and 13.1.2).
//!
//! On SQLite the tag of a conditional request is cached with the version of the whole database, read before the handler
//! ran. As long as nothing at all was committed since, by any process, the response is the same and is not computed
//! again.

use std::sync::{Mutex, PoisonError};

use actix_web::{
    HttpMessage, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use quick_cache::unsync::Cache;

use crate::{
    base::{
        error::Error,
        ids::{ApiKeyId, UserId},
    },
    web::{errors::durable, methods, state::AppState},
};

/// Maximum number of cached tags, of about 300 bytes each.
const CAPACITY: usize = 20_000;

/// Tags of longer addresses are not cached.
const MAX_ADDRESS: usize = 300;

/// What a tag depends on.
#[derive(PartialEq, Eq, Hash)]
struct TagKey {
    user: UserId,
    limit: Option<ApiKeyId>,
    address: String,
}

/// A tag, with the version of the database.
#[derive(Clone)]
struct Tag {
    version: i64,
    tag: HeaderValue,
}

/// The tags of recent conditional requests.
pub struct Tags(Mutex<Cache<TagKey, Tag>>);

impl Default for Tags {
    fn default() -> Self {
        Tags(Mutex::new(Cache::new(CAPACITY)))
    }
}

impl Tags {
    fn cache(&self) -> std::sync::MutexGuard<'_, Cache<TagKey, Tag>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: &TagKey, version: i64) -> Option<HeaderValue> {
        let cache = self.cache();
        let cached = cache.get(key)?;
        (cached.version == version).then(|| cached.tag.clone())
    }

    fn insert(&self, key: TagKey, tag: Tag) {
        self.cache().insert(key, tag);
    }
}

/// Whose response it is: the user, and the key if it is limited. Whoever authenticates puts it into the request's
/// extensions.
#[derive(Clone, Copy)]
pub struct Viewer {
    pub user: UserId,
    pub limit: Option<ApiKeyId>,
}

/// Middleware: adds the tag to a read, or answers it with 304.
pub async fn etag(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let state = request.app_data::<Data<AppState>>().cloned();
    let Some(state) = state else { return Err(Error::Internal("no state".to_owned()).into()) };
    if !methods::is_read(request.method()) {
        let failed = state.db.failed_commits();
        let mut answer = durable(&state.db, failed, next.call(request).await?.map_into_boxed_body()).await;
        // No ETag on writes: the stored representation differs from the request body (RFC 9110, section 9.3.4).
        answer.headers_mut().remove(header::ETAG);
        return Ok(answer);
    }
    let tags = request.app_data::<Data<Tags>>().cloned();
    let Some(tags) = tags else { return Err(Error::Internal("no tags".to_owned()).into()) };
    let viewer = request.extensions().get::<Viewer>().copied();
    // Read before the handler runs: a commit in between makes another version.
    let key = match viewer {
        Some(viewer) if request.headers().contains_key(header::IF_NONE_MATCH) => {
            tag_key(viewer, &request).zip(state.db.version())
        }
        _ => None,
    };
    if let Some((key, version)) = &key
        && let Some(tag) = tags.get(key, *version)
        && is_known(request.headers(), &tag)
    {
        return Ok(request.into_response(HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish()));
    }
    let answer = next.call(request).await?.map_into_boxed_body();
    if answer.status() != StatusCode::OK {
        return Ok(answer);
    }
    let answer = with_tag(answer);
    if let Some((key, version)) = key
        && let Some(tag) = answer.headers().get(header::ETAG)
    {
        tags.insert(key, Tag { version, tag: tag.clone() });
    }
    Ok(answer)
}

fn tag_key(viewer: Viewer, request: &ServiceRequest) -> Option<TagKey> {
    let address = request.uri().path_and_query()?.as_str();
    let fits = address.len() <= MAX_ADDRESS;
    fits.then(|| TagKey { user: viewer.user, limit: viewer.limit, address: address.to_owned() })
}

fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| matches!(known.trim().trim_start_matches("W/"), known if *tag == *known || known == "*"))
}

fn with_tag(answer: ServiceResponse) -> ServiceResponse {
    let (request, response) = answer.into_parts();
    let (mut response, body) = response.into_parts();
    let body = match body.try_into_bytes() {
        Ok(body) => body,
        Err(body) => return ServiceResponse::new(request, response.set_body(body)),
    };
    let tag = match response.headers().get(header::ETAG) {
        Some(tag) => tag.clone(),
        None => of_hash(blake3::hash(&body)),
    };
    let is_known = is_known(request.headers(), &tag);
    response.headers_mut().insert(header::ETAG, tag);
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().remove(header::CONTENT_TYPE);
        return ServiceResponse::new(request, response.set_body(BoxBody::new(())));
    }
    ServiceResponse::new(request, response.set_body(BoxBody::new(body)))
}

/// An entity tag of half a hash. (BLAKE3: it takes a fraction of the time of SHA-256 on processors without instructions
/// for that, and is collision-resistant as well.)
pub fn of_hash(hash: blake3::Hash) -> HeaderValue {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut tag = Vec::with_capacity(34);
    tag.push(b'"');
    for byte in hash.as_bytes().iter().take(16) {
        tag.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
    tag.push(b'"');
    HeaderValue::from_bytes(&tag).unwrap_or(HeaderValue::from_static("\"\""))
}
