//! Answers: those of success, and every error with an example of each of its reasons, made by the code that answers.

use std::net::Ipv4Addr;

use serde_json::Value;

use crate::{
    base::error::{Error, LimitKind, Problems, RateLimited},
    resource::{
        document::{
            Examples, Header, Response,
            schema::{Meaning, Schema},
        },
        handlers::READ,
    },
    web::{errors::NotFoundCode, https},
};

/// The headers that every answer may have.
fn common() -> Vec<Header> {
    vec![
        header("x-request-id", "Identifies this request in the host's log."),
        Header {
            example: Some("2027-03-31T22:00:00Z".to_owned()),
            ..header("api-key-expires", "When the API key of the request expires; absent if it does not.")
        },
        Header {
            example: Some("2027-03-31T22:00:00Z".to_owned()),
            ..header("subscription-ends", "When the subscription of the key's user ends; absent if it does not.")
        },
    ]
}

fn header(name: &'static str, about: &'static str) -> Header {
    Header { name, about, schema: Schema::text(), example: None }
}

/// An answer with JSON of this schema.
pub fn json(about: String, schema: Schema, example: Value) -> Response {
    let examples = Examples::One(example);
    Response { shared: None, about: about.into(), headers: common(), schema, examples }
}

/// The answer to a create, which says where the new resource is.
pub fn created(noun: &str, location: String, schema: Schema, example: Value) -> Response {
    let mut answer = json(format!("The new {noun}."), schema, example);
    answer.headers.push(Header {
        schema: Schema::format(Meaning::Url),
        example: Some(location),
        ..header("location", "URL of the new resource.")
    });
    answer
}

/// An error that operations share.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    BadRequest,
    Unauthorized,
    Forbidden,
    /// What is read does not exist.
    Missing,
    /// Something else does not exist.
    Gone,
    Invalid,
    TooLarge,
    Encoded,
    TooMany,
    Unavailable,
}

impl Failure {
    /// All, in the order of the document.
    pub const ALL: [Failure; 10] = [
        Failure::BadRequest,
        Failure::Unauthorized,
        Failure::Forbidden,
        Failure::Missing,
        Failure::Gone,
        Failure::Invalid,
        Failure::TooLarge,
        Failure::Encoded,
        Failure::TooMany,
        Failure::Unavailable,
    ];

    /// Its status, its name in the document, and what it means.
    fn told(self) -> (u16, &'static str, &'static str) {
        const NOT_FOUND: &str = "It does not exist, or this key has no access to it.";
        match self {
            Failure::BadRequest => (400, "BadRequest", "The request is malformed, or a rule forbids it."),
            Failure::Unauthorized => (401, "Unauthorized", "Missing or invalid key."),
            Failure::Forbidden => (403, "Forbidden", "The key is valid but not allowed to do this."),
            Failure::Missing => (404, "Missing", NOT_FOUND),
            Failure::Gone => (404, "Gone", NOT_FOUND),
            Failure::Invalid => (422, "Invalid", "One or more fields are invalid. All of them are listed."),
            Failure::TooLarge => (413, "TooLarge", "The body is larger than 10 MiB."),
            Failure::Encoded => (415, "Encoded", "The body is compressed. Send it uncompressed."),
            Failure::TooMany => (429, "TooMany", "Too many requests from one key or one IP address."),
            Failure::Unavailable => (503, "Unavailable", "Temporarily unavailable; retry."),
        }
    }

    /// The headers that it has beside those of every answer.
    fn headers(self) -> Vec<Header> {
        let wait = header("retry-after", "Number of seconds to wait.");
        match self {
            Failure::Unauthorized => vec![header("www-authenticate", "`ApiKey`")],
            Failure::Encoded => vec![header("accept-encoding", "`identity`")],
            Failure::TooMany => vec![
                wait,
                header(
                    "ratelimit-policy",
                    "The limit that was exceeded: `q` requests in `w` seconds, for the `key` or the `address`.",
                ),
                header("ratelimit", "What remains of the limit, and the number of seconds until more is available."),
            ],
            Failure::Unavailable => vec![wait],
            _ => Vec::new(),
        }
    }

    /// Why it is answered.
    fn reasons(self) -> Vec<(&'static str, Error)> {
        match self {
            Failure::BadRequest => vec![
                ("missing top-level member", Error::bad_request("property is required")),
                ("too many values", Error::bad_request("the body has more than 20000 values")),
                ("unknown filter", Error::bad_request("filter[foo] is not supported")),
                ("a rule forbids it", Error::Refused("User can not withdraw themself")),
            ],
            Failure::Unauthorized => vec![
                ("no or unknown key", Error::Unauthorized(None)),
                ("withdrawn key", Error::Unauthorized(Some("the API key was withdrawn"))),
                ("expired key", Error::Unauthorized(Some("the API key has expired"))),
            ],
            Failure::Forbidden => vec![
                ("the role forbids it", Error::Forbidden(None)),
                ("inactive subscription", Error::Forbidden(Some("the subscription is not active"))),
                ("address not allowed", Error::NotAllowedFrom(Some(Ipv4Addr::new(203, 0, 113, 7).into()))),
                ("read-only key", Error::Forbidden(Some("the API key is read-only"))),
                ("limit reached", Error::Full("the account has 2000 properties, the most there may be".to_owned())),
                ("limited key", Error::Forbidden(Some("the API key is limited to chosen properties"))),
                ("plain http", Error::Insecure(https::MARKED)),
            ],
            Failure::Missing | Failure::Gone => vec![("not found", Error::NotFound)],
            Failure::Invalid => vec![
                ("blank", invalid("title", "can't be blank")),
                ("unknown id", invalid("property_id", "does not exist")),
                ("duplicate title", invalid("title", "Duplication in Rate Plan title is not allowed")),
            ],
            Failure::TooLarge => vec![("too large", Error::TooLarge)],
            Failure::Encoded => vec![("encoded", Error::Encoded)],
            Failure::TooMany => {
                let refusal = RateLimited { limit: 6_000, seconds: 1 };
                vec![("too many requests", Error::TooMany(LimitKind::Key, refusal))]
            }
            Failure::Unavailable => vec![("unavailable", Error::Unavailable)],
        }
    }

    /// Its status and its response, with an example of each reason.
    pub fn response(self) -> (u16, Response) {
        let (status, name, about) = self.told();
        let not_found = if self == Failure::Missing { READ } else { NotFoundCode::default().0 };
        let example = |(reason, error): (&'static str, Error)| {
            (reason, serde_json::from_str(&error.to_json(not_found)).unwrap_or_default())
        };
        let response = Response {
            shared: Some(name),
            about: about.into(),
            headers: common().into_iter().chain(self.headers()).collect(),
            schema: Schema::named("Error"),
            examples: Examples::Reasons(self.reasons().into_iter().map(example).collect()),
        };
        (status, response)
    }
}

fn invalid(field: &str, message: &str) -> Error {
    let mut problems = Problems::default();
    problems.add(field, message);
    Error::Invalid(problems)
}
