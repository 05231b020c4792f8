//! The fields of a new room type one by one: what is kept, and what is refused.

use serde_json::{Value, json};

use crate::property::{UNKNOWN_ID, number};
use crate::room_type::{House, house, room_type_at};

/// Creates with each value, which must be kept as the second one.
async fn kept(house: &House, field: &str, cases: &[(Value, Value)]) {
    for (sent, kept) in cases {
        let created = house.creates(json!({ field: sent })).await.is(201);
        assert_eq!(&created.attributes()[field], kept, "{created}");
        let read = house.me.api.get(&room_type_at(&created.id())).await.is(200);
        assert_eq!(read.data(), created.data());
    }
}

/// Creates with each value, which must be refused with just this message.
async fn refused(house: &House, field: &str, message: &str, values: &[Value]) {
    for value in values {
        house.creates(json!({ field: value })).await.invalid(json!({ field: [message] }));
    }
}

/// The same value twice: sent and kept.
fn as_sent(value: impl Into<Value>) -> (Value, Value) {
    let value = value.into();
    (value.clone(), value)
}

#[actix_web::test]
async fn a_property_is_one_of_the_caller_s() {
    let house = house().await;
    let other = house.server.person("owner@aurora.example").await;
    let malformed = ["x", "0197a3b2-0000-7000-8000-00000000000"].map(Value::from);
    refused(&house, "property_id", "is invalid", &malformed).await;
    refused(&house, "property_id", "is invalid", &[json!(5), json!(true), json!([]), json!({})]).await;
    let absent = [json!(UNKNOWN_ID), json!(other.has(json!({})).await)];
    refused(&house, "property_id", "does not exist", &absent).await;
    let created = house.creates(json!({ "property_id": house.property.to_uppercase() })).await.is(201);
    assert_eq!(created.data()["relationships"]["property"]["data"]["id"], json!(house.property));
}

#[actix_web::test]
async fn a_title_has_1_to_255_characters_without_the_space_around() {
    let house = house().await;
    let control = ["a\u{1}b", "a\tb", "a\nb", "a\u{7f}b", "a\u{85}b", "a\0b"].map(Value::from);
    refused(&house, "title", "is invalid", &control).await;
    refused(&house, "title", "is invalid", &[json!(5), json!(true), json!([]), json!({})]).await;
    let long = [json!("a".repeat(256)), json!("🏨".repeat(256))];
    refused(&house, "title", "should be at most 255 character(s)", &long).await;
    let longest = "🏨".repeat(255);
    let cases = [
        as_sent("x"),
        as_sent("海側ツイン <b>&</b> 'x' \\"),
        (json!(format!("  {longest} ")), json!(longest)),
        (json!(" Sea  view \t"), json!("Sea  view")),
    ];
    kept(&house, "title", &cases).await;
}

#[actix_web::test]
async fn numbers_of_rooms_and_places_are_whole_and_have_bounds() {
    let house = house().await;
    for (field, least) in [("count_of_rooms", 1), ("occ_adults", 1), ("occ_children", 0), ("occ_infants", 0)] {
        // The default occupancy follows the adults where it is not sent.
        kept(&house, field, &[as_sent(least), as_sent(2), as_sent(2_147_483_647)]).await;
        let whole =
            [("2.0", 2), ("2e0", 2), ("30e-1", 3), ("1e2", 100)].map(|(sent, kept)| (number(sent), json!(kept)));
        kept(&house, field, &whole).await;
        let low = if least == 1 { "must be greater than 0" } else { "must be greater than or equal to 0" };
        refused(&house, field, low, &[json!(least - 1), json!(-1), json!(-2_147_483_649_i64)]).await;
        let high = [json!(2_147_483_648_i64), number("9223372036854775808")];
        refused(&house, field, "must be less than or equal to 2147483647", &high).await;
        let wrong = [json!(""), json!(" "), json!("2"), json!(true), json!([]), json!({}), json!(1.5), number("2e-1")];
        refused(&house, field, "is invalid", &wrong).await;
        for huge in ["1e400", "1e999999999", "-1e400"] {
            house.creates(json!({ field: number(huge) })).await.invalid_at(&format!("/{field}"), "");
        }
    }
}

#[actix_web::test]
async fn a_default_occupancy_is_at_most_the_adults_and_by_default_all_of_them() {
    let house = house().await;
    for (adults, sent, expected) in [(2, json!(1), 1), (2, json!(2), 2), (3, json!(null), 3), (1, json!(1), 1)] {
        let created = house.creates(json!({ "occ_adults": adults, "default_occupancy": sent })).await.is(201);
        assert_eq!(created.attributes()["default_occupancy"], expected, "{created}");
    }
    let alone = house.creates(json!({ "occ_adults": 4 })).await.is(201);
    assert_eq!(alone.attributes()["default_occupancy"], 4);
    refused(&house, "default_occupancy", "must be greater than 0", &[json!(0), json!(-1)]).await;
    refused(&house, "default_occupancy", "must be less than or equal to 2", &[json!(3), json!(2_147_483_647)]).await;
    let wrong = [json!(""), json!("2"), json!(1.5), json!(true), json!([]), json!({})];
    refused(&house, "default_occupancy", "is invalid", &wrong).await;
    // Nobody knows the bound where the adults are wrong: theirs is the message that helps.
    let answer = house.creates(json!({ "occ_adults": 0, "default_occupancy": 9 })).await;
    answer.invalid(json!({ "occ_adults": ["must be greater than 0"] }));
}

#[actix_web::test]
async fn only_a_dorm_has_a_capacity() {
    let house = house().await;
    for (kind, sent, expected) in [
        ("dorm", json!(8), json!(8)),
        ("dorm", json!(2_147_483_647), json!(2_147_483_647)),
        ("dorm", json!(null), json!(null)),
        ("room", json!(8), json!(null)),
    ] {
        let created = house.creates(json!({ "room_kind": kind, "capacity": sent })).await.is(201);
        assert_eq!(created.attributes()["capacity"], expected, "{created}");
    }
    for (sent, message) in [
        (json!(0), "must be greater than 0"),
        (json!(-5), "must be greater than 0"),
        (json!(2_147_483_648_i64), "must be less than or equal to 2147483647"),
        (json!("8"), "is invalid"),
        (json!(""), "is invalid"),
        (json!(1.5), "is invalid"),
        (json!(true), "is invalid"),
        (json!([]), "is invalid"),
    ] {
        let answer = house.creates(json!({ "room_kind": "dorm", "capacity": sent })).await;
        answer.invalid(json!({ "capacity": [message] }));
    }
}

#[actix_web::test]
async fn a_description_is_kept_as_sent() {
    let house = house().await;
    let long = "Rooms by the sea. 🌊\r\n".repeat(900);
    for text in [json!(""), json!(" Two\tlines\n<p>&amp;</p> "), json!("\u{1}\u{7f}"), json!(long), json!(null)] {
        let created = house.creates(json!({ "content": { "description": text } })).await.is(201);
        assert_eq!(created.attributes()["content"], json!({ "description": text, "photos": [] }));
        assert_eq!(house.reads(&created.id()).await, created.attributes());
    }
    let most = "é".repeat(20_000);
    house.creates(json!({ "content": { "description": most } })).await.is(201);
    let answer = house.creates(json!({ "content": { "description": format!("{most}a") } })).await;
    answer.invalid(json!({ "content": { "description": ["should be at most 20000 character(s)"] } }));
    for wrong in [json!(5), json!(true), json!([]), json!({}), json!("a\0b")] {
        let answer = house.creates(json!({ "content": { "description": wrong } })).await;
        answer.invalid(json!({ "content": { "description": ["is invalid"] } }));
    }
    for nothing in [json!(null), json!({}), json!({ "unknown": 5, "important_information": "x" })] {
        let created = house.creates(json!({ "content": nothing })).await.is(201);
        assert_eq!(created.attributes()["content"], json!({ "description": null, "photos": [] }));
    }
    refused(&house, "content", "is invalid", &[json!("x"), json!(5), json!(true), json!([5])]).await;
}
