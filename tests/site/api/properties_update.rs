//! Updating a property: what is named changes, everything else stays.

use serde_json::{Value, json};

use crate::people::{Person, world};
use crate::property::{PROPERTIES, UNKNOWN_ID, at, body};
use crate::server::Server;

/// A property in which every field has a value that is not the default.
async fn furnished() -> (Server, Person, String) {
    let (server, me) = world().await;
    let id = me
        .has(json!({
            "title": "Pensão Aurora", "currency": "USD", "is_active": false,
            "email": "desk@aurora.example", "phone": "+351 289", "country": "PT",
            "state": "Algarve", "city": "Faro", "address": "Largo da Sé 1",
            "zip_code": "8000-138", "latitude": "37.01", "longitude": "-7.93",
            "timezone": "Europe/Lisbon", "property_type": "inn",
            "logo_url": "https://aurora.example/logo.png",
            "settings": {
                "allow_availability_autoupdate_on_confirmation": false,
                "allow_availability_autoupdate_on_modification": false,
                "allow_availability_autoupdate_on_cancellation": false,
                "min_stay_type": "through", "min_price": "100", "max_price": "200",
                "state_length": 365
            },
            "content": { "description": "Nine rooms", "important_information": "Ring twice" }
        }))
        .await;
    (server, me, id)
}

/// Every single change: what is sent, and what it becomes.
fn changes() -> Vec<(&'static str, Value, Value)> {
    let mut changes: Vec<(&str, Value, Value)> = [
        ("title", json!("Casa do Farol")),
        ("currency", json!("EUR")),
        ("is_active", json!(true)),
        ("email", json!("night@aurora.example")),
        ("phone", json!("+351 282")),
        ("country", json!("ES")),
        ("state", json!("Andalucía")),
        ("city", json!("Huelva")),
        ("address", json!("Plaza 1")),
        ("zip_code", json!("21001")),
        ("latitude", json!("37.2500")),
        ("longitude", json!("-6.95")),
        ("timezone", json!("Europe/Madrid")),
        ("property_type", json!("hostel")),
        ("logo_url", json!("https://farol.example/l.svg")),
    ]
    .map(|(field, value)| (field, value.clone(), value))
    .to_vec();
    for field in [
        "email",
        "phone",
        "country",
        "state",
        "city",
        "address",
        "zip_code",
        "latitude",
        "longitude",
        "timezone",
        "logo_url",
    ] {
        changes.push((field, json!(null), json!(null)));
    }
    changes.push(("property_type", json!(null), json!("hotel")));
    changes.push(("title", json!(" Casa "), json!("Casa")));
    changes.push(("currency", json!("gbp"), json!("GBP")));
    changes.push(("country", json!("fr"), json!("FR")));
    changes.push(("city", json!(""), json!("")));
    changes
}

#[actix_web::test]
async fn a_field_changes_alone() {
    let (_server, me, id) = furnished().await;
    let mut expected = me.api.get(&at(&id)).await.is(200).json();
    for (field, sent, kept) in changes() {
        let answer = me.updates(&id, json!({ field: sent })).await.is(200);
        expected["data"]["attributes"][field] = kept;
        let answer = answer.says(expected.clone());
        let read = me.api.get(&at(&id)).await.is(200);
        assert_eq!(read.json(), answer.json());
    }
}

#[actix_web::test]
async fn an_update_without_a_change_changes_nothing() {
    let (_server, me, id) = furnished().await;
    let before = me.api.get(&at(&id)).await.is(200).json();
    let attributes = before["data"]["attributes"].clone();
    for sent in [
        json!({}),
        json!({ "settings": {}, "content": {} }),
        json!({ "unknown": 5, "settings": { "unknown": 5 }, "content": { "unknown": 5 } }),
        json!({ "id": UNKNOWN_ID, "acc_channels_count": 7 }),
        json!({ "facilities": [], "content": { "photos": [] } }),
        // What was read can be sent back as it is.
        attributes,
    ] {
        me.updates(&id, sent).await.is(200).says(before.clone());
    }
}

#[actix_web::test]
async fn a_setting_changes_alone_and_null_is_its_default() {
    let (_server, me, id) = furnished().await;
    let mut expected = me.reads(&id).await;
    let on = |event: &str| format!("allow_availability_autoupdate_on_{event}");
    for (field, sent, kept) in [
        (on("confirmation"), json!(true), json!(true)),
        (on("modification"), json!(true), json!(true)),
        (on("modification"), json!(false), json!(false)),
        (on("modification"), json!(null), json!(true)),
        (on("cancellation"), json!(null), json!(true)),
        ("min_stay_type".into(), json!("arrival"), json!("arrival")),
        ("min_stay_type".into(), json!(null), json!("both")),
        ("min_price".into(), json!("150.5"), json!("150.50")),
        ("min_price".into(), json!(null), json!(null)),
        ("max_price".into(), json!(5000), json!("50.00")),
        ("max_price".into(), json!(null), json!(null)),
        ("state_length".into(), json!(100), json!(100)),
        ("state_length".into(), json!(null), json!(500)),
    ] {
        let answer = me.updates(&id, json!({ "settings": { &field: sent } })).await;
        expected["settings"][&field] = kept;
        assert_eq!(answer.is(200).attributes(), expected);
        assert_eq!(me.reads(&id).await, expected);
    }
}

#[actix_web::test]
async fn the_old_switch_sets_what_the_same_update_leaves_out() {
    let (_server, me, id) = furnished().await;
    let on = |event: &str| format!("allow_availability_autoupdate_on_{event}");
    let settings = json!({ "allow_availability_autoupdate": true, on("confirmation"): false });
    let answer = me.updates(&id, json!({ "settings": settings })).await.is(200);
    let settings = &answer.attributes()["settings"];
    assert_eq!(settings[on("confirmation")], false);
    assert_eq!(settings[on("modification")], true);
    assert_eq!(settings[on("cancellation")], true);
    assert_eq!(settings.get("allow_availability_autoupdate"), None);
}

#[actix_web::test]
async fn a_text_of_the_content_changes_alone() {
    let (_server, me, id) = furnished().await;
    let mut expected = me.reads(&id).await;
    for (field, value) in [
        ("description", json!("Ten rooms")),
        ("important_information", json!("Ring once")),
        ("description", json!("")),
        ("description", json!(null)),
        ("important_information", json!(null)),
    ] {
        let answer = me.updates(&id, json!({ "content": { field: value } })).await;
        expected["content"][field] = value;
        assert_eq!(answer.is(200).attributes(), expected);
    }
}

#[actix_web::test]
async fn a_price_limit_is_compared_with_the_one_that_stays() {
    let (_server, me, id) = furnished().await;
    for (settings, bound) in [
        (json!({ "max_price": "99.99" }), "100.00"),
        (json!({ "min_price": "200.01" }), "200.01"),
        (json!({ "min_price": "20", "max_price": "10" }), "20.00"),
    ] {
        let answer = me.updates(&id, json!({ "settings": settings })).await;
        let message = format!("must be greater than or equal to {bound}");
        let details = json!({ "settings": { "max_price": [message] } });
        answer.error_with("validation_error", details);
    }
    for settings in [
        json!({ "min_price": "200" }),
        json!({ "min_price": "300", "max_price": "400" }),
        json!({ "min_price": null, "max_price": "1" }),
    ] {
        me.updates(&id, json!({ "settings": settings })).await.is(200);
    }
}

#[actix_web::test]
async fn settings_or_content_of_null_are_the_default_ones() {
    let (_server, me, id) = furnished().await;
    let default = me.creates(json!({})).await.is(201).attributes();
    let mut expected = me.reads(&id).await;
    for part in ["settings", "content"] {
        let answer = me.updates(&id, json!({ part: null })).await.is(200);
        expected[part] = default[part].clone();
        assert_eq!(answer.attributes(), expected);
        assert_eq!(me.reads(&id).await, expected);
    }
}

#[actix_web::test]
async fn a_currency_may_change_where_price_limits_are_set() {
    let (_server, me) = world().await;
    let prices = json!({ "min_price": "100", "max_price": "5000" });
    let id = me.has(json!({ "settings": prices })).await;
    // The amounts stay what they are, with the decimals of the new currency.
    for (currency, min, max) in [
        ("USD", "100.00", "5000.00"),
        ("JPY", "100", "5000"),
        ("KWD", "100.000", "5000.000"),
        ("EUR", "100.00", "5000.00"),
    ] {
        let answer = me.updates(&id, json!({ "currency": currency })).await;
        let attributes = answer.is(200).attributes();
        assert_eq!(attributes["currency"], currency);
        assert_eq!(attributes["settings"]["min_price"], min);
        assert_eq!(attributes["settings"]["max_price"], max);
        assert_eq!(me.reads(&id).await, attributes);
    }
    let both = json!({ "currency": "JPY", "settings": { "min_price": "7", "max_price": 9 } });
    let attributes = me.updates(&id, both).await.is(200).attributes();
    assert_eq!(attributes["settings"]["min_price"], "7");
    assert_eq!(attributes["settings"]["max_price"], "9");
}

#[actix_web::test]
async fn a_refused_update_changes_nothing_at_all() {
    let (_server, me, id) = furnished().await;
    let before = me.reads(&id).await;
    for (sent, details) in [
        (json!({ "title": "" }), json!({ "title": ["can't be blank"] })),
        (json!({ "title": null }), json!({ "title": ["can't be blank"] })),
        (json!({ "currency": null }), json!({ "currency": ["can't be blank"] })),
        (json!({ "currency": "ZZZ" }), json!({ "currency": ["is invalid"] })),
        (json!({ "is_active": null }), json!({ "is_active": ["can't be blank"] })),
        (json!({ "email": "x" }), json!({ "email": ["has invalid format"] })),
        (json!({ "facilities": ["x"] }), json!({ "facilities": ["has an invalid entry"] })),
        (json!({ "latitude": "91" }), json!({ "latitude": ["must be less than or equal to 90"] })),
        (json!({ "settings": [5] }), json!({ "settings": ["is invalid"] })),
        (
            json!({ "city": "Lagos", "settings": { "state_length": 731, "min_stay_type": "both" } }),
            json!({ "settings": { "state_length": ["must be less than or equal to 730"] } }),
        ),
        (
            json!({ "city": 5, "content": { "photos": [{}] }, "zip_code": "1".repeat(33) }),
            json!({
                "city": ["is invalid"], "content": { "photos": ["0.url can't be blank"] },
                "zip_code": ["should be at most 32 character(s)"]
            }),
        ),
    ] {
        let answer = me.updates(&id, sent).await;
        answer.error_with("validation_error", details);
        assert_eq!(me.reads(&id).await, before);
    }
}

#[actix_web::test]
async fn a_group_cannot_be_changed_here_and_is_not_even_looked_at() {
    let (_server, me, id) = furnished().await;
    let before = me.api.get(&at(&id)).await.is(200).json();
    for group in [json!(UNKNOWN_ID), json!("x"), json!(null), json!(5)] {
        let answer = me.updates(&id, json!({ "group_id": group })).await;
        answer.is(200).says(before.clone());
    }
}

#[actix_web::test]
async fn updates_of_different_fields_at_once_all_last() {
    let (_server, me) = world().await;
    let id = me.has(json!({ "title": "Start" })).await;
    let changes = [
        json!({ "title": "Casa do Farol" }),
        json!({ "city": "Faro" }),
        json!({ "state": "Algarve" }),
        json!({ "address": "Largo da Sé 1" }),
        json!({ "settings": { "min_stay_type": "arrival" } }),
        json!({ "settings": { "state_length": 365 } }),
        json!({ "content": { "description": "Nine rooms" } }),
        json!({ "content": { "important_information": "Ring twice" } }),
    ];
    let running: Vec<_> = changes
        .iter()
        .map(|change| {
            let call = me.api.put(&at(&id), &json!({ "property": change }));
            actix_web::rt::spawn(async move { call.await })
        })
        .collect();
    for answer in running {
        answer.await.unwrap().is(200);
    }
    let mut last = me.reads(&id).await;
    let expected = [
        ("/title", "Casa do Farol"),
        ("/city", "Faro"),
        ("/state", "Algarve"),
        ("/address", "Largo da Sé 1"),
        ("/settings/min_stay_type", "arrival"),
        ("/content/description", "Nine rooms"),
        ("/content/important_information", "Ring twice"),
    ];
    for (pointer, value) in expected {
        assert_eq!(last.pointer_mut(pointer), Some(&mut json!(value)), "{pointer}");
    }
    assert_eq!(last["settings"]["state_length"], 365);
}

#[actix_web::test]
async fn an_updated_title_moves_the_property_in_the_list() {
    let (_server, me) = world().await;
    let id = me.has(json!({ "title": "Aurora" })).await;
    me.has(json!({ "title": "Farol" })).await;
    me.api.put(&at(&id), &body(json!({ "title": "Zoo" }))).await.is(200);
    assert_eq!(me.finds("").await, ["Farol", "Zoo"]);
    assert_eq!(me.finds("filter[title]=Aurora").await, Vec::<String>::new());
}

#[actix_web::test]
async fn all_who_read_at_once_after_an_update_get_it() {
    let (_server, me) = world().await;
    let id = me.has(json!({})).await;
    for round in 0..12 {
        let city = format!("Faro {round}");
        me.updates(&id, json!({ "city": city })).await.is(200);
        let calls: Vec<_> = (0..24)
            .map(|reader| match reader % 2 {
                0 => me.api.get(PROPERTIES),
                _ => me.api.get(&at(&id)),
            })
            .map(|call| actix_web::rt::spawn(call.into_future()))
            .collect();
        for (reader, call) in calls.into_iter().enumerate() {
            let answer = call.await.expect("an answer").is(200);
            let found = if reader % 2 == 0 { answer.data()[0].clone() } else { answer.data() };
            assert_eq!(found["attributes"]["city"], city);
        }
    }
}
