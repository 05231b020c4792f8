//! The fields of a new rate plan one by one: what is kept, and what is refused.

use serde_json::{Value, json};

use crate::property::{UNKNOWN_ID, number};
use crate::rate_plan::{INHERIT, Room, option, rate_plan_at, room};

/// Creates with each value, which must be kept as the second one.
async fn kept(room: &Room, field: &str, cases: &[(Value, Value)]) {
    for (sent, kept) in cases {
        let created = room.creates(json!({ field: sent })).await.is(201);
        assert_eq!(&created.attributes()[field], kept, "{created}");
        let read = room.me().api.get(&rate_plan_at(&created.id())).await.is(200);
        assert_eq!(read.data(), created.data());
        room.deletes(&created.id()).await;
    }
}

/// Creates with each value, which must be refused with just this message.
async fn refused(room: &Room, field: &str, message: &str, values: &[Value]) {
    for value in values {
        room.creates(json!({ field: value })).await.invalid(json!({ field: [message] }));
    }
    assert_eq!(room.finds("").await, Vec::<String>::new());
}

/// The same value twice: sent and kept.
fn as_sent(value: impl Into<Value>) -> (Value, Value) {
    let value = value.into();
    (value.clone(), value)
}

#[actix_web::test]
async fn a_title_has_1_to_255_characters_without_the_space_around() {
    let room = room().await;
    let control = ["a\u{1}b", "a\nb", "a\u{7f}b", "a\0b"].map(Value::from);
    refused(&room, "title", "is invalid", &control).await;
    refused(&room, "title", "is invalid", &[json!(5), json!(true), json!([]), json!({})]).await;
    let long = [json!("a".repeat(256)), json!("🏨".repeat(256))];
    refused(&room, "title", "should be at most 255 character(s)", &long).await;
    let longest = "🏨".repeat(255);
    let cases = [as_sent("x"), as_sent("素泊まり & <b>"), (json!(format!(" {longest}\t")), json!(longest))];
    kept(&room, "title", &cases).await;
}

#[actix_web::test]
async fn a_room_type_is_one_of_that_property_of_the_caller() {
    let room = room().await;
    let property = room.me().has(json!({})).await;
    let elsewhere = room.house.has(json!({ "property_id": property })).await;
    let other = room.house.server.person("owner@aurora.example").await;
    let theirs = other.has(json!({})).await;
    let wrong = [json!("x"), json!(5), json!(true), json!([]), json!({})];
    for field in ["property_id", "room_type_id"] {
        refused(&room, field, "is invalid", &wrong).await;
    }
    let absent = [json!(UNKNOWN_ID), json!(elsewhere), json!(room.house.property)];
    refused(&room, "room_type_id", "does not exist", &absent).await;
    for property in [UNKNOWN_ID, &theirs, &room.room_type] {
        let answer = room.creates(json!({ "property_id": property })).await.is(422);
        let details = &answer.json()["errors"]["details"];
        assert_eq!(details["property_id"], json!(["does not exist"]), "{answer}");
    }
    let answer = room.creates(json!({ "property_id": property })).await;
    answer.invalid(json!({ "room_type_id": ["does not exist"] }));
    let ids = json!({
        "property_id": room.house.property.to_uppercase(), "room_type_id": room.room_type.to_uppercase()
    });
    let created = room.creates(ids).await.is(201).data();
    assert_eq!(created["relationships"]["room_type"]["data"]["id"], json!(room.room_type));
    assert_eq!(created["relationships"]["property"]["data"]["id"], json!(room.house.property));
}

#[actix_web::test]
async fn a_currency_is_a_known_code_or_that_of_the_property() {
    let room = room().await;
    let wrong = ["EU", "EURO", "ZZZ", " EUR", "978"];
    refused(&room, "currency", "is invalid", &wrong.map(Value::from)).await;
    refused(&room, "currency", "is invalid", &[json!(5), json!(true), json!([]), json!({})]).await;
    let cases = [as_sent("USD"), (json!("gbp"), json!("GBP")), (json!(null), json!("EUR")), (json!(""), json!("EUR"))];
    kept(&room, "currency", &cases).await;
    // A property that changes its currency leaves its plans what they are.
    let id = room.has(json!({})).await;
    room.me().updates(&room.house.property, json!({ "currency": "USD" })).await.is(200);
    let before = room.reads(&id).await;
    assert_eq!((&before["currency"], &before["options"][0]["rate"]), (&json!("EUR"), &json!("100.00")));
    let created = room.creates(json!({ "title": "Weekly" })).await.is(201);
    assert_eq!(created.attributes()["currency"], "USD");
}

#[actix_web::test]
async fn modes_and_meals_are_known_words() {
    let room = room().await;
    let wrong = [json!("None"), json!("x"), json!(5), json!(true), json!([]), json!({})];
    for (field, default) in [("sell_mode", "per_room"), ("rate_mode", "manual"), ("meal_type", "none")] {
        refused(&room, field, "is invalid", &wrong).await;
        kept(&room, field, &[(json!(null), json!(default)), (json!(""), json!(default)), as_sent(default)]).await;
    }
    kept(&room, "sell_mode", &[as_sent("per_person")]).await;
    let meals = [
        "none",
        "all_inclusive",
        "breakfast",
        "lunch",
        "dinner",
        "american",
        "bed_and_breakfast",
        "buffet_breakfast",
        "carribean_breakfast",
        "continental_breakfast",
        "english_breakfast",
        "european_plan",
        "family_plan",
        "full_board",
        "full_breakfast",
        "half_board",
        "room_only",
        "self_catering",
        "bermuda",
        "dinner_bed_and_breakfast_plan",
        "family_american",
        "breakfast_and_lunch",
        "lunch_and_dinner",
    ];
    kept(&room, "meal_type", &meals.map(as_sent)).await;
    refused(&room, "meal_type", "is invalid", &[json!("caribbean_breakfast")]).await;
}

#[actix_web::test]
async fn what_is_inherited_is_a_boolean_and_by_default_all_or_nothing() {
    let room = room().await;
    for flag in INHERIT {
        kept(&room, flag, &[as_sent(true), as_sent(false), (json!(null), json!(false))]).await;
        refused(&room, flag, "is invalid", &[json!("yes"), json!(""), json!(5), json!([]), json!({})]).await;
    }
    let parent = room.has(json!({})).await;
    let child = json!({ "title": "Child", "parent_rate_plan_id": parent });
    let all = room.creates(child.clone()).await.is(201);
    for flag in INHERIT {
        assert_eq!(all.attributes()[flag], true, "{flag}: {all}");
    }
    room.deletes(&all.id()).await;
    for flag in INHERIT {
        for (sent, expected) in [(json!(false), false), (json!(true), true), (json!(null), true)] {
            let mut fields = child.clone();
            fields[flag] = sent;
            let created = room.creates(fields).await.is(201);
            for other in INHERIT {
                let expected = other != flag || expected;
                assert_eq!(created.attributes()[other], expected, "{other}: {created}");
            }
            room.deletes(&created.id()).await;
        }
    }
}

#[actix_web::test]
async fn fees_are_money_of_the_plan_s_currency_and_may_be_0() {
    let room = room().await;
    for field in ["children_fee", "infant_fee"] {
        for (currency, sent, expected) in [
            ("EUR", json!("12.5"), "12.50"),
            ("EUR", json!("12"), "12.00"),
            ("EUR", json!("0"), "0.00"),
            ("EUR", json!("0.00"), "0.00"),
            ("EUR", json!(0), "0.00"),
            ("EUR", json!(1250), "12.50"),
            ("EUR", json!(null), "0.00"),
            ("JPY", json!("500"), "500"),
            ("JPY", json!(500), "500"),
            ("JPY", json!(null), "0"),
            ("KWD", json!("1.005"), "1.005"),
            ("KWD", json!(1500), "1.500"),
            ("KWD", json!(null), "0.000"),
        ] {
            let sent = json!({ "currency": currency, "options": [option(2, "100")], field: sent });
            let created = room.creates(sent).await.is(201);
            assert_eq!(created.attributes()[field], expected, "{created}");
            assert_eq!(room.reads(&created.id()).await, created.attributes());
            room.deletes(&created.id()).await;
        }
        let wrong = ["", " ", "free", "1.005", "1,50", "1e2", "€5", "1.", ".5", "+5"].map(Value::from);
        refused(&room, field, "is invalid", &wrong).await;
        let wrong = [json!(true), json!([]), json!({}), json!(1.5), number("100.0"), number("1e3")];
        refused(&room, field, "is invalid", &wrong).await;
        let low = [json!("-1"), json!("-0.01"), json!(-1)];
        refused(&room, field, "must be greater than or equal to 0", &low).await;
        for (currency, sent) in [("JPY", "100.5"), ("JPY", "100.00"), ("KWD", "1.0005")] {
            let sent = json!({ "currency": currency, "options": [option(2, "100")], field: sent });
            room.creates(sent).await.invalid(json!({ field: ["is invalid"] }));
        }
        for huge in [json!("9".repeat(40)), number(&"9".repeat(40)), number("1e400"), json!("92233720368547758.08")] {
            room.creates(json!({ field: huge })).await.invalid_at(&format!("/{field}"), "");
        }
    }
}

#[actix_web::test]
async fn automatic_rates_need_their_settings() {
    let room = room().await;
    let settings = json!({ "increase_mode": "$", "increase_value": "10", "decrease_mode": "%", "decrease_value": "5",
        "note": { "a": [1, "two", null, false], "b": {} }, "exact": number("1.50"), "huge": number("1e400") });
    let auto = json!({ "rate_mode": "auto", "auto_rate_settings": settings });
    let created = room.creates(auto).await.is(201);
    assert_eq!(created.attributes()["auto_rate_settings"], settings);
    assert_eq!(room.reads(&created.id()).await["auto_rate_settings"], settings);
    room.deletes(&created.id()).await;
    for sent in [json!({ "rate_mode": "auto" }), json!({ "rate_mode": "auto", "auto_rate_settings": null })] {
        room.creates(sent).await.invalid(json!({ "auto_rate_settings": ["can't be blank"] }));
    }
    let none = room.creates(json!({ "rate_mode": "auto", "auto_rate_settings": [] })).await.is(201);
    assert_eq!(none.attributes()["auto_rate_settings"], json!({}));
    room.deletes(&none.id()).await;
    let long = |bytes: usize| json!({ "note": "a".repeat(bytes - r#"{"note":""}"#.len()) });
    let most = room.creates(json!({ "rate_mode": "auto", "auto_rate_settings": long(16_384) })).await.is(201);
    room.deletes(&most.id()).await;
    for wrong in [json!("x"), json!(5), json!(true), json!([5]), json!({ "note": "a\0b" }), long(16_385)] {
        for mode in ["auto", "manual"] {
            let sent = json!({ "rate_mode": mode, "auto_rate_settings": wrong });
            room.creates(sent).await.invalid(json!({ "auto_rate_settings": ["is invalid"] }));
        }
    }
}
