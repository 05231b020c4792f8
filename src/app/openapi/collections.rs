//! What the document says of each collection, beside its tables.

use serde_json::{Map, Value, json};

use crate::{
    base::error::Result,
    hotel::{
        groups,
        members::{self, MemberOf},
        properties::{self, Property},
        rate_plans,
        room_types::{self, RoomType},
    },
    resource::{fields::Field, list::Listing, validate},
};

/// A collection with a table of fields.
pub struct Collection {
    /// The type of its resources and the top key of bodies: `room_type`.
    pub name: &'static str,
    /// As in sentences: `room type`.
    pub noun: &'static str,
    pub path: &'static str,
    /// The group of operations it is found under.
    pub tag: &'static str,
    pub fields: &'static [Field],
    /// What a create sends where that is not the same: top key and fields.
    pub invite: Option<(&'static str, &'static [Field])>,
    pub listing: &'static Listing,
    /// Paged always, or only when asked.
    pub paged: bool,
    /// The values of a new resource.
    pub defaults: fn() -> Result<Map<String, Value>>,
    pub relationships: fn() -> Value,
    /// An element of `/options`, where there is such a list.
    pub option: Option<Choice>,
    /// True where a delete takes `force`.
    pub force: bool,
}

/// An element of `/options`.
pub struct Choice {
    pub r#type: &'static str,
    pub attributes: fn() -> Value,
}

/// Those with a table, in the order of the document.
pub const ALL: &[Collection] = &[
    Collection {
        name: "property",
        noun: "property",
        path: "/properties",
        tag: "Properties",
        fields: properties::FIELDS,
        invite: None,
        listing: &properties::store::LISTING,
        paged: true,
        defaults: || validate::object(&Property::default()),
        relationships: || json!({ "groups": named("group"), "facilities": named("facility") }),
        option: Some(Choice {
            r#type: "properties",
            attributes: || json!({ "id": id(), "title": text(), "currency": text() }),
        }),
        force: true,
    },
    Collection {
        name: "group",
        noun: "group",
        path: "/groups",
        tag: "Groups",
        fields: groups::FIELDS,
        invite: None,
        listing: &groups::store::LISTING,
        paged: false,
        defaults: || Ok(Map::new()),
        relationships: || json!({ "properties": named("property") }),
        option: None,
        force: false,
    },
    Collection {
        name: "property_user",
        noun: "property user",
        path: "/property_users",
        tag: "Property users",
        fields: members::PROPERTY_USER,
        invite: Some(("invite", members::PROPERTY_INVITE)),
        listing: members::store::listing(MemberOf::Property),
        paged: false,
        defaults: || Ok(Map::new()),
        relationships: || json!({ "property": link("property"), "user": user() }),
        option: None,
        force: false,
    },
    Collection {
        name: "group_user",
        noun: "group user",
        path: "/group_users",
        tag: "Group users",
        fields: members::GROUP_USER,
        invite: Some(("invite", members::GROUP_INVITE)),
        listing: members::store::listing(MemberOf::Group),
        paged: false,
        defaults: || Ok(Map::new()),
        relationships: || json!({ "group": link("group"), "user": user() }),
        option: None,
        force: false,
    },
    Collection {
        name: "room_type",
        noun: "room type",
        path: "/room_types",
        tag: "Room types",
        fields: room_types::FIELDS,
        invite: None,
        listing: &room_types::store::LISTING,
        paged: true,
        defaults: || validate::object(&RoomType::default()),
        relationships: || json!({ "facilities": named("facility"), "property": link("property") }),
        option: Some(Choice {
            r#type: "room_type",
            attributes: || {
                json!({
                    "default_occupancy": { "type": "integer" }, "id": id(), "property_id": id(), "title": text()
                })
            },
        }),
        force: true,
    },
    Collection {
        name: "rate_plan",
        noun: "rate plan",
        path: "/rate_plans",
        tag: "Rate plans",
        fields: rate_plans::FIELDS,
        invite: None,
        listing: &rate_plans::store::LISTING,
        paged: true,
        defaults: rate_plans::rules::defaults,
        relationships: || {
            json!({
                "room_type": link("room_type"), "property": link("property"),
                "parent_rate_plan": link_or_null("rate_plan")
            })
        },
        option: Some(Choice {
            r#type: "rate_plan",
            attributes: || {
                json!({
                    "id": id(), "occupancy": { "type": "integer" },
                    "parent_rate_plan_id": { "type": ["string", "null"], "format": "uuid" },
                    "property_id": id(), "rate_category_id": { "type": "null" }, "room_type_id": id(),
                    "sell_mode": text(), "title": text()
                })
            },
        }),
        force: true,
    },
];

/// The groups of operations, as readers meet them.
pub fn tags() -> Value {
    json!([
        { "name": "Caller", "description": "Whose key this is, and what it may do." },
        { "name": "Properties", "description": "A property is one physical place: a hotel, a hostel, a villa." },
        { "name": "Groups", "description": "A group is a set of properties. Every property is in at least one group." },
        { "name": "Property users", "description": "Who has access to a property, and in which role." },
        { "name": "Group users", "description": "Who has access to all properties of a group, present and future." },
        { "name": "Room types", "description": "The units whose availability is counted: rooms, beds, whole houses." },
        { "name": "Rate plans", "description": "How a room type is sold: prices, occupancy, derivation." },
        { "name": "Facilities", "description": "Catalogues of amenities, the same for every caller." },
        { "name": "Document", "description": "This documentation in machine-readable form (OpenAPI 3.1)." }
    ])
}

pub fn id() -> Value {
    json!({ "type": "string", "format": "uuid" })
}

fn text() -> Value {
    json!({ "type": "string" })
}

/// `{"data": {"type", "id"}}`
fn link(r#type: &str) -> Value {
    let data = object(json!({ "type": { "const": r#type }, "id": id() }));
    object(json!({ "data": data }))
}

/// The same, or `{"data": null}`.
fn link_or_null(r#type: &str) -> Value {
    let data = object(json!({ "type": { "const": r#type }, "id": id() }));
    object(json!({ "data": { "anyOf": [data, { "type": "null" }] } }))
}

/// `{"data": [{"type", "id", "attributes": {"id", "title"}}]}`
fn named(r#type: &str) -> Value {
    let attributes = object(json!({ "id": id(), "title": text() }));
    let entry = object(json!({ "type": { "const": r#type }, "id": id(), "attributes": attributes }));
    object(json!({ "data": { "type": "array", "items": entry } }))
}

fn user() -> Value {
    let nullable = json!({ "type": ["string", "null"] });
    let data = object(json!({ "type": { "const": "user" }, "id": id(), "email": text(), "name": nullable }));
    object(json!({ "data": data }))
}

/// An object that has all of these and nothing else.
pub fn object(properties: Value) -> Value {
    let required: Vec<String> = properties.as_object().into_iter().flat_map(Map::keys).cloned().collect();
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}
