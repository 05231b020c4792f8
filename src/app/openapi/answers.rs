//! Answers: those of success, and every error with an example of each of its reasons, made by the code that answers.

use serde_json::{Map, Value, json};

use crate::{
    app::openapi::schemas::reference,
    base::error::{Error, LimitKind, Problems, RateLimited},
    resource::handlers::READ,
    web::{errors::NotFoundCode, https},
};

/// The headers that every answer has.
fn headers() -> Value {
    json!({ "x-request-id": {
        "description": "Identifies this request in the host's log.", "schema": { "type": "string" }
    } })
}

/// An answer with JSON of this schema.
pub fn json(about: &str, schema: Value, example: Value) -> Value {
    json!({
        "description": about, "headers": headers(),
        "content": { "application/json": { "schema": schema, "example": example } }
    })
}

/// The answer to a create, which says where the new resource is.
pub fn created(noun: &str, schema: Value, example: Value) -> Value {
    let mut answer = json(&format!("The new {noun}."), schema, example);
    answer["headers"]["location"] =
        json!({ "description": "URL of the new resource.", "schema": { "type": "string", "format": "uri" } });
    answer
}

/// A component by its name.
pub fn error(name: &str) -> Value {
    json!({ "$ref": format!("#/components/responses/{name}") })
}

fn invalid(field: &str, message: &str) -> Error {
    let mut problems = Problems::default();
    problems.add(field, message);
    Error::Invalid(problems)
}

/// An error with examples of its reasons.
fn component(name: &str, about: &str, reasons: &[(&str, Error)]) -> Value {
    let not_found = if name == "Missing" { READ } else { NotFoundCode::default().0 };
    let example = |(reason, error): &(&str, Error)| {
        let value: Value = serde_json::from_str(&error.to_json(not_found)).unwrap_or_default();
        (reason.replace(' ', "_"), json!({ "summary": reason, "value": value }))
    };
    let examples: Map<String, Value> = reasons.iter().map(example).collect();
    let mut answer = json!({
        "description": about, "headers": headers(),
        "content": { "application/json": { "schema": reference("Error"), "examples": examples } }
    });
    let header = |about: &str| json!({ "description": about, "schema": { "type": "string" } });
    match name {
        "Unauthorized" => answer["headers"]["www-authenticate"] = header("`ApiKey`"),
        "Encoded" => answer["headers"]["accept-encoding"] = header("`identity`"),
        "TooMany" => {
            answer["headers"]["retry-after"] = header("Number of seconds to wait.");
            answer["headers"]["ratelimit-policy"] =
                header("The limit that was exceeded: `q` requests in `w` seconds, for the `key` or the `address`.");
            answer["headers"]["ratelimit"] =
                header("What remains of the limit, and the number of seconds until more is available.");
        }
        "Unavailable" => answer["headers"]["retry-after"] = header("Number of seconds to wait."),
        _ => {}
    }
    answer
}

/// All errors, as components.
pub fn errors() -> Value {
    let mut all = Map::new();
    let mut add = |name: &str, about: &str, reasons: &[(&str, Error)]| {
        all.insert(name.to_owned(), component(name, about, reasons));
    };
    add(
        "BadRequest",
        "The request is malformed, or a rule forbids it.",
        &[
            ("missing top-level member", Error::bad_request("property is required")),
            ("too many values", Error::bad_request("the body has more than 20000 values")),
            ("unknown filter", Error::bad_request("filter[foo] is not supported")),
            ("a rule forbids it", Error::Refused("User can not withdraw themself")),
        ],
    );
    add(
        "Unauthorized",
        "Missing or invalid key.",
        &[
            ("no or unknown key", Error::Unauthorized(None)),
            ("withdrawn key", Error::Unauthorized(Some("the API key was withdrawn"))),
            ("expired key", Error::Unauthorized(Some("the API key has expired"))),
        ],
    );
    add(
        "Forbidden",
        "The key is valid but not allowed to do this.",
        &[
            ("the role forbids it", Error::Forbidden(None)),
            ("inactive subscription", Error::Forbidden(Some("the subscription is not active"))),
            ("read-only key", Error::Forbidden(Some("the API key is read-only"))),
            ("limit reached", Error::Full("the account has 2000 properties, the most there may be".to_owned())),
            ("limited key", Error::Forbidden(Some("the API key is limited to chosen properties"))),
            ("plain http", Error::Insecure(https::MARKED)),
        ],
    );
    add("Missing", "It does not exist, or this key has no access to it.", &[("not found", Error::NotFound)]);
    add("Gone", "It does not exist, or this key has no access to it.", &[("not found", Error::NotFound)]);
    add(
        "Invalid",
        "One or more fields are invalid. All of them are listed.",
        &[
            ("blank", invalid("title", "can't be blank")),
            ("unknown id", invalid("property_id", "does not exist")),
            ("duplicate title", invalid("title", "Duplication in Rate Plan title is not allowed")),
        ],
    );
    add("TooLarge", "The body is larger than 10 MiB.", &[("too large", Error::TooLarge)]);
    add("Encoded", "The body is compressed. Send it uncompressed.", &[("encoded", Error::Encoded)]);
    let refusal = RateLimited { limit: 6_000, seconds: 1 };
    add(
        "TooMany",
        "Too many requests from one key or one IP address.",
        &[("too many requests", Error::TooMany(LimitKind::Key, refusal))],
    );
    add("Unavailable", "Temporarily unavailable; retry.", &[("unavailable", Error::Unavailable)]);
    all.into()
}
