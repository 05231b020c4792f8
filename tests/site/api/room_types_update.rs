//! Updating a room type: what is named changes, everything else stays.

use serde_json::json;

use crate::property::UNKNOWN_ID;
use crate::room_type::{House, house, room_type_at};

/// A room type in which every field has a value that is not the default.
async fn furnished() -> (House, String) {
    let house = house().await;
    let id = house
        .has(json!({
            "title": "Dormitório Norte", "count_of_rooms": 3, "occ_adults": 8, "occ_children": 2, "occ_infants": 3,
            "default_occupancy": 6, "room_kind": "dorm", "capacity": 8, "content": { "description": "Eight beds" }
        }))
        .await;
    (house, id)
}

#[actix_web::test]
async fn a_field_changes_alone() {
    let (house, id) = furnished().await;
    let mut expected = house.me.api.get(&room_type_at(&id)).await.is(200).json();
    for (field, sent, kept) in [
        ("title", json!(" Dorm "), json!("Dorm")),
        ("count_of_rooms", json!(4), json!(4)),
        ("occ_adults", json!(10), json!(10)),
        ("occ_adults", json!(6), json!(6)),
        ("occ_children", json!(0), json!(0)),
        ("occ_infants", json!(1), json!(1)),
        ("default_occupancy", json!(5), json!(5)),
        ("default_occupancy", json!(null), json!(6)),
        ("capacity", json!(9), json!(9)),
        ("capacity", json!(null), json!(null)),
        ("content", json!({ "description": "Nine beds" }), json!({ "description": "Nine beds", "photos": [] })),
        ("content", json!({ "description": null }), json!({ "description": null, "photos": [] })),
        ("content", json!({ "description": "" }), json!({ "description": "", "photos": [] })),
        ("content", json!(null), json!({ "description": null, "photos": [] })),
        ("room_kind", json!("room"), json!("room")),
        ("room_kind", json!("dorm"), json!("dorm")),
        ("room_kind", json!(null), json!("room")),
    ] {
        let answer = house.updates(&id, json!({ field: sent })).await.is(200);
        expected["data"]["attributes"][field] = kept;
        answer.says(expected.clone());
        house.me.api.get(&room_type_at(&id)).await.is(200).says(expected.clone());
    }
}

#[actix_web::test]
async fn an_update_without_a_change_changes_nothing() {
    let (house, id) = furnished().await;
    let before = house.me.api.get(&room_type_at(&id)).await.is(200).json();
    for sent in [
        json!({}),
        json!({ "content": {}, "facilities": [] }),
        json!({ "unknown": 5, "id": UNKNOWN_ID, "content": { "unknown": 5, "photos": [] } }),
        // What was read can be sent back as it is.
        before["data"]["attributes"].clone(),
    ] {
        house.updates(&id, sent).await.is(200).says(before.clone());
    }
}

#[actix_web::test]
async fn the_property_cannot_be_changed_and_is_not_even_looked_at() {
    let (house, id) = furnished().await;
    let second = house.me.has(json!({})).await;
    let before = house.me.api.get(&room_type_at(&id)).await.is(200).json();
    for property in [json!(second), json!(UNKNOWN_ID), json!("x"), json!(null), json!(5)] {
        house.updates(&id, json!({ "property_id": property })).await.is(200).says(before.clone());
    }
}

#[actix_web::test]
async fn a_default_occupancy_is_compared_with_the_adults_that_stay() {
    let (house, id) = furnished().await;
    for (sent, most) in [
        (json!({ "default_occupancy": 9 }), 8),
        (json!({ "occ_adults": 5 }), 5),
        (json!({ "occ_adults": 9, "default_occupancy": 10 }), 9),
    ] {
        let message = format!("must be less than or equal to {most}");
        house.updates(&id, sent).await.invalid(json!({ "default_occupancy": [message] }));
    }
    house.updates(&id, json!({ "occ_adults": 9, "default_occupancy": 9 })).await.is(200);
    house.updates(&id, json!({ "occ_adults": 3, "default_occupancy": null })).await.is(200);
    let attributes = house.reads(&id).await;
    assert_eq!((&attributes["occ_adults"], &attributes["default_occupancy"]), (&json!(3), &json!(3)));
    house.updates(&id, json!({ "occ_adults": 4 })).await.is(200);
    assert_eq!(house.reads(&id).await["default_occupancy"], 3);
}

#[actix_web::test]
async fn a_capacity_goes_when_a_dorm_becomes_a_room() {
    let (house, id) = furnished().await;
    for (sent, kind, capacity) in [
        (json!({ "room_kind": "room" }), "room", json!(null)),
        (json!({ "capacity": 4 }), "room", json!(null)),
        (json!({ "room_kind": "dorm" }), "dorm", json!(null)),
        (json!({ "room_kind": "room", "capacity": 4 }), "room", json!(null)),
        (json!({ "room_kind": "dorm", "capacity": 4 }), "dorm", json!(4)),
        (json!({ "room_kind": null }), "room", json!(null)),
    ] {
        let attributes = house.updates(&id, sent).await.is(200).attributes();
        assert_eq!((&attributes["room_kind"], &attributes["capacity"]), (&json!(kind), &capacity));
        assert_eq!(house.reads(&id).await, attributes);
    }
}
