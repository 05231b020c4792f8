//! Null, and what means the same, gives an optional field its default (docs/contract/README.md, section 15, 8 and 115).

use serde_json::{Map, Value, json};

use super::exceptions::Findings;
use super::samples::{Kind, is_nullable, kind};
use super::table::{COLLECTIONS, Collection};
use super::{Made, World};

#[actix_web::test]
async fn null_gives_an_optional_field_its_default() {
    let world = World::new().await;
    let mut findings = Findings::new("null");
    for collection in COLLECTIONS {
        let smallest = world.fields(collection, json!({}));
        let plain = taken_away(&world, world.makes(collection, json!({})).await).await;
        for (name, schema) in world.document.create(collection).fields {
            if let Some(default) = schema.get("default").filter(|_| !smallest.contains_key(name)) {
                findings.equal(
                    collection.field(name),
                    "the default of the document",
                    &plain["attributes"][name],
                    default,
                );
            }
        }
        for nothing in ["null", "\"\"", "\" \""] {
            let nothing: Value = serde_json::from_str(nothing).expect("JSON");
            let mut fields = Map::new();
            for (name, schema) in world.document.create(collection).fields {
                if means_null(schema, &nothing) && !smallest.contains_key(name) {
                    fields.insert(name.clone(), nothing.clone());
                }
            }
            let made = taken_away(&world, world.makes(collection, fields.into()).await).await;
            findings.equal(collection.path, &nothing, unnamed(made), unnamed(plain.clone()));
        }
        for (name, schema) in world.document.update(collection).fields {
            if is_nullable(schema) {
                taken_back(&world, &mut findings, collection, name, schema).await;
            }
        }
    }
    findings.none();
}

/// A field that was set is null again, in each form of null.
async fn taken_back(world: &World, findings: &mut Findings, collection: &Collection, name: &str, schema: &Value) {
    let Some(value) = world.samples(collection).value(name, schema, 1) else { return };
    let made = world.makes(collection, json!({})).await;
    for nothing in [json!(null), json!(""), json!(" ")] {
        if !means_null(schema, &nothing) {
            continue;
        }
        for (value, is_null) in [(&value, false), (&nothing, true)] {
            let answer = world.updates(collection, &made, json!({ name: value })).await;
            if answer.status != 200 {
                findings.answer(collection.field(name), &answer);
            } else if is_null {
                findings.equal(collection.field(name), &nothing, answer.data(), made.data.clone());
            }
        }
    }
    taken_away(world, made).await;
}

/// Whether this value of a field means null: an empty text does where a format says what a text may be.
fn means_null(schema: &Value, nothing: &Value) -> bool {
    let has_format = kind(schema) == Kind::Words || kind(schema) == Kind::Text && schema.get("format").is_some();
    is_nullable(schema) && (nothing.is_null() || has_format)
}

/// Deletes it, so that the next is the first again.
async fn taken_away(world: &World, made: Made) -> Value {
    world.me.api.delete(&made.at).await.is(200);
    made.data
}

/// Without what differs between two.
fn unnamed(mut data: Value) -> Value {
    match &mut data {
        Value::Object(fields) => {
            for (name, value) in fields {
                let is_name = ["id", "title", "user_id", "user"].contains(&name.as_str());
                *value = if is_name { Value::Null } else { unnamed(value.take()) };
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| *entry = unnamed(entry.take())),
        _ => {}
    }
    data
}
