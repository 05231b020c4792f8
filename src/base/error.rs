//! One error, decided once; `api_face` shows it as JSON, `page_face` as a page.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use actix_web::{
    HttpResponse, ResponseError,
    dev::ServiceResponse,
    http::{Method, StatusCode, header},
};
use serde_json::{Value, json};

use crate::{
    app::site::Site,
    db,
    web::{
        admission::Whose,
        rate_limit::{Refusal, WINDOW_SECONDS},
    },
};

/// Why a request is not answered as hoped.
#[derive(Debug)]
pub enum Error {
    /// Nobody known is asking. The reason is told to holders of a key that was real.
    Unauthorized(Option<&'static str>),
    /// A page wants somebody signed in: the way back after that (path and query), and whether it carries what was
    /// typed into a form.
    SignIn { return_to: String, kept: bool },
    /// Known, but not allowed.
    Forbidden(Option<&'static str>),
    /// It came over a network readable, and the base URL is https.
    Insecure(&'static str),
    /// The form stands at another origin than the base URL's, on a page of this very server.
    OtherName { sent: String, ours: String },
    /// The address is longer than browsers and proxies take.
    AddressTooLong,
    /// There may be no more of something (contract/README.md, section 11), in one sentence.
    Full(String),
    /// Does not exist for this caller.
    NotFound,
    /// The path is known, the method is not; the text is for the `Allow` header.
    MethodNotAllowed(String),
    /// What is wrong with the request, one sentence each.
    BadRequest(Vec<String>),
    /// A rule forbids it, in one sentence.
    Refused(&'static str),
    /// The body is over the limit.
    TooLarge,
    /// The body is compressed, or encoded in another way.
    Encoded,
    /// Fields that do not hold what they should.
    Invalid(Problems),
    /// More requests of a key or an address than it may send.
    TooMany(Whose, Refusal),
    /// Cannot be answered just now, but soon: too much of the same is under way, or a part is down.
    Unavailable,
    /// The database refused or failed.
    Database(sqlx::Error),
    /// A fault of ours; the text is for the log.
    Internal(String),
}

/// Why a form, or a write with a session, is refused.
pub const FROM_ELSEWHERE: &str = "the request did not come from a page of this site";

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A single sentence as 400.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Error::BadRequest(vec![detail.into()])
    }

    /// Why, for the log: nothing of what was sent, which may be secret.
    pub fn reason(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Error::Unauthorized(Some(reason)) | Error::Forbidden(Some(reason)) | Error::Insecure(reason) => {
                Cow::Borrowed(*reason)
            }
            Error::Refused(rule) => Cow::Borrowed(*rule),
            Error::OtherName { .. } => Cow::Borrowed(FROM_ELSEWHERE),
            Error::Full(reason) => Cow::Owned(reason.clone()),
            Error::BadRequest(details) => Cow::Owned(details.first().map(|detail| without_names(detail))?),
            Error::Invalid(problems) => Cow::Owned(problems.0.keys().fold("invalid:".to_owned(), |mut text, field| {
                text.extend([" ", &*without_names(field)]);
                text
            })),
            Error::TooMany(whose, _) => Cow::Owned(format!("the limit of the {}", whose.name())),
            _ => return None,
        })
    }

    /// The body of an API answer (contract/README.md, section 4).
    pub fn to_json(&self, method: &Method, path: &str) -> String {
        let (code, title) = match self {
            Error::Unauthorized(_) | Error::SignIn { .. } => ("unauthorized", "Unauthorized"),
            Error::Forbidden(_) | Error::Full(_) | Error::Insecure(_) | Error::OtherName { .. } => {
                ("forbidden", "Forbidden")
            }
            Error::AddressTooLong => ("uri_too_long", "URI Too Long"),
            Error::NotFound => (not_found_code(method, path), "Resource Not Found"),
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
            Error::OtherName { .. } => json!([FROM_ELSEWHERE]),
            Error::Full(reason) => json!([reason]),
            Error::BadRequest(details) => json!(details),
            Error::Refused(rule) => json!(rule),
            Error::Invalid(problems) => problems.to_json(),
            // By far the most, so that it is cheap to refuse.
            _ => return format!(r#"{{"errors":{{"code":"{code}","title":"{title}"}}}}"#),
        };
        json!({ "errors": { "code": code, "title": title, "details": details } }).to_string()
    }
}

/// A sentence of ours, without the words in it that somebody may have sent: plain short ones stay.
fn without_names(sentence: &str) -> String {
    let is_ours = |word: &str| {
        let is_plain = word.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'.' | b','));
        word.len() <= 24 && (is_plain || word == "JSON:" || word.bytes().all(|b| b.is_ascii_digit()))
    };
    let words = sentence.split(' ').take(20).map(|word| match word.split_once('[') {
        Some((before, _)) if is_ours(before) => format!("{before}[…]"),
        None if is_ours(word) => word.to_owned(),
        _ => "…".to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Which of the two documented codes a 404 carries (contract/README.md, section 4, "404 codes").
fn not_found_code(method: &Method, path: &str) -> &'static str {
    let path = path.strip_prefix("/api/v1/").unwrap_or_default();
    let collection = path.split('/').next().unwrap_or_default();
    let known =
        matches!(collection, "properties" | "groups" | "room_types" | "rate_plans") && path.split('/').count() <= 2;
    match *method {
        Method::GET | Method::HEAD if known => "not_found",
        _ => "resource_not_found",
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::Database(error) => write!(f, "database: {error}"),
            Error::Internal(what) => f.write_str(what),
            other => write!(f, "{other:?}"),
        }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Error::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Error::SignIn { .. } => StatusCode::SEE_OTHER,
            Error::Forbidden(_) | Error::Full(_) | Error::Insecure(_) | Error::OtherName { .. } => {
                StatusCode::FORBIDDEN
            }
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

    /// Status and headers; the face of the part of the site that answers writes the body.
    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        match self {
            Error::MethodNotAllowed(allow) => {
                answer.insert_header((header::ALLOW, allow.as_str()));
            }
            // RFC 9110, section 15.5.16: it says what is taken.
            Error::Encoded => {
                answer.insert_header((header::ACCEPT_ENCODING, "identity"));
            }
            // RFC 9110, section 11.6.1: a 401 carries a challenge.
            Error::Unauthorized(_) => {
                answer.insert_header((header::WWW_AUTHENTICATE, "ApiKey"));
            }
            // draft-ietf-httpapi-ratelimit-headers
            Error::TooMany(whose, refusal) => {
                let (name, Refusal { limit, seconds }) = (whose.name(), refusal);
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

/// A refused write may rest on what another has just written: it waits until that is kept, and is 503 where it was lost
/// since the losses were counted.
pub async fn settled(site: &Site, losses: u64, answer: ServiceResponse) -> ServiceResponse {
    if answer.status().is_client_error()
        && let Err(error) = site.db.settled(losses).await
    {
        return answer.error_response(Error::from(error));
    }
    answer
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Error::Database(error)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Error::Internal(format!("JSON of ours: {error}"))
    }
}

/// Field → what is wrong with it, in the contract's words. Nested fields (`settings`, `content`) nest.
#[derive(Debug, Default)]
pub struct Problems(BTreeMap<String, Problem>);

#[derive(Debug)]
enum Problem {
    Messages(Vec<String>),
    Inside(Problems),
}

impl Problems {
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        match self.0.entry(field.to_owned()).or_insert(Problem::Messages(Vec::new())) {
            Problem::Messages(messages) => messages.push(message.into()),
            // What is wrong inside says more than what is wrong with the whole.
            Problem::Inside(_) => {}
        }
    }

    /// The problems of an object inside this one.
    pub fn add_inside(&mut self, field: &str, inside: Problems) {
        if !inside.is_empty() {
            self.0.insert(field.to_owned(), Problem::Inside(inside));
        }
    }

    /// Adds problems of an object inside this one, where those found before leave room: they say more.
    pub fn merge_inside(&mut self, field: &str, inside: Problems) {
        match self.0.get_mut(field) {
            Some(Problem::Inside(known)) => {
                for (field, problem) in inside.0 {
                    known.0.entry(field).or_insert(problem);
                }
            }
            Some(Problem::Messages(_)) => {}
            None => self.add_inside(field, inside),
        }
    }

    /// True where something is wrong with this field.
    pub fn names(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All messages, each after the way to its field: `0.occupancy must be greater than 0`.
    pub fn in_a_line(&self, way: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for (field, problem) in &self.0 {
            let way = format!("{way}.{field}");
            match problem {
                Problem::Messages(messages) => lines.extend(messages.iter().map(|message| format!("{way} {message}"))),
                Problem::Inside(inside) => lines.extend(inside.in_a_line(&way)),
            }
        }
        lines
    }

    /// `Ok` when nothing is wrong.
    pub fn none_or_invalid(self) -> Result<()> {
        if self.is_empty() { Ok(()) } else { Err(Error::Invalid(self)) }
    }

    fn to_json(&self) -> Value {
        let value = |problem: &Problem| match problem {
            Problem::Messages(messages) => json!(messages),
            Problem::Inside(problems) => problems.to_json(),
        };
        Value::Object(self.0.iter().map(|(field, problem)| (field.clone(), value(problem))).collect())
    }
}
