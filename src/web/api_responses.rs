//! Middleware of the API. What every response under `/api` has: JSON errors, cache headers, CORS, ETag
//! (docs/contract/README.md, sections 1, 4, 10 and 15).

use actix_web::{
    HttpMessage, HttpResponse, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        Method, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};

use crate::{
    base::error::Error,
    web::{
        admission::{self, Admission},
        errors::NotFoundCode,
        https, methods,
        request_log::{self, RequestId},
        state::AppState,
    },
};

/// Shared caches do not treat a custom header as they do `Authorization`, so the response says it.
const CACHE: HeaderValue = HeaderValue::from_static("private, no-cache");
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const VARY: HeaderValue = HeaderValue::from_static("user-api-key, cookie, accept-encoding, origin");

/// Any origin may call with a key; no cookies cross origins. (actix-cors writes its lists in a different order on every
/// worker, so that equal responses differ, and rejects preflights without a reason.)
const CORS: [(HeaderName, &str); 2] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        "api-key-expires, subscription-ends, etag, location, retry-after, x-request-id, allow",
    ),
];

/// When the caller's key ends (RFC 3339), if it does.
pub const API_KEY_EXPIRES: HeaderName = HeaderName::from_static("api-key-expires");

/// When the caller's subscription ends (RFC 3339), if it does.
pub const SUBSCRIPTION_ENDS: HeaderName = HeaderName::from_static("subscription-ends");

const PREFLIGHT: [(HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, DELETE, OPTIONS"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, user-api-key, if-none-match"),
    (header::ACCESS_CONTROL_MAX_AGE, "86400"),
];

pub async fn middleware(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let is_read = methods::is_read(request.method());
    let parts = request.app_data::<Data<AppState>>().zip(request.app_data::<Data<Admission>>());
    let hsts = parts.and_then(|(state, _)| https::hsts(state));
    let permit = match parts.map(|(state, limits)| admission::api(state, limits, &request)).transpose() {
        Ok(permit) => permit,
        Err(error) => {
            let mut answer = as_json(request.error_response(error), is_read);
            add_headers(answer.headers_mut(), hsts);
            return Ok(answer);
        }
    };
    if is_preflight(&request) {
        let mut answer = request.into_response(HttpResponse::Ok().finish());
        add_headers(answer.headers_mut(), hsts);
        for (name, value) in PREFLIGHT {
            answer.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        return Ok(answer);
    }
    let answered = next.call(request).await;
    drop(permit);
    let mut answer = match answered {
        Ok(answer) => answer.map_into_boxed_body(),
        // The session store failed: there is no request left to answer from.
        Err(error) => {
            log::error!("could not read or save a session: {error}");
            let refusal = Error::Unavailable;
            let mut answer = json_error(&refusal, NotFoundCode::default(), None);
            add_headers(answer.headers_mut(), hsts);
            return Err(InternalError::from_response(error, answer).into());
        }
    };
    if answer.status().is_client_error() || answer.status().is_server_error() {
        answer = as_json(answer, is_read);
    }
    add_headers(answer.headers_mut(), hsts);
    Ok(answer)
}

/// True for a CORS preflight, which needs no key.
fn is_preflight(request: &ServiceRequest) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn add_headers(headers: &mut HeaderMap, hsts: Option<&'static str>) {
    headers.insert(header::CACHE_CONTROL, CACHE);
    headers.insert(header::VARY, VARY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // JSON that is opened as a page is nobody's page.
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    if let Some(hsts) = hsts {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(hsts));
    }
    for (name, value) in CORS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Writes the JSON of an error: of one of ours from the error, of one of the framework from its status.
fn as_json(answer: ServiceResponse, is_read: bool) -> ServiceResponse {
    let (request, response) = answer.into_parts();
    let id = request.extensions().get::<RequestId>().copied();
    let not_found = request.app_data::<NotFoundCode>().copied().filter(|_| is_read).unwrap_or_default();
    let mut new = match response.error().and_then(|error| error.as_error::<Error>()) {
        Some(error) => {
            request_log::set_reason(&request, error);
            json_error(error, not_found, id)
        }
        None => {
            let error = match response.status() {
                StatusCode::NOT_FOUND => Error::NotFound,
                StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge,
                status if status.is_client_error() => Error::bad_request("the request could not be understood"),
                status => Error::Internal(format!("the framework answered {status}")),
            };
            json_error(&error, not_found, id)
        }
    };
    for name in [API_KEY_EXPIRES, SUBSCRIPTION_ENDS] {
        if let Some(end) = response.headers().get(&name) {
            new.headers_mut().insert(name, end.clone());
        }
    }
    ServiceResponse::new(request, new)
}

fn json_error(error: &Error, not_found: NotFoundCode, id: Option<RequestId>) -> HttpResponse {
    log_fault(error, id);
    let mut answer = error.error_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.set_body(BoxBody::new(error.to_json(not_found.0)))
}

/// Logs an error of the server, once; the caller is not told the cause.
pub fn log_fault(error: &Error, id: Option<RequestId>) {
    if error.status_code().is_server_error() {
        let id = id.map_or("-".to_owned(), |id| id.0.to_string());
        log::error!("request={id} {error}");
    }
}
