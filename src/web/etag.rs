//! Entity tags: the hash of this caller's body; a matching `If-None-Match` is answered 304 (RFC 9110, sections 8.8.3 and
//! 13.1.2).
//!
//! On SQLite a tag that a caller asks for again is kept with the version of the whole database from before it was made.
//! As long as nothing at all was committed since, by whatever process, the answer is the same and is not rendered again.

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

/// Tags in the cache at most, of about 300 bytes each.
const CAPACITY: usize = 20_000;

/// Addresses longer than this are not worth their place.
const LONGEST: usize = 300;

/// Who asks for what.
#[derive(PartialEq, Eq, Hash)]
struct Asked {
    user: UserId,
    limit: Option<ApiKeyId>,
    address: String,
}

/// Of which version of the database a tag is.
#[derive(Clone)]
struct Tag {
    version: i64,
    tag: HeaderValue,
}

/// The tags of recent conditional requests.
pub struct Tags(Mutex<Cache<Asked, Tag>>);

impl Default for Tags {
    fn default() -> Self {
        Tags(Mutex::new(Cache::new(CAPACITY)))
    }
}

impl Tags {
    fn known(&self) -> std::sync::MutexGuard<'_, Cache<Asked, Tag>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, asked: &Asked, version: i64) -> Option<HeaderValue> {
        let known = self.known();
        let cached = known.get(asked)?;
        (cached.version == version).then(|| cached.tag.clone())
    }

    fn keep(&self, asked: Asked, tag: Tag) {
        self.known().insert(asked, tag);
    }
}

/// Whose response it is: what a user sees, or a key that limits it. Put into the request's extensions by whoever
/// authenticates.
#[derive(Clone, Copy)]
pub struct Viewer {
    pub user: UserId,
    pub limit: Option<ApiKeyId>,
}

/// Middleware: answers a read with its tag, or with 304.
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
    // Read before anything else is: what is committed meanwhile makes another version.
    let again = match viewer {
        Some(viewer) if request.headers().contains_key(header::IF_NONE_MATCH) => {
            asked(viewer, &request).zip(state.db.version())
        }
        _ => None,
    };
    if let Some((asked, version)) = &again
        && let Some(tag) = tags.get(asked, *version)
        && is_known(request.headers(), &tag)
    {
        return Ok(request.into_response(HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish()));
    }
    let answer = next.call(request).await?.map_into_boxed_body();
    if answer.status() != StatusCode::OK {
        return Ok(answer);
    }
    let answer = with_tag(answer);
    if let Some((asked, version)) = again
        && let Some(tag) = answer.headers().get(header::ETAG)
    {
        tags.keep(asked, Tag { version, tag: tag.clone() });
    }
    Ok(answer)
}

fn asked(viewer: Viewer, request: &ServiceRequest) -> Option<Asked> {
    let address = request.uri().path_and_query()?.as_str();
    let fits = address.len() <= LONGEST;
    fits.then(|| Asked { user: viewer.user, limit: viewer.limit, address: address.to_owned() })
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

/// An entity tag of half a hash. (BLAKE3, since it takes a fraction of the time of SHA-256 where the processor has no
/// instructions for that, and nobody can make two bodies of one tag either.)
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
