//! Values that a schema of the API's document allows.

use serde_json::{Map, Value, json};

use super::{Place, table::Collection};

/// What a schema is of.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    Text,
    Words,
    Integer,
    Decimal,
    Money,
    Boolean,
    /// A list of texts.
    Texts,
    /// A list of objects.
    List,
    /// An object with fields.
    Object,
    /// Any object.
    Json,
}

/// Whether null is allowed.
pub fn is_nullable(schema: &Value) -> bool {
    let is_null = |schema: &Value| {
        schema["type"] == "null" || schema["type"].as_array().is_some_and(|types| types.contains(&json!("null")))
    };
    is_null(schema) || schema["anyOf"].as_array().is_some_and(|any| any.iter().any(is_null))
}

pub fn kind(schema: &Value) -> Kind {
    if let Some(any) = schema["anyOf"].as_array() {
        let is_decimal = any.iter().any(|one| one["type"] == "number");
        return if is_decimal { Kind::Decimal } else { Kind::Money };
    }
    let name = match &schema["type"] {
        Value::Array(names) => names[0].as_str(),
        name => name.as_str(),
    };
    match name {
        Some("string") if schema.get("enum").is_some() => Kind::Words,
        Some("string") => Kind::Text,
        Some("integer") => Kind::Integer,
        Some("boolean") => Kind::Boolean,
        Some("array") if schema["items"]["type"] == "string" => Kind::Texts,
        Some("array") => Kind::List,
        Some("object") if schema["additionalProperties"] == true => Kind::Json,
        Some("object") => Kind::Object,
        other => panic!("unknown type {other:?} in {schema}"),
    }
}

/// The schema of an amount in minor units, or of a number, in `anyOf`.
pub fn number(schema: &Value) -> &Value {
    let mut any = schema["anyOf"].as_array().expect("several types").iter();
    any.find(|one| one["type"] == "integer" || one["type"] == "number").expect("a number")
}

/// The schemas of an object's fields.
pub fn fields(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

/// The schema of a new entry of a list.
pub fn entry(schema: &Value) -> &Value {
    schema["items"]["anyOf"].get(0).unwrap_or(&schema["items"])
}

/// Makes values for a collection, as answers show them again.
pub struct Samples<'a> {
    pub place: &'a Place,
    pub collection: &'a Collection,
}

impl Samples<'_> {
    /// A valid value, for each number mostly another one; `None` where the schema does not say enough.
    pub fn value(&self, name: &str, schema: &Value, number: usize) -> Option<Value> {
        if let Some(value) = (self.collection.values)(self.place).get(name) {
            return Some(value.clone());
        }
        Some(match kind(schema) {
            Kind::Text => return self.text(name, schema, number).map(Value::from),
            Kind::Words => {
                let words: Vec<_> = schema["enum"].as_array()?.iter().filter(|word| !word.is_null()).collect();
                words[number % words.len()].clone()
            }
            Kind::Integer => json!(schema["minimum"].as_i64()? + 1 + i64::try_from(number).ok()?),
            Kind::Decimal => json!(format!("1{number}.5")),
            Kind::Money => json!(format!("{}.00", number + 1)),
            Kind::Boolean => json!(number % 2 == 1),
            Kind::Texts => json!([self.facilities()[number]]),
            Kind::List => return None,
            Kind::Object => {
                let values =
                    fields(schema).filter_map(|(name, schema)| Some((name.clone(), self.value(name, schema, number)?)));
                Value::Object(values.collect())
            }
            Kind::Json => json!({ "note": number }),
        })
    }

    /// The required fields of a new entry of a list.
    pub fn entry(&self, schema: &Value) -> Map<String, Value> {
        let schema = entry(schema);
        let is_required = |name: &&String| schema["required"].as_array().is_some_and(|all| all.contains(&json!(name)));
        let names = fields(schema).map(|(name, _)| name).filter(is_required);
        names.filter_map(|name| Some((name.clone(), self.value(name, &schema["properties"][name], 1)?))).collect()
    }

    fn text(&self, name: &str, schema: &Value, number: usize) -> Option<String> {
        Some(match schema["format"].as_str() {
            None => format!("Text {number}"),
            Some("uuid") => self.id(name)?.to_owned(),
            Some("email") => format!("desk-{number}@farol.example"),
            Some("phone") => format!("+351 28{number}"),
            Some("uri") => format!("https://farol.example/{number}.jpg"),
            Some("iso-4217") => ["CHF", "GBP", "USD"][number % 3].to_owned(),
            Some("iso-3166-1") => ["DE", "ES", "PT"][number % 3].to_owned(),
            Some("iana-time-zone") => ["Europe/Berlin", "Europe/Lisbon", "Europe/Paris"][number % 3].to_owned(),
            Some("date") => format!("2027-0{}-01", number + 1),
            Some("time-of-day") => format!("1{number}:30"),
            Some(other) => panic!("unknown format {other} of {name}"),
        })
    }

    /// The id of what this field names.
    fn id(&self, name: &str) -> Option<&str> {
        Some(match name {
            "property_id" => &self.place.property,
            "group_id" => &self.place.group,
            "room_type_id" => &self.place.room_type,
            "parent_rate_plan_id" => &self.place.rate_plan,
            "id" => &self.place.tax,
            _ => return None,
        })
    }

    fn facilities(&self) -> &[String] {
        match self.collection.path {
            "properties" => &self.place.property_facilities,
            _ => &self.place.room_facilities,
        }
    }
}
