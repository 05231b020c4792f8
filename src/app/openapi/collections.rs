//! What the document says of each collection, beside its tables.

use serde_json::{Map, Value};

use crate::{
    app::openapi::examples::Examples,
    base::ids::{GroupId, PropertyId},
    hotel::{
        groups::Group,
        members::Member,
        photos::Photo,
        policies::HotelPolicy,
        properties::Property,
        rate_plans::RatePlan,
        room_types::RoomType,
        taxes::{Tax, TaxSet},
    },
    resource::{
        collection::{self, Pages, Related, Resource},
        document::{
            Tag,
            schema::{Schema, Type},
        },
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
    /// True where resources are users who are invited and withdrawn.
    pub invited: bool,
    pub listing: Listing,
    pub pages: Pages,
    /// The values of a new resource.
    pub defaults: Map<String, Value>,
    /// None: responses have no `relationships`.
    pub relationships: Vec<(&'static str, Schema)>,
    /// An element of `/options`, where there is such a list: its type, and `id` and fields of the resource.
    pub option: Option<(&'static str, &'static [&'static str])>,
    /// True where a delete takes `force`.
    pub force: bool,
    /// What a delete does.
    pub deleted: &'static str,
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
                Related::User(_) => user(),
            };
            (relationship.name, data)
        });
        Collection {
            name: R::NAME.one,
            noun: R::NAME.noun(),
            nouns: R::NAME.nouns(),
            path: format!("/{}", R::NAME.many),
            tag: R::TAG,
            fields: collection::fields::<R>(),
            invited: R::INVITED,
            listing: store::listing::<R>(),
            pages: R::PAGES,
            defaults: R::defaults(),
            relationships: relationships.collect(),
            option: (!R::OPTION.is_empty()).then_some((R::OPTION_TYPE, R::OPTION)),
            force: R::FORCE,
            deleted: R::DELETED,
            examples: Examples::of::<R>(),
        }
    }
}

/// All that have a table of fields, in the order of the document.
pub fn all() -> Vec<Collection> {
    vec![
        Collection::of::<Property>(),
        Collection::of::<Group>(),
        Collection::of::<Member<PropertyId>>(),
        Collection::of::<Member<GroupId>>(),
        Collection::of::<RoomType>(),
        Collection::of::<RatePlan>(),
        Collection::of::<Tax>(),
        Collection::of::<TaxSet>(),
        Collection::of::<HotelPolicy>(),
        Collection::of::<Photo>(),
    ]
}

/// The groups of operations, as readers meet them.
pub const TAGS: [Tag; 13] = [
    tag("Caller", "Whose key this is, and what it may do."),
    tag("Properties", "A property is one physical place: a hotel, a hostel, a villa."),
    tag("Groups", "A group is a set of properties. Every property is in at least one group."),
    tag("Property users", "Who has access to a property, and in which role."),
    tag("Group users", "Who has access to all properties of a group, present and future."),
    tag("Room types", "The units whose availability is counted: rooms, beds, whole houses."),
    tag("Rate plans", "How a room type is sold: prices, occupancy, derivation."),
    tag("Taxes", "Taxes and fees of a property."),
    tag("Tax sets", "Sets of taxes, for rate plans. The oldest set of a property is its default."),
    tag("Hotel policies", "House rules: check-in, internet, parking, pets, smoking."),
    tag("Photos", "Photos of properties and room types, given by URL."),
    tag("Facilities", "Catalogues of amenities, the same for every caller."),
    tag("Document", "This documentation in machine-readable form (OpenAPI 3.1)."),
];

const fn tag(name: &'static str, about: &'static str) -> Tag {
    Tag { name, about }
}

fn entry(of: &'static str) -> [(&'static str, Schema); 2] {
    [("type", Schema::constant(of)), ("id", Schema::id(of.replace('_', " ")))]
}

/// `{"data": {"type", "id"}}`
fn link(of: &'static str) -> Schema {
    Schema::object([("data", Schema::object(entry(of)))])
}

/// The same, or `{"data": null}`.
fn link_or_null(of: &'static str) -> Schema {
    Schema::object([("data", Schema::any_of(vec![Schema::object(entry(of)), Schema::new(Type::Null)]))])
}

/// `{"data": [{"type", "id", "attributes": {"id", "title"}}]}`
fn named(of: &'static str) -> Schema {
    let [r#type, id] = entry(of);
    let attributes = Schema::object([id.clone(), ("title", Schema::text())]);
    Schema::object([("data", Schema::list(Schema::object([r#type, id, ("attributes", attributes)])))])
}

fn user() -> Schema {
    let [r#type, id] = entry("user");
    let name = Schema::text().or_null();
    Schema::object([("data", Schema::object([r#type, id, ("email", Schema::text()), ("name", name)]))])
}
