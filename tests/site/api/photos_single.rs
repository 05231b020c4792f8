//! Photos as a collection, beyond what every collection does (`conformance/`): positions, parents, and what their
//! parents show of them.

use serde_json::{Value, json};

use crate::property::at;
use crate::room_type::{House, house, room_type_at};

const PHOTOS: &str = "/api/v1/photos";

async fn add(house: &House, fields: Value) -> crate::response::Response {
    let mut photo = json!({ "property_id": house.property, "url": "https://farol.example/terrace.jpg" });
    photo.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    house.me.api.post(PHOTOS, &json!({ "photo": photo })).await
}

fn photo_at(id: &str) -> String {
    format!("{PHOTOS}/{id}")
}

#[actix_web::test]
async fn a_position_is_taken_once_by_the_photos_of_one_parent() {
    let house = house().await;
    let room_type = house.has(json!({})).await;
    let api = &house.me.api;
    assert_eq!(api.get(PHOTOS).await.is(200).json(), json!({ "data": [], "meta": {} }));
    let first = add(&house, json!({})).await.is(201).data();
    assert_eq!((&first["attributes"]["position"], first.get("relationships")), (&json!(0), None));
    let second = add(&house, json!({ "position": null })).await.is(201).data();
    assert_eq!(second["attributes"]["position"], 1);
    let of_room = add(&house, json!({ "room_type_id": room_type, "position": 0, "kind": "menu" })).await.is(201).data();
    assert_eq!(of_room["attributes"]["room_type_id"], *room_type);
    let taken = json!({ "position": ["has already been taken"] });
    add(&house, json!({ "position": 1 })).await.error_with("validation_error", taken.clone());
    let id = first["id"].as_str().unwrap();
    api.put(&photo_at(id), &json!({ "photo": { "position": 1 } })).await.error_with("validation_error", taken.clone());
    let moved = json!({ "photo": { "room_type_id": room_type } });
    api.put(&photo_at(id), &moved).await.error_with("validation_error", taken);
    let listed = api.get(&format!("{PHOTOS}?filter[room_type_id]=")).await.is(200).data();
    assert_eq!(listed, json!([first, second]));
    let page = api.get(&format!("{PHOTOS}?filter[kind]=menu&pagination[limit]=1")).await.is(200).json();
    assert_eq!(page, json!({ "data": [of_room], "meta": { "page": 1, "limit": 1, "total": 1 } }));
}

#[actix_web::test]
async fn properties_and_room_types_show_each_change_of_their_photos() {
    let house = house().await;
    let room_type = house.has(json!({})).await;
    let api = &house.me.api;
    let shown = async |path: String| api.get(&path).await.is(200).attributes()["content"]["photos"].clone();
    assert_eq!((shown(at(&house.property)).await, shown(room_type_at(&room_type)).await), (json!([]), json!([])));
    let photo = add(&house, json!({ "author": "Rita" })).await.is(201).data();
    let id = photo["id"].as_str().unwrap();
    assert_eq!(shown(at(&house.property)).await, json!([photo["attributes"]]));
    let moved = json!({ "photo": { "room_type_id": room_type, "author": null } });
    let moved = api.put(&photo_at(id), &moved).await.is(200).data();
    assert_eq!(moved["attributes"]["author"], Value::Null);
    assert_eq!(shown(at(&house.property)).await, json!([]));
    assert_eq!(shown(room_type_at(&room_type)).await, json!([moved["attributes"]]));
    let batch = json!({ "content": { "photos": [{ "id": id, "author": "Ana" }] } });
    house.updates(&room_type, batch).await.is(200);
    assert_eq!(api.get(&photo_at(id)).await.is(200).attributes()["author"], "Ana");
    api.delete(&photo_at(id)).await.is(200);
    assert_eq!(shown(room_type_at(&room_type)).await, json!([]));
}

#[actix_web::test]
async fn a_photo_belongs_to_a_room_type_of_its_property_and_a_parent_has_a_hundred() {
    let house = house().await;
    let second = house.me.has(json!({ "title": "Pensão Aurora" })).await;
    let elsewhere = house.has(json!({ "property_id": second })).await;
    for room_type in [&*elsewhere, crate::property::UNKNOWN_ID] {
        let refused = add(&house, json!({ "room_type_id": room_type })).await;
        refused.error_with("validation_error", json!({ "room_type_id": ["does not exist"] }));
    }
    let hundred: Vec<Value> = (0..100).map(|n| json!({ "url": format!("https://farol.example/{n}.jpg") })).collect();
    house.me.updates(&house.property, json!({ "content": { "photos": hundred } })).await.is(200);
    let details = json!(["the property has 100 photos, the most there may be"]);
    add(&house, json!({})).await.error_with("forbidden", details);
    let room_type = house.has(json!({})).await;
    add(&house, json!({ "room_type_id": room_type })).await.is(201);
}

#[actix_web::test]
async fn a_refusal_does_not_tell_which_positions_are_taken_at_others() {
    let house = house().await;
    let room_type = house.has(json!({})).await;
    add(&house, json!({ "position": 7 })).await.is(201);
    add(&house, json!({ "position": 7, "room_type_id": room_type })).await.is(201);
    let other = house.server.person("owner@aurora.example").await;
    let own = other.has(json!({ "title": "Pensão Aurora" })).await;
    for (property, field) in [(&house.property, "property_id"), (&own, "room_type_id")] {
        let photo = json!({
            "property_id": property, "room_type_id": room_type, "url": "https://aurora.example/1.jpg", "position": 7
        });
        let refused = other.api.post(PHOTOS, &json!({ "photo": photo })).await;
        refused.error_with("validation_error", json!({ field: ["does not exist"] }));
    }
}
