//! JSON Schemas of bodies and answers, from the tables of fields.

use serde_json::{Map, Value, json};

use crate::{
    app::openapi::{
        collections::{self, Collection, id, object},
        fixed_schemas,
    },
    base::error::Result,
    hotel::photos,
    resource::{
        fields::{Field, Kind, LARGEST, Need},
        validate::{MOST_ENTRIES, Operation},
        values::{LONGEST_URL, MOST_DECIMALS, MOST_DIGITS},
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
pub fn all() -> Result<Value> {
    let mut all = Map::new();
    for collection in &collections::all()? {
        let name = camel(collection.name);
        all.insert(name.clone(), resource(collection));
        let own = (collection.name, collection.fields.clone());
        let (key, fields) = collection.invite.clone().unwrap_or(own);
        let create = request(&fields, &collection.defaults, Operation::Create);
        let update = request(&collection.fields, &collection.defaults, Operation::Update);
        all.insert(format!("{name}Create"), body(key, create));
        all.insert(format!("{name}Update"), body(collection.name, update));
        if let Some((r#type, attributes)) = &collection.option {
            let attributes = object(choice(attributes, &collection.fields));
            let choice = json!({ "type": { "const": r#type }, "id": id(), "attributes": attributes });
            all.insert(format!("{name}Option"), object(choice));
        }
    }
    let facility = object(json!({ "id": id(), "category": { "type": "string" }, "title": { "type": "string" } }));
    let facility = json!({ "type": { "const": "facility" }, "id": id(), "attributes": facility });
    all.insert("Facility".to_owned(), object(facility));
    all.insert("Caller".to_owned(), fixed_schemas::caller());
    let number = |least: i64| json!({ "type": "integer", "minimum": least });
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": 100 });
    all.insert("Meta".to_owned(), object(json!({ "page": number(1), "limit": limit, "total": number(0) })));
    let success = object(json!({ "message": { "const": "Success" } }));
    all.insert("Success".to_owned(), object(json!({ "meta": success })));
    all.insert("Problems".to_owned(), fixed_schemas::problems());
    all.insert("Error".to_owned(), fixed_schemas::error());
    Ok(all.into())
}

/// The attributes of an element of `/options`.
fn choice(names: &[&'static str], fields: &[&Field]) -> Value {
    let schema = |name: &&'static str| {
        let field = fields.iter().find(|field| field.name == *name);
        let schema = |field: &&Field| {
            let schema = answered(&field.kind, &Value::Null);
            if field.nullable == Some(true) { or_null(schema) } else { schema }
        };
        ((*name).to_owned(), field.map_or_else(id, schema))
    };
    names.iter().map(schema).collect::<Map<_, _>>().into()
}

/// `room_type` → `RoomType`
pub fn camel(name: &str) -> String {
    let upper = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    name.split('_').map(upper).collect()
}

/// `{"$ref": …}` to a schema.
pub fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn resource(collection: &Collection) -> Value {
    let mut attributes = shown(&collection.fields, &collection.defaults);
    if attributes["properties"].get("id").is_none() {
        let mut properties = json!({ "id": id() });
        properties["id"]["description"] = format!("The {}'s ID.", collection.noun).into();
        if let (Some(first), Some(rest)) = (properties.as_object_mut(), attributes["properties"].as_object_mut()) {
            first.append(rest);
        }
        attributes = object(properties);
    }
    let mut resource = json!({ "type": { "const": collection.name }, "id": id(), "attributes": attributes });
    if !collection.relationships.is_null() {
        resource["relationships"] = object(collection.relationships.clone());
    }
    object(resource)
}

fn body(key: &str, inside: Value) -> Value {
    json!({ "type": "object", "required": [key], "properties": { key: inside } })
}

/// The object of a request. Unknown fields are ignored.
fn request(fields: &[&Field], defaults: &Map<String, Value>, operation: Operation) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields {
        let ignored = match field.need {
            Need::ReadOnly => true,
            Need::OnCreate | Need::RequiredOnCreate => operation == Operation::Update,
            _ => false,
        };
        if ignored {
            continue;
        }
        let default = defaults.get(field.name).unwrap_or(&Value::Null);
        let mut schema = sent(&field.kind, default, operation);
        if matches!(field.need, Need::Optional | Need::OnCreate) {
            schema = or_null(schema);
            // Only what must be there is blank when it is empty.
            if let Some(schema) = schema.as_object_mut() {
                schema.remove("minItems");
            }
        }
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".to_owned(), field.about.into());
            // What an amount is by default, responses show in the decimals of its currency.
            let is_amount = matches!(field.kind, Kind::Price | Kind::Fee);
            let is_optional = matches!(field.need, Need::Optional | Need::OnCreate | Need::NotNull) && !is_amount;
            let tells = default.is_boolean() || default.as_str().is_some_and(|text| !text.is_empty());
            if tells && is_optional && operation == Operation::Create {
                schema.insert("default".to_owned(), default.clone());
            }
        }
        if operation == Operation::Create && matches!(field.need, Need::Required | Need::RequiredOnCreate) {
            required.push(field.name);
        }
        properties.insert(field.name.to_owned(), schema);
    }
    let mut object = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

/// The attributes of an answer: all of them, always.
fn shown(fields: &[&Field], defaults: &Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for field in fields.iter().filter(|field| field.shown) {
        let default = defaults.get(field.name).unwrap_or(&Value::Null);
        let mut schema = answered(&field.kind, default);
        let nullable = field.nullable.unwrap_or_else(|| {
            let may_be_null = default.is_null() && matches!(field.need, Need::Optional | Need::ReadOnly);
            let is_always_there = matches!(field.kind, Kind::Batch(_) | Kind::Boolean | Kind::Object(_) | Kind::Fee);
            let is_known = field.need == Need::ReadOnly && field.name != "room_type_id";
            may_be_null && !is_always_there && !is_known
        });
        if nullable {
            schema = or_null(schema);
        }
        schema["description"] = field.about.into();
        properties.insert(field.name.to_owned(), schema);
    }
    object(properties.into())
}

/// The same schema, or null.
fn or_null(mut schema: Value) -> Value {
    match schema.get("type").cloned() {
        Some(Value::String(one)) if schema.get("enum").is_none() => schema["type"] = json!([one, "null"]),
        Some(Value::String(one)) => {
            schema["type"] = json!([one, "null"]);
            if let Some(values) = schema["enum"].as_array_mut() {
                values.push(Value::Null);
            }
        }
        _ => {
            if let Some(any) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
                any.push(json!({ "type": "null" }));
            }
        }
    }
    schema
}

fn money(positive: bool) -> Value {
    let nonzero = if positive { "(?=.*[1-9])" } else { "" };
    let pattern = format!(r"^{nonzero}[0-9]{{1,{MOST_DIGITS}}}(\.[0-9]{{1,{MOST_DECIMALS}}})?$");
    json!({ "anyOf": [
        { "type": "string", "format": "money", "pattern": pattern },
        { "type": "integer", "minimum": i64::from(positive), "maximum": LARGEST }
    ] })
}

/// What a request may hold.
fn sent(kind: &Kind, default: &Value, operation: Operation) -> Value {
    match kind {
        Kind::Title => json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": TITLE }),
        Kind::Text { max } => json!({ "type": "string", "maxLength": max, "pattern": TEXT }),
        Kind::Email => json!({ "type": "string", "format": "email" }),
        Kind::Phone => json!({ "type": "string", "format": "phone", "pattern": r"^[ -/0-9:-@\[-`{-~]{1,32}$" }),
        Kind::Url => {
            json!({ "type": "string", "format": "uri", "maxLength": LONGEST_URL, "pattern": r"^https?://[^\s]+$" })
        }
        Kind::Currency => json!({ "type": "string", "format": "iso-4217", "pattern": "^[A-Za-z]{3}$" }),
        Kind::Country => json!({ "type": "string", "format": "iso-3166-1", "pattern": "^[A-Za-z]{2}$" }),
        Kind::TimeZone => json!({ "type": "string", "format": "iana-time-zone", "pattern": "^[A-Za-z0-9_+/-]+$" }),
        Kind::OneOf(words) => json!({ "type": "string", "enum": words }),
        Kind::Decimal { min, max, places } => {
            let format = if *max == 90 { "latitude" } else { "longitude" };
            let pattern = format!(r"^-?[0-9]{{1,3}}(\.[0-9]{{1,{places}}})?$");
            json!({ "anyOf": [
                { "type": "string", "format": format, "pattern": pattern },
                { "type": "number", "minimum": min, "maximum": max }
            ] })
        }
        Kind::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Positive => json!({ "type": "integer", "minimum": 1, "maximum": LARGEST }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Date => json!({ "type": "string", "format": "date" }),
        Kind::Time => {
            json!({ "type": "string", "format": "time-of-day", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" })
        }
        Kind::Price => money(true),
        Kind::Fee => money(false),
        Kind::Id => id(),
        Kind::Ids(_) => json!({ "type": "array", "items": { "type": "string", "format": "facility-id" } }),
        Kind::Object(fields) => {
            let empty = Map::new();
            request(&fields(), default.as_object().unwrap_or(&empty), operation)
        }
        Kind::List(fields) => json!({
            "type": "array", "minItems": 1, "maxItems": MOST_ENTRIES,
            "items": request(&fields(), &Map::new(), Operation::Create)
        }),
        Kind::Batch(fields) => json!({
            // What is new has room for so many; of what is there some may be removed.
            "type": "array", "maxItems": if operation == Operation::Create { photos::MOST } else { MOST_ENTRIES },
            "items": { "anyOf": [
                new(request(&fields(), &Map::new(), Operation::Create)),
                naming(request(&fields(), &Map::new(), Operation::Update))
            ] }
        }),
        Kind::Json(shape) => (shape.schema)(),
    }
}

/// An entry that is made has no id, and is not removed.
fn new(mut entry: Value) -> Value {
    entry["properties"]["id"] = json!({ "type": "null" });
    entry["properties"]["is_removed"] = json!({ "anyOf": [{ "const": false }, { "type": "null" }] });
    entry["title"] = "a new entry".into();
    entry
}

/// An entry that is changed or removed names its id.
fn naming(mut entry: Value) -> Value {
    entry["properties"]["id"] = json!({ "type": "string", "format": "uuid", "description": "ID of the entry." });
    entry["required"] = json!(["id"]);
    entry["title"] = "an entry to change or remove".into();
    entry
}

/// What an answer holds.
fn answered(kind: &Kind, default: &Value) -> Value {
    match kind {
        Kind::Currency => json!({ "type": "string", "pattern": "^[A-Z]{3}$" }),
        Kind::Country => json!({ "type": "string", "pattern": "^[A-Z]{2}$" }),
        Kind::Decimal { .. } => json!({ "type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$" }),
        Kind::Price | Kind::Fee => json!({ "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$" }),
        Kind::Object(fields) => {
            let empty = Map::new();
            shown(&fields(), default.as_object().unwrap_or(&empty))
        }
        Kind::List(fields) | Kind::Batch(fields) => {
            let mut entry = shown(&fields(), &Map::new());
            // Ids, kinds and places are always known in an answer.
            for known in ["id", "kind", "position"] {
                if let Some(field) = entry["properties"].get_mut(known) {
                    *field = known_value(field.take());
                }
            }
            json!({ "type": "array", "items": entry })
        }
        Kind::Json(shape) => {
            let mut schema = (shape.schema)();
            if !matches!(schema["type"].as_str(), Some("null" | "array")) {
                schema["type"] = json!("object");
            }
            schema
        }
        other => sent(other, default, Operation::Create),
    }
}

/// The schema without its null.
fn known_value(mut schema: Value) -> Value {
    if let Some(types) = schema["type"].as_array() {
        schema["type"] = types.first().cloned().unwrap_or_default();
    }
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        values.retain(|value| !value.is_null());
    }
    schema
}
