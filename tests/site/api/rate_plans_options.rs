//! The occupancy options of a rate plan: guests, the primary one, rates, and what derives them.

use serde_json::{Value, json};

use crate::property::number;
use crate::rate_plan::{RATE_PLANS, Room, option, other_option, rates, room, rules};

/// Creates with these options, which must be refused with just these messages.
async fn refused(room: &Room, options: Value, messages: &[&str]) {
    let answer = room.creates(json!({ "options": options })).await;
    answer.invalid(json!({ "options": messages }));
}

/// The options of a plan created with these, as they are then read.
async fn kept(room: &Room, currency: &str, options: Value) -> Value {
    let created = room.creates(json!({ "currency": currency, "options": options })).await.is(201);
    let kept = created.attributes();
    assert_eq!(room.reads(&created.id()).await, kept);
    room.deletes(&created.id()).await;
    kept["options"].clone()
}

/// One option with this field and the required ones.
fn with(field: &str, value: Value) -> Value {
    let mut option = option(2, "100.00");
    option[field] = value;
    json!([option])
}

#[actix_web::test]
async fn options_are_a_list_of_objects() {
    let room = room().await;
    for wrong in [json!("x"), json!(5), json!(true), json!({}), option(2, "100")] {
        refused(&room, wrong, &["is invalid"]).await;
    }
    for entry in [json!("x"), json!(5), json!(null), json!([5]), json!([option(2, "100")])] {
        for options in [json!([entry]), json!([option(2, "100"), entry])] {
            room.creates(json!({ "options": options })).await.invalid_at("/options", "");
        }
    }
    for empty in [json!({}), json!([])] {
        let answer = room.creates(json!({ "options": [empty] })).await;
        answer.invalid(json!({ "options": ["0.occupancy can't be blank"] }));
    }
    assert_eq!(room.finds("").await, Vec::<String>::new());
}

#[actix_web::test]
async fn an_occupancy_is_a_positive_whole_number() {
    let room = room().await;
    for (sent, message) in [
        (json!(null), "can't be blank"),
        (json!(0), "must be greater than 0"),
        (json!(-2), "must be greater than 0"),
        (json!(2_147_483_648_i64), "must be less than or equal to 2147483647"),
        (json!(""), "is invalid"),
        (json!("2"), "is invalid"),
        (json!(1.5), "is invalid"),
        (number("2e-1"), "is invalid"),
        (json!(true), "is invalid"),
        (json!([]), "is invalid"),
    ] {
        refused(&room, with("occupancy", sent), &[&format!("0.occupancy {message}")]).await;
    }
    // More guests than the room type has beds for are the caller's business.
    for guests in [1, 2, 50, 2_147_483_647] {
        assert_eq!(kept(&room, "EUR", with("occupancy", json!(guests))).await[0]["occupancy"], guests);
    }
}

#[actix_web::test]
async fn messages_begin_with_the_position() {
    let room = room().await;
    let options = json!([option(2, "100"), other_option(0, "80"), other_option(3, "x"), other_option(4, "-1")]);
    let messages =
        ["1.occupancy must be greater than 0", "2.rate is invalid", "3.rate must be greater than or equal to 0"];
    refused(&room, options, &messages).await;
}

#[actix_web::test]
async fn every_number_of_guests_has_one_option() {
    let room = room().await;
    let twice = json!([option(2, "100"), other_option(1, "80"), other_option(2, "90")]);
    refused(&room, twice, &["2.occupancy has already been taken"]).await;
}

#[actix_web::test]
async fn exactly_one_option_is_primary() {
    let room = room().await;
    let wrong = "must have exactly one primary option";
    refused(&room, json!([option(2, "100"), option(1, "80")]), &[wrong]).await;
    refused(&room, json!([other_option(2, "100"), other_option(1, "80")]), &[wrong]).await;
    refused(&room, json!([option(3, "1"), other_option(2, "100"), option(1, "80")]), &[wrong]).await;
    let none = json!([{ "occupancy": 2, "rate": "100" }, { "occupancy": 1, "rate": "80" }]);
    refused(&room, none, &[wrong]).await;
    for wrong in [json!("yes"), json!(5), json!([]), json!({})] {
        refused(&room, with("is_primary", wrong), &["0.is_primary is invalid"]).await;
    }
    // One alone is the primary one, whatever it says.
    for alone in [json!([{ "occupancy": 2, "rate": "100" }]), json!([other_option(2, "100")])] {
        assert_eq!(kept(&room, "EUR", alone).await[0]["is_primary"], true);
    }
    let last = kept(&room, "EUR", json!([other_option(1, "80"), option(2, "100")])).await;
    assert_eq!((&last[0]["is_primary"], &last[1]["is_primary"]), (&json!(false), &json!(true)));
}

#[actix_web::test]
async fn options_stay_in_their_order_and_sell_modes_do_not_limit_them() {
    let room = room().await;
    for mode in ["per_room", "per_person"] {
        let options = json!([other_option(3, "120"), option(2, "100"), other_option(1, "80"), other_option(4, "130")]);
        let created = room.creates(json!({ "title": mode, "sell_mode": mode, "options": options })).await.is(201);
        assert_eq!(rates(&created.attributes()), ["120.00", "100.00", "80.00", "130.00"]);
        let read = room.reads(&created.id()).await;
        let guests: Vec<_> = read["options"].as_array().unwrap().iter().map(|o| o["occupancy"].clone()).collect();
        assert_eq!(guests, [3, 2, 1, 4]);
    }
}

#[actix_web::test]
async fn a_rate_is_money_of_the_plan_s_currency_and_may_be_0() {
    let room = room().await;
    for (currency, sent, expected) in [
        ("EUR", json!("100"), "100.00"),
        ("EUR", json!("100.00"), "100.00"),
        ("EUR", json!(10000), "100.00"),
        ("EUR", json!("100.5"), "100.50"),
        ("EUR", json!("0.01"), "0.01"),
        ("EUR", json!(1), "0.01"),
        ("EUR", json!("0"), "0.00"),
        ("EUR", json!(0), "0.00"),
        ("EUR", json!("0.00"), "0.00"),
        ("EUR", json!(null), "0.00"),
        ("JPY", json!("100"), "100"),
        ("JPY", json!(100), "100"),
        ("JPY", json!(null), "0"),
        ("KWD", json!("100"), "100.000"),
        ("KWD", json!("1.005"), "1.005"),
        ("KWD", json!(1500), "1.500"),
        ("KWD", json!(null), "0.000"),
        ("kwd", json!(1), "0.001"),
    ] {
        assert_eq!(kept(&room, currency, with("rate", sent)).await[0]["rate"], expected, "{currency}");
    }
    let missing = kept(&room, "EUR", json!([{ "occupancy": 2, "is_primary": true }])).await;
    assert_eq!(missing[0]["rate"], "0.00");
    let wrong = ["", " ", "cheap", "100.005", "1,50", "1e2", "€5", "1.", ".5", "+5", " 5", "٣"].map(Value::from);
    let more = [json!(true), json!([]), json!({}), json!(1.5), number("100.0"), number("1e3")];
    for wrong in wrong.into_iter().chain(more) {
        refused(&room, with("rate", wrong), &["0.rate is invalid"]).await;
    }
    for low in [json!("-1"), json!("-0.01"), json!(-1)] {
        refused(&room, with("rate", low), &["0.rate must be greater than or equal to 0"]).await;
    }
    for (currency, sent) in [("JPY", "100.5"), ("JPY", "100.00"), ("KWD", "1.0005")] {
        let answer = room.creates(json!({ "currency": currency, "options": with("rate", json!(sent)) })).await;
        answer.invalid(json!({ "options": ["0.rate is invalid"] }));
    }
    let digits = "9".repeat(40);
    for huge in [json!(digits), number(&digits), number("1e400"), json!("92233720368547758.08")] {
        room.creates(json!({ "options": with("rate", huge) })).await.invalid_at("/options", "0.rate ");
    }
}

#[actix_web::test]
async fn what_derives_an_option_is_kept_as_sent() {
    let room = room().await;
    for derived in [
        json!(null),
        rules(&[("decrease_by_percent", "10")]),
        rules(&[("increase_by_percent", "12.5"), ("decrease_by_amount", "0.50"), ("increase_by_amount", "4")]),
        json!({ "min_stay_arrival": [["increase_by_amount", "1"]] }),
        json!({
            "rate": [["increase_by_amount", "5"]],
            "availability_offset": [["increase_by_amount", "2"], ["decrease_by_amount", "1"]],
            "max_stay": [["decrease_by_amount", "1"]], "min_stay_through": [["increase_by_amount", "1"]],
            "max_sell": [["decrease_by_amount", "1"]], "max_availability": [["decrease_by_amount", "1"]]
        }),
        rules(&[("increase_by_amount", "1"); 2000]),
    ] {
        assert_eq!(kept(&room, "EUR", with("derived_option", derived.clone())).await[0]["derived_option"], derived);
    }
}

#[actix_web::test]
async fn what_derives_an_option_is_pairs_of_a_known_rule_and_a_decimal() {
    let room = room().await;
    for wrong in [json!("x"), json!(5), json!(true), json!([5]), json!([["increase_by_amount", "1"]])] {
        refused(&room, with("derived_option", wrong), &["0.derived_option is invalid"]).await;
    }
    let of_rate = |rate: Value| json!({ "rate": rate });
    let pair = |rule: &str, argument: Value| of_rate(json!([[rule, argument]]));
    let mut wrong = vec![
        of_rate(json!("x")),
        of_rate(json!(5)),
        of_rate(json!({})),
        of_rate(json!(["increase_by_amount", "1"])),
        of_rate(json!([[]])),
        of_rate(json!([["increase_by_amount"]])),
        of_rate(json!([["increase_by_amount", "1", "2"]])),
        of_rate(json!([{ "increase_by_amount": "1" }])),
        of_rate(json!([null])),
        pair("multiply", json!("2")),
        pair("", json!("2")),
        pair("Increase_by_amount", json!("2")),
        json!({ "foo": [["increase_by_amount", "1"]] }),
        json!({ "stop_sell": [["increase_by_amount", "1"]] }),
        json!({ "closed_to_arrival": [["increase_by_amount", "1"]] }),
        // Percents are of the rate alone.
        json!({ "min_stay_arrival": [["increase_by_percent", "10"]] }),
        json!({ "availability_offset": [["decrease_by_percent", "10"]] }),
    ];
    for argument in [json!(""), json!("x"), json!("1,5"), json!("1e2"), json!(null), json!(true), json!([]), json!({})]
    {
        wrong.push(pair("increase_by_amount", argument.clone()));
        wrong.push(pair("decrease_by_percent", argument));
    }
    for derived in wrong {
        let answer = room.creates(json!({ "options": with("derived_option", derived) })).await;
        answer.invalid_at("/options", "0.derived_option");
    }
    // Whatever becomes of these, it is no fault.
    let long = "9".repeat(5000);
    for argument in [json!(10), json!(1.5), json!(-1), json!("-1"), number("1e400"), json!(long), json!("0")] {
        for rule in ["increase_by_amount", "decrease_by_percent"] {
            let fields = json!({ "title": "Odd", "options": with("derived_option", pair(rule, argument.clone())) });
            let answer = room.creates(fields).await;
            match answer.status {
                201 => room.deletes(&answer.id()).await,
                _ => drop(answer.invalid_at("/options", "0.derived_option")),
            }
        }
    }
    let list = room.me().api.get(RATE_PLANS).await.is(200);
    assert_eq!(list.json()["meta"]["total"], 0);
}

#[actix_web::test]
async fn all_options_together_have_at_most_two_thousand_rules() {
    let room = room().await;
    let options = |first: usize, second: usize| {
        let mut options = [option(2, "10"), other_option(1, "10")];
        options[0]["derived_option"] = rules(&vec![("increase_by_amount", "1"); first]);
        options[1]["derived_option"] = rules(&vec![("increase_by_percent", "1"); second]);
        json!(options)
    };
    for (first, second) in [(2001, 0), (1000, 1001), (3000, 3000)] {
        refused(&room, options(first, second), &["has more than 2000 rules"]).await;
    }
    let id = room.has(json!({ "options": options(1000, 1000) })).await;
    let answer = room.updates(&id, json!({ "options": options(1, 2000) })).await;
    answer.invalid(json!({ "options": ["has more than 2000 rules"] }));
    room.deletes(&id).await;
    assert_eq!(kept(&room, "EUR", with("derived_option", json!([]))).await[0]["derived_option"], json!({}));
}

/// The ids of all options by their occupancy.
fn option_ids(attributes: &Value) -> std::collections::BTreeMap<i64, String> {
    let options = attributes["options"].as_array().expect("options").iter();
    options.map(|o| (o["occupancy"].as_i64().expect("guests"), o["id"].as_str().expect("an id").to_owned())).collect()
}

#[actix_web::test]
async fn an_option_has_an_id_that_stays_with_its_occupancy() {
    let room = room().await;
    let sent = json!([option(2, "84.00"), other_option(1, "66.00")]);
    let first = room.creates(json!({ "options": sent })).await.is(201);
    let ids = option_ids(&first.attributes());
    assert!(ids.values().all(|id| id.parse::<uuid::Uuid>().is_ok()), "{ids:?}");
    assert_ne!(ids[&1], ids[&2]);
    let id = first.id();
    assert_eq!(option_ids(&room.reads(&id).await), ids);
    // Whatever id is sent, and in whatever order.
    let mut other = other_option(3, "1");
    other["id"] = json!(ids[&1]);
    let swapped = json!([other, other_option(1, "5"), option(2, "9")]);
    let answer = room.updates(&id, json!({ "options": swapped })).await.is(200);
    let now = option_ids(&answer.attributes());
    assert_eq!((&now[&1], &now[&2]), (&ids[&1], &ids[&2]));
    assert!(now[&3] != ids[&1] && now[&3] != ids[&2]);
    let second = room.creates(json!({ "title": "Second", "options": sent })).await.is(201);
    assert!(option_ids(&second.attributes()).values().all(|id| !now.values().any(|other| other == id)));
}

#[actix_web::test]
async fn an_update_whose_options_lack_rates_keeps_those_of_their_occupancies() {
    let room = room().await;
    let id = room.has(json!({ "options": [option(2, "84.50"), other_option(1, "66.00")] })).await;
    let bare = |occupancy: u32, is_primary: bool| json!({ "occupancy": occupancy, "is_primary": is_primary });
    let options = json!({ "options": [bare(1, false), bare(2, true), bare(3, false)] });
    let answer = room.updates(&id, options).await.is(200);
    assert_eq!(rates(&answer.attributes()), ["66.00", "84.50", "0.00"]);
    // Another currency has the same amounts, where it can.
    let options = json!({ "currency": "KWD", "options": [bare(1, false), bare(2, true)] });
    assert_eq!(rates(&room.updates(&id, options).await.is(200).attributes()), ["66.000", "84.500"]);
    let options = json!({ "currency": "JPY", "options": [bare(1, false), bare(2, true)] });
    room.updates(&id, options).await.invalid(json!({ "options": ["1.rate is invalid"] }));
    // Null is the default.
    let mut cleared = bare(2, true);
    cleared["rate"] = json!(null);
    assert_eq!(rates(&room.updates(&id, json!({ "options": [cleared] })).await.is(200).attributes()), ["0.000"]);
}
