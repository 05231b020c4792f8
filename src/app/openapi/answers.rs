//! Answers: those of success, and every error with an example of each of its reasons, made by the code that answers.

use serde_json::{Map, Value, json};

use crate::{
    app::{openapi::schemas::reference, routes},
    base::error::{Error, LimitKind, Problems, RateLimited},
    web::errors::NotFoundCode,
};

/// The headers that every answer has.
fn headers() -> Value {
    json!({ "x-request-id": {
        "description": "Names this request in the host's log.", "schema": { "type": "string" }
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
        json!({ "description": "Where it is.", "schema": { "type": "string", "format": "uri" } });
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

/// All errors, as components.
pub fn errors() -> Value {
    let mut all = Map::new();
    let mut add = |name: &str, about: &str, reasons: &[(&str, Error)]| {
        let not_found = if name == "Missing" { routes::READ } else { NotFoundCode::default().0 };
        let examples: Map<String, Value> = reasons
            .iter()
            .map(|(reason, error)| {
                let value: Value = serde_json::from_str(&error.to_json(not_found)).unwrap_or_default();
                (reason.replace(' ', "_"), json!({ "summary": reason, "value": value }))
            })
            .collect();
        let mut answer = json!({
            "description": about, "headers": headers(),
            "content": { "application/json": { "schema": reference("Error"), "examples": examples } }
        });
        let header = |about: &str| json!({ "description": about, "schema": { "type": "string" } });
        match name {
            "Unauthorized" => answer["headers"]["www-authenticate"] = header("`ApiKey`"),
            "Encoded" => answer["headers"]["accept-encoding"] = header("`identity`"),
            "TooMany" => {
                answer["headers"]["retry-after"] = header("Seconds to wait.");
                answer["headers"]["ratelimit-policy"] =
                    header("The limit that was reached: of the `key` or the `address`, `q` requests in `w` seconds.");
                answer["headers"]["ratelimit"] = header("What is left of it, and the seconds until there is more.");
            }
            "Unavailable" => answer["headers"]["retry-after"] = header("Seconds to wait."),
            _ => {}
        }
        all.insert(name.to_owned(), answer);
    };
    add(
        "BadRequest",
        "The request cannot be understood, or a rule forbids it.",
        &[
            ("missing top key", Error::bad_request("property is required")),
            ("too many values", Error::bad_request("the body has more than 20000 values")),
            ("unknown filter", Error::bad_request("filter[foo] is not supported")),
            ("a rule forbids it", Error::Refused("User can not withdraw themself")),
        ],
    );
    add(
        "Unauthorized",
        "No key, or one that is not good (any more).",
        &[
            ("no or unknown key", Error::Unauthorized(None)),
            ("withdrawn key", Error::Unauthorized(Some("the API key was withdrawn"))),
            ("expired key", Error::Unauthorized(Some("the API key has expired"))),
        ],
    );
    add(
        "Forbidden",
        "The key is good, but may not do this.",
        &[
            ("the role forbids it", Error::Forbidden(None)),
            ("subscription", Error::Forbidden(Some("the subscription is not active"))),
            ("read-only key", Error::Forbidden(Some("the API key is read-only"))),
            (
                "as many as there may be",
                Error::Full("the account has 2000 properties, the most there may be".to_owned()),
            ),
            ("limited key", Error::Forbidden(Some("the API key is limited to chosen properties"))),
        ],
    );
    add("Missing", "There is no such thing for this key.", &[("not found", Error::NotFound)]);
    add("Gone", "There is no such thing for this key.", &[("not found", Error::NotFound)]);
    add(
        "Invalid",
        "Fields that do not hold what they should, all at once.",
        &[
            ("blank", invalid("title", "can't be blank")),
            ("unknown id", invalid("property_id", "does not exist")),
            ("taken title", invalid("title", "Duplication in Rate Plan title is not allowed")),
        ],
    );
    add("TooLarge", "The body has more than 10 MiB.", &[("too large", Error::TooLarge)]);
    add("Encoded", "The body is compressed. Send it as it is.", &[("encoded", Error::Encoded)]);
    let refusal = RateLimited { limit: 6_000, seconds: 1 };
    add(
        "TooMany",
        "More requests than one key or one address may send.",
        &[("too many requests", Error::TooMany(LimitKind::Key, refusal))],
    );
    add("Unavailable", "Not just now; try again soon.", &[("unavailable", Error::Unavailable)]);
    all.into()
}
