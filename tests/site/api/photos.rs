//! The photos of properties and room types, which come with these in `content.photos`.

use serde_json::{Value, json};

use crate::people::{Person, world};
use crate::property::{UNKNOWN_ID, at, number};
use crate::response::Response;
use crate::room_type::{House, house, room_type_at};

fn url(name: &str) -> String {
    format!("https://cdn.farol.example/{name}.jpg")
}

/// A photo of this name, and nothing else said of it.
fn photo(name: &str) -> Value {
    json!({ "url": url(name) })
}

/// One that stands at this position.
fn photo_at(position: u32, name: &str) -> Value {
    json!({ "url": url(name), "position": position })
}

fn content(photos: Value) -> Value {
    json!({ "content": { "photos": photos } })
}

/// The photos of what was answered.
#[track_caller]
fn photos(answer: &Response) -> Vec<Value> {
    answer.attributes()["content"]["photos"].as_array().unwrap_or_else(|| panic!("photos: {answer}")).clone()
}

/// Names and positions of photos, in their order: `a0 b1`.
fn told(photos: &[Value]) -> String {
    let told = photos.iter().map(|photo| {
        let url = photo["url"].as_str().expect("a url");
        let name = url.trim_start_matches("https://cdn.farol.example/").trim_end_matches(".jpg");
        format!("{name}{}", photo["position"])
    });
    told.collect::<Vec<_>>().join(" ")
}

/// The ids of photos by their order.
fn ids(photos: &[Value]) -> Vec<String> {
    photos.iter().map(|photo| photo["id"].as_str().expect("an id").to_owned()).collect()
}

/// A property with the photos a, b and c.
async fn album() -> (crate::server::Server, Person, String, Vec<String>) {
    let (server, me) = world().await;
    let created = me.creates(content(json!([photo("a"), photo("b"), photo("c")]))).await.is(201);
    let ids = ids(&photos(&created));
    (server, me, created.id(), ids)
}

/// What a property's photos are now.
async fn now(me: &Person, id: &str) -> String {
    told(&photos(&me.api.get(&at(id)).await.is(200)))
}

#[track_caller]
fn refused(answer: Response, message: &str) {
    answer.invalid(json!({ "content": { "photos": [message] } }));
}

#[actix_web::test]
async fn a_url_is_enough_and_the_rest_has_its_defaults() {
    let house = house().await;
    for room in [false, true] {
        let sent = content(json!([photo("a")]));
        let created = if room { house.creates(sent).await } else { house.me.creates(sent).await }.is(201);
        let photos = photos(&created);
        let (property, room_type) = match room {
            true => (house.property.clone(), json!(created.id())),
            false => (created.id(), json!(null)),
        };
        let expected = json!([{
            "id": photos[0]["id"], "url": url("a"), "kind": "photo", "position": 0, "author": null,
            "description": null, "property_id": property, "room_type_id": room_type
        }]);
        assert_eq!(Value::Array(photos.clone()), expected);
        let id = photos[0]["id"].as_str().expect("an id");
        assert_eq!(id.parse::<uuid::Uuid>().expect("a UUID").to_string(), id);
        let path = if room { room_type_at(&created.id()) } else { at(&created.id()) };
        house.me.api.get(&path).await.is(200).says(json!({ "data": created.data() }));
    }
}

#[actix_web::test]
async fn every_field_of_a_photo_is_kept() {
    let (_server, me) = world().await;
    let mut sent = Vec::new();
    for (position, kind) in ["photo", "ad", "menu"].iter().enumerate() {
        sent.push(json!({
            "url": url(kind), "kind": kind, "position": position, "author": " Rita 🌊", "description": "Terrace\n<b>"
        }));
    }
    let created = me.creates(content(json!(sent))).await.is(201);
    for (photo, mut sent) in photos(&created).into_iter().zip(sent) {
        sent["id"] = photo["id"].clone();
        sent["property_id"] = json!(created.id());
        sent["room_type_id"] = json!(null);
        assert_eq!(photo, sent);
    }
    let nothing = json!({ "url": url("a"), "kind": null, "author": null, "description": null });
    let created = me.creates(content(json!([nothing]))).await.is(201);
    assert_eq!(photos(&created)[0]["kind"], "photo");
    assert_eq!(photos(&created)[0]["author"], json!(null));
}

#[actix_web::test]
async fn a_broken_field_of_a_photo_is_told_with_its_position() {
    let (_server, me) = world().await;
    let with = |field: &str, value: Value| {
        let mut broken = photo("b");
        broken[field] = value;
        content(json!([photo("a"), broken]))
    };
    for (field, value, message) in [
        ("url", json!(null), "can't be blank"),
        ("url", json!(""), "can't be blank"),
        ("url", json!("  "), "can't be blank"),
        ("url", json!("x"), "has invalid format"),
        ("url", json!("http://"), "has invalid format"),
        ("url", json!("ftp://farol.example/a.jpg"), "has invalid format"),
        ("url", json!("https://farol .example/"), "has invalid format"),
        ("url", json!(5), "is invalid"),
        ("url", json!([]), "is invalid"),
        ("kind", json!("video"), "is invalid"),
        ("author", json!("é".repeat(256)), "should be at most 255 character(s)"),
        ("description", json!("é".repeat(501)), "should be at most 500 character(s)"),
        ("url", json!(format!("https://farol.example/{}", "a".repeat(2048))), "should be at most 2048 character(s)"),
        ("kind", json!(5), "is invalid"),
        ("position", json!(-1), "must be greater than or equal to 0"),
        ("position", json!(2_147_483_648_i64), "must be less than or equal to 2147483647"),
        ("position", json!("0"), "is invalid"),
        ("position", json!(""), "is invalid"),
        ("position", json!(1.5), "is invalid"),
        ("position", json!(true), "is invalid"),
        ("author", json!(5), "is invalid"),
        ("author", json!({}), "is invalid"),
        ("author", json!("a\0b"), "is invalid"),
        ("description", json!(true), "is invalid"),
        ("description", json!([]), "is invalid"),
    ] {
        refused(me.creates(with(field, value)).await, &format!("1.{field} {message}"));
    }
    for empty in [json!({}), json!([])] {
        refused(me.creates(content(json!([empty]))).await, "0.url can't be blank");
    }
    let answer = me.creates(with("position", number("1e400"))).await;
    answer.invalid_at("/content/photos", "1.position ");
    for entry in [json!("x"), json!(5), json!(null), json!([5])] {
        me.creates(content(json!([entry]))).await.invalid_at("/content/photos", "");
    }
    for wrong in [json!("x"), json!(5), json!(true), json!({})] {
        refused(me.creates(content(wrong)).await, "is invalid");
    }
    assert_eq!(me.finds("").await, Vec::<String>::new());
    let answer =
        me.creates(json!({ "city": 5, "content": { "description": 5, "photos": [{ "url": "x" }, {}] } })).await;
    answer.invalid(json!({
        "city": ["is invalid"],
        "content": {
            "description": ["is invalid"], "photos": ["0.url has invalid format", "1.url can't be blank"]
        }
    }));
}

#[actix_web::test]
async fn photos_are_shown_by_position_and_stand_at_the_next_one_by_default() {
    let (_server, me) = world().await;
    for (sent, expected) in [
        (json!([photo("a"), photo("b"), photo("c")]), "a0 b1 c2"),
        (json!([photo_at(2, "a"), photo_at(0, "b"), photo_at(1, "c")]), "b0 c1 a2"),
        (json!([photo_at(7, "a"), photo_at(3, "b")]), "b3 a7"),
        (json!([photo_at(2_147_483_647, "a"), photo_at(10, "b"), photo_at(9, "c")]), "c9 b10 a2147483647"),
    ] {
        let created = me.creates(content(sent)).await.is(201);
        assert_eq!(told(&photos(&created)), expected);
        assert_eq!(now(&me, &created.id()).await, expected);
    }
    let id = me.has(content(json!([photo("a")]))).await;
    me.updates(&id, content(json!([photo("b"), photo("c")]))).await.is(200);
    assert_eq!(now(&me, &id).await, "a0 b1 c2");
    // Where the highest number is taken, whatever comes of one more is no fault.
    let full = content(json!([photo_at(2_147_483_647, "a"), photo("b")]));
    let answer = me.creates(full).await;
    assert!([201, 422].contains(&answer.status), "{answer}");
}

#[actix_web::test]
async fn a_position_is_taken_once_when_all_entries_have_been_applied() {
    let (_server, me, id, photos) = album().await;
    let [a, b, c] = &photos[..] else { panic!("three photos") };
    let taken = |answer: Response| {
        let details = answer.json()["errors"]["details"].clone();
        let message = details["content"]["photos"][0].as_str().unwrap_or_default().to_owned();
        assert!(message.ends_with("position has already been taken"), "{answer}");
    };
    for sent in [
        json!([photo_at(0, "d")]),
        json!([photo_at(5, "d"), photo_at(5, "e")]),
        json!([{ "id": a, "position": 1 }]),
        json!([{ "id": a, "position": 1 }, { "id": b, "position": 2 }]),
        json!([{ "id": a, "position": 9 }, { "id": b, "position": 9 }]),
        json!([{ "id": a, "is_removed": true }, { "id": b, "position": 2 }]),
    ] {
        taken(me.updates(&id, content(sent)).await.is(422));
        assert_eq!(now(&me, &id).await, "a0 b1 c2");
    }
    taken(me.creates(content(json!([photo_at(5, "a"), photo_at(5, "b")]))).await.is(422));
    for (sent, expected) in [
        (json!([{ "id": a, "position": 1 }, { "id": b, "position": 0 }]), "b0 a1 c2"),
        (json!([{ "id": c, "position": 0 }, { "id": b, "position": 1 }, { "id": a, "position": 2 }]), "c0 b1 a2"),
        (json!([{ "id": c, "is_removed": true }, photo_at(0, "d")]), "d0 b1 a2"),
        (json!([photo_at(1, "e"), { "id": b, "is_removed": true }]), "d0 e1 a2"),
        (json!([{ "id": a, "position": 8 }, photo_at(2, "f")]), "d0 e1 f2 a8"),
    ] {
        me.updates(&id, content(sent)).await.is(200);
        assert_eq!(now(&me, &id).await, expected);
    }
}

#[actix_web::test]
async fn photos_not_mentioned_stay() {
    let (_server, me, id, _) = album().await;
    let before = me.reads(&id).await;
    for sent in [
        json!({}),
        json!({ "content": {} }),
        content(json!([])),
        json!({ "content": { "description": null } }),
        // What was read can be sent back as it is.
        before.clone(),
    ] {
        assert_eq!(me.updates(&id, sent).await.is(200).attributes(), before);
        assert_eq!(me.reads(&id).await, before);
    }
}

#[actix_web::test]
async fn a_photo_changes_field_by_field() {
    let (_server, me, id, photos_of) = album().await;
    let b = &photos_of[1];
    let mut expected = photos(&me.api.get(&at(&id)).await);
    for (field, sent, kept) in [
        ("url", json!(url("d")), json!(url("d"))),
        ("kind", json!("menu"), json!("menu")),
        ("kind", json!(null), json!("photo")),
        ("author", json!("Rita"), json!("Rita")),
        ("author", json!(null), json!(null)),
        ("description", json!("Terrace"), json!("Terrace")),
        ("description", json!(""), json!("")),
        ("description", json!(null), json!(null)),
        ("position", json!(1), json!(1)),
        ("is_removed", json!(false), Value::Null),
        ("property_id", json!(UNKNOWN_ID), json!(id)),
        ("room_type_id", json!(UNKNOWN_ID), json!(null)),
        ("unknown", json!(5), Value::Null),
    ] {
        let answer = me.updates(&id, content(json!([{ "id": b, field: sent }]))).await.is(200);
        if expected[1].get(field).is_some() {
            expected[1][field] = kept;
        }
        assert_eq!(photos(&answer), expected, "{field}");
    }
    let upper = content(json!([{ "id": b.to_uppercase(), "url": url("e") }]));
    assert_eq!(told(&photos(&me.updates(&id, upper).await.is(200))), "a0 e1 c2");
    for (broken, message) in [
        (json!({ "id": b, "url": null }), "1.url can't be blank"),
        (json!({ "id": b, "url": "x" }), "1.url has invalid format"),
        (json!({ "id": b, "position": -1 }), "1.position must be greater than or equal to 0"),
        (json!({ "id": b, "is_removed": "x" }), "1.is_removed is invalid"),
    ] {
        let sent = json!({ "city": "Lagos", "content": { "photos": [photo("d"), broken] } });
        refused(me.updates(&id, sent).await, message);
        assert_eq!((now(&me, &id).await, &me.reads(&id).await["city"]), ("a0 e1 c2".into(), &json!(null)));
    }
}

#[actix_web::test]
async fn a_removed_photo_is_gone() {
    let (_server, me, id, photos_of) = album().await;
    let removed = |id: &str| content(json!([{ "id": id, "is_removed": true }]));
    let answer = me.updates(&id, removed(&photos_of[1])).await.is(200);
    assert_eq!(told(&photos(&answer)), "a0 c2");
    refused(me.updates(&id, removed(&photos_of[1])).await, "has an invalid entry");
    let update = content(json!([{ "id": photos_of[1], "description": "x" }]));
    refused(me.updates(&id, update).await, "has an invalid entry");
    // What else is said of a photo that goes does not matter.
    let both = content(json!([
        { "id": photos_of[0], "is_removed": true, "position": 2 }, { "id": photos_of[2], "is_removed": true }
    ]));
    assert_eq!(photos(&me.updates(&id, both).await.is(200)), Vec::<Value>::new());
    me.updates(&id, content(json!([photo("d")]))).await.is(200);
    assert_eq!(now(&me, &id).await, "d0");
}

/// Two properties and two room types with a photo each: the parent, whether that is a room type, and the photo.
async fn everywhere(house: &House) -> Vec<(String, bool, String)> {
    let mut places = Vec::new();
    let second = house.me.has(json!({})).await;
    for name in ["a", "b"] {
        let created = house.me.creates(content(json!([photo(name)]))).await.is(201);
        places.push((created.id(), false, ids(&photos(&created)).remove(0)));
    }
    for property in [&house.property, &second] {
        let mut fields = content(json!([photo("c")]));
        fields["property_id"] = json!(property);
        let created = house.creates(fields).await.is(201);
        places.push((created.id(), true, ids(&photos(&created)).remove(0)));
    }
    places
}

#[actix_web::test]
async fn a_photo_of_another_parent_cannot_be_reached() {
    let house = house().await;
    let other = house.server.person("owner@aurora.example").await;
    let theirs = other.creates(content(json!([photo("t")]))).await.is(201);
    let their_photo = ids(&photos(&theirs)).remove(0);
    let places = everywhere(&house).await;
    let mut foreign: Vec<Value> = places.iter().map(|(_, _, photo)| json!(photo)).collect();
    foreign.extend([json!(their_photo), json!(UNKNOWN_ID), json!("x"), json!(5)]);
    for (id, is_room, own) in &places {
        for foreign in foreign.iter().filter(|photo| **photo != json!(own)) {
            for change in [json!({ "description": "x" }), json!({ "is_removed": true }), json!({ "url": url("x") })] {
                let mut entry = change;
                entry["id"] = foreign.clone();
                let sent = content(json!([{ "id": own, "description": "y" }, entry]));
                let answer = if *is_room { house.updates(id, sent).await } else { house.me.updates(id, sent).await };
                if foreign.as_str().is_some_and(|text| text.parse::<uuid::Uuid>().is_ok()) {
                    refused(answer, "has an invalid entry");
                } else {
                    answer.invalid_at("/content/photos", "");
                }
            }
        }
        let path = if *is_room { room_type_at(id) } else { at(id) };
        let untouched = photos(&house.me.api.get(&path).await.is(200));
        assert_eq!((untouched.len(), &untouched[0]["description"]), (1, &json!(null)));
    }
    let entry = json!({ "id": places[0].2, "url": url("x") });
    refused(house.me.creates(content(json!([entry]))).await, "has an invalid entry");
    refused(house.creates(content(json!([entry]))).await, "has an invalid entry");
    assert_eq!(photos(&other.api.get(&at(&theirs.id())).await.is(200)), photos(&theirs));
}

#[actix_web::test]
async fn a_room_type_has_photos_of_its_own() {
    let house = house().await;
    house.me.updates(&house.property, content(json!([photo("p"), photo("q")]))).await.is(200);
    let created = house.creates(content(json!([photo("a"), photo("b")]))).await.is(201);
    let id = created.id();
    let of_room = photos(&created);
    assert_eq!(told(&of_room), "a0 b1");
    assert_eq!(now(&house.me, &house.property).await, "p0 q1");
    let [a, b] = &ids(&of_room)[..] else { panic!("two photos") };
    let answer = house.updates(&id, content(json!([{ "id": a, "position": 1 }, { "id": b, "position": 0 }]))).await;
    assert_eq!(told(&photos(&answer.is(200))), "b0 a1");
    let answer = house.updates(&id, content(json!([{ "id": b, "is_removed": true }, photo("c")]))).await.is(200);
    assert_eq!(told(&photos(&answer)), "a1 c2");
    assert_eq!(house.reads(&id).await, answer.attributes());
    let second = house.creates(content(json!([photo_at(1, "z")]))).await.is(201);
    assert_eq!(told(&photos(&second)), "z1");
    house.me.api.delete(&room_type_at(&id)).await.is(200);
    assert_eq!(now(&house.me, &house.property).await, "p0 q1");
}

#[actix_web::test]
async fn a_photo_named_twice_in_one_batch_is_no_fault() {
    let (_server, me, id, photos) = album().await;
    let a = &photos[0];
    for sent in [
        json!([{ "id": a, "description": "x" }, { "id": a, "description": "y" }]),
        json!([{ "id": a, "position": 5 }, { "id": a, "position": 0 }]),
        json!([{ "id": a, "description": "x" }, { "id": a, "is_removed": true }]),
        json!([{ "id": a, "is_removed": true }, { "id": a, "is_removed": true }]),
    ] {
        let answer = me.updates(&id, content(sent)).await;
        assert!([200, 422].contains(&answer.status), "{answer}");
    }
}

#[actix_web::test]
async fn photos_added_at_once_all_get_a_place() {
    let (_server, me) = world().await;
    let id = me.has(json!({})).await;
    let running: Vec<_> = (0..8)
        .map(|number| {
            let sent = json!({ "property": content(json!([photo(&number.to_string())])) });
            let call = me.api.put(&at(&id), &sent);
            actix_web::rt::spawn(async move { call.await })
        })
        .collect();
    for answer in running {
        answer.await.unwrap().is(200);
    }
    let positions: Vec<_> = photos(&me.api.get(&at(&id)).await).iter().map(|photo| photo["position"].clone()).collect();
    assert_eq!(positions, [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[actix_web::test]
async fn a_property_has_at_most_a_hundred_photos_over_all_batches() {
    let (_server, me) = world().await;
    let photos =
        |count: usize| json!({ "content": { "photos": vec![json!({ "url": "https://farol.example/1.jpg" }); count] } });
    refused(me.creates(photos(101)).await, "should have at most 100 item(s)");
    let id = me.has(photos(99)).await;
    me.updates(&id, photos(1)).await.is(200);
    refused(me.updates(&id, photos(1)).await, "should have at most 100 item(s)");
    me.updates(&id, json!({ "city": "Faro" })).await.is(200);
}

#[actix_web::test]
async fn a_batch_names_a_photo_once() {
    let (_server, me, id, photos_of) = album().await;
    let [a, b] = [&photos_of[0], &photos_of[1]];
    let twice = |first: Value, second: Value| content(json!([first, { "id": b, "author": "x" }, second]));
    for (first, second) in [
        (json!({ "id": a, "author": "x" }), json!({ "id": a.to_uppercase(), "author": "y" })),
        (json!({ "id": a, "is_removed": true }), json!({ "id": a, "author": "y" })),
        (json!({ "id": a, "author": "y" }), json!({ "id": a, "is_removed": true })),
    ] {
        refused(me.updates(&id, twice(first, second)).await, "2.id is invalid");
    }
    assert_eq!(now(&me, &id).await, "a0 b1 c2");
    let new = json!([{ "id": "", "url": url("d") }, { "id": null, "url": url("e"), "kind": "" }]);
    assert_eq!(told(&photos(&me.updates(&id, content(new)).await.is(200))), "a0 b1 c2 d3 e4");
}
