//! Filters of every list (docs/contract/README.md, section 8).

use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

use super::document::Document;
use super::exceptions::Findings;
use super::lists::population;
use super::table::{self, lists};
use super::{World, ids};

#[actix_web::test]
async fn a_list_can_be_filtered_by_every_field_that_says_so() {
    let mut world = World::new().await;
    let mut findings = Findings::new("filters");
    population(&mut world, &mut findings, Document::filters).await;
    for (path, _) in lists() {
        let entries = world.whole(&table::at(path), "").await;
        for field in world.document.filters(path) {
            field_filters(&world, &mut findings, (path, &field), &entries).await;
        }
        let attributes = entries[0]["attributes"].as_object().expect("attributes").keys();
        let filters = world.document.filters(path);
        for name in attributes.filter(|name| !filters.contains(name)).chain([&"foo".to_owned()]) {
            refuse(&world, path, &format!("filter[{name}]=x"), &format!("filter[{name}] is not supported")).await;
        }
    }
    findings.none();
}

async fn field_filters(world: &World, findings: &mut Findings, (path, field): (&str, &str), entries: &[Value]) {
    let mut values: Vec<Value> = entries.iter().flat_map(|entry| values_of(entry, field)).collect();
    values.sort_by_key(Value::to_string);
    values.dedup();
    let is_boolean = values.iter().any(Value::is_boolean);
    let texts: Vec<String> = values.iter().filter_map(text).collect();
    let (Some(first), Some(last)) = (texts.first(), texts.last()) else {
        return findings.wrong(format!("{path}.{field}"), "no value");
    };
    let those = |fit: &dyn Fn(&[String]) -> bool| {
        let texts = |entry: &Value| values_of(entry, field).iter().filter_map(text).collect::<Vec<_>>();
        let fitting = ids(entries).into_iter().zip(entries).filter(|(_, entry)| fit(&texts(entry)));
        fitting.map(|(id, _)| id).collect::<Vec<_>>()
    };
    let has = |wanted: &[&String]| those(&|values| values.iter().any(|value| wanted.contains(&value)));
    let has_not = |wanted: &[&String]| those(&|values| !values.iter().any(|value| wanted.contains(&value)));
    let any = |fits: fn(&String, &String) -> bool| those(&|values| values.iter().any(|value| fits(value, first)));
    let (filter, a, b) = (format!("filter[{field}]"), escaped(first), escaped(last));
    let mut cases = vec![
        (format!("{filter}={a}"), has(&[first])),
        (format!("{filter}[not]={a},{b}"), has_not(&[first, last])),
        (format!("{filter}[eq]={b}"), has(&[last])),
        (format!("{filter}[not]={a}"), has_not(&[first])),
        (format!("{filter}={a},{b}"), has(&[first, last])),
        (format!("{filter}[]={a}&{filter}[]={b}"), has(&[first, last])),
        (format!("{filter}[0]={a}&{filter}[1]={b}"), has(&[first, last])),
        (format!("{filter}={a}&{filter}[not]={a}"), Vec::new()),
        // The last of the same counts.
        (format!("{filter}={b}&{filter}={a}"), has(&[first])),
        (format!("{filter}="), those(&|values| values.iter().all(String::is_empty))),
        (format!("{filter}[gt]={a}"), any(|value, least| value > least)),
        (format!("{filter}[gte]={a}"), any(|value, least| value >= least)),
        (format!("{filter}[lt]={b}&{filter}[gt]={b}"), Vec::new()),
        (format!("{filter}[lte]={a}"), any(|value, most| value <= most)),
        (format!("filter%5B{field}%5D={a}"), has(&[first])),
    ];
    if !is_boolean {
        cases.push((format!("{filter}=nobody-has-this,{a}"), has(&[first])));
        cases.push((format!("{filter}[not]=nobody-has-this"), ids(entries)));
    }
    let list = table::at(path);
    let of = format!("{path}.{field}");
    for (place, (query, expected)) in cases.into_iter().enumerate() {
        let found = world.whole(&list, &query).await;
        findings.equal(&of, &query, ids(&found), expected.clone());
        if place < 2 && world.document.has_options(path) {
            let found = world.me.api.get(&format!("{list}/options?{query}&limit=1")).await.is(200);
            let found = found.data();
            findings.equal(&of, format!("options?{query}"), ids(found.as_array().expect("a list")), expected);
        }
    }
    let mut refused = wrong_filters(field, first, last);
    if is_boolean {
        refused.push((format!("{filter}=maybe"), format!("{filter} is invalid")));
    }
    for (query, problem) in refused {
        refuse(world, path, &query, &problem).await;
    }
}

/// Filters by a field that has these values which are refused, with the problem.
fn wrong_filters(field: &str, first: &str, last: &str) -> Vec<(String, String)> {
    let (filter, a, b) = (format!("filter[{field}]"), escaped(first), escaped(last));
    vec![
        (format!("{filter}[like]={a}"), format!("{filter}[like] is not supported")),
        (format!("{filter}[gt]={a},{b}"), format!("{filter}[gt] is invalid")),
        (format!("filter[{field}"), format!("filter[{field} is not supported")),
    ]
}

/// Asserts that a list, and its short list, refuses this query with this problem.
pub async fn refuse(world: &World, path: &str, query: &str, problem: &str) {
    let list = table::at(path);
    let short = world.document.has_options(path).then(|| format!("{list}/options"));
    for list in [Some(list), short].into_iter().flatten() {
        let answer = world.me.api.get(&format!("{list}?{query}")).await;
        answer.error_with("bad_request", json!([problem]));
    }
}

/// What an entry has of a field: an attribute, or the ids of a relationship.
pub fn values_of(entry: &Value, field: &str) -> Vec<Value> {
    if let Some(value) = entry["attributes"].get(field) {
        return vec![value.clone()];
    }
    let name = field.strip_suffix("_id").unwrap_or(field);
    let relationships = &entry["relationships"];
    match &relationships.get(name).or(relationships.get(format!("{name}s"))).expect("a relationship")["data"] {
        Value::Array(all) => all.iter().map(|one| one["id"].clone()).collect(),
        one => vec![one["id"].clone()],
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn escaped(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}
