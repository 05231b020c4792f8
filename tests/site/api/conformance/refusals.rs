//! What bodies may not be: every broken field is named, all at once, in a create and in an update.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::cases::{self, Cases, longest};
use super::document::Body;
use super::exceptions::Findings;
use super::samples::{Kind, kind, number};
use super::table::{COLLECTIONS, Collection};
use super::{World, object};
use crate::response::Response;

#[actix_web::test]
async fn what_is_required_is_never_missing_null_or_blank() {
    refused("blank", cases::blank).await;
}

#[actix_web::test]
async fn a_value_of_a_wrong_type_or_format_is_refused() {
    refused("wrong", cases::wrong).await;
}

#[actix_web::test]
async fn a_value_beyond_its_bounds_is_refused() {
    refused("beyond", cases::beyond).await;
}

/// Creates and updates with the first case of each field, then with the second of each, and so on.
async fn refused(check: &'static str, cases: Cases) {
    let world = World::new().await;
    let mut findings = Findings::new(check);
    for collection in COLLECTIONS {
        let create = world.document.create(collection);
        let before = world.whole(&collection.at(), "").await;
        for (sent, told) in rounds(&world, collection, &create, cases) {
            let mut fields = world.fields(collection, json!({}));
            apply(&mut fields, sent);
            let answer = world.me.api.post(&collection.at(), &create.with(fields)).await;
            compare(&mut findings, collection, &told, &answer);
        }
        let after = world.whole(&collection.at(), "").await;
        findings.equal(collection.path, "refused creates leave nothing", after, before);
        let made = world.makes(collection, json!({})).await;
        for (sent, told) in rounds(&world, collection, &world.document.update(collection), cases) {
            let mut fields = Map::new();
            apply(&mut fields, sent);
            let told: Map<_, _> = told.into_iter().filter(|(name, _)| fields.contains_key(name)).collect();
            if !told.is_empty() {
                let answer = world.updates(collection, &made, fields.into()).await;
                compare(&mut findings, collection, &told, &answer);
            }
        }
        let after = world.me.api.get(&made.at).await.is(200).data();
        findings.equal(collection.path, "refused updates change nothing", after, made.data);
    }
    findings.none();
}

type Round = (Vec<(String, Option<Value>)>, Map<String, Value>);

fn rounds(world: &World, collection: &Collection, body: &Body, cases: Cases) -> Vec<Round> {
    let samples = world.samples(collection);
    let fields = body.fields.iter();
    let of_fields: Vec<_> = fields
        .map(|(name, schema)| (name, cases(&samples, name, schema, body.required.contains(&name.as_str()))))
        .collect();
    let count = of_fields.iter().map(|(_, cases)| cases.len()).max().unwrap_or(0);
    let round = |round: usize| {
        let (mut sent, mut told) = (Vec::new(), Map::new());
        for (name, cases) in &of_fields {
            if let Some(case) = cases.get(round) {
                sent.push(((*name).clone(), case.sent.clone()));
                told.insert((*name).clone(), case.told.clone());
            }
        }
        (sent, told)
    };
    (0..count).map(round).collect()
}

fn apply(fields: &mut Map<String, Value>, sent: Vec<(String, Option<Value>)>) {
    for (name, value) in sent {
        match value {
            Some(value) => fields.insert(name, value),
            None => fields.remove(&name),
        };
    }
}

/// Compares the details of a 422 field by field.
fn compare(findings: &mut Findings, collection: &Collection, told: &Map<String, Value>, answer: &Response) {
    let expected = flat("", &told.clone().into());
    let found = match answer.status {
        422 => flat("", &answer.json()["errors"]["details"]),
        _ => BTreeMap::from([(String::new(), json!(answer.status))]),
    };
    let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    for name in names {
        let call: String = answer.call.chars().take(600).collect();
        findings.equal(collection.field(name), call, found.get(name), expected.get(name));
    }
}

/// The messages of fields, and of fields in fields: `settings.min_price`.
fn flat(prefix: &str, details: &Value) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (name, value) in details.as_object().into_iter().flatten() {
        match value {
            Value::Object(_) => all.extend(flat(&format!("{prefix}{name}."), value)),
            messages => {
                all.insert(format!("{prefix}{name}"), messages.clone());
            }
        }
    }
    all
}

#[actix_web::test]
async fn a_value_at_its_bounds_is_kept() {
    let world = World::new().await;
    let mut findings = Findings::new("bounds");
    for collection in COLLECTIONS {
        for most in [false, true] {
            for (name, schema) in world.document.create(collection).fields {
                let Some(value) = bound(schema, most) else { continue };
                let answer = world.creates(collection, json!({ name: value })).await;
                if answer.status != 201 {
                    findings.answer(collection.field(name), &answer);
                    continue;
                }
                let id = answer.id();
                let at = format!("{}/{id}", collection.at());
                for attributes in [answer.attributes(), world.me.api.get(&at).await.is(200).attributes()] {
                    if let (Some(found), false) = (attributes.get(name), kind(schema) == Kind::Money) {
                        compare_kept(&mut findings, &collection.field(name), found, &value);
                    }
                }
                world.me.api.delete(&at).await.is(200);
            }
        }
    }
    findings.none();
}

/// The smallest or largest value; none where there is no bound.
fn bound(schema: &Value, most: bool) -> Option<Value> {
    let bound = |schema: &Value| schema[if most { "maximum" } else { "minimum" }].clone();
    match kind(schema) {
        Kind::Text => {
            let length = schema[if most { "maxLength" } else { "minLength" }].as_u64()?;
            Some(json!(longest(schema, usize::try_from(length).ok()?)))
        }
        Kind::Integer => Some(bound(schema)),
        Kind::Money => Some(bound(number(schema))),
        Kind::Decimal => Some(json!(bound(number(schema)).to_string())),
        Kind::Object => {
            let fields = schema["properties"].as_object()?.iter();
            let bounds: Map<_, _> =
                fields.filter_map(|(name, schema)| Some((name.clone(), bound_inside(schema, most)?))).collect();
            (!bounds.is_empty()).then(|| bounds.into())
        }
        _ => None,
    }
}

fn bound_inside(schema: &Value, most: bool) -> Option<Value> {
    match kind(schema) {
        // Amounts come back in another form.
        Kind::Money => None,
        _ => bound(schema, most),
    }
}

/// A value is shown as it was sent; of an object, what was sent is.
fn compare_kept(findings: &mut Findings, of: &str, found: &Value, sent: &Value) {
    match sent {
        Value::Object(sent) => {
            for (name, value) in sent {
                compare_kept(findings, &format!("{of}.{name}"), &object(found.clone())[name], value);
            }
        }
        sent => findings.equal(of, "kept", found, sent),
    }
}
