//! The collections. A new one needs its lines here, and nothing for its fields.

use serde_json::{Value, json};

use super::Place;
use crate::api::operations::{photo, policy, tax, tax_set};
use crate::rate_plan::option;

/// A collection, as far as the API's document does not describe it.
pub struct Collection {
    pub path: &'static str,
    /// The smallest valid fields of a create in this place; what must be unique has the number.
    pub body: fn(&Place, usize) -> Value,
    /// Other values of fields for which `samples.rs` has none.
    pub values: fn(&Place) -> Value,
    pub list: List,
    /// The field that names what it belongs to, and where that is.
    pub parent: Option<(&'static str, &'static str)>,
    /// A field that no two of one parent share, and the status for whoever comes second.
    pub unique: Option<(&'static str, u16)>,
    /// The status for a create in what is another user's.
    pub elsewhere: u16,
}

/// A list of a collection or catalogue.
#[derive(Clone, Copy)]
pub struct List {
    /// The field by which it is ordered.
    pub order: &'static str,
    pub pages: Pages,
}

/// `meta` of a list when no page is asked for.
#[derive(Clone, Copy, PartialEq)]
pub enum Pages {
    /// The first page, and its numbers.
    First,
    /// The whole list, without `meta`.
    Whole,
    /// The whole list, with an empty `meta`.
    WholeWithMeta,
}
use Pages::{First, Whole, WholeWithMeta};

const IN_PROPERTY: Collection = Collection {
    path: "",
    body: |_, _| Value::Null,
    values: |_| json!({}),
    list: List { order: "title", pages: First },
    parent: Some(("property_id", "properties")),
    unique: None,
    elsewhere: 422,
};

pub const COLLECTIONS: &[Collection] = &[
    Collection {
        path: "properties",
        body: |_, n| json!({ "title": format!("House {n}"), "currency": "EUR" }),
        parent: None,
        ..IN_PROPERTY
    },
    Collection {
        path: "groups",
        body: |_, n| json!({ "title": format!("Group {n}") }),
        list: List { order: "title", pages: Whole },
        parent: None,
        ..IN_PROPERTY
    },
    Collection {
        path: "property_users",
        body: |place, n| json!({ "property_id": place.property, "user_email": format!("guest-{n}@farol.example"), "role": "user" }),
        list: List { order: "inserted_at", pages: Whole },
        unique: Some(("user_email", 400)),
        elsewhere: 403,
        ..IN_PROPERTY
    },
    Collection {
        path: "group_users",
        body: |place, n| json!({ "group_id": place.group, "user_email": format!("guest-{n}@farol.example"), "role": "user" }),
        list: List { order: "inserted_at", pages: Whole },
        parent: Some(("group_id", "groups")),
        unique: Some(("user_email", 400)),
        elsewhere: 403,
        ..IN_PROPERTY
    },
    Collection {
        path: "room_types",
        body: |place, n| {
            json!({ "property_id": place.property, "title": format!("Room {n}"), "count_of_rooms": 6, "occ_adults": 2,
                "occ_children": 1, "occ_infants": 1 })
        },
        values: |_| json!({ "default_occupancy": 1 }),
        ..IN_PROPERTY
    },
    Collection {
        path: "rate_plans",
        body: |place, n| {
            json!({ "property_id": place.property, "room_type_id": place.room_type, "title": format!("Plan {n}"),
                "options": [option(2, "100.00")] })
        },
        values: |_| json!({ "options": [option(1, "90.00")] }),
        unique: Some(("title", 422)),
        ..IN_PROPERTY
    },
    Collection {
        path: "taxes",
        body: |place, _| tax(&place.property)["tax"].clone(),
        list: List { order: "title", pages: Whole },
        ..IN_PROPERTY
    },
    Collection {
        path: "tax_sets",
        body: |place, _| tax_set(&place.property, &place.tax)["tax_set"].clone(),
        values: |place| json!({ "taxes": [{ "id": place.tax, "taxes": [{ "id": place.tax }] }] }),
        list: List { order: "title", pages: Whole },
        ..IN_PROPERTY
    },
    Collection {
        path: "hotel_policies",
        body: |place, _| policy(&place.property)["hotel_policy"].clone(),
        ..IN_PROPERTY
    },
    Collection {
        path: "photos",
        body: |place, _| photo(&place.property)["photo"].clone(),
        list: List { order: "position", pages: WholeWithMeta },
        unique: Some(("position", 422)),
        ..IN_PROPERTY
    },
];

/// Lists that are the same for everybody.
pub const CATALOGUES: &[(&str, List)] = &[
    ("property_facilities", List { order: "title", pages: First }),
    ("room_facilities", List { order: "title", pages: First }),
];

impl Collection {
    /// Where it is.
    pub fn at(&self) -> String {
        at(self.path)
    }

    /// The name of a field of it in failures and exceptions.
    pub fn field(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }
}

/// Where a collection or catalogue is.
pub fn at(path: &str) -> String {
    format!("/api/v1/{path}")
}

/// The collection of this path.
pub fn collection(path: &str) -> &'static Collection {
    COLLECTIONS.iter().find(|collection| collection.path == path).expect("a collection")
}

/// All lists, of collections and catalogues.
pub fn lists() -> impl Iterator<Item = (&'static str, List)> {
    let collections = COLLECTIONS.iter().map(|collection| (collection.path, collection.list));
    collections.chain(CATALOGUES.iter().copied())
}
