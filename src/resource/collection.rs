//! A collection of the API declared once. From the declaration come its requests (`handlers.rs`), its SQL (`store.rs`),
//! its JSON, its validation, its filters and orders, and its part of the API's document (`app/openapi/`).
//!
//! `hotel/policies.rs` is a plain example. What a collection does beside that is a function of this trait that it
//! overrides.

use std::future::{Future, ready};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    base::{
        error::{Problems, Result},
        ids::PropertyId,
        money,
        settings::Settings,
    },
    db::{Bind, Tx},
    resource::{
        attribute::{self, Attribute, Rescale},
        fields::{Field, Kind},
        json::{Link, Named, User},
        validate::{self, Operation},
    },
};

/// What a collection is called.
pub struct Name {
    /// The type of its resources and the top key of bodies: `room_type`.
    pub one: &'static str,
    /// Its path, and its table: `room_types`.
    pub many: &'static str,
}

impl Name {
    /// One of them in a sentence: `room type`.
    pub fn noun(&self) -> String {
        self.one.replace('_', " ")
    }

    /// Several of them in a sentence: `room types`.
    pub fn nouns(&self) -> String {
        self.many.replace('_', " ")
    }
}

/// To whom resources belong, and so who sees them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    /// To the property whose id this column has: to every user of it.
    Property(&'static str),
    /// To the group whose id this column has: to every user of it.
    Group(&'static str),
    /// To the property of `property_id`, or, where that is null, to the user of `user_id`.
    PropertyOrUser,
}

/// A column whose value follows from the fields, for searching and sorting.
pub struct Computed<R: 'static> {
    pub column: &'static str,
    pub value: fn(&R) -> Bind,
}

/// Whether the list has pages (docs/contract/README.md, section 6).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    Always,
    /// The whole list where no page is asked for.
    WhenAsked,
    /// The same, with an empty `meta`.
    WhenAskedElseEmpty,
}

/// A resource with what only the database knows of it.
#[derive(Clone, Debug)]
pub struct Stored<R> {
    pub id: Uuid,
    /// A random number that changes with everything that responses show of the resource.
    pub version: i64,
    pub resource: R,
}

/// A relationship of `R` to other resources.
pub struct Relationship<R: 'static> {
    pub name: &'static str,
    /// Their type.
    pub of: &'static str,
    pub data: Related<R>,
}

/// What a relationship shows.
pub enum Related<R: 'static> {
    /// One resource by its id.
    One(fn(&R) -> Uuid),
    /// One or none.
    Maybe(fn(&R) -> Option<Uuid>),
    /// Several by id and title.
    Named(fn(&R) -> Vec<Named<'static>>),
    /// A user, with email address and name.
    User(fn(&R) -> User<'_>),
}

impl<R> Relationship<R> {
    /// `{"data": …}`
    fn json(&self, resource: &R) -> Value {
        match self.data {
            Related::One(id) => json!({ "data": Link::new(self.of, id(resource)) }),
            Related::Maybe(id) => json!({ "data": id(resource).map(|id| Link::new(self.of, id)) }),
            Related::Named(named) => json!({ "data": named(resource) }),
            Related::User(user) => json!({ "data": user(resource) }),
        }
    }
}

/// A kind of resource, with the table of its fields. Its `Default` has the values of a new one.
pub trait Resource: Clone + Default + Send + 'static {
    const NAME: Name;
    /// The top keys of bodies: the first that is there.
    const KEYS: &'static [&'static str] = &[Self::NAME.one];
    /// True for links of users, who are invited and withdrawn: a body that creates one has the top key `invite`.
    const INVITED: bool = false;
    const PARENT: Parent = Parent::Property("property_id");
    /// The column with the user who made it.
    const MAKER: Option<&'static str> = None;
    /// Whether its table has versions, and its JSON is cached.
    const VERSIONS: bool = true;
    /// What its rows are called in SQL.
    const ROW: &'static str = "r";
    /// All fields but `id`, in the order of the attributes.
    const FIELDS: &'static [Attribute<Self>];
    const COMPUTED: &'static [Computed<Self>] = &[];
    /// None: answers have no `relationships`.
    const RELATIONSHIPS: &'static [Relationship<Self>] = &[];
    const PAGES: Pages = Pages::Always;
    /// The field by which a list is ordered that asks for no order.
    const ORDER: &'static str = "title";
    /// The attributes of an element of `/options`; none: there is no such list.
    const OPTION: &'static [&'static str] = &[];
    /// The type of such an element.
    const OPTION_TYPE: &'static str = Self::NAME.one;
    /// The group of operations that has it in the API's document.
    const TAG: &'static str;
    /// What the document says of a delete.
    const DELETED: &'static str = "Deletes it permanently.";
    /// Whether a delete takes `force`.
    const FORCE: bool = false;
    /// Resources that one step of a long list reads: a few megabytes at most.
    const STEP: usize = 100;

    /// The property it belongs to.
    fn property(&self) -> Option<PropertyId>;

    /// The currency of its amounts; `""` counts hundredths.
    fn currency(&self) -> &str {
        ""
    }

    /// The values of a new resource, as a body would have them.
    fn defaults() -> Map<String, Value> {
        defaults::<Self>()
    }

    /// How many a property, or a user, may have; 0 is no limit.
    fn limit(_: &Settings) -> i64 {
        200
    }

    /// Rewrites what callers may send in several forms, before it is validated.
    fn normalize(_sent: &mut Map<String, Value>) {}

    /// Rules between fields, and defaults that depend on others.
    fn check(&mut self, _problems: &mut Problems) {}

    /// Rules that need the database, in the transaction that writes; the parent is locked. Afterwards the resource is as
    /// [`Resource::complete`] leaves it.
    fn relate(_: &mut Tx, _: &mut Stored<Self>, _: Operation, _: &mut Problems) -> impl Future<Output = Result<()>> {
        ready(Ok(()))
    }

    /// Reads what other tables have of these resources.
    fn complete(_: &mut Tx, _: &mut [Stored<Self>]) -> impl Future<Output = Result<()>> {
        ready(Ok(()))
    }

    /// Writes to other tables, after the resource was created, or updated from what was there before.
    fn written(_: &mut Tx, _before: Option<&Stored<Self>>, _: &Stored<Self>) -> impl Future<Output = Result<()>> {
        ready(Ok(()))
    }

    /// Writes to other tables, before the resource is deleted.
    fn before_delete(_: &mut Tx, _: &Stored<Self>) -> impl Future<Output = Result<()>> {
        ready(Ok(()))
    }

    /// Completes the resource of the API document's example.
    fn example(_: &mut Stored<Self>) {}
}

/// The table of fields without their types.
pub fn fields<R: Resource>() -> Vec<&'static Field> {
    R::FIELDS.iter().map(|attribute| &attribute.field).collect()
}

/// The values of `Default`, as a body would have them.
pub fn defaults<R: Resource>() -> Map<String, Value> {
    let mut defaults = attribute::json(R::FIELDS, &R::default(), "", true);
    for attribute in R::FIELDS.iter().filter(|attribute| matches!(attribute.field.kind, Kind::Price | Kind::Fee)) {
        // With no more decimals than every currency has.
        if let Some(Value::String(text)) = defaults.get_mut(attribute.field.name) {
            *text = money::shortened(text);
        }
    }
    defaults
}

/// Changes a resource as a body says. Where the currency changes, amounts that are not sent stay the same in major units.
pub fn apply<R: Resource>(resource: &mut R, sent: &Map<String, Value>, operation: Operation, problems: &mut Problems) {
    let mut validated = validate::validate(fields::<R>(), sent, &R::defaults(), operation, problems);
    let mut amounts = Map::new();
    for attribute in R::FIELDS.iter().filter(|attribute| attribute.field.kind.depends_on_currency()) {
        amounts.extend(validated.remove_entry(attribute.field.name));
    }
    let before = resource.currency().to_owned();
    attribute::set(R::FIELDS, resource, validated, "", problems);
    // Else nobody knows the decimals of amounts, and the problem of the currency is enough.
    if !problems.names("currency") {
        let currency = resource.currency().to_owned();
        if operation == Operation::Update && currency != before {
            let change = Rescale { from: &before, to: &currency };
            attribute::rescale(R::FIELDS, resource, change, Some(&amounts), problems);
        }
        attribute::set(R::FIELDS, resource, amounts, &currency, problems);
    }
    resource.check(problems);
}

/// The attributes of a resource as answers show them.
pub fn attributes<R: Resource>(Stored { id, resource, .. }: &Stored<R>) -> Map<String, Value> {
    let mut attributes = Map::new();
    attributes.insert("id".to_owned(), json!(id));
    attributes.append(&mut attribute::json(R::FIELDS, resource, resource.currency(), false));
    attributes
}

/// A resource as answers show it.
pub fn body<R: Resource>(stored: &Stored<R>) -> Value {
    let Stored { id, resource, .. } = stored;
    let mut body = json!({ "type": R::NAME.one, "id": id, "attributes": attributes(stored) });
    if !R::RELATIONSHIPS.is_empty() {
        let named = |one: &Relationship<R>| (one.name.to_owned(), one.json(resource));
        body["relationships"] = R::RELATIONSHIPS.iter().map(named).collect::<Map<_, _>>().into();
    }
    body
}
