//! Updating a rate plan: what is named changes, everything else stays.

use serde_json::{Value, json};

use crate::property::UNKNOWN_ID;
use crate::rate_plan::{INHERIT, Room, TITLE_CLASH, option, other_option, rate_plan_at, rates, room, rules};

/// A rate plan in which every field has a value that is not the default.
async fn furnished() -> (Room, String) {
    let room = room().await;
    let parent = room.has(json!({ "title": "Parent", "currency": "USD" })).await;
    let mut fields = json!({
        "title": "Weekly", "parent_rate_plan_id": parent, "currency": "USD", "sell_mode": "per_person",
        "rate_mode": "cascade", "meal_type": "breakfast", "children_fee": "12.50", "infant_fee": "3.00",
        "auto_rate_settings": { "increase_mode": "$", "increase_value": "10" },
        "options": [option(2, "84.00"), other_option(1, "66.00")]
    });
    fields["options"][1]["derived_option"] = rules(&[("decrease_by_percent", "10")]);
    for (number, flag) in INHERIT.iter().enumerate() {
        fields[flag] = json!(number % 2 == 0);
    }
    let id = room.has(fields).await;
    (room, id)
}

fn stored(rate: &str, occupancy: u32, is_primary: bool, derived: Value) -> Value {
    json!({ "rate": rate, "occupancy": occupancy, "is_primary": is_primary, "derived_option": derived })
}

#[actix_web::test]
async fn a_field_changes_alone() {
    let (room, id) = furnished().await;
    let second = room.has(json!({ "title": "Second", "currency": "USD" })).await;
    let mut expected = room.me().api.get(&rate_plan_at(&id)).await.is(200).json();
    let mut changes = vec![
        ("title", json!(" Bar "), json!("Bar")),
        ("sell_mode", json!(null), json!("per_room")),
        ("sell_mode", json!("per_person"), json!("per_person")),
        ("rate_mode", json!("derived"), json!("derived")),
        ("parent_rate_plan_id", json!(second), json!(second)),
        ("rate_mode", json!("auto"), json!("auto")),
        ("rate_mode", json!(null), json!("manual")),
        ("meal_type", json!("dinner"), json!("dinner")),
        ("meal_type", json!(null), json!("none")),
        ("children_fee", json!(500), json!("5.00")),
        ("children_fee", json!(null), json!("0.00")),
        ("infant_fee", json!("1"), json!("1.00")),
        ("infant_fee", json!(null), json!("0.00")),
        ("auto_rate_settings", json!({ "decrease_mode": "%" }), json!({ "decrease_mode": "%" })),
        ("auto_rate_settings", json!(null), json!(null)),
        ("options", json!([option(3, "90")]), json!([stored("90.00", 3, true, json!(null))])),
        (
            "options",
            json!([{ "occupancy": 1 , "is_primary": false }, option(4, "1")]),
            json!([stored("0.00", 1, false, json!(null)), stored("1.00", 4, true, json!(null))]),
        ),
        ("currency", json!("eur"), json!("EUR")),
        ("currency", json!("GBP"), json!("GBP")),
        ("currency", json!(null), json!("EUR")),
        ("parent_rate_plan_id", json!(null), json!(null)),
    ];
    for flag in INHERIT {
        changes.push((flag, json!(true), json!(true)));
        changes.push((flag, json!(false), json!(false)));
    }
    for (field, sent, kept) in changes {
        let answer = room.updates(&id, json!({ field: sent })).await.is(200);
        if field == "parent_rate_plan_id" {
            let parent = kept.as_str().map(|id| json!({ "type": "rate_plan", "id": id }));
            expected["data"]["relationships"]["parent_rate_plan"] = json!({ "data": parent });
        }
        expected["data"]["attributes"][field] = kept;
        if field == "options" {
            let shown = answer.attributes();
            let options = expected["data"]["attributes"]["options"].as_array_mut().expect("options");
            for (place, option) in options.iter_mut().enumerate() {
                option["id"] = shown["options"][place]["id"].clone();
            }
        }
        answer.says(expected.clone());
        room.me().api.get(&rate_plan_at(&id)).await.is(200).says(expected.clone());
    }
}

#[actix_web::test]
async fn an_update_without_a_change_changes_nothing() {
    let (room, id) = furnished().await;
    let before = room.me().api.get(&rate_plan_at(&id)).await.is(200).json();
    let attributes = before["data"]["attributes"].clone();
    for sent in [
        json!({}),
        json!({ "unknown": 5, "id": UNKNOWN_ID, "max_stay": [1, 2, 3], "stop_sell": "x" }),
        json!({ "property_id": room.house.property, "room_type_id": room.room_type }),
        json!({ "property_id": room.house.property.to_uppercase(), "room_type_id": room.room_type.to_uppercase() }),
        json!({ "title": "Weekly" }),
        json!({ "title": " Weekly " }),
        // What was read can be sent back as it is.
        attributes,
    ] {
        room.updates(&id, sent).await.is(200).says(before.clone());
    }
}

#[actix_web::test]
async fn property_and_room_type_stay() {
    let (room, id) = furnished().await;
    let before = room.reads(&id).await;
    let dorm = room.house.has(json!({ "title": "Dorm" })).await;
    let property = room.me().has(json!({})).await;
    for (field, other) in [("room_type_id", &dorm), ("property_id", &property)] {
        for wrong in [json!(other), json!(UNKNOWN_ID), json!("x"), json!(5), json!([])] {
            room.updates(&id, json!({ field: wrong })).await.invalid(json!({ field: ["is invalid"] }));
        }
        room.updates(&id, json!({ field: null })).await.invalid_at(&format!("/{field}"), "");
    }
    let both = json!({ "room_type_id": dorm, "property_id": property, "title": "" });
    room.updates(&id, both).await.invalid(json!({
        "room_type_id": ["is invalid"], "property_id": ["is invalid"], "title": ["can't be blank"]
    }));
    assert_eq!(room.reads(&id).await, before);
}

#[actix_web::test]
async fn a_title_of_another_plan_of_the_room_type_is_taken() {
    let (room, id) = furnished().await;
    for title in ["Parent", " Parent"] {
        room.updates(&id, json!({ "title": title })).await.invalid(json!({ "title": [TITLE_CLASH] }));
    }
    room.updates(&id, json!({ "title": "parent" })).await.is(200);
    assert_eq!(room.finds("order[inserted_at]=asc").await, ["Parent", "parent"]);
}

#[actix_web::test]
async fn a_refused_update_changes_nothing_at_all() {
    let (room, id) = furnished().await;
    let before = room.reads(&id).await;
    for (sent, details) in [
        (json!({ "title": null }), json!({ "title": ["can't be blank"] })),
        (json!({ "title": "  " }), json!({ "title": ["can't be blank"] })),
        (json!({ "options": null }), json!({ "options": ["can't be blank"] })),
        (json!({ "options": [] }), json!({ "options": ["can't be blank"] })),
        (json!({ "options": {} }), json!({ "options": ["is invalid"] })),
        (
            json!({ "options": [option(2, "1"), other_option(2, "1")] }),
            json!({ "options": ["1.occupancy has already been taken"] }),
        ),
        (
            json!({ "options": [option(2, "1"), option(1, "1")] }),
            json!({ "options": ["must have exactly one primary option"] }),
        ),
        (json!({ "currency": "x" }), json!({ "currency": ["is invalid"] })),
        (json!({ "inherit_rate": "x" }), json!({ "inherit_rate": ["is invalid"] })),
        (
            json!({ "rate_mode": "auto", "auto_rate_settings": null }),
            json!({ "auto_rate_settings": ["can't be blank"] }),
        ),
        (json!({ "parent_rate_plan_id": UNKNOWN_ID }), json!({ "parent_rate_plan_id": ["does not exist"] })),
        (
            json!({ "title": "Bar", "meal_type": "brunch", "sell_mode": 5, "children_fee": "-1" }),
            json!({
                "meal_type": ["is invalid"], "sell_mode": ["is invalid"],
                "children_fee": ["must be greater than or equal to 0"]
            }),
        ),
    ] {
        room.updates(&id, sent).await.invalid(details);
        assert_eq!(room.reads(&id).await, before);
    }
}

#[actix_web::test]
async fn automatic_rates_are_judged_with_the_settings_that_stay() {
    let room = room().await;
    let id = room.has(json!({})).await;
    let blank = json!({ "auto_rate_settings": ["can't be blank"] });
    room.updates(&id, json!({ "rate_mode": "auto" })).await.invalid(blank.clone());
    let settings = json!({ "increase_mode": "$", "increase_value": "10" });
    room.updates(&id, json!({ "rate_mode": "auto", "auto_rate_settings": settings })).await.is(200);
    room.updates(&id, json!({ "auto_rate_settings": null })).await.invalid(blank);
    room.updates(&id, json!({ "title": "Bar" })).await.is(200);
    assert_eq!(room.reads(&id).await["auto_rate_settings"], settings);
    // The object is one value: it is replaced, not merged.
    let other = json!({ "decrease_mode": "%" });
    room.updates(&id, json!({ "auto_rate_settings": other })).await.is(200);
    assert_eq!(room.reads(&id).await["auto_rate_settings"], other);
}

#[actix_web::test]
async fn amounts_that_stay_are_kept_when_the_currency_changes() {
    let room = room().await;
    let options = json!([option(2, "84"), other_option(1, "66.00")]);
    let id = room.has(json!({ "options": options, "children_fee": "12.00", "infant_fee": 300 })).await;
    for (currency, expected, children, infants) in [
        ("JPY", ["84", "66"], "12", "3"),
        ("KWD", ["84.000", "66.000"], "12.000", "3.000"),
        ("USD", ["84.00", "66.00"], "12.00", "3.00"),
    ] {
        let attributes = room.updates(&id, json!({ "currency": currency })).await.is(200).attributes();
        assert_eq!(rates(&attributes), expected);
        assert_eq!((&attributes["children_fee"], &attributes["infant_fee"]), (&json!(children), &json!(infants)));
        assert_eq!(room.reads(&id).await, attributes);
    }
    // What is sent with the currency is of the new one.
    let both = json!({ "currency": "JPY", "options": [option(2, "7")], "children_fee": 9 });
    let attributes = room.updates(&id, both).await.is(200).attributes();
    assert_eq!(rates(&attributes), ["7"]);
    assert_eq!((&attributes["children_fee"], &attributes["infant_fee"]), (&json!("9"), &json!("3")));
}

#[actix_web::test]
async fn amounts_that_do_not_fit_another_currency_keep_the_old_one() {
    let room = room().await;
    let id = room.has(json!({ "options": [option(2, "84.50"), other_option(1, "66.00")] })).await;
    let before = room.reads(&id).await;
    let to_yen = json!({ "currency": "JPY" });
    room.updates(&id, to_yen.clone()).await.invalid(json!({ "options": ["0.rate is invalid"] }));
    assert_eq!(room.reads(&id).await, before);
    room.updates(&id, json!({ "options": [option(2, "84")], "children_fee": "1.50" })).await.is(200);
    room.updates(&id, to_yen.clone()).await.invalid(json!({ "children_fee": ["is invalid"] }));
    room.updates(&id, json!({ "children_fee": "1", "infant_fee": "0.01" })).await.is(200);
    room.updates(&id, to_yen).await.invalid(json!({ "infant_fee": ["is invalid"] }));
    room.updates(&id, json!({ "currency": "JPY", "infant_fee": null })).await.is(200);
    let attributes = room.reads(&id).await;
    assert_eq!((rates(&attributes), &attributes["infant_fee"]), (vec!["84".to_owned()], &json!("0")));
}

#[actix_web::test]
async fn updates_of_different_fields_at_once_all_last() {
    let (room, id) = furnished().await;
    let changes = json!({
        "title": "Bar", "sell_mode": "per_room", "rate_mode": "derived", "meal_type": "dinner",
        "children_fee": "1.00", "infant_fee": "2.00", "auto_rate_settings": null, "inherit_rate": false,
        "inherit_max_sell": true, "options": [stored("90.00", 3, true, json!(null))]
    });
    let running: Vec<_> = changes
        .as_object()
        .expect("changes")
        .iter()
        .map(|(field, value)| {
            let call = room.me().api.put(&rate_plan_at(&id), &json!({ "rate_plan": { field: value } }));
            actix_web::rt::spawn(async move { call.await })
        })
        .collect();
    for answer in running {
        answer.await.unwrap().is(200);
    }
    let mut last = room.reads(&id).await;
    last["options"][0].as_object_mut().expect("an option").remove("id");
    for (field, value) in changes.as_object().expect("changes") {
        assert_eq!(&last[field], value, "{field}");
    }
}
