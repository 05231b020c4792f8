//! What the document says of each collection, beside its tables.

use serde_json::{Map, Value, json};

use crate::{
    app::openapi::examples::Examples,
    base::error::Result,
    hotel::{
        groups::Group,
        members::{self, MemberOf},
        photos::Photo,
        policies::HotelPolicy,
        properties::Property,
        rate_plans::RatePlan,
        room_types::RoomType,
        taxes::{Tax, TaxSet},
    },
    resource::{
        collection::{self, Pages, Related, Resource},
        fields::Field,
        list::Listing,
        store,
    },
};

/// A collection, as the document describes it.
pub struct Collection {
    /// The type of its resources and the top key of bodies: `room_type`.
    pub name: &'static str,
    /// As in sentences: `room type`, `room types`.
    pub noun: String,
    pub nouns: String,
    pub path: String,
    /// The group of operations it is found under.
    pub tag: &'static str,
    pub fields: Vec<&'static Field>,
    /// What a create sends where that is not the same: top key and fields.
    pub invite: Option<(&'static str, Vec<&'static Field>)>,
    pub listing: Listing,
    pub pages: Pages,
    /// The values of a new resource.
    pub defaults: Map<String, Value>,
    /// Null where responses have none.
    pub relationships: Value,
    /// An element of `/options`, where there is such a list: its type, and `id` and fields of the resource.
    pub option: Option<(&'static str, &'static [&'static str])>,
    /// True where a delete takes `force`.
    pub force: bool,
    /// What a delete is called, and what it does.
    pub delete: (&'static str, &'static str),
    pub examples: Examples,
}

impl Collection {
    /// The description of a collection that is declared.
    pub fn of<R: Resource>() -> Self {
        let relationships = R::RELATIONSHIPS.iter().map(|relationship| {
            let data = match relationship.data {
                Related::One(_) => link(relationship.of),
                Related::Maybe(_) => link_or_null(relationship.of),
                Related::Named(_) => named(relationship.of),
            };
            (relationship.name.to_owned(), data)
        });
        let relationships = match R::RELATIONSHIPS {
            [] => Value::Null,
            _ => relationships.collect::<Map<_, _>>().into(),
        };
        Collection {
            name: R::NAME.one,
            noun: R::NAME.noun(),
            nouns: R::NAME.nouns(),
            path: format!("/{}", R::NAME.many),
            tag: R::TAG,
            fields: collection::fields::<R>(),
            invite: None,
            listing: store::listing::<R>(),
            pages: R::PAGES,
            defaults: R::defaults(),
            relationships,
            option: (!R::OPTION.is_empty()).then_some((R::OPTION_TYPE, R::OPTION)),
            force: R::FORCE,
            delete: ("Delete", R::DELETED),
            examples: Examples::of::<R>(),
        }
    }
}

/// All that have a table of fields, in the order of the document.
pub fn all() -> Result<Vec<Collection>> {
    Ok(vec![
        Collection { examples: Examples::default(), ..Collection::of::<Property>() },
        Collection { examples: Examples::default(), ..Collection::of::<Group>() },
        members(MemberOf::Property, "Property users"),
        members(MemberOf::Group, "Group users"),
        Collection::of::<RoomType>(),
        Collection::of::<RatePlan>(),
        Collection::of::<Tax>(),
        Collection::of::<TaxSet>(),
        Collection::of::<HotelPolicy>(),
        Collection::of::<Photo>(),
    ])
}

fn members(of: MemberOf, tag: &'static str) -> Collection {
    let name = of.name();
    let parent = of.parent_name();
    let mut relationships = Map::new();
    relationships.insert(parent.to_owned(), link(parent));
    relationships.insert("user".to_owned(), user());
    Collection {
        name,
        noun: name.replace('_', " "),
        nouns: tag.to_lowercase(),
        path: format!("/{name}s"),
        tag,
        fields: of.fields().iter().collect(),
        invite: Some(("invite", of.invite().iter().collect())),
        listing: members::store::listing(of).clone(),
        pages: Pages::WhenAsked,
        defaults: Map::new(),
        relationships: relationships.into(),
        option: None,
        force: false,
        delete: (
            "Withdraw",
            "Ends the access; what the user created stays. Owners only; nobody can withdraw their own access.",
        ),
        examples: Examples::default(),
    }
}

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
        { "name": "Taxes", "description": "Taxes and fees of a property." },
        { "name": "Tax sets", "description": "Sets of taxes, for rate plans. The oldest set of a property is its default." },
        { "name": "Hotel policies", "description": "House rules: check-in, internet, parking, pets, smoking." },
        { "name": "Photos", "description": "Photos of properties and room types, given by URL." },
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
