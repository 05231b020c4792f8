//! Creating a room type: what it becomes, and what is refused as a whole.

use serde_json::json;

use crate::property::UNKNOWN_ID;
use crate::room_type::{ROOM_TYPES, house, room_type_at, room_type_body};

#[actix_web::test]
async fn six_fields_are_enough_and_the_rest_has_its_defaults() {
    let house = house().await;
    let answer = house.creates(json!({})).await.is(201);
    let id = answer.id();
    let expected = json!({ "data": {
        "type": "room_type",
        "id": id,
        "attributes": {
            "id": id, "title": "Sea view double",
            "occ_adults": 2, "occ_children": 1, "occ_infants": 1,
            "default_occupancy": 2, "count_of_rooms": 6,
            "room_kind": "room", "capacity": null,
            "content": { "description": null, "photos": [] }
        },
        "relationships": {
            "facilities": { "data": [] },
            "property": { "data": { "type": "property", "id": house.property } }
        }
    } });
    let answer = answer.says(expected.clone());
    if let Some(location) = answer.header("location") {
        assert!(location.ends_with(&room_type_at(&id)), "{answer}");
    }
    house.me.api.get(&room_type_at(&id)).await.is(200).says(expected);
}

#[actix_web::test]
async fn every_field_is_kept_together() {
    let house = house().await;
    let fields = json!({
        "title": "Dormitório Norte", "count_of_rooms": 3, "occ_adults": 8, "occ_children": 2, "occ_infants": 0,
        "default_occupancy": 6, "room_kind": "dorm", "capacity": 8,
        "content": { "description": "Eight beds\nunder the roof", "photos": [] }
    });
    let mut sent = fields.clone();
    sent["facilities"] = json!([]);
    let created = house.creates(sent).await.is(201);
    let mut expected = fields;
    expected["id"] = json!(created.id());
    assert_eq!(created.attributes(), expected);
    assert_eq!(house.reads(&created.id()).await, expected);
}

#[actix_web::test]
async fn all_broken_fields_are_told_at_once_and_nothing_is_kept() {
    let house = house().await;
    let answer = house.me.api.post(ROOM_TYPES, &json!({ "room_type": {} })).await;
    answer.invalid(json!({
        "property_id": ["can't be blank"], "title": ["can't be blank"], "count_of_rooms": ["can't be blank"],
        "occ_adults": ["can't be blank"], "occ_children": ["can't be blank"], "occ_infants": ["can't be blank"]
    }));
    let answer = house
        .creates(json!({
            "property_id": UNKNOWN_ID, "title": "a".repeat(256), "count_of_rooms": 0, "occ_adults": 2,
            "occ_children": -1, "occ_infants": "1", "default_occupancy": 3, "facilities": [UNKNOWN_ID],
            "room_kind": "suite", "capacity": 0, "content": { "description": 5, "photos": {} }
        }))
        .await;
    answer.invalid(json!({
        "property_id": ["does not exist"], "title": ["should be at most 255 character(s)"],
        "count_of_rooms": ["must be greater than 0"], "occ_children": ["must be greater than or equal to 0"],
        "occ_infants": ["is invalid"], "default_occupancy": ["must be less than or equal to 2"],
        "facilities": ["has an invalid entry"], "room_kind": ["is invalid"], "capacity": ["must be greater than 0"],
        "content": { "description": ["is invalid"], "photos": ["is invalid"] }
    }));
    assert_eq!(house.finds("").await, Vec::<String>::new());
}

#[actix_web::test]
async fn two_room_types_of_a_property_may_have_the_same_title() {
    let house = house().await;
    assert_ne!(house.has(json!({})).await, house.has(json!({})).await);
    assert_eq!(house.finds("").await, ["Sea view double", "Sea view double"]);
}

#[actix_web::test]
async fn a_room_type_is_made_in_an_inactive_property_too() {
    let house = house().await;
    house.me.updates(&house.property, json!({ "is_active": false })).await.is(200);
    house.has(json!({})).await;
}

#[actix_web::test]
async fn many_room_types_created_at_once_are_all_there() {
    let house = house().await;
    let running: Vec<_> = (0..20)
        .map(|number| {
            let body = room_type_body(&house.property, json!({ "title": format!("Room {number:02}") }));
            let call = house.me.api.post(ROOM_TYPES, &body);
            actix_web::rt::spawn(async move { call.await })
        })
        .collect();
    for answer in running {
        answer.await.unwrap().is(201);
    }
    let expected: Vec<_> = (0..20).map(|number| format!("Room {number:02}")).collect();
    assert_eq!(house.finds("limit=100").await, expected);
}
