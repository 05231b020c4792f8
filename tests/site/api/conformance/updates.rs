//! An update changes what it names and nothing else, and is seen at once (docs/contract/README.md, section 10).

use serde_json::{Value, json};

use super::exceptions::Findings;
use super::samples::{Kind, kind};
use super::table::{COLLECTIONS, Collection};
use super::{Made, World, object};
use crate::property::UNKNOWN_ID;

#[actix_web::test]
async fn fields_that_are_unknown_or_only_read_are_ignored() {
    let world = World::new().await;
    let mut findings = Findings::new("ignored");
    for collection in COLLECTIONS {
        let ignored = json!({ "id": UNKNOWN_ID, "type": "x", "inserted_at": 5, "foo": { "a": [1] }, "": null });
        let mut ignored = object(ignored);
        ignored.retain(|name, _| !world.document.create(collection).fields.contains_key(name));
        let made = world.makes(collection, ignored.clone().into()).await;
        let is_taken = made.id == UNKNOWN_ID || made.data["attributes"].get("foo").is_some();
        findings.equal(collection.path, "a create took it", is_taken, false);
        // Attributes that an update does not take, and fields that only a create does.
        let (create, update) = (world.document.create(collection), world.document.update(collection));
        for name in object(made.data["attributes"].clone()).keys().chain(create.fields.keys()) {
            if !update.fields.contains_key(name) {
                ignored.insert(name.clone(), json!(UNKNOWN_ID));
            }
        }
        for (name, value) in ignored {
            let answer = world.updates(collection, &made, json!({ name.clone(): value })).await;
            if answer.status == 200 {
                findings.equal(collection.field(&name), &answer.call, answer.json(), json!({ "data": made.data }));
            } else {
                findings.answer(collection.field(&name), &answer);
            }
        }
        let body = json!({ update.key: {}, "foo": 5, "id": UNKNOWN_ID });
        world.me.api.put(&made.at, &body).await.is(200).says(json!({ "data": made.data }));
        // What was read can be sent back as it is.
        let answer = world.updates(collection, &made, made.data["attributes"].clone()).await.is(200);
        findings.equal(collection.path, "sent back", answer.json(), json!({ "data": made.data }));
        world.me.api.get(&made.at).await.is(200).says(json!({ "data": made.data }));
    }
    findings.none();
}

#[actix_web::test]
async fn an_update_of_one_field_changes_that_one_alone_and_is_seen_at_once() {
    let world = World::new().await;
    let mut findings = Findings::new("one field");
    for collection in COLLECTIONS {
        for (name, schema) in world.document.update(collection).fields {
            let made = world.makes(collection, json!({})).await;
            let (before, base) = (&made.data["attributes"], world.fields(collection, json!({})));
            let samples = world.samples(collection);
            let values = (0..3).filter_map(|number| samples.value(name, schema, number));
            let Some(value) = values.into_iter().find(|value| before.get(name).or(base.get(name)) != Some(value))
            else {
                findings.wrong(collection.field(name), "no other value");
                continue;
            };
            changed(&world, &mut findings, collection, &made, (name, schema, value)).await;
            world.me.api.delete(&made.at).await.is(200);
        }
    }
    findings.none();
}

async fn changed(
    world: &World,
    findings: &mut Findings,
    collection: &Collection,
    made: &Made,
    (name, schema, value): (&String, &Value, Value),
) {
    let api = &world.me.api;
    let of = collection.field(name);
    let before = api.get(&made.at).await.is(200);
    findings.equal(&of, "read after the create", before.data(), made.data.clone());
    let etag = before.header("etag").map(str::to_owned);
    let answer = world.updates(collection, made, json!({ name: value })).await;
    if answer.status != 200 {
        return findings.answer(of, &answer);
    }
    // Never what was read before.
    let read = match etag {
        Some(etag) => api.get(&made.at).header("if-none-match", etag).await,
        None => api.get(&made.at).await,
    };
    if read.status != 200 {
        return findings.answer(of, &read);
    }
    findings.equal(&of, &answer.call, read.data(), answer.data());
    let entries = world.whole(&collection.at(), "").await;
    let entry = entries.into_iter().find(|entry| entry["id"] == *made.id);
    findings.equal(&of, format!("{}, in the list", answer.call), entry, Some(answer.data()));
    let mut expected = made.data["attributes"].clone();
    let attributes = answer.attributes();
    if let (Some(found), false) = (attributes.get(name), kind(schema) == Kind::List) {
        merge(&mut expected[name], value);
        findings.equal(&of, &answer.call, found, &expected[name]);
    }
    for (other, value) in expected.as_object().expect("attributes") {
        if other != name {
            findings.equal(&of, format!("{other} after {}", answer.call), &attributes[other], value);
        }
    }
}

/// Objects merge field by field.
fn merge(old: &mut Value, new: Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            new.into_iter()
                .filter(|(name, _)| old.contains_key(name))
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|(name, value)| merge(old.entry(name).or_insert(Value::Null), value));
        }
        (old, new) => *old = new,
    }
}
