//! Parameters of paths and queries, from the tables by which lists are asked.

use serde_json::{Value, json};

use crate::{
    app::openapi::schemas::TEXT,
    resource::{
        collection::Pages,
        fields::LARGEST,
        list::{Compared, Listing},
        query::{DEFAULT_LIMIT, MOST},
    },
};

/// Those that all lists share.
pub fn shared() -> Value {
    let number = json!({ "type": "integer", "minimum": 1, "maximum": LARGEST });
    let with = |default: i64| {
        let mut schema = number.clone();
        schema["default"] = default.into();
        schema
    };
    let page = |schema: Value, about: &str| {
        json!({ "name": "pagination[page]", "in": "query", "schema": schema,
            "description": format!("Page number, counted from 1.{about}") })
    };
    let limit = |schema: Value, about: &str| {
        json!({ "name": "pagination[limit]", "in": "query", "schema": schema,
            "description": format!("Items per page; larger values are treated as {MOST}.{about}") })
    };
    json!({
        "page": page(with(1), ""),
        "limit": limit(with(DEFAULT_LIMIT), ""),
        "page_if_any": page(number.clone(), " Without page and limit, the whole list is returned."),
        "limit_if_any": limit(
            number.clone(),
            &format!(" {DEFAULT_LIMIT} if only the page is given; without both, the whole list is returned.")
        ),
        "force": {
            "name": "force", "in": "query", "schema": truth(),
            "description": "`true` deletes it even if it is mapped to a channel."
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

/// What a list can be asked; `pages` is `None` for one that has none.
pub fn of_list(listing: &Listing, pages: Option<Pages>) -> Vec<Value> {
    let mut parameters = match pages {
        Some(Pages::Always) => vec![reference("page"), reference("limit")],
        // No default: a client that sends defaults would get one page where it wants all.
        Some(_) => vec![reference("page_if_any"), reference("limit_if_any")],
        None => Vec::new(),
    };
    for filter in &*listing.filters {
        let (schema, about) = match filter.kind {
            Compared::Boolean => (
                truth(),
                format!(
                    "`true`: only {} ones; `false`: only those that are not.",
                    filter.name.trim_start_matches("is_")
                ),
            ),
            Compared::Id => (
                json!({ "type": "string", "pattern": TEXT }),
                format!("Exact match; comma-separate several IDs. `filter[{}][not]`: none of them.", filter.name),
            ),
            Compared::Text => (
                json!({ "type": "string", "pattern": TEXT }),
                format!(
                    "Exact match, case-sensitive; comma-separate several values. Also `filter[{0}][not]`, \
                     `[gt]`, `[gte]`, `[lt]`, `[lte]`.",
                    filter.name
                ),
            ),
        };
        parameters.push(json!({
            "name": format!("filter[{}]", filter.name), "in": "query", "schema": schema, "description": about
        }));
    }
    for order in &*listing.orders {
        parameters.push(json!({
            "name": format!("order[{}]", order.name), "in": "query",
            "schema": { "type": "string", "enum": ["asc", "desc"] },
            "description": "Sort direction. Several `order` parameters apply in the order given; ties are broken \
                            by ID."
        }));
    }
    parameters
}

/// The id in a path.
pub fn in_path(name: &str, about: &str) -> Value {
    json!({
        "name": name, "in": "path", "required": true, "description": about,
        "schema": { "type": "string", "format": "uuid" }, "example": "0197a3b2-5c1e-7d34-8a86-2e8f4d6a1b37"
    })
}
