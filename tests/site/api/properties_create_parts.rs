//! Creating a property: coordinates, settings and content.

use serde_json::{Value, json};

use crate::people::{Person, world};
use crate::property::number;

/// Refused with just this message in this part of the property.
async fn refused(me: &Person, part: &str, field: &str, value: Value, message: &str) {
    let answer = me.creates(json!({ part: { field: value } })).await;
    let details = json!({ part: { field: [message] } });
    answer.error_with("validation_error", details);
}

/// What this part of a new property says of the field.
async fn kept(me: &Person, part: &str, field: &str, value: Value) -> Value {
    let created = me.creates(json!({ part: { field: value } })).await.is(201);
    let kept = created.attributes()[part][field].clone();
    assert_eq!(me.reads(&created.id()).await[part][field], kept);
    kept
}

#[actix_web::test]
async fn a_coordinate_is_kept_digit_by_digit() {
    let (_server, me) = world().await;
    for field in ["longitude", "latitude"] {
        for text in ["0", "-0.5", "37", "8.100", "37.0000000", "-89.1234567", "90", "-90", "90.0000000"] {
            for sent in [json!(text), number(text)] {
                let created = me.creates(json!({ field: sent })).await.is(201);
                assert_eq!(created.attributes()[field], text, "{created}");
                assert_eq!(me.reads(&created.id()).await[field], text);
            }
        }
    }
    for text in ["-122.4194155", "180", "-180", "180.0000000", "-179.9999999"] {
        let created = me.creates(json!({ "longitude": text })).await.is(201);
        assert_eq!(created.attributes()["longitude"], text, "{created}");
    }
}

#[actix_web::test]
async fn a_coordinate_lies_within_its_bounds() {
    let (_server, me) = world().await;
    for (field, bound) in [("longitude", 180), ("latitude", 90)] {
        let most = format!("must be less than or equal to {bound}");
        let least = format!("must be greater than or equal to -{bound}");
        let beyond = [".1", ".0000001", "0", "0000000000"];
        for beyond in beyond {
            for (sign, message) in [("", &most), ("-", &least)] {
                let text = format!("{sign}{bound}{beyond}");
                for sent in [json!(text), number(&text)] {
                    let answer = me.creates(json!({ field: sent })).await;
                    answer.error_with("validation_error", json!({ field: [message] }));
                }
            }
        }
    }
}

#[actix_web::test]
async fn a_coordinate_is_a_decimal_of_at_most_seven_decimals() {
    let (_server, me) = world().await;
    for field in ["longitude", "latitude"] {
        for text in [
            "",
            " ",
            "north",
            "1,5",
            "12 ",
            " 12",
            "1 2",
            "NaN",
            "inf",
            "-",
            ".",
            "--1",
            "1.2.3",
            "0x10",
            "٣",
            "1.12345678",
            "0.00000001",
            "37.00000000",
            "1e400",
        ] {
            let answer = me.creates(json!({ field: text })).await;
            answer.error_with("validation_error", json!({ field: ["is invalid"] }));
        }
        let answer = me.creates(json!({ field: number("1.12345678") })).await;
        answer.error_with("validation_error", json!({ field: ["is invalid"] }));
        let long = format!("-{}", "1".repeat(400));
        for huge in ["1e400", "-1e400", "1e-400", "1e99999999999999999999", &long] {
            let answer = me.creates(json!({ field: number(huge) })).await.is(422);
            let details = &answer.json()["errors"]["details"];
            assert!(details[field].is_array(), "{answer}");
        }
    }
}

#[actix_web::test]
async fn switches_are_booleans_that_are_on_by_default() {
    let (_server, me) = world().await;
    for event in ["confirmation", "modification", "cancellation"] {
        let field = format!("allow_availability_autoupdate_on_{event}");
        for (sent, expected) in [(json!(true), true), (json!(false), false), (json!(null), true)] {
            assert_eq!(kept(&me, "settings", &field, sent).await, expected);
        }
        for wrong in [json!("yes"), json!(5), json!([]), json!({})] {
            refused(&me, "settings", &field, wrong, "is invalid").await;
        }
    }
}

#[actix_web::test]
async fn the_old_switch_sets_the_new_ones_that_are_left_out() {
    let (_server, me) = world().await;
    let on = |event: &str| format!("allow_availability_autoupdate_on_{event}");
    let settings = json!({
        "allow_availability_autoupdate": false,
        on("modification"): true
    });
    let created = me.creates(json!({ "settings": settings })).await.is(201);
    let settings = &created.attributes()["settings"];
    assert_eq!(settings[on("confirmation")], false);
    assert_eq!(settings[on("modification")], true);
    assert_eq!(settings[on("cancellation")], false);
    assert_eq!(settings.get("allow_availability_autoupdate"), None);
    assert_eq!(settings.as_object().map(|all| all.len()), Some(7));
    for wrong in [json!("yes"), json!([])] {
        let field = "allow_availability_autoupdate";
        refused(&me, "settings", field, wrong, "is invalid").await;
    }
}

#[actix_web::test]
async fn a_minimum_stay_is_of_one_of_three_types() {
    let (_server, me) = world().await;
    for kind in ["both", "arrival", "through"] {
        assert_eq!(kept(&me, "settings", "min_stay_type", json!(kind)).await, kind);
    }
    assert_eq!(kept(&me, "settings", "min_stay_type", json!(null)).await, "both");
    for wrong in [json!("none"), json!("Both"), json!(5), json!([])] {
        refused(&me, "settings", "min_stay_type", wrong, "is invalid").await;
    }
}

#[actix_web::test]
async fn a_price_limit_is_money_of_the_property_s_currency() {
    let (_server, me) = world().await;
    for (currency, sent, kept) in [
        ("EUR", json!("100"), "100.00"),
        ("EUR", json!("100.5"), "100.50"),
        ("EUR", json!("100.05"), "100.05"),
        ("EUR", json!("0.01"), "0.01"),
        ("EUR", json!(10000), "100.00"),
        ("EUR", json!(1), "0.01"),
        ("JPY", json!("100"), "100"),
        ("JPY", json!(100), "100"),
        ("KWD", json!("1.005"), "1.005"),
        ("KWD", json!(1500), "1.500"),
        ("jpy", json!(5000), "5000"),
    ] {
        for field in ["min_price", "max_price"] {
            let sent = json!({ "currency": currency, "settings": { field: sent } });
            let created = me.creates(sent).await.is(201);
            assert_eq!(created.attributes()["settings"][field], kept, "{created}");
        }
    }
    for field in ["min_price", "max_price"] {
        assert_eq!(kept(&me, "settings", field, json!(null)).await, json!(null));
        for wrong in [
            json!(""),
            json!(" "),
            json!("cheap"),
            json!("100.005"),
            json!("1,50"),
            json!("1e2"),
            json!("€5"),
            json!(true),
            json!([]),
            json!({}),
            json!(1.5),
            number("100.0"),
            number("1e3"),
        ] {
            refused(&me, "settings", field, wrong, "is invalid").await;
        }
        for low in [json!("0"), json!("0.00"), json!(0), json!("-1"), json!("-0.01"), json!(-1)] {
            refused(&me, "settings", field, low, "must be greater than 0").await;
        }
        for (currency, sent) in [("JPY", "100.5"), ("JPY", "100.00"), ("KWD", "1.0005")] {
            let sent = json!({ "currency": currency, "settings": { field: sent } });
            let details = json!({ "settings": { field: ["is invalid"] } });
            me.creates(sent).await.error_with("validation_error", details);
        }
    }
}

#[actix_web::test]
async fn money_past_what_can_be_kept_is_refused_and_no_fault() {
    let (_server, me) = world().await;
    let digits = "9".repeat(40);
    for field in ["min_price", "max_price"] {
        for huge in [
            json!(digits),
            number(&digits),
            json!(format!("-{digits}")),
            json!("92233720368547758.08"),
            number("9223372036854775808"),
            number("1e400"),
        ] {
            let answer = me.creates(json!({ "settings": { field: huge } })).await.is(422);
            let details = &answer.json()["errors"]["details"];
            assert!(details["settings"][field].is_array(), "{answer}");
        }
    }
}

#[actix_web::test]
async fn the_highest_price_is_not_below_the_lowest() {
    let (_server, me) = world().await;
    for (lowest, highest) in [("100", "99.99"), ("100.00", "1")] {
        let settings = json!({ "min_price": lowest, "max_price": highest });
        let answer = me.creates(json!({ "settings": settings })).await;
        let message = "must be greater than or equal to 100.00";
        let details = json!({ "settings": { "max_price": [message] } });
        answer.error_with("validation_error", details);
    }
    let settings = json!({ "min_price": "100", "max_price": 10000 });
    let created = me.creates(json!({ "settings": settings })).await.is(201);
    assert_eq!(created.attributes()["settings"]["max_price"], "100.00");
}

#[actix_web::test]
async fn the_inventory_has_100_to_730_days() {
    let (_server, me) = world().await;
    for (sent, expected) in [(json!(100), 100), (json!(730), 730), (json!(null), 500)] {
        assert_eq!(kept(&me, "settings", "state_length", sent).await, expected);
    }
    let (few, many) = ("must be greater than or equal to 100", "must be less than or equal to 730");
    for (sent, message) in [(99, few), (0, few), (-5, few), (731, many), (2_147_483_647, many)] {
        refused(&me, "settings", "state_length", json!(sent), message).await;
    }
    for wrong in [json!(""), json!("365"), json!(365.5), json!(true), json!([]), json!({})] {
        refused(&me, "settings", "state_length", wrong, "is invalid").await;
    }
    for huge in ["9223372036854775808", "-9223372036854775809", "1e400"] {
        let settings = json!({ "state_length": number(huge) });
        let answer = me.creates(json!({ "settings": settings })).await.is(422);
        let details = &answer.json()["errors"]["details"];
        assert!(details["settings"]["state_length"].is_array(), "{answer}");
    }
}

#[actix_web::test]
async fn no_settings_and_no_content_are_the_default_ones() {
    let (_server, me) = world().await;
    let default = me.creates(json!({})).await.is(201).attributes();
    for nothing in [json!(null), json!({}), json!({ "unknown": 5 })] {
        let sent = json!({ "settings": nothing, "content": nothing });
        let created = me.creates(sent).await.is(201).attributes();
        assert_eq!(created["settings"], default["settings"]);
        assert_eq!(created["content"], default["content"]);
    }
}

#[actix_web::test]
async fn texts_of_the_content_are_kept_as_sent() {
    let (_server, me) = world().await;
    let long = "Rooms by the sea. 🌊\r\n".repeat(900);
    for field in ["description", "important_information"] {
        for text in ["", " ", " Two\tlines\n<p>&amp;</p> ", "\u{1}\u{7f}", &long] {
            assert_eq!(kept(&me, "content", field, json!(text)).await, text);
        }
        assert_eq!(kept(&me, "content", field, json!(null)).await, json!(null));
        for wrong in [json!(5), json!(true), json!([]), json!({})] {
            refused(&me, "content", field, wrong, "is invalid").await;
        }
    }
}
