//! Errors over HTTP: status, headers, JSON (docs/contract/README.md, section 4).

use actix_web::{
    HttpResponse, ResponseError,
    dev::ServiceResponse,
    http::{StatusCode, header},
};
use serde_json::json;

use crate::{
    base::error::{Error, FROM_ELSEWHERE, RateLimited},
    db::{self, Db},
    web::rate_limit::WINDOW_SECONDS,
};

/// The code of a 404 that a route sets for GET and HEAD (docs/contract/README.md, section 4, "404 codes").
#[derive(Clone, Copy)]
pub struct NotFoundCode(pub &'static str);

impl Default for NotFoundCode {
    fn default() -> Self {
        NotFoundCode("resource_not_found")
    }
}

impl Error {
    /// The body of an API response (docs/contract/README.md, section 4); `not_found` is the code of a 404.
    pub fn to_json(&self, not_found: &str) -> String {
        let (code, title) = match self {
            Error::Unauthorized(_) | Error::SignIn { .. } => ("unauthorized", "Unauthorized"),
            Error::Forbidden(_)
            | Error::NotAllowedFrom(_)
            | Error::Enrol
            | Error::Confirm { .. }
            | Error::CrossSite
            | Error::Full(_)
            | Error::Insecure(_)
            | Error::OtherName { .. } => ("forbidden", "Forbidden"),
            Error::AddressTooLong => ("uri_too_long", "URI Too Long"),
            Error::NotFound => (not_found, "Resource Not Found"),
            Error::MethodNotAllowed(_) => ("method_not_allowed", "Method Not Allowed"),
            Error::BadRequest(_) | Error::Refused(_) => ("bad_request", "Bad Request"),
            Error::TooLarge => ("payload_too_large", "Payload Too Large"),
            Error::Encoded => ("unsupported_media_type", "Unsupported Media Type"),
            Error::Invalid(_) => ("validation_error", "Validation Error"),
            Error::TooMany(..) => ("http_too_many_requests", "Too Many Requests"),
            Error::Unavailable | Error::Database(_) | Error::Internal(_) => {
                if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
                    ("service_unavailable", "Service Unavailable")
                } else {
                    ("internal_server_error", "Internal Server Error")
                }
            }
        };
        let details = match self {
            Error::Unauthorized(Some(reason)) | Error::Forbidden(Some(reason)) | Error::Insecure(reason) => {
                json!([reason])
            }
            Error::NotAllowedFrom(Some(address)) => json!([format!("the API key is not allowed from {address}")]),
            Error::NotAllowedFrom(None) => json!(["the API key is not allowed from an unknown address"]),
            Error::CrossSite | Error::OtherName { .. } => json!([FROM_ELSEWHERE]),
            Error::Full(reason) => json!([reason]),
            Error::BadRequest(details) => json!(details),
            Error::Refused(rule) => json!(rule),
            Error::Invalid(problems) => problems.to_json(),
            // By far the most common, so it is written without `json!`.
            _ => return format!(r#"{{"errors":{{"code":"{code}","title":"{title}"}}}}"#),
        };
        json!({ "errors": { "code": code, "title": title, "details": details } }).to_string()
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Error::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Error::SignIn { .. } | Error::Confirm { .. } | Error::Enrol => StatusCode::SEE_OTHER,
            Error::Forbidden(_)
            | Error::NotAllowedFrom(_)
            | Error::CrossSite
            | Error::Full(_)
            | Error::Insecure(_)
            | Error::OtherName { .. } => StatusCode::FORBIDDEN,
            Error::AddressTooLong => StatusCode::URI_TOO_LONG,
            Error::NotFound => StatusCode::NOT_FOUND,
            Error::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Error::BadRequest(_) | Error::Refused(_) => StatusCode::BAD_REQUEST,
            Error::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Error::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Error::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Error::TooMany(..) => StatusCode::TOO_MANY_REQUESTS,
            Error::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Error::Database(error) if db::is_unavailable(error) => StatusCode::SERVICE_UNAVAILABLE,
            Error::Database(_) | Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Status and headers; the middleware of the API or of pages writes the body.
    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        match self {
            Error::MethodNotAllowed(allow) => {
                answer.insert_header((header::ALLOW, allow.as_str()));
            }
            // RFC 9110, section 15.5.16: a 415 says what is accepted.
            Error::Encoded => {
                answer.insert_header((header::ACCEPT_ENCODING, "identity"));
            }
            // RFC 9110, section 11.6.1: a 401 carries a challenge.
            Error::Unauthorized(_) => {
                answer.insert_header((header::WWW_AUTHENTICATE, "ApiKey"));
            }
            // draft-ietf-httpapi-ratelimit-headers
            Error::TooMany(kind, limited) => {
                let (name, RateLimited { limit, seconds }) = (kind.name(), limited);
                answer.insert_header((header::RETRY_AFTER, seconds.to_string()));
                answer.insert_header(("ratelimit-policy", format!("\"{name}\";q={limit};w={WINDOW_SECONDS}")));
                answer.insert_header(("ratelimit", format!("\"{name}\";r=0;t={seconds}")));
            }
            _ if self.status_code() == StatusCode::SERVICE_UNAVAILABLE => {
                answer.insert_header((header::RETRY_AFTER, "2"));
            }
            _ => {}
        }
        answer.finish()
    }
}

/// A rejected write may depend on one that is not durable yet: waits for that commit, and answers 503 if a commit has
/// failed since `failed_commits` were counted.
pub async fn durable(db: &Db, failed_commits: u64, answer: ServiceResponse) -> ServiceResponse {
    if answer.status().is_client_error()
        && let Err(error) = db.wait_durable(failed_commits).await
    {
        return answer.error_response(Error::from(error));
    }
    answer
}
