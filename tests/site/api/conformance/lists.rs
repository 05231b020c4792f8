//! Pages and orders of every list (docs/contract/README.md, sections 6 and 7).

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::document::Document;
use super::exceptions::Findings;
use super::filters::refuse;
use super::samples::{Kind, kind};
use super::table::{self, COLLECTIONS, Collection, List, Pages, lists};
use super::{World, ids};
use crate::property::UNKNOWN_ID;

/// Titles, of which some are equal but for case and accents, and some altogether.
const TITLES: [&str; 8] = ["Zoo", "äpfel", "Apple", "apple", "Éclair", "eclair 2", "10 Downs", "Apple"];

/// Fills every collection: for each of these fields two resources that differ in it, and some more, also in another
/// property.
pub async fn population(world: &mut World, findings: &mut Findings, taken: fn(&Document, &str) -> Vec<String>) {
    for collection in COLLECTIONS {
        let fields = world.document.create(collection).fields;
        let titled = fields.contains_key("title");
        let title = |number: usize| match (titled, collection.unique) {
            (false, _) => json!({}),
            (true, None) => json!({ "title": TITLES[number % TITLES.len()] }),
            (true, Some(_)) => json!({ "title": format!("{} {number}", TITLES[number % TITLES.len()]) }),
        };
        for number in 0..4 {
            let made = world.makes(collection, title(number)).await;
            if titled && number == 0 {
                world.updates(collection, &made, json!({ "title": "Bär" })).await.is(200);
            }
        }
        let taken = taken(&world.document, collection.path);
        let names = fields.iter().filter(|(name, _)| taken.contains(name) && *name != "title");
        for (place, (name, schema)) in names.enumerate() {
            for number in 0..2 {
                let Some(value) = world.samples(collection).value(name, schema, number) else { continue };
                let mut more = title(4 + 2 * place + number);
                more[name] = value;
                let answer = world.creates(collection, more).await;
                if answer.status != 201 && collection.unique.is_none_or(|(unique, _)| unique != name) {
                    findings.answer(collection.field(name), &answer);
                }
            }
        }
    }
    let here = std::mem::replace(&mut world.place, super::Place::new(&world.me.api, &world.document).await);
    for collection in COLLECTIONS {
        world.makes(collection, json!({})).await;
    }
    world.place = here;
}

#[actix_web::test]
async fn a_list_has_pages() {
    let world = World::new().await;
    let mut findings = Findings::new("pages");
    for collection in COLLECTIONS {
        for _ in 0..12 {
            world.makes(collection, json!({})).await;
        }
    }
    for (path, List { pages, .. }) in lists() {
        let list = table::at(path);
        let api = &world.me.api;
        let whole = world.whole(&list, "").await;
        let all = ids(&whole);
        let mut cases = vec![
            ("pagination[page]=2".to_owned(), 2, 10),
            ("pagination[page]=2&pagination[limit]=5".to_owned(), 2, 5),
            ("pagination[limit]=101".to_owned(), 1, 100),
            ("page=3&limit=4".to_owned(), 3, 4),
            ("limit=100&page=999".to_owned(), 999, 100),
            ("page=2147483647".to_owned(), 2_147_483_647, 10),
        ];
        if pages == Pages::First {
            cases.push((String::new(), 1, 10));
        }
        for (query, page, limit) in cases {
            let answer = api.get(&format!("{list}?{query}")).await.is(200);
            let expected: Vec<_> = all.iter().skip((page - 1) * limit).take(limit).copied().collect();
            findings.equal(path, &query, answer.column("id").len(), expected.len());
            findings.equal(path, &query, ids(answer.data().as_array().expect("a list")), expected);
            let meta = json!({ "page": page, "limit": limit, "total": all.len() });
            findings.equal(path, &query, answer.json()["meta"].clone(), meta);
        }
        // Many are equal in this field, and none is on two pages.
        let query = format!("order[{}]=desc", world.document.orders(path)[2]);
        let (sorted, mut seen) = (world.whole(&list, &query).await, Vec::new());
        for page in 1..=sorted.len().div_ceil(5) {
            seen.extend(api.get(&format!("{list}?{query}&limit=5&page={page}")).await.is(200).column("id"));
        }
        findings.equal(path, &query, seen.iter().map(String::as_str).collect(), ids(&sorted));
        let nothing = format!("filter[{}]={UNKNOWN_ID}", world.document.filters(path)[0]);
        let answer = api.get(&format!("{list}?{nothing}&page=3")).await.is(200).json();
        let meta = json!({ "page": 3, "limit": 10, "total": 0 });
        findings.equal(path, &nothing, answer, json!({ "data": [], "meta": meta }));
        if pages != Pages::First {
            let answer = api.get(&list).await.is(200).json();
            let meta = (pages == Pages::WholeWithMeta).then(|| json!({}));
            findings.equal(path, "meta of the whole", answer.get("meta"), meta.as_ref());
            findings.equal(path, "the whole", ids(answer["data"].as_array().expect("a list")), all.clone());
        }
        for name in ["page", "limit"] {
            for value in ["0", "-1", "x", "1.5", "", "2147483648"] {
                for argument in [name.to_owned(), format!("pagination[{name}]")] {
                    let answer = api.get(&format!("{list}?{argument}={value}")).await;
                    answer.error_with("bad_request", json!([format!("pagination[{name}] is invalid")]));
                }
            }
        }
        if world.document.has_options(path) {
            let options = format!("{list}/options");
            api.get(&format!("{options}?{nothing}")).await.is(200).says(json!({ "data": [] }));
            let answer = api.get(&format!("{options}?pagination[limit]=1&page=2")).await.is(200);
            findings.equal(path, "options", ids(answer.data().as_array().expect("a list")), all);
            findings.equal(path, "meta of the options", answer.json().get("meta"), None);
        }
    }
    findings.none();
}

#[actix_web::test]
async fn a_list_can_be_ordered_by_every_scalar_attribute() {
    let mut world = World::new().await;
    let mut findings = Findings::new("orders");
    population(&mut world, &mut findings, Document::orders).await;
    for (path, List { order, .. }) in lists() {
        let list = table::at(path);
        let collection = COLLECTIONS.iter().find(|collection| collection.path == path);
        let entries = world.whole(&list, "order[id]=asc").await;
        let mut cases = vec![(String::new(), vec![(order, false)])];
        let names = world.document.orders(path);
        for name in &names {
            cases.push((format!("order[{name}]=asc"), vec![(name, false)]));
            cases.push((format!("order[{name}]=desc"), vec![(name, true)]));
        }
        // They apply in the order written; of the same, the last counts.
        let (first, second) = (&names[names.len() - 2], &names[2]);
        let query = format!("order[{first}]=asc&order[{second}]=desc&order[{first}]=desc");
        cases.push((query, vec![(second, true), (first, true)]));
        for (query, orders) in cases {
            let of = format!("{path}.{}", orders[0].0);
            let sorted = sorted(&world, collection, &entries, &orders);
            let found = world.whole(&list, &query).await;
            findings.equal(&of, &query, ids(&found), sorted.clone());
            if orders.len() > 1 && world.document.has_options(path) {
                let found = world.me.api.get(&format!("{list}/options?{query}")).await.is(200).data();
                findings.equal(&of, format!("options?{query}"), ids(found.as_array().expect("a list")), sorted);
            }
        }
        let attributes = entries[0]["attributes"].as_object().expect("attributes");
        let orders = world.document.orders(path);
        for name in attributes.keys().filter(|name| !orders.contains(name)) {
            let of_all = || entries.iter().map(|entry| &entry["attributes"][name]).filter(|value| !value.is_null());
            let is_scalar = of_all().next().is_some() && !of_all().any(|value| value.is_array() || value.is_object());
            findings.equal(format!("{path}.{name}"), "is scalar, and no order", is_scalar, false);
        }
        for name in attributes.keys().filter(|name| !orders.contains(name)).chain([&"foo".to_owned()]) {
            refuse(&world, path, &format!("order[{name}]=asc"), &format!("order[{name}] is not supported")).await;
        }
        for direction in ["up", "", "ASC"] {
            refuse(&world, path, &format!("order[id]={direction}"), "order[id] is invalid").await;
        }
    }
    findings.none();
}

/// The ids of entries in this order, equal ones by id.
fn sorted<'a>(
    world: &World,
    collection: Option<&Collection>,
    entries: &'a [Value],
    orders: &[(&str, bool)],
) -> Vec<&'a str> {
    let mut entries: Vec<&Value> = entries.iter().collect();
    let key = |entry: &Value, name: &str| match name {
        // Ids begin with the time.
        "inserted_at" => Key::Text(entry["id"].as_str().expect("an id").to_owned()),
        _ => {
            let schema = collection.and_then(|collection| world.document.create(collection).fields.get(name));
            Key::of(&entry["attributes"][name], name, schema.map(kind))
        }
    };
    entries.sort_by(|a, b| {
        let compared = orders.iter().map(|(name, is_descending)| {
            let compared = key(a, name).partial_cmp(&key(b, name)).expect("comparable");
            if *is_descending { compared.reverse() } else { compared }
        });
        let ids = a["id"].as_str().cmp(&b["id"].as_str());
        compared.fold(Ordering::Equal, Ordering::then).then(ids)
    });
    entries.into_iter().map(|entry| entry["id"].as_str().expect("an id")).collect()
}

/// A value as lists compare it; null comes last.
#[derive(PartialEq, PartialOrd)]
enum Key {
    Boolean(bool),
    Number(f64),
    Text(String),
    Null,
}

impl Key {
    fn of(value: &Value, name: &str, kind: Option<Kind>) -> Self {
        match (value, kind) {
            (Value::String(text), Some(Kind::Money | Kind::Decimal)) => Key::Number(text.parse().expect("a number")),
            (Value::String(text), _) if name == "title" => Key::Text(folded(text)),
            (Value::String(text), _) => Key::Text(text.clone()),
            (Value::Number(number), _) => Key::Number(number.as_f64().expect("a number")),
            (Value::Bool(value), _) => Key::Boolean(*value),
            (Value::Null, _) => Key::Null,
            (other, _) => panic!("no scalar: {other}"),
        }
    }
}

/// A title without case and accents.
fn folded(title: &str) -> String {
    title.to_lowercase().replace(['à', 'ä'], "a").replace('é', "e")
}
