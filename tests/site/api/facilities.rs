//! The two catalogues of facilities, and the facilities of properties and room types.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::people::{Person, world};
use crate::property::{PROPERTIES, UNKNOWN_ID, at};
use crate::room_type::{ROOM_TYPES, house, room_type_at};

const OF_PROPERTIES: &str = "/api/v1/property_facilities";
const OF_ROOMS: &str = "/api/v1/room_facilities";

/// A title as it is ordered: without case and accents.
fn folded(title: &str) -> String {
    title.nfd().filter(|c| !is_combining_mark(*c)).collect::<String>().to_lowercase()
}

/// A whole catalogue, as its short list has it.
async fn catalogue(me: &Person, path: &str) -> Vec<Value> {
    match me.api.get(&format!("{path}/options")).await.is(200).data() {
        Value::Array(entries) => entries,
        other => panic!("no list: {other}"),
    }
}

/// Its first facilities: their ids.
async fn some(me: &Person, path: &str) -> Vec<String> {
    let entries = catalogue(me, path).await;
    entries.iter().take(4).map(|entry| entry["id"].as_str().expect("an id").to_owned()).collect()
}

/// The relationship of these facilities of a catalogue, in this order.
async fn relationship(me: &Person, path: &str, ids: &[&String]) -> Value {
    let entries = catalogue(me, path).await;
    let of = |id: &String| {
        let entry = entries.iter().find(|entry| entry["id"] == json!(id)).expect("a facility");
        let attributes = json!({ "id": id, "title": entry["attributes"]["title"] });
        json!({ "id": id, "type": "facility", "attributes": attributes })
    };
    json!({ "data": ids.iter().map(|id| of(id)).collect::<Vec<_>>() })
}

#[actix_web::test]
async fn a_catalogue_has_titles_in_categories_under_ids_of_its_own() {
    let (_server, me) = world().await;
    let mut ids = BTreeSet::new();
    for path in [OF_PROPERTIES, OF_ROOMS] {
        let entries = catalogue(&me, path).await;
        assert!(entries.len() > 10, "{path} has {} entries", entries.len());
        let mut titles = BTreeSet::new();
        for entry in &entries {
            let (id, attributes) = (&entry["id"], &entry["attributes"]);
            let (category, title) = (&attributes["category"], &attributes["title"]);
            let expected = json!({
                "type": "facility", "id": id, "attributes": { "id": id, "category": category, "title": title }
            });
            assert_eq!(*entry, expected);
            let id = id.as_str().expect("an id");
            assert_eq!(id.parse::<uuid::Uuid>().expect("a UUID").to_string(), id);
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
            assert!(category.as_str().is_some_and(|text| !text.trim().is_empty()), "{entry}");
            assert!(title.as_str().is_some_and(|text| !text.trim().is_empty()), "{entry}");
            assert!(titles.insert(title.to_string()), "{title} is there twice");
        }
        let shown: Vec<_> =
            entries.iter().map(|e| folded(e["attributes"]["title"].as_str().expect("a title"))).collect();
        assert!(shown.is_sorted(), "{path} is by title");
    }
}

#[actix_web::test]
async fn an_id_once_given_stays() {
    let (_server, me) = world().await;
    for (path, id, title) in [
        (OF_PROPERTIES, "4ba9a1a1-553d-4c16-9996-e12d71ed5530", "24-hour reception"),
        (OF_PROPERTIES, "0fcb7d53-b331-4967-9d73-a70c35e696a1", "Bar"),
        (OF_ROOMS, "94ce9af0-da87-4488-aa04-6b5bca1304ee", "Air conditioning"),
        (OF_ROOMS, "883b63e2-e1d9-4328-8bde-a41b75aa0aeb", "Window guards"),
    ] {
        let answer = me.api.get(&format!("{path}?filter[id]={id}")).await.is(200);
        assert_eq!(answer.column("title"), [title]);
    }
}

#[actix_web::test]
async fn a_catalogue_is_the_same_for_everybody_on_every_server() {
    let (server, me) = world().await;
    let other = server.person("owner@aurora.example").await;
    let (_elsewhere, stranger) = world().await;
    for path in [OF_PROPERTIES, OF_ROOMS] {
        let mine = catalogue(&me, path).await;
        assert_eq!(catalogue(&other, path).await, mine);
        assert_eq!(catalogue(&stranger, path).await, mine);
        let session = me.browser.get(&format!("{path}/options")).await.is(200);
        assert_eq!(session.data(), Value::Array(mine));
    }
}

#[actix_web::test]
async fn a_catalogue_has_pages_filters_and_orders() {
    let (_server, me) = world().await;
    for path in [OF_PROPERTIES, OF_ROOMS] {
        let all = catalogue(&me, path).await;
        let total = all.len();
        for (query, page, limit, expected) in [
            ("", 1, 10, &all[..10]),
            ("pagination[page]=2&pagination[limit]=5", 2, 5, &all[5..10]),
            ("limit=500", 1, 100, &all[..total.min(100)]),
            ("page=9999", 9999, 10, &[]),
        ] {
            let meta = json!({ "page": page, "limit": limit, "total": total });
            let answer = me.api.get(&format!("{path}?{query}")).await.is(200);
            answer.says(json!({ "data": expected, "meta": meta }));
        }
        let first = &all[0]["attributes"];
        let text = |field: &str| first[field].as_str().expect("a text").to_owned();
        let count = |field: &str| all.iter().filter(|entry| entry["attributes"][field] == first[field]).count();
        for field in ["id", "category", "title"] {
            for (operator, expected) in [("", count(field)), ("[not]", total - count(field))] {
                let value: String = url::form_urlencoded::byte_serialize(text(field).as_bytes()).collect();
                let query = format!("filter[{field}]{operator}={value}");
                let answer = me.api.get(&format!("{path}?{query}&limit=1")).await.is(200);
                assert_eq!(answer.json()["meta"]["total"], expected, "{answer}");
                let short = me.api.get(&format!("{path}/options?{query}&limit=1")).await.is(200);
                assert_eq!(short.column("id").len(), expected, "{short}");
                assert_eq!(short.json().get("meta"), None, "{short}");
            }
            for direction in ["asc", "desc"] {
                let answer = me.api.get(&format!("{path}?order[{field}]={direction}&limit=100")).await.is(200);
                let column = answer.column(field);
                let mut sorted = column.clone();
                sorted.sort_by_key(|text| folded(text));
                if direction == "desc" {
                    sorted.reverse();
                }
                assert_eq!(column, sorted, "{answer}");
            }
        }
        for (query, problem) in [
            ("filter[foo]=x", "filter[foo] is not supported"),
            ("filter[title][like]=x", "filter[title][like] is not supported"),
            ("order[foo]=asc", "order[foo] is not supported"),
            ("order[title]=up", "order[title] is invalid"),
            ("pagination[page]=0", "pagination[page] is invalid"),
        ] {
            let answer = me.api.get(&format!("{path}?{query}")).await;
            answer.error_with("bad_request", json!([problem]));
        }
        let mut ids: Vec<_> = all.iter().map(|entry| entry["id"].as_str().expect("an id")).collect();
        ids.sort();
        let fifth = ids[4].to_uppercase();
        for (operator, id, expected) in [
            ("", "x", 0),
            ("[not]", "x", total),
            ("[gt]", "x", 0),
            ("[lt]", "x", 0),
            ("", &*fifth, 1),
            ("[not]", &fifth, total - 1),
            ("[gt]", &fifth, total - 5),
            ("[gte]", &fifth, total - 4),
            ("[lt]", &fifth, 4),
            ("[lte]", &fifth, 5),
        ] {
            let found = me.api.get(&format!("{path}/options?filter[id]{operator}={id}")).await.is(200);
            assert_eq!(found.column("id").len(), expected, "{found}");
        }
    }
}

#[actix_web::test]
async fn a_catalogue_is_only_read_and_only_by_users() {
    let (server, me) = world().await;
    for path in [OF_PROPERTIES, OF_ROOMS] {
        for path in [path.to_owned(), format!("{path}/options")] {
            server.anonymous().get(&path).await.error("unauthorized");
            for method in ["POST", "PUT", "DELETE", "PATCH"] {
                let call = me.api.call(method.parse().expect("a method"), &path);
                let answer = call.await.error("method_not_allowed");
                assert_eq!(answer.words("allow").iter().filter(|word| *word == "get").count(), 1);
            }
            let get = me.api.get(&path).await.is(200);
            assert_eq!(me.api.get(&format!("{path}/")).await.face(), get.face());
        }
        let id = some(&me, path).await.remove(0);
        me.api.get(&format!("{path}/{id}")).await.error("resource_not_found");
    }
}

#[actix_web::test]
async fn a_property_has_facilities_in_the_order_sent_and_each_once() {
    let (_server, me) = world().await;
    let ids = some(&me, OF_PROPERTIES).await;
    let sent = json!([ids[2], ids[0].to_uppercase(), ids[1], ids[0], ids[2]]);
    let expected = relationship(&me, OF_PROPERTIES, &[&ids[2], &ids[0], &ids[1]]).await;
    let created = me.creates(json!({ "facilities": sent })).await.is(201);
    assert_eq!(created.data()["relationships"]["facilities"], expected);
    let read = me.api.get(&at(&created.id())).await.is(200);
    read.says(json!({ "data": created.data() }));
    let plain = me.creates(json!({ "title": "Pensão Aurora" })).await.is(201);
    assert_eq!(plain.data()["relationships"]["facilities"], json!({ "data": [] }));
    let list = me.api.get(PROPERTIES).await.is(200).data();
    assert_eq!(list, json!([created.data(), plain.data()]));
}

#[actix_web::test]
async fn facilities_of_a_property_are_replaced_as_a_whole() {
    let (_server, me) = world().await;
    let ids = some(&me, OF_PROPERTIES).await;
    let id = me.has(json!({ "facilities": [ids[0], ids[1]] })).await;
    let now = async || me.api.get(&at(&id)).await.is(200).data()["relationships"]["facilities"].clone();
    let both = relationship(&me, OF_PROPERTIES, &[&ids[0], &ids[1]]).await;
    for sent in [json!({}), json!({ "city": "Faro" }), json!({ "facilities": [ids[0], ids[1]] })] {
        let answer = me.updates(&id, sent).await.is(200);
        assert_eq!(answer.data()["relationships"]["facilities"], both, "{answer}");
        assert_eq!(now().await, both);
    }
    for broken in [json!([ids[2], UNKNOWN_ID]), json!([ids[2], "x"]), json!([ids[2], 5]), json!([null])] {
        let answer = me.updates(&id, json!({ "city": "Lagos", "facilities": broken })).await;
        answer.invalid(json!({ "facilities": ["has an invalid entry"] }));
        assert_eq!(now().await, both);
    }
    assert_eq!(me.reads(&id).await["city"], "Faro");
    for order in [&[&ids[3], &ids[0]][..], &[&ids[1], &ids[0]], &[&ids[0], &ids[1], &ids[2], &ids[3]], &[]] {
        me.updates(&id, json!({ "facilities": order })).await.is(200);
        assert_eq!(now().await, relationship(&me, OF_PROPERTIES, order).await);
    }
    me.updates(&id, json!({ "facilities": [ids[0]] })).await.is(200);
    me.updates(&id, json!({ "facilities": null })).await.is(200);
    assert_eq!(now().await, json!({ "data": [] }));
}

#[actix_web::test]
async fn facilities_are_those_of_the_right_catalogue() {
    let house = house().await;
    let (properties, rooms) = (some(&house.me, OF_PROPERTIES).await, some(&house.me, OF_ROOMS).await);
    let wrong = || json!({ "facilities": ["has an invalid entry"] });
    house.me.creates(json!({ "facilities": [rooms[0]] })).await.invalid(wrong());
    house.creates(json!({ "facilities": [properties[0]] })).await.invalid(wrong());
    house.me.updates(&house.property, json!({ "facilities": [properties[0], rooms[0]] })).await.invalid(wrong());
    for entry in [json!(UNKNOWN_ID), json!("x"), json!(""), json!(5), json!(null), json!({})] {
        house.creates(json!({ "facilities": [rooms[0], entry] })).await.invalid(wrong());
    }
    for wrong in [json!("x"), json!(5), json!(true), json!({}), json!(rooms[0])] {
        house.creates(json!({ "facilities": wrong })).await.invalid(json!({ "facilities": ["is invalid"] }));
    }
    assert_eq!(house.finds("").await, Vec::<String>::new());
}

#[actix_web::test]
async fn a_room_type_has_facilities_too() {
    let house = house().await;
    let ids = some(&house.me, OF_ROOMS).await;
    let sent = json!([ids[2], ids[0].to_uppercase(), ids[2]]);
    let created = house.creates(json!({ "facilities": sent })).await.is(201);
    let expected = relationship(&house.me, OF_ROOMS, &[&ids[2], &ids[0]]).await;
    assert_eq!(created.data()["relationships"]["facilities"], expected);
    let id = created.id();
    house.me.api.get(&room_type_at(&id)).await.is(200).says(json!({ "data": created.data() }));
    assert_eq!(house.me.api.get(ROOM_TYPES).await.is(200).data(), json!([created.data()]));
    house.updates(&id, json!({ "title": "Dorm" })).await.is(200);
    let answer = house.updates(&id, json!({ "facilities": [UNKNOWN_ID] })).await;
    answer.invalid(json!({ "facilities": ["has an invalid entry"] }));
    let kept = house.me.api.get(&room_type_at(&id)).await.is(200).data();
    assert_eq!(kept["relationships"]["facilities"], expected);
    for order in [&[&ids[1], &ids[0]][..], &[&ids[0], &ids[1]], &[&ids[3]], &[]] {
        let answer = house.updates(&id, json!({ "facilities": order })).await.is(200);
        let expected = relationship(&house.me, OF_ROOMS, order).await;
        assert_eq!(answer.data()["relationships"]["facilities"], expected);
    }
}

#[actix_web::test]
async fn every_facility_of_the_catalogue_can_be_chosen_at_once() {
    let house = house().await;
    for (path, list) in [(OF_PROPERTIES, PROPERTIES), (OF_ROOMS, ROOM_TYPES)] {
        let ids: Vec<_> = catalogue(&house.me, path).await.iter().map(|entry| entry["id"].clone()).collect();
        let answer = match list {
            PROPERTIES => house.me.creates(json!({ "facilities": ids })).await,
            _ => house.creates(json!({ "facilities": ids })).await,
        };
        let kept = answer.is(201).data()["relationships"]["facilities"]["data"].clone();
        let kept: Vec<_> = kept.as_array().expect("facilities").iter().map(|entry| entry["id"].clone()).collect();
        assert_eq!(kept, ids);
    }
}
