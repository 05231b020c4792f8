//! Schemas that come from no table.

use serde_json::{Value, json};

use crate::app::openapi::collections::{id, object};

/// Whose key, or session, it is.
pub fn caller() -> Value {
    let (text, flag) = (json!({ "type": "string" }), json!({ "type": "boolean" }));
    let end = json!({ "type": ["string", "null"], "description": "UTC; null if there is no end." });
    let mut key = object(json!({
        "title": text, "tail": { "type": "string", "description": "The key's last six characters." },
        "all_properties": flag, "read_only": flag, "manage_users": flag,
        "expires_at": end, "subscription_ends_at": end
    }));
    key["type"] = json!(["object", "null"]);
    key["description"] = json!("The key that was sent; null for a session.");
    let attributes = object(json!({ "email": text, "name": { "type": ["string", "null"] }, "key": key }));
    object(json!({ "type": { "const": "caller" }, "id": id(), "attributes": attributes }))
}

/// The details of a 422.
pub fn problems() -> Value {
    json!({
        "type": "object",
        "description": "Field → what is wrong with it; nested objects are nested here too.",
        "minProperties": 1,
        "additionalProperties": { "anyOf": [
            { "type": "array", "minItems": 1, "items": { "type": "string" } },
            json!({ "$ref": "#/components/schemas/Problems" })
        ] }
    })
}

/// The body of an error.
pub fn error() -> Value {
    let error = json!({
        "type": "object",
        "required": ["code", "title"],
        "additionalProperties": false,
        "properties": {
            "code": { "type": "string", "description": "Machine-readable." },
            "title": { "type": "string", "description": "Human-readable." },
            "details": {
                "description": "What exactly is wrong, if more can be said.",
                "anyOf": [
                    { "type": "string" },
                    { "type": "array", "items": { "type": "string" } },
                    json!({ "$ref": "#/components/schemas/Problems" })
                ]
            }
        }
    });
    object(json!({ "errors": error }))
}
