//! The API's own document: OpenAPI 3.1, made from the tables by which bodies are validated and lists are asked
//! (`resource/fields.rs`, `resource/list.rs`), so that it cannot say something else than the program does.

mod answers;
mod collections;
mod examples;
mod fixed_schemas;
mod operations;
mod parameters;
mod schemas;

use serde_json::{Map, Value, json};

use crate::{app::routes, base::error::Result};

/// The document for this host.
pub fn document(host: &str, support: Option<&str>, address: &str) -> Result<Value> {
    let mut operations = operations::all(address)?;
    let mut paths = Map::new();
    for (path, methods) in routes::api().listed {
        let mut item = Map::new();
        for method in methods {
            if let Some(operation) = operations.remove(&(path.clone(), method)) {
                item.insert(method.to_ascii_lowercase(), operation);
            }
        }
        if !item.is_empty() {
            paths.insert(path, item.into());
        }
    }
    let mut contact = json!({ "name": host });
    if let Some(support) = support {
        contact[if support.contains("://") { "url" } else { "email" }] = json!(support);
    }
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": format!("{host} API"),
            "version": "1",
            "summary": "Properties, room types and rate plans, for property and revenue management systems.",
            "description": ABOUT,
            "contact": contact
        },
        "servers": [{ "url": format!("{address}/api/v1") }],
        "security": [{ "user-api-key": [] }],
        "tags": collections::tags(),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "user-api-key": {
                    "type": "apiKey", "in": "header", "name": "user-api-key",
                    "description": "An API key, created on the User Profile page. It can do what its user can, \
                                    or less if it is restricted."
                }
            },
            "parameters": parameters::shared(),
            "schemas": schemas::all()?,
            "responses": answers::errors()
        }
    }))
}

const ABOUT: &str = "Send an API key in the header `user-api-key` with every request. Request and response bodies are \
    JSON. Successful responses have `data`, paged lists also `meta`; errors have `errors` with a `code`, a `title` and \
    often `details`. IDs are UUIDs. Money is a decimal string in major units, such as `\"100.00\"`; requests \
    may also send an integer in minor units, such as `10000`. An update changes the fields that it names and keeps the \
    others. Unknown fields are ignored. Paths may have a trailing slash. GET responses have an `ETag`.";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// A route without its operation would be missing from the document, and the other way round.
    #[test]
    fn every_route_has_an_operation_and_every_operation_a_route() {
        let mut routes = BTreeSet::new();
        for (path, methods) in crate::app::routes::api().listed {
            routes.extend(methods.into_iter().filter(|method| *method != "HEAD").map(|method| (path.clone(), method)));
        }
        let operations = super::operations::all("http://localhost").unwrap();
        assert_eq!(routes, operations.into_keys().collect());
    }
}
