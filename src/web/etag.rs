//! Entity tags: the hash of this caller's body; a matching `If-None-Match` is answered 304 (RFC 9110, sections 8.8.3
//! and 13.1.2). What is in `response_cache.rs` is answered without running the handler.

use actix_web::{
    HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
    middleware::Next,
    web::{Bytes, Data},
};

use crate::{
    base::error::Error,
    web::{
        errors::durable,
        methods,
        response_cache::{Cached, ResponseCache, ResponseKey},
        state::AppState,
    },
};

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
    let cache = request.app_data::<Data<ResponseCache>>().cloned();
    let Some(cache) = cache else { return Err(Error::Internal("no cache of responses".to_owned()).into()) };
    // Read before the handler runs: a commit in between makes another version.
    let key = match ResponseKey::of(&request) {
        Some(key) => state.db.version().await.map(|version| (key, version)),
        None => None,
    };
    if let Some((key, version)) = &key
        && let Some(Cached { tag, content_type, body }) = cache.get(key, *version)
    {
        let mut answer = match is_known(request.headers(), &tag) {
            true => HttpResponse::NotModified().finish(),
            false => HttpResponse::Ok().insert_header((header::CONTENT_TYPE, content_type)).body(body),
        };
        answer.headers_mut().insert(header::ETAG, tag);
        return Ok(request.into_response(answer));
    }
    let answer = next.call(request).await?.map_into_boxed_body();
    if answer.status() != StatusCode::OK {
        return Ok(answer);
    }
    Ok(with_tag(answer, |cached| {
        if let Some((key, version)) = key {
            cache.insert(key, version, cached);
        }
    }))
}

fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| matches!(known.trim().trim_start_matches("W/"), known if *tag == *known || known == "*"))
}

/// Adds the tag to a 200 that is in memory as a whole, and gives it to `keep` if nothing else depends on its request.
fn with_tag(answer: ServiceResponse, keep: impl FnOnce(Cached)) -> ServiceResponse {
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
    response.headers_mut().insert(header::ETAG, tag.clone());
    if let Some(content_type) = response.headers().get(header::CONTENT_TYPE)
        && response.headers().len() == 2
    {
        // Copied: the buffer in which it grew may be twice as large.
        let body = Bytes::copy_from_slice(&body);
        keep(Cached { tag: tag.clone(), content_type: content_type.clone(), body });
    }
    if is_known(request.headers(), &tag) {
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
