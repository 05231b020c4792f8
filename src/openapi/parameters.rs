//! Parameters of paths and queries, from the tables by which lists are asked.

use serde_json::{Value, json};

use super::schemas::TEXT;
use crate::http::{
    fields::LARGEST,
    listing::{Compared, Listing},
    query::{DEFAULT_LIMIT, MOST},
};

/// Those that all lists share.
pub fn shared() -> Value {
    let number = json!({ "type": "integer", "minimum": 1, "maximum": LARGEST });
    let with = |default: i64| {
        let mut schema = number.clone();
        schema["default"] = default.into();
        schema
    };
    json!({
        "page": {
            "name": "pagination[page]", "in": "query", "schema": with(1),
            "description": "Which page, counted from 1."
        },
        "limit": {
            "name": "pagination[limit]", "in": "query", "schema": with(DEFAULT_LIMIT),
            "description": format!("Entries of a page; more than {MOST} means {MOST}.")
        },
        "force": {
            "name": "force", "in": "query", "schema": truth(),
            "description": "Also removes what is mapped to a channel."
        }
    })
}

/// True or false in a query.
fn truth() -> Value {
    json!({ "type": "string", "enum": ["true", "false", "1", "0"] })
}

/// `{"$ref": …}` to one of these.
pub fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

/// What a list can be asked; `pages` where it has pages.
pub fn of_list(listing: &Listing, pages: bool) -> Vec<Value> {
    let mut parameters = Vec::new();
    if pages {
        parameters.extend([reference("page"), reference("limit")]);
    }
    for filter in listing.filters {
        let (schema, about) = match filter.kind {
            Compared::Boolean => (truth(), "Only those where it is so.".to_owned()),
            Compared::Id => (
                json!({ "type": "string", "pattern": TEXT }),
                format!(
                    "Only this id, or one of several with commas between; `filter[{}][not]`: none of them.",
                    filter.name
                ),
            ),
            Compared::Text => (
                json!({ "type": "string", "pattern": TEXT }),
                format!(
                    "Only this exact text, or one of several with commas between. Also `filter[{0}][not]`, \
                     `[gt]`, `[gte]`, `[lt]`, `[lte]`.",
                    filter.name
                ),
            ),
        };
        parameters.push(json!({
            "name": format!("filter[{}]", filter.name), "in": "query", "schema": schema, "description": about
        }));
    }
    let mut fields = serde_json::Map::new();
    for order in listing.orders {
        fields.insert(order.name.to_owned(), json!({ "type": "string", "enum": ["asc", "desc"] }));
    }
    parameters.push(json!({
        "name": "order", "in": "query", "style": "deepObject", "explode": true,
        "schema": { "type": "object", "properties": fields, "additionalProperties": false },
        "description": "The order of the list: `order[title]=desc`. Several apply in the order written; ties are broken by id."
    }));
    parameters
}

/// The id in a path.
pub fn in_path(name: &str, about: &str) -> Value {
    json!({
        "name": name, "in": "path", "required": true, "description": about,
        "schema": { "type": "string", "format": "uuid" }, "example": "0197a3b2-5c1e-7d34-8a86-2e8f4d6a1b37"
    })
}
