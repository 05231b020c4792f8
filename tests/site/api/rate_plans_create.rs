//! Creating a rate plan: what it becomes, what is refused as a whole, and whose titles clash.

use serde_json::{Value, json};

use crate::property::UNKNOWN_ID;
use crate::rate_plan::{INHERIT, RATE_PLANS, TITLE_CLASH, option, other_option, rate_plan_at, room, rules};

#[actix_web::test]
async fn four_fields_are_enough_and_the_rest_has_its_defaults() {
    let room = room().await;
    let answer = room.creates(json!({})).await.is(201);
    let id = answer.id();
    let mut attributes = json!({
        "id": id, "title": "Flexible", "sell_mode": "per_room", "rate_mode": "manual", "currency": "EUR",
        "children_fee": "0.00", "infant_fee": "0.00",
        "options": [{ "id": answer.attributes()["options"][0]["id"], "rate": "100.00", "occupancy": 2, "is_primary": true,
            "derived_option": null }],
        "auto_rate_settings": null, "meal_type": "none", "parent_rate_plan_id": null
    });
    for flag in INHERIT {
        attributes[flag] = json!(false);
    }
    let expected = json!({ "data": {
        "type": "rate_plan",
        "id": id,
        "attributes": attributes,
        "relationships": {
            "room_type": { "data": { "type": "room_type", "id": room.room_type } },
            "property": { "data": { "type": "property", "id": room.house.property } },
            "parent_rate_plan": { "data": null }
        }
    } });
    let answer = answer.says(expected.clone());
    if let Some(location) = answer.header("location") {
        assert!(location.ends_with(&rate_plan_at(&id)), "{answer}");
    }
    room.me().api.get(&rate_plan_at(&id)).await.is(200).says(expected);
}

#[actix_web::test]
async fn every_field_is_kept_together() {
    let room = room().await;
    let parent = room.has(json!({ "currency": "USD" })).await;
    let mut fields = json!({
        "title": "Semanal – com pequeno-almoço", "parent_rate_plan_id": parent, "currency": "USD",
        "sell_mode": "per_person", "rate_mode": "cascade", "meal_type": "breakfast",
        "auto_rate_settings": { "increase_mode": "$", "increase_value": "10" },
        "children_fee": "12.50", "infant_fee": "3.00",
        "options": [
            { "rate": "84.00", "occupancy": 2, "is_primary": true,
              "derived_option": { "rate": [["decrease_by_percent", "10"], ["increase_by_amount", "4.50"]],
                                  "min_stay_arrival": [["increase_by_amount", "1"]] } },
            { "rate": "66.00", "occupancy": 1, "is_primary": false, "derived_option": null }
        ]
    });
    for (number, flag) in INHERIT.iter().enumerate() {
        fields[flag] = json!(number % 2 == 0);
    }
    let created = room.creates(fields.clone()).await.is(201);
    fields["id"] = json!(created.id());
    for place in 0..2 {
        fields["options"][place]["id"] = created.attributes()["options"][place]["id"].clone();
    }
    let link = json!({ "data": { "type": "rate_plan", "id": parent } });
    assert_eq!(created.data()["relationships"]["parent_rate_plan"], link);
    assert_eq!(created.attributes(), fields);
    assert_eq!(room.reads(&created.id()).await, fields);
}

#[actix_web::test]
async fn all_broken_fields_are_told_at_once_and_nothing_is_kept() {
    let room = room().await;
    let answer = room.me().api.post(RATE_PLANS, &json!({ "rate_plan": {} })).await;
    answer.invalid(json!({
        "title": ["can't be blank"], "property_id": ["can't be blank"], "room_type_id": ["can't be blank"],
        "options": ["can't be blank"]
    }));
    let answer = room
        .creates(json!({
            "title": "a".repeat(256), "room_type_id": UNKNOWN_ID, "options": [option(0, "-1")],
            "parent_rate_plan_id": "x", "currency": "ZZZ", "sell_mode": "per_bed", "rate_mode": "guess",
            "meal_type": "brunch", "auto_rate_settings": [5], "inherit_rate": "yes", "inherit_max_sell": 5,
            "children_fee": "-1", "infant_fee": true
        }))
        .await
        .is(422);
    let mut details = answer.json()["errors"]["details"].clone();
    let mut inside = details["options"].take();
    let inside = inside.as_array_mut().expect("messages of the options");
    inside.sort_by_key(Value::to_string);
    let told = ["0.occupancy must be greater than 0", "0.rate must be greater than or equal to 0"];
    assert_eq!(*inside, told.map(Value::from), "{answer}");
    let expected = json!({
        "title": ["should be at most 255 character(s)"], "room_type_id": ["does not exist"], "options": null,
        "parent_rate_plan_id": ["is invalid"], "currency": ["is invalid"], "sell_mode": ["is invalid"],
        "rate_mode": ["is invalid"], "meal_type": ["is invalid"], "auto_rate_settings": ["is invalid"],
        "inherit_rate": ["is invalid"], "inherit_max_sell": ["is invalid"],
        "children_fee": ["must be greater than or equal to 0"], "infant_fee": ["is invalid"]
    });
    assert_eq!(details, expected);
    assert_eq!(room.finds("").await, Vec::<String>::new());
}

#[actix_web::test]
async fn what_only_the_server_sets_and_what_it_does_not_know_is_ignored() {
    let room = room().await;
    let default = room.creates(json!({})).await.is(201).attributes();
    let mut sent = json!({ "title": "Other", "id": UNKNOWN_ID, "rate_category_id": 7, "unknown": [] });
    // Lists by weekday are taken from clients that send them, and have no effect.
    for field in ["max_stay", "min_stay_arrival", "min_stay_through", "availability_offset", "max_sell"] {
        sent[field] = json!([0, 1, 2, 3, 4, 5, 6]);
    }
    for field in ["closed_to_arrival", "closed_to_departure", "stop_sell"] {
        sent[field] = json!([true, false, true, false, true, false, true]);
    }
    sent["max_availability"] = json!("x");
    let created = room.creates(sent).await.is(201);
    assert_ne!(created.id(), UNKNOWN_ID);
    let mut expected = default;
    expected["title"] = json!("Other");
    expected["id"] = json!(created.id());
    expected["options"][0]["id"] = created.attributes()["options"][0]["id"].clone();
    assert_eq!(created.attributes(), expected);
}

#[actix_web::test]
async fn a_title_is_taken_once_in_a_room_type() {
    let room = room().await;
    let second = room.house.has(json!({ "title": "Dorm" })).await;
    let first = room.has(json!({ "title": "Best Available Rate" })).await;
    for title in ["Best Available Rate", "  Best Available Rate\t"] {
        room.creates(json!({ "title": title })).await.invalid(json!({ "title": [TITLE_CLASH] }));
    }
    let more = json!({ "title": "Best Available Rate", "meal_type": "brunch" });
    let both = json!({ "title": [TITLE_CLASH], "meal_type": ["is invalid"] });
    room.creates(more).await.invalid(both);
    for title in ["best available rate", "Best  Available Rate", "Best Available Rate 2", "Bést Available Rate"] {
        room.has(json!({ "title": title })).await;
    }
    // The same under another room type, and under one of another property.
    room.has(json!({ "title": "Best Available Rate", "room_type_id": second })).await;
    let property = room.me().has(json!({})).await;
    let third = room.house.has(json!({ "property_id": property })).await;
    let elsewhere = json!({ "title": "Best Available Rate", "property_id": property, "room_type_id": third });
    room.has(elsewhere).await;
    // A title is free again when its plan has gone or is called otherwise.
    room.deletes(&first).await;
    let again = room.has(json!({ "title": "Best Available Rate" })).await;
    room.updates(&again, json!({ "title": "Bar" })).await.is(200);
    room.has(json!({ "title": "Best Available Rate" })).await;
}

#[actix_web::test]
async fn a_plan_of_all_possible_guests_is_taken() {
    let room = room().await;
    let mut options = vec![option(1, "50.00")];
    options.extend((2..=18).map(|guests| other_option(guests, "60.00")));
    let created = room.creates(json!({ "sell_mode": "per_person", "options": options })).await.is(201);
    assert_eq!(created.attributes()["options"].as_array().map(Vec::len), Some(18));
}

#[actix_web::test]
async fn of_plans_renamed_at_once_to_one_title_one_gets_it() {
    let room = room().await;
    let mut ids = Vec::new();
    for number in 0..8 {
        ids.push(room.has(json!({ "title": format!("Plan {number}") })).await);
    }
    let running: Vec<_> = ids
        .iter()
        .map(|id| {
            let call = room.me().api.put(&rate_plan_at(id), &json!({ "rate_plan": { "title": "Best" } }));
            actix_web::rt::spawn(async move { call.await })
        })
        .collect();
    let mut renamed = 0;
    for answer in running {
        let answer = answer.await.unwrap();
        match answer.status {
            200 => renamed += 1,
            _ => drop(answer.invalid(json!({ "title": [TITLE_CLASH] }))),
        }
    }
    assert_eq!(renamed, 1);
    assert_eq!(room.finds("").await.iter().filter(|title| *title == "Best").count(), 1);
}

#[actix_web::test]
async fn a_derived_plan_needs_no_rate_of_its_own() {
    let room = room().await;
    let parent = room.has(json!({})).await;
    let options = json!([{ "occupancy": 2, "is_primary": true,
        "derived_option": rules(&[("decrease_by_percent", "10")]) }]);
    let fields = json!({ "title": "Child", "parent_rate_plan_id": parent, "rate_mode": "derived", "options": options });
    let created = room.creates(fields).await.is(201).attributes();
    // What is shown is what is stored; effective prices are those of its days.
    assert_eq!(created["options"][0]["rate"], "0.00");
    assert_eq!(created["parent_rate_plan_id"], json!(parent));
    assert_eq!(created["rate_mode"], "derived");
}
