//! Compression with brotli or gzip, by `accept-encoding` (RFC 9110, section 12.5.3).

use actix_http::encoding::Encoder;
use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, AcceptEncoding, ContentEncoding, Encoding, Header, HeaderMap, HeaderValue},
};

/// Bytes below which compression is not worth the work.
const MIN_SIZE: u64 = 1024;

/// The encodings we offer, best first.
const OFFERED: [Encoding; 3] = [
    Encoding::Known(ContentEncoding::Brotli),
    Encoding::Known(ContentEncoding::Gzip),
    Encoding::Known(ContentEncoding::Identity),
];

/// The encoding that a request accepts, if any.
pub fn accepted(request: &ServiceRequest) -> Option<ContentEncoding> {
    if !request.headers().get_all(header::ACCEPT_ENCODING).any(names_offered) {
        return None;
    }
    match AcceptEncoding::parse(request).ok()?.negotiate(OFFERED.iter())? {
        Encoding::Known(ContentEncoding::Identity) | Encoding::Unknown(_) => None,
        Encoding::Known(offered) => Some(offered),
    }
}

/// Compresses a response if it is worth it.
pub fn encode(answer: ServiceResponse<BoxBody>, accepted: Option<ContentEncoding>) -> ServiceResponse<BoxBody> {
    let Some(encoding) = accepted.filter(|_| is_worth_it(&answer)) else { return answer };
    let mut answer = answer.map_body(|head, body| BoxBody::new(Encoder::response(encoding, head, body)));
    let headers = answer.headers_mut();
    weaken_etag(headers);
    join_vary(headers);
    answer
}

/// False for a short body, and for an image, which is compressed already.
fn is_worth_it(answer: &ServiceResponse<BoxBody>) -> bool {
    let size = answer.response().body().size();
    let kind = answer.headers().get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let is_long = match size {
        BodySize::Sized(size) => size >= MIN_SIZE,
        BodySize::Stream => true,
        BodySize::None => false,
    };
    is_long && (!kind.starts_with(b"image/") || kind.starts_with(b"image/svg"))
}

/// True for an `Accept-Encoding` that names gzip, brotli or anything, and not with a weight of 0.
fn names_offered(value: &HeaderValue) -> bool {
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
