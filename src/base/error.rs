//! The one error type; `web/errors.rs` gives it a status and JSON, `web/page_responses.rs` renders it as a page.

use std::{borrow::Cow, collections::BTreeMap, fmt, net::IpAddr};

use serde_json::{Value, json};

/// Why a request fails.
#[derive(Debug)]
pub enum Error {
    /// The caller is unknown. A reason is given only to whoever sent a key that once worked, or a mistyped form of one.
    Unauthorized(Option<&'static str>),
    /// The page requires a sign-in. `return_to` is where to go afterwards (path and query), `has_input` says whether it
    /// carries what was entered into a form.
    SignIn { return_to: String, has_input: bool },
    /// The change requires that the user confirm who they are. `return_to` is where to go afterwards.
    Confirm { return_to: String },
    /// The user must first set up two-factor authentication.
    Enrol,
    /// The caller is known, but not allowed to do this.
    Forbidden(Option<&'static str>),
    /// The key may not be used from the client's address; `None` if that is unknown.
    NotAllowedFrom(Option<IpAddr>),
    /// A write that did not start on a page of this site (cross-site request forgery).
    CrossSite,
    /// The request came unencrypted over a network, and the base URL is https.
    Insecure(&'static str),
    /// The form was sent from a page of this server, opened at another origin than that of the base URL.
    OtherName { sent: String, ours: String },
    /// The address is longer than browsers and proxies accept.
    AddressTooLong,
    /// A quota is used up (docs/contract/README.md, section 11), in one sentence.
    Full(String),
    /// Does not exist for this caller.
    NotFound,
    /// The path is known, the method is not; the text is for the `Allow` header.
    MethodNotAllowed(String),
    /// What is wrong with the request, one sentence each.
    BadRequest(Vec<String>),
    /// A rule of the contract forbids it, in one sentence.
    Refused(&'static str),
    /// The body is over the limit.
    TooLarge,
    /// The body is compressed, or encoded in another way.
    Encoded,
    /// Some fields are invalid.
    Invalid(Problems),
    /// A rate limit is exceeded.
    TooMany(LimitKind, RateLimited),
    /// Temporarily unavailable: too many concurrent requests, or a component is down.
    Unavailable,
    /// The database refused or failed.
    Database(sqlx::Error),
    /// A bug, or a fault of the server; the text is for the log.
    Internal(String),
}

/// Whose requests a rate limit counts, and whose limit was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    Key,
    User,
    Address,
}

impl LimitKind {
    /// The name of the limit in the headers `RateLimit` and `RateLimit-Policy`.
    pub fn name(self) -> &'static str {
        match self {
            LimitKind::Key => "key",
            LimitKind::User => "user",
            LimitKind::Address => "address",
        }
    }
}

/// A refusal by a rate limit: requests allowed per minute, and seconds until the next one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimited {
    pub limit: u32,
    pub seconds: u64,
}

/// Why a form, or a write with a session, is rejected.
pub const FROM_ELSEWHERE: &str = "the request did not come from a page of this site";

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A 400 with one sentence.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Error::BadRequest(vec![detail.into()])
    }

    /// The reason, for the log. It contains nothing that was sent, which may be secret.
    pub fn reason(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Error::Unauthorized(Some(reason)) | Error::Forbidden(Some(reason)) | Error::Insecure(reason) => {
                Cow::Borrowed(*reason)
            }
            // The line has the address.
            Error::NotAllowedFrom(_) => Cow::Borrowed("the API key is not allowed from this address"),
            Error::Refused(rule) => Cow::Borrowed(*rule),
            Error::CrossSite | Error::OtherName { .. } => Cow::Borrowed(FROM_ELSEWHERE),
            Error::Full(reason) => Cow::Owned(reason.clone()),
            Error::BadRequest(details) => Cow::Owned(details.first().map(|detail| without_names(detail))?),
            Error::Invalid(problems) => Cow::Owned(problems.0.keys().fold("invalid:".to_owned(), |mut text, field| {
                text.extend([" ", &*without_names(field)]);
                text
            })),
            Error::TooMany(kind, _) => Cow::Owned(format!("the rate limit of the {}", kind.name())),
            _ => return None,
        })
    }
}

/// One of our sentences, without words that a caller may have sent: only short, plain words stay.
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

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::Database(error) => write!(f, "database: {error}"),
            Error::Internal(what) => f.write_str(what),
            other => write!(f, "{other:?}"),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Error::Database(error)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Error::Internal(format!("could not write JSON: {error}"))
    }
}

/// The invalid fields, each with messages in the contract's words. Nested fields (`settings`, `content`) nest.
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
            // Problems of nested fields are more specific.
            Problem::Inside(_) => {}
        }
    }

    /// Adds the problems of a nested object.
    pub fn add_inside(&mut self, field: &str, inside: Problems) {
        if !inside.is_empty() {
            self.0.insert(field.to_owned(), Problem::Inside(inside));
        }
    }

    /// Adds problems of a nested object, except for fields that have problems already: the first ones are more
    /// specific.
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

    /// True if this field has a problem.
    pub fn names(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All messages, each after the path of its field: `0.occupancy must be greater than 0`.
    pub fn in_a_line(&self, path: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for (field, problem) in &self.0 {
            let path = format!("{path}.{field}");
            match problem {
                Problem::Messages(messages) => lines.extend(messages.iter().map(|message| format!("{path} {message}"))),
                Problem::Inside(inside) => lines.extend(inside.in_a_line(&path)),
            }
        }
        lines
    }

    /// # Errors
    /// `Invalid` if there is any problem.
    pub fn none_or_invalid(self) -> Result<()> {
        if self.is_empty() { Ok(()) } else { Err(Error::Invalid(self)) }
    }

    /// As the `details` of a response.
    pub fn to_json(&self) -> Value {
        let value = |problem: &Problem| match problem {
            Problem::Messages(messages) => json!(messages),
            Problem::Inside(problems) => problems.to_json(),
        };
        Value::Object(self.0.iter().map(|(field, problem)| (field.clone(), value(problem))).collect())
    }
}
