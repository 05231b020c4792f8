//! Schemas of bodies and answers, from the tables of fields.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{
    app::openapi::{
        collections::{self, Collection},
        fixed_schemas,
    },
    hotel::{facilities::Facility, photos},
    resource::{
        document::schema::{Keyword, Meaning, Schema, Type},
        fields::{Field, Kind, LARGEST, Need},
        validate::{MOST_ENTRIES, Operation},
        values::{LONGEST_URL, MOST_DECIMALS, MOST_DIGITS, MOST_PLACES},
    },
};

/// White space around a title is not kept; control characters in it are refused, and so are characters that turn its
/// direction.
const TITLE: &str = concat!(
    r"^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*",
    r"[^\u0000-\u0020\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb]",
    r"([^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*[^\u0000-\u0020\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb])?",
    r"[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$"
);

/// Text without U+0000.
pub const TEXT: &str = r"^[^\u0000]*$";

/// All schemas by name.
pub fn all() -> Vec<(Cow<'static, str>, Schema)> {
    let mut all = Vec::new();
    for collection in &collections::all() {
        let name = camel(collection.name);
        all.push((name.clone().into(), resource(collection)));
        let key = if collection.invited { "invite" } else { collection.name };
        let create = request(&collection.fields, &collection.defaults, Operation::Create);
        let update = request(&collection.fields, &collection.defaults, Operation::Update);
        all.push((format!("{name}Create").into(), body(key, create)));
        all.push((format!("{name}Update").into(), body(collection.name, update)));
        if let Some((r#type, names)) = &collection.option {
            let attributes = Schema::object(names.iter().map(|name| (*name, option(name, collection))));
            let id = Schema::id(collection.noun.clone());
            let choice = [("type", Schema::constant(*r#type)), ("id", id), ("attributes", attributes)];
            all.push((format!("{name}Option").into(), Schema::object(choice)));
        }
    }
    all.push(("Facility".into(), resource(&Collection::of::<Facility>())));
    all.push(("Caller".into(), fixed_schemas::caller()));
    all.push(("Meta".into(), fixed_schemas::meta()));
    all.push(("Success".into(), fixed_schemas::success()));
    all.push(("Problems".into(), fixed_schemas::problems()));
    all.push(("Error".into(), fixed_schemas::error()));
    all
}

/// An attribute of an element of `/options`: a field of the resource, or its id.
fn option(name: &str, collection: &Collection) -> Schema {
    match collection.fields.iter().find(|field| field.name == name) {
        Some(field) if field.nullable == Some(true) => answered(&field.kind, &Value::Null).or_null(),
        Some(field) => answered(&field.kind, &Value::Null),
        None => Schema::id(collection.noun.clone()),
    }
}

/// `room_type` → `RoomType`
pub fn camel(name: &str) -> String {
    let upper = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    name.split('_').map(upper).collect()
}

fn resource(collection: &Collection) -> Schema {
    let mut attributes = shown(&collection.fields, &collection.defaults);
    let id = || Schema::id(collection.noun.clone());
    if !attributes.iter().any(|(name, _)| *name == "id") {
        attributes.insert(0, ("id", id().about(format!("The {}'s ID.", collection.noun))));
    }
    let mut resource =
        vec![("type", Schema::constant(collection.name)), ("id", id()), ("attributes", Schema::object(attributes))];
    if !collection.relationships.is_empty() {
        resource.push(("relationships", Schema::object(collection.relationships.clone())));
    }
    Schema::object(resource)
}

fn body(key: &'static str, inside: Schema) -> Schema {
    Schema::new(Type::Object).with(Keyword::Required(vec![key])).with(Keyword::Properties(vec![(key.into(), inside)]))
}

/// The object of a request. Unknown fields are ignored.
fn request(fields: &[&Field], defaults: &Map<String, Value>, operation: Operation) -> Schema {
    let is_create = operation == Operation::Create;
    let is_taken = |field: &Field| match field.need {
        Need::ReadOnly => false,
        Need::OnCreate | Need::RequiredOnCreate => is_create,
        _ => true,
    };
    let taken = || fields.iter().filter(|field| is_taken(field));
    let property = |field: &&Field| {
        let default = defaults.get(field.name).unwrap_or(&Value::Null);
        (field.name.into(), sent_field(field, default, operation))
    };
    let object = Schema::new(Type::Object).with(Keyword::Properties(taken().map(property).collect()));
    let is_required = |field: &&&Field| matches!(field.need, Need::Required | Need::RequiredOnCreate);
    let required: Vec<_> = taken().filter(is_required).map(|field| field.name).collect();
    if is_create && !required.is_empty() { object.with(Keyword::Required(required)) } else { object }
}

/// A field of a request.
fn sent_field(field: &Field, default: &Value, operation: Operation) -> Schema {
    let mut schema = sent(&field.kind, default, operation);
    if matches!(field.need, Need::Optional | Need::OnCreate) {
        schema = schema.or_null();
        // Only what must be there is blank when it is empty.
        let blank = schema.keywords.iter().position(|keyword| matches!(keyword, Keyword::MinItems(_)));
        blank.map(|place| schema.keywords.swap_remove(place));
    }
    let schema = told(schema, field, default);
    // What an amount is by default, responses show in the decimals of its currency.
    let is_amount = matches!(field.kind, Kind::Price | Kind::Fee);
    let is_optional = matches!(field.need, Need::Optional | Need::OnCreate | Need::NotNull) && !is_amount;
    let tells = default.is_boolean() || default.as_str().is_some_and(|text| !text.is_empty());
    if tells && is_optional && operation == Operation::Create {
        return schema.with(Keyword::Default(default.clone()));
    }
    schema
}

/// The schema with what its field means.
fn told(schema: Schema, field: &Field, default: &Value) -> Schema {
    let schema = schema.about(field.about);
    if field.says_default { schema.with(Keyword::SaidDefault(default.clone())) } else { schema }
}

/// The attributes of an answer: all of them, always.
fn shown(fields: &[&Field], defaults: &Map<String, Value>) -> Vec<(&'static str, Schema)> {
    let attribute = |field: &&Field| {
        let default = defaults.get(field.name).unwrap_or(&Value::Null);
        let schema = answered(&field.kind, default);
        let is_nullable = field.nullable.unwrap_or(field.need == Need::Optional);
        let schema = if is_nullable { schema.or_null() } else { schema };
        (field.name, told(schema, field, default))
    };
    fields.iter().filter(|field| field.shown).map(attribute).collect()
}

/// A text with a meaning, of this form.
fn formatted(meaning: Meaning, pattern: impl Into<Cow<'static, str>>) -> Schema {
    Schema::format(meaning).with(Keyword::Pattern(pattern.into()))
}

fn money(positive: bool) -> Schema {
    let nonzero = if positive { "(?=.*[1-9])" } else { "" };
    let pattern = format!(r"^{nonzero}[0-9]{{1,{MOST_DIGITS}}}(\.[0-9]{{1,{MOST_DECIMALS}}})?$");
    Schema::any_of(vec![
        formatted(Meaning::Money, pattern),
        Schema::integer(positive.into(), LARGEST).with(Keyword::Means(Meaning::MinorUnits)),
    ])
}

fn degrees(meaning: Meaning, most: i64) -> Schema {
    let pattern = format!(r"^-?[0-9]{{1,3}}(\.[0-9]{{1,{MOST_PLACES}}})?$");
    let number = Schema::new(Type::Number).with(Keyword::Minimum(-most)).with(Keyword::Maximum(most));
    Schema::any_of(vec![formatted(meaning, pattern), number])
}

/// What a request may hold.
fn sent(kind: &Kind, default: &Value, operation: Operation) -> Schema {
    match kind {
        Kind::Title => {
            let text = Schema::text().with(Keyword::MinLength(1)).with(Keyword::MaxLength(255));
            text.with(Keyword::Pattern(TITLE.into()))
        }
        Kind::Text { max } => Schema::text().with(Keyword::MaxLength(*max)).with(Keyword::Pattern(TEXT.into())),
        Kind::Email => Schema::format(Meaning::Email),
        Kind::Phone => formatted(Meaning::Phone, r"^[ -/0-9:-@\[-`{-~]{1,32}$"),
        Kind::Url => {
            let url = Schema::format(Meaning::Url).with(Keyword::MaxLength(LONGEST_URL));
            url.with(Keyword::Pattern(r"^https?://[^\s]+$".into()))
        }
        Kind::Currency => formatted(Meaning::Currency, "^[A-Za-z]{3}$"),
        Kind::Country => formatted(Meaning::Country, "^[A-Za-z]{2}$"),
        Kind::TimeZone => formatted(Meaning::TimeZone, "^[A-Za-z0-9_+/-]+$"),
        Kind::OneOf(words) => Schema::one_of(words),
        Kind::Latitude => degrees(Meaning::Latitude, 90),
        Kind::Longitude => degrees(Meaning::Longitude, 180),
        Kind::Integer { min, max } => Schema::integer(*min, *max),
        Kind::Positive => Schema::integer(1, LARGEST),
        Kind::Boolean => Schema::new(Type::Boolean),
        Kind::Date => Schema::format(Meaning::Date),
        Kind::Time => formatted(Meaning::TimeOfDay, "^([01][0-9]|2[0-3]):[0-5][0-9]$"),
        Kind::Price => money(true),
        Kind::Fee => money(false),
        Kind::Id(of) => Schema::id(*of),
        Kind::Ids(_) => Schema::list(Schema::format(Meaning::Facility)),
        Kind::Object(fields) => {
            let empty = Map::new();
            request(&fields(), default.as_object().unwrap_or(&empty), operation)
        }
        Kind::List(fields) => Schema::new(Type::Array)
            .with(Keyword::MinItems(1))
            .with(Keyword::MaxItems(MOST_ENTRIES))
            .with(Keyword::Items(Box::new(request(&fields(), &Map::new(), Operation::Create)))),
        Kind::Batch(fields) => {
            // What is new has room for so many; of what is there some may be removed.
            let most = if operation == Operation::Create { photos::MOST } else { MOST_ENTRIES };
            let entry = |operation| request(&fields(), &Map::new(), operation);
            let forms = vec![new(entry(Operation::Create)), naming(entry(Operation::Update))];
            let list = Schema::new(Type::Array).with(Keyword::MaxItems(most));
            list.with(Keyword::Items(Box::new(Schema::any_of(forms))))
        }
        Kind::Json(shape) => (shape.schema)(),
    }
}

/// An entry that is made has no id, and is not removed.
fn new(mut entry: Schema) -> Schema {
    entry.set_property("id", Schema::new(Type::Null));
    entry.set_property("is_removed", Schema::any_of(vec![Schema::constant(false), Schema::new(Type::Null)]));
    entry.with(Keyword::Title("a new entry"))
}

/// An entry that is changed or removed names its id.
fn naming(mut entry: Schema) -> Schema {
    entry.set_property("id", Schema::id("photo").about("ID of the entry."));
    entry.with(Keyword::Required(vec!["id"])).with(Keyword::Title("an entry to change or remove"))
}

/// What an answer holds.
fn answered(kind: &Kind, default: &Value) -> Schema {
    let means = |meaning, pattern| Schema::text().with(Keyword::Means(meaning)).with(Keyword::Pattern(pattern));
    let decimal = r"^-?[0-9]+(\.[0-9]+)?$".into();
    match kind {
        Kind::Currency => means(Meaning::Currency, "^[A-Z]{3}$".into()),
        Kind::Country => means(Meaning::Country, "^[A-Z]{2}$".into()),
        Kind::Latitude => means(Meaning::Latitude, decimal),
        Kind::Longitude => means(Meaning::Longitude, decimal),
        Kind::Price | Kind::Fee => means(Meaning::Money, r"^[0-9]+(\.[0-9]+)?$".into()),
        Kind::Object(fields) => {
            let empty = Map::new();
            Schema::object(shown(&fields(), default.as_object().unwrap_or(&empty)))
        }
        Kind::List(fields) | Kind::Batch(fields) => Schema::list(Schema::object(shown(&fields(), &Map::new()))),
        other => sent(other, default, Operation::Create),
    }
}
