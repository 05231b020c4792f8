//! gzip and brotli, for those who ask (RFC 9110, section 12.5.3), around what actix does by itself.

use actix_web::{
    body::{BodySize, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap, HeaderValue},
    middleware::Next,
};

/// Bytes below which a compressed body saves nothing worth the work.
const WORTH_IT: u64 = 1024;

/// Inside the compression: a short body, or none, is left as it is.
pub async fn choose<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let mut answer = next.call(request).await?;
    if !matches!(answer.response().body().size(), BodySize::Sized(size) if size >= WORTH_IT) {
        answer.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    }
    Ok(answer)
}

/// Outside the compression: the headers say what has become of the body.
pub async fn tell<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    // Who asks for nothing that we have gets the body as it is; actix would refuse in plain text.
    if !request.headers().get_all(header::ACCEPT_ENCODING).any(takes_ours) {
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    let mut answer = next.call(request).await?;
    let headers = answer.headers_mut();
    match headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        Some(b"identity") => {
            headers.remove(header::CONTENT_ENCODING);
        }
        Some(_) => weaken_etag(headers),
        None => {}
    }
    join_vary(headers);
    Ok(answer)
}

/// True for an `Accept-Encoding` that names gzip, brotli or anything, and not with a weight of 0.
fn takes_ours(value: &HeaderValue) -> bool {
    value.to_str().unwrap_or_default().split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        matches!(name.trim(), "gzip" | "br" | "*") && weight.is_none_or(|weight| weight > 0.0)
    })
}

/// The compressed body is another representation: its tag may only be compared weakly (RFC 9110, section 8.8.1).
fn weaken_etag(headers: &mut HeaderMap) {
    let tag = headers.get(header::ETAG).filter(|tag| tag.as_bytes().starts_with(b"\""));
    if let Some(weak) = tag.and_then(|tag| HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()).ok()) {
        headers.insert(header::ETAG, weak);
    }
}

/// One `Vary` that names each header once.
fn join_vary(headers: &mut HeaderMap) {
    if headers.get_all(header::VARY).count() < 2 {
        return;
    }
    let mut names: Vec<&str> = Vec::new();
    for name in headers.get_all(header::VARY).filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','))
    {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name.trim())) {
            names.push(name.trim());
        }
    }
    if let Ok(joined) = HeaderValue::from_str(&names.join(", ")) {
        headers.insert(header::VARY, joined);
    }
}
