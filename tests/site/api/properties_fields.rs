//! The fields of a new property one by one: what is kept, and what is refused.

use serde_json::{Value, json};

use crate::people::{Person, world};
use crate::property::{PROPERTIES, UNKNOWN_ID, at, number};

/// Creates with each value, which must be kept as the second one.
async fn kept(me: &Person, field: &str, cases: &[(Value, Value)]) {
    for (sent, kept) in cases {
        let created = me.creates(json!({ field: sent })).await.is(201);
        assert_eq!(&created.attributes()[field], kept, "{created}");
        let read = me.api.get(&at(&created.id())).await.is(200);
        assert_eq!(read.data(), created.data());
    }
}

/// Creates with each value, which must be refused with just this message.
async fn refused(me: &Person, field: &str, message: &str, values: &[Value]) {
    for value in values {
        let answer = me.creates(json!({ field: value })).await;
        answer.error_with("validation_error", json!({ field: [message] }));
    }
    let list = me.api.get(PROPERTIES).await.is(200);
    assert_eq!(list.json()["meta"]["total"], 0, "something was kept");
}

/// The same value twice: sent and kept.
fn as_sent(value: impl Into<Value>) -> (Value, Value) {
    let value = value.into();
    (value.clone(), value)
}

#[actix_web::test]
async fn what_cannot_be_blank_is_refused_blank() {
    let (_server, me) = world().await;
    let blank = [json!(null), json!(""), json!("   ")];
    refused(&me, "title", "can't be blank", &blank).await;
    refused(&me, "currency", "can't be blank", &blank).await;
    refused(&me, "is_active", "can't be blank", &[json!(null)]).await;
    let answer = me.api.post(PROPERTIES, &json!({ "property": {} })).await;
    let required = json!({ "currency": ["can't be blank"], "title": ["can't be blank"] });
    answer.error_with("validation_error", required);
}

#[actix_web::test]
async fn a_wrong_json_type_is_invalid_in_every_field() {
    let (_server, me) = world().await;
    for field in [
        "title",
        "currency",
        "email",
        "phone",
        "zip_code",
        "country",
        "state",
        "city",
        "address",
        "timezone",
        "property_type",
        "logo_url",
        "group_id",
    ] {
        let wrong = [json!(5), json!(true), json!([]), json!({}), json!(["x"])];
        refused(&me, field, "is invalid", &wrong).await;
    }
    for field in ["longitude", "latitude"] {
        let wrong = [json!(true), json!([]), json!({})];
        refused(&me, field, "is invalid", &wrong).await;
    }
    let wrong = [json!("yes"), json!(5), json!([]), json!({})];
    refused(&me, "is_active", "is invalid", &wrong).await;
    let wrong = [json!("x"), json!(5), json!(true), json!({})];
    refused(&me, "facilities", "is invalid", &wrong).await;
    let wrong = [json!("x"), json!(5), json!(true), json!([5])];
    refused(&me, "settings", "is invalid", &wrong).await;
    refused(&me, "content", "is invalid", &wrong).await;
}

#[actix_web::test]
async fn a_title_has_1_to_255_characters_without_the_space_around() {
    let (_server, me) = world().await;
    let control = ["a\u{1}b", "a\tb", "a\nb", "a\u{7f}b", "a\u{85}b"].map(Value::from);
    refused(&me, "title", "is invalid", &control).await;
    let long = [json!("a".repeat(256)), json!("ä".repeat(256)), json!("🏨".repeat(256))];
    refused(&me, "title", "should be at most 255 character(s)", &long).await;
    let longest = "🏨".repeat(255);
    kept(
        &me,
        "title",
        &[
            as_sent("x"),
            as_sent("ホテル 灯台"),
            as_sent("فندق المنارة"),
            as_sent("<b>Casa</b> & \"Farol\" 'x' \\ /"),
            as_sent("null"),
            as_sent(longest.clone()),
            (json!(format!("  {longest}  ")), json!(longest)),
            (json!(" Casa  do Farol \t"), json!("Casa  do Farol")),
        ],
    )
    .await;
}

#[actix_web::test]
async fn a_currency_is_a_known_code_in_any_case() {
    let (_server, me) = world().await;
    let wrong = ["EU", "EURO", "ZZZ", "AAA", "E1R", "€€€", " EUR", "EUR ", "ınr", "ſek", "978", "E\u{301}R"];
    refused(&me, "currency", "is invalid", &wrong.map(Value::from)).await;
    let mut cases = ["USD", "JPY", "KWD", "GBP", "CHF", "THB"].map(as_sent).to_vec();
    cases.push((json!("eur"), json!("EUR")));
    cases.push((json!("Sek"), json!("SEK")));
    kept(&me, "currency", &cases).await;
}

#[actix_web::test]
async fn a_country_is_a_known_code_in_any_case() {
    let (_server, me) = world().await;
    let wrong = ["P", "PRT", "XX", "ZZ", "Portugal", "P1", " PT", "ıt", "🇵🇹"];
    refused(&me, "country", "is invalid", &wrong.map(Value::from)).await;
    let mut cases = ["PT", "DE", "US", "GB", "JP", "XK"].map(as_sent).to_vec();
    cases.push((json!("pt"), json!("PT")));
    cases.push((json!("Gr"), json!("GR")));
    cases.push((json!(null), json!(null)));
    kept(&me, "country", &cases).await;
}

#[actix_web::test]
async fn texts_of_the_address_are_limited_and_kept_as_sent() {
    let (_server, me) = world().await;
    for (field, most) in [("state", 255), ("city", 255), ("address", 255), ("zip_code", 32)] {
        let message = format!("should be at most {most} character(s)");
        let long = [json!("a".repeat(most + 1)), json!("é".repeat(most + 1))];
        refused(&me, field, &message, &long).await;
    }
    for (field, most) in [("state", 255), ("city", 255), ("address", 255), ("zip_code", 32)] {
        let cases = [
            as_sent("Faro"),
            as_sent("é".repeat(most)),
            as_sent("  Faro "),
            as_sent(""),
            as_sent(" "),
            as_sent(Value::Null),
        ];
        kept(&me, field, &cases).await;
    }
}

#[actix_web::test]
async fn an_email_has_the_format_of_one() {
    let (_server, me) = world().await;
    let wrong = [
        "desk",
        "desk@",
        "@farol.example",
        "desk@@farol.example",
        "a b@farol.example",
        "desk@farol example",
        "desk@farol.example\n",
        "a@farol.example, b@farol.example",
    ];
    refused(&me, "email", "has invalid format", &wrong.map(Value::from)).await;
    let cases =
        [as_sent("desk@farol.example"), as_sent("Front.Desk+night@casa-do-farol.example"), as_sent(Value::Null)];
    kept(&me, "email", &cases).await;
}

#[actix_web::test]
async fn a_phone_has_at_most_32_digits_and_signs() {
    let (_server, me) = world().await;
    let long = [json!("1".repeat(33)), json!(format!("+{}", " 1".repeat(16)))];
    refused(&me, "phone", "should be at most 32 character(s)", &long).await;
    let wrong = ["call me", "\u{202c}", "+351 289 ONE", "電話"];
    refused(&me, "phone", "has invalid format", &wrong.map(Value::from)).await;
    let cases = [
        as_sent("+351 (289) 000-000"),
        as_sent("00351/289.000.000"),
        as_sent("#21*"),
        as_sent("1".repeat(32)),
        // As pasted from elsewhere.
        (json!("\u{202a}+351\u{a0}289\u{2011}123\u{202c} 456"), json!("+351 289-123 456")),
        (json!(format!("\u{2066}{}\u{2069}\u{200b}", "\u{2013}".repeat(32))), json!("-".repeat(32))),
        as_sent(Value::Null),
    ];
    kept(&me, "phone", &cases).await;
}

#[actix_web::test]
async fn a_timezone_is_an_iana_name() {
    let (_server, me) = world().await;
    let wrong = ["Mars/Base", "+01:00", "Lisbon", "Europe/Lisbon ", "GMT+25"];
    refused(&me, "timezone", "is invalid", &wrong.map(Value::from)).await;
    let cases = ["Europe/Lisbon", "Asia/Kolkata", "America/Argentina/Salta", "UTC"];
    let mut cases = cases.map(as_sent).to_vec();
    cases.push(as_sent(Value::Null));
    kept(&me, "timezone", &cases).await;
}

#[actix_web::test]
async fn a_property_type_is_one_of_twenty_two() {
    let (_server, me) = world().await;
    let wrong = ["castle", "Hotel", "hotel ", "bed_and_breakfast"];
    refused(&me, "property_type", "is invalid", &wrong.map(Value::from)).await;
    let types = [
        "apart_hotel",
        "apartment",
        "boat",
        "camping",
        "capsule_hotel",
        "chalet",
        "country_house",
        "farm_stay",
        "guest_house",
        "holiday_home",
        "holiday_park",
        "homestay",
        "hostel",
        "hotel",
        "inn",
        "lodge",
        "motel",
        "resort",
        "riad",
        "ryokan",
        "tent",
        "villa",
    ];
    let mut cases = types.map(as_sent).to_vec();
    cases.push((json!(null), json!("hotel")));
    kept(&me, "property_type", &cases).await;
}

#[actix_web::test]
async fn a_logo_is_a_url() {
    let (_server, me) = world().await;
    let wrong = [
        "logo",
        "://farol.example",
        "ſttps://farol.example",
        "farol.example/logo.png",
        "http://",
        "https://farol .example/",
    ];
    refused(&me, "logo_url", "has invalid format", &wrong.map(Value::from)).await;
    let long = format!("https://farol.example/{}", "a".repeat(2048 - 22));
    refused(&me, "logo_url", "should be at most 2048 character(s)", &[json!(format!("{long}a"))]).await;
    let cases = [
        as_sent(long),
        as_sent("HTTPS://farol.example/logo.png"),
        as_sent("https://farol.example/logo.png"),
        as_sent("http://cdn.farol.example:8080/a/b?c=d&e=%20f#g"),
        as_sent("https://FAROL.example"),
        as_sent(Value::Null),
    ];
    kept(&me, "logo_url", &cases).await;
}

#[actix_web::test]
async fn activity_is_a_boolean() {
    let (_server, me) = world().await;
    refused(&me, "is_active", "is invalid", &[json!(""), json!(" "), json!("true")]).await;
    kept(&me, "is_active", &[as_sent(true), as_sent(false)]).await;
}

#[actix_web::test]
async fn facilities_are_a_list_of_known_ones() {
    let (_server, me) = world().await;
    for entry in [json!(UNKNOWN_ID), json!("x"), json!(""), json!(5), json!(null), json!({})] {
        let entries = [json!([entry])];
        refused(&me, "facilities", "has an invalid entry", &entries).await;
    }
    for none in [json!([]), json!(null)] {
        let created = me.creates(json!({ "facilities": none })).await.is(201);
        let facilities = &created.data()["relationships"]["facilities"];
        assert_eq!(*facilities, json!({ "data": [] }));
    }
}

#[actix_web::test]
async fn a_group_is_one_of_the_caller_s() {
    let (server, me) = world().await;
    let other = server.person("owner@aurora.example").await;
    let malformed = ["x", "0197a3b2-0000-7000-8000-00000000000"].map(Value::from);
    refused(&me, "group_id", "is invalid", &malformed).await;
    let absent = [json!(UNKNOWN_ID), json!(other.group().await)];
    refused(&me, "group_id", "does not exist", &absent).await;
    let group = me.group().await;
    for sent in [json!(group), json!(group.to_uppercase()), json!(null), json!("")] {
        let created = me.creates(json!({ "group_id": sent })).await.is(201);
        let groups = &created.data()["relationships"]["groups"]["data"];
        assert_eq!(groups[0]["id"], json!(group), "{created}");
        assert_eq!(groups[1], json!(null), "{created}");
    }
}

#[actix_web::test]
async fn an_empty_text_means_null_where_a_format_says_what_a_text_may_be() {
    let (_server, me) = world().await;
    for field in ["latitude", "longitude", "facilities", "settings", "content"] {
        refused(&me, field, "is invalid", &[json!(""), json!(" ")]).await;
    }
    for empty in ["", " ", "\t"] {
        for field in ["email", "phone", "country", "timezone", "logo_url"] {
            kept(&me, field, &[(json!(empty), json!(null))]).await;
        }
        kept(&me, "property_type", &[(json!(empty), json!("hotel"))]).await;
    }
}

#[actix_web::test]
async fn a_number_is_a_coordinate_by_its_value() {
    let (_server, me) = world().await;
    for field in ["latitude", "longitude"] {
        let wrong = ["1e-8", "1e999999999", "-1e-999999999"].map(number);
        refused(&me, field, "is invalid", &wrong).await;
        refused(&me, field, "is invalid", &[json!("-7.6e-05")]).await;
    }
    for field in ["latitude", "longitude"] {
        for (sent, expected) in [
            ("-7.6e-05", "-0.000076"),
            ("2e0", "2"),
            ("1.5E1", "15"),
            ("38.70", "38.70"),
            ("-0.0", "-0.0"),
            ("37.000000000", "37"),
        ] {
            kept(&me, field, &[(number(sent), json!(expected))]).await;
        }
    }
}

#[actix_web::test]
async fn a_title_can_be_seen_and_is_shown_as_it_is_written() {
    let (_server, me) = world().await;
    let unseen = ["\u{200b}\u{2060}", "\u{3164}", " \u{feff} ", "\u{202e}"].map(Value::from);
    refused(&me, "title", "can't be blank", &unseen).await;
    let turned = ["a\u{202e}b", "\u{2066}a\u{2069}", "a\u{2028}b"].map(Value::from);
    refused(&me, "title", "is invalid", &turned).await;
    kept(&me, "title", &["فندق", "مهمان\u{200c}خانه", "👩\u{200d}🍳", "\u{200e}Casa"].map(as_sent)).await;
}

#[actix_web::test]
async fn an_object_may_be_written_as_an_empty_list() {
    let (_server, me) = world().await;
    refused(&me, "settings", "is invalid", &[json!([5])]).await;
    let empty = me.creates(json!({ "settings": [], "content": [] })).await.is(201).attributes();
    let none = me.creates(json!({})).await.is(201).attributes();
    assert_eq!((&empty["settings"], &empty["content"]), (&none["settings"], &none["content"]));
}
