//! Creating a property: what is taken, what it becomes, what is refused.

use serde_json::json;

use crate::people::world;
use crate::property::{PROPERTIES, UNKNOWN_ID, at, body};

#[actix_web::test]
async fn two_fields_are_enough_and_the_rest_has_its_defaults() {
    let (_server, me) = world().await;
    let group = me.group().await;
    let answer = me.creates(json!({})).await.is(201);
    let id = answer.id();
    let expected = json!({
        "data": {
            "type": "property",
            "id": id,
            "attributes": {
                "id": id,
                "title": "Casa do Farol",
                "is_active": true,
                "email": null, "phone": null, "currency": "EUR",
                "country": null, "state": null, "city": null, "address": null,
                "zip_code": null, "latitude": null, "longitude": null, "timezone": null,
                "property_type": "hotel",
                "content": { "description": null, "photos": [], "important_information": null },
                "logo_url": null,
                "acc_channels_count": 0,
                "settings": {
                    "allow_availability_autoupdate_on_confirmation": true,
                    "allow_availability_autoupdate_on_modification": true,
                    "allow_availability_autoupdate_on_cancellation": true,
                    "min_stay_type": "both",
                    "min_price": null,
                    "max_price": null,
                    "state_length": 500
                }
            },
            "relationships": {
                "groups": { "data": [{
                    "id": group,
                    "type": "group",
                    "attributes": { "id": group, "title": "User Group" }
                }] },
                "facilities": { "data": [] }
            }
        }
    });
    let answer = answer.says(expected.clone());
    if let Some(location) = answer.header("location") {
        assert!(location.ends_with(&at(&id)), "{answer}");
    }
    me.api.get(&at(&id)).await.is(200).says(expected);
}

#[actix_web::test]
async fn every_field_is_kept_together() {
    let (_server, me) = world().await;
    let fields = json!({
        "title": "Pensão Aurora", "currency": "JPY", "is_active": false,
        "email": "desk@aurora.example", "phone": "+351 (289) 000-000",
        "country": "PT", "state": "Algarve", "city": "Faro",
        "address": "Largo da Sé 1", "zip_code": "8000-138",
        "latitude": "37.0136100", "longitude": "-7.9350", "timezone": "Europe/Lisbon",
        "property_type": "guest_house", "logo_url": "https://aurora.example/logo.png",
        "settings": {
            "allow_availability_autoupdate_on_confirmation": false,
            "allow_availability_autoupdate_on_modification": true,
            "allow_availability_autoupdate_on_cancellation": false,
            "min_stay_type": "arrival",
            "min_price": "5000", "max_price": "90000", "state_length": 730
        },
        "content": {
            "description": "Nine rooms\nby the sea", "photos": [],
            "important_information": "Ring twice"
        }
    });
    let mut sent = fields.clone();
    sent["group_id"] = json!(me.group().await);
    sent["facilities"] = json!([]);
    let created = me.creates(sent).await.is(201);
    let mut expected = fields;
    expected["id"] = json!(created.id());
    expected["acc_channels_count"] = json!(0);
    assert_eq!(created.attributes(), expected);
    assert_eq!(me.reads(&created.id()).await, expected);
}

#[actix_web::test]
async fn all_broken_fields_are_told_at_once_and_nothing_is_kept() {
    let (_server, me) = world().await;
    let answer = me
        .creates(json!({
            "title": " ", "currency": "ZZZ", "email": "x", "phone": "1".repeat(33),
            "zip_code": 5, "country": "XX", "longitude": "181", "latitude": "-91",
            "timezone": "Mars/Base", "facilities": ["x"], "property_type": "castle",
            "group_id": UNKNOWN_ID, "logo_url": "x", "is_active": null,
            "city": "a".repeat(256),
            "settings": { "state_length": 99, "min_stay_type": "none", "min_price": "0" },
            "content": { "description": 5, "photos": [{ "url": "x" }] }
        }))
        .await;
    answer.error_with(
        "validation_error",
        json!({
            "title": ["can't be blank"], "currency": ["is invalid"],
            "email": ["has invalid format"], "phone": ["should be at most 32 character(s)"],
            "zip_code": ["is invalid"], "country": ["is invalid"],
            "longitude": ["must be less than or equal to 180"],
            "latitude": ["must be greater than or equal to -90"],
            "timezone": ["is invalid"], "facilities": ["has an invalid entry"],
            "property_type": ["is invalid"], "group_id": ["does not exist"],
            "logo_url": ["has invalid format"], "is_active": ["can't be blank"],
            "city": ["should be at most 255 character(s)"],
            "settings": {
                "state_length": ["must be greater than or equal to 100"],
                "min_stay_type": ["is invalid"],
                "min_price": ["must be greater than 0"]
            },
            "content": { "description": ["is invalid"], "photos": ["0.url has invalid format"] }
        }),
    );
    assert_eq!(me.finds("").await, Vec::<String>::new());
}

#[actix_web::test]
async fn what_only_the_server_sets_is_ignored() {
    let (_server, me) = world().await;
    let sent = json!({ "id": UNKNOWN_ID, "acc_channels_count": 7, "inserted_at": "x" });
    let created = me.creates(sent).await.is(201);
    assert_ne!(created.id(), UNKNOWN_ID);
    assert_eq!(created.attributes()["id"], created.data()["id"]);
    assert_eq!(created.attributes()["acc_channels_count"], 0);
    me.api.get(&at(UNKNOWN_ID)).await.error("not_found");
}

#[actix_web::test]
async fn two_properties_may_have_the_same_title() {
    let (_server, me) = world().await;
    let first = me.has(json!({})).await;
    let second = me.has(json!({})).await;
    assert_ne!(first, second);
    assert_eq!(me.finds("").await.len(), 2);
}

#[actix_web::test]
async fn many_properties_created_at_once_are_all_there() {
    let (_server, me) = world().await;
    let running: Vec<_> = (0..30)
        .map(|number| {
            let fields = json!({ "title": format!("Pousada {number:02}") });
            let call = me.api.post(PROPERTIES, &body(fields));
            actix_web::rt::spawn(async move { call.await })
        })
        .collect();
    for answer in running {
        answer.await.unwrap().is(201);
    }
    let list = me.api.get(&format!("{PROPERTIES}?limit=100")).await.is(200);
    let expected: Vec<_> = (0..30).map(|number| format!("Pousada {number:02}")).collect();
    assert_eq!(list.column("title"), expected);
}
