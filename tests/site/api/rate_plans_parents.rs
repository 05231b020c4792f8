//! Rate plans that derive from another one: which parents there can be, and in which modes.

use serde_json::{Value, json};

use crate::property::UNKNOWN_ID;
use crate::rate_plan::{INHERIT, Room, rate_plan_at, room};

/// The fields of a plan with this title, parent and mode.
fn child(title: &str, parent: &str, mode: &str) -> Value {
    json!({ "title": title, "parent_rate_plan_id": parent, "rate_mode": mode })
}

fn parent_problem(message: &str) -> Value {
    json!({ "parent_rate_plan_id": [message] })
}

/// A plan A with a child B and its child C, all in this mode.
async fn chain(mode: &str) -> (Room, [String; 3]) {
    let room = room().await;
    let a = room.has(json!({ "title": "A" })).await;
    let b = room.has(child("B", &a, mode)).await;
    let c = room.has(child("C", &b, mode)).await;
    (room, [a, b, c])
}

#[actix_web::test]
async fn a_parent_is_a_plan_of_the_same_property() {
    let room = room().await;
    let property = room.me().has(json!({})).await;
    let elsewhere = room.house.has(json!({ "property_id": property })).await;
    let elsewhere = room.has(json!({ "property_id": property, "room_type_id": elsewhere })).await;
    for mode in ["manual", "derived", "cascade"] {
        for malformed in ["x", "0197a3b2-0000-7000-8000-00000000000"] {
            room.creates(child("B", malformed, mode)).await.invalid(parent_problem("is invalid"));
        }
        for absent in [UNKNOWN_ID, &elsewhere, &room.room_type] {
            room.creates(child("B", absent, mode)).await.invalid(parent_problem("does not exist"));
        }
    }
    for wrong in [json!(5), json!(true), json!([]), json!({})] {
        room.creates(json!({ "parent_rate_plan_id": wrong })).await.invalid(parent_problem("is invalid"));
    }
    let dorm = room.house.has(json!({ "title": "Dorm" })).await;
    let a = room.has(json!({ "title": "A", "room_type_id": dorm })).await;
    for (number, mode) in ["manual", "derived", "cascade"].iter().enumerate() {
        let created = room.creates(child(&format!("B{number}"), &a.to_uppercase(), mode)).await.is(201);
        assert_eq!(created.attributes()["parent_rate_plan_id"], json!(a));
        assert_eq!(created.attributes()["rate_mode"], *mode);
    }
    let without = room.creates(json!({ "parent_rate_plan_id": null })).await.is(201);
    assert_eq!(without.attributes()["parent_rate_plan_id"], json!(null));
}

#[actix_web::test]
async fn derived_and_cascading_rates_need_a_parent() {
    let (room, [a, b, _]) = chain("derived").await;
    for mode in ["derived", "cascade"] {
        for sent in [json!({ "rate_mode": mode }), json!({ "rate_mode": mode, "parent_rate_plan_id": null })] {
            room.creates(sent.clone()).await.invalid(parent_problem("can't be blank"));
            room.updates(&a, sent).await.invalid(parent_problem("can't be blank"));
        }
        room.updates(&b, json!({ "rate_mode": mode })).await.is(200);
        let gone = json!({ "parent_rate_plan_id": null });
        room.updates(&b, gone).await.invalid(parent_problem("can't be blank"));
    }
    let free = json!({ "parent_rate_plan_id": null, "rate_mode": "manual" });
    let free = room.updates(&b, free).await.is(200).attributes();
    assert_eq!((&free["parent_rate_plan_id"], &free["rate_mode"]), (&json!(null), &json!("manual")));
    let manual = room.updates(&b, json!({ "parent_rate_plan_id": a })).await.is(200).attributes();
    assert_eq!((&manual["parent_rate_plan_id"], &manual["rate_mode"]), (&json!(a), &json!("manual")));
}

#[actix_web::test]
async fn no_plan_is_its_own_ancestor() {
    for mode in ["manual", "derived", "cascade"] {
        let (room, [a, b, c]) = chain(mode).await;
        for (id, parent) in [(&a, &a), (&a, &b), (&a, &c), (&b, &b), (&b, &c), (&c, &c)] {
            let sent = json!({ "parent_rate_plan_id": parent });
            room.updates(id, sent).await.invalid(parent_problem("is invalid"));
        }
        for (id, parent) in [(&c, &a), (&c, &b), (&b, &a)] {
            room.updates(id, json!({ "parent_rate_plan_id": parent })).await.is(200);
        }
        assert_eq!(room.reads(&a).await["parent_rate_plan_id"], json!(null));
    }
}

#[actix_web::test]
async fn no_circle_comes_of_two_updates_at_once() {
    let room = room().await;
    let mut pairs = Vec::new();
    for number in 0..24 {
        let a = room.has(json!({ "title": format!("A{number}") })).await;
        pairs.push([a, room.has(json!({ "title": format!("B{number}") })).await]);
    }
    let put = |id: &str, parent: &str| {
        let call = room.me().api.put(&rate_plan_at(id), &json!({ "rate_plan": { "parent_rate_plan_id": parent } }));
        actix_web::rt::spawn(async move { call.await })
    };
    let running: Vec<_> = pairs.iter().map(|[a, b]| [put(a, b), put(b, a)]).collect();
    for pair in running {
        let mut taken = 0;
        for answer in pair {
            let answer = answer.await.unwrap();
            match answer.status {
                200 => taken += 1,
                _ => drop(answer.invalid(parent_problem("is invalid"))),
            }
        }
        assert_eq!(taken, 1);
    }
}

#[actix_web::test]
async fn a_long_line_of_parents_is_taken() {
    let room = room().await;
    let mut last = room.has(json!({ "title": "0" })).await;
    let first = last.clone();
    for number in 1..=30 {
        last = room.has(child(&number.to_string(), &last, "derived")).await;
    }
    let circle = json!({ "parent_rate_plan_id": last });
    room.updates(&first, circle).await.invalid(parent_problem("is invalid"));
}

#[actix_web::test]
async fn derived_rates_are_in_the_currency_of_the_parent() {
    let room = room().await;
    let a = room.has(json!({ "title": "A", "currency": "USD" })).await;
    for mode in ["derived", "cascade"] {
        room.creates(child("B", &a, mode)).await.invalid(parent_problem("is invalid"));
        let mut same = child(mode, &a, mode);
        same["currency"] = json!("usd");
        let b = room.has(same).await;
        for currency in [json!("EUR"), json!(null)] {
            let answer = room.updates(&b, json!({ "currency": currency })).await.is(422);
            let details = answer.json()["errors"]["details"].clone();
            assert_eq!(details, parent_problem("is invalid"), "{answer}");
        }
        let other = room.has(json!({ "title": format!("other {mode}") })).await;
        let moved = json!({ "parent_rate_plan_id": other });
        room.updates(&b, moved).await.invalid(parent_problem("is invalid"));
        let moved = json!({ "parent_rate_plan_id": other, "currency": "EUR" });
        room.updates(&b, moved).await.is(200);
        let manual = room.has(child(&format!("manual {mode}"), &a, "manual")).await;
        room.updates(&manual, json!({ "rate_mode": mode })).await.invalid(parent_problem("is invalid"));
        room.updates(&manual, json!({ "rate_mode": mode, "currency": "USD" })).await.is(200);
    }
}

#[actix_web::test]
async fn a_parent_keeps_its_currency_while_rates_derive_from_it() {
    let room = room().await;
    let a = room.has(json!({ "title": "A" })).await;
    let b = room.has(child("B", &a, "manual")).await;
    room.updates(&a, json!({ "currency": "USD" })).await.is(200);
    room.updates(&a, json!({ "currency": "EUR" })).await.is(200);
    for mode in ["derived", "cascade"] {
        room.updates(&b, json!({ "rate_mode": mode })).await.is(200);
        let answer = room.updates(&a, json!({ "currency": "USD" })).await;
        answer.invalid(json!({ "currency": ["is invalid"] }));
        room.updates(&a, json!({ "currency": "eur" })).await.is(200);
    }
    room.updates(&b, json!({ "rate_mode": "manual" })).await.is(200);
    assert_eq!(room.updates(&a, json!({ "currency": "USD" })).await.is(200).attributes()["currency"], "USD");
}

#[actix_web::test]
async fn no_difference_of_currencies_comes_of_two_updates_at_once() {
    let room = room().await;
    for round in 0..6 {
        let a = room.has(json!({ "title": format!("A{round}") })).await;
        let b = room.has(child(&format!("B{round}"), &a, "manual")).await;
        let changes = [(&a, json!({ "currency": "USD" })), (&b, json!({ "rate_mode": "derived" }))];
        let running: Vec<_> = changes
            .map(|(id, change)| {
                let call = room.me().api.put(&rate_plan_at(id), &json!({ "rate_plan": change }));
                actix_web::rt::spawn(async move { call.await })
            })
            .into();
        let mut taken = 0;
        for answer in running {
            taken += usize::from(answer.await.unwrap().status == 200);
        }
        let (a, b) = (room.reads(&a).await, room.reads(&b).await);
        assert_eq!(taken, 1, "{a} {b}");
        assert!(b["rate_mode"] == "manual" || a["currency"] == b["currency"], "{a} {b}");
    }
}

#[actix_web::test]
async fn what_is_inherited_stays_when_a_parent_comes_or_goes() {
    let room = room().await;
    let a = room.has(json!({ "title": "A" })).await;
    let b = room.has(json!({ "title": "B", "inherit_stop_sell": true })).await;
    let before = room.reads(&b).await;
    for parent in [json!(a), json!(null)] {
        let after = room.updates(&b, json!({ "parent_rate_plan_id": parent })).await.is(200).attributes();
        for flag in INHERIT {
            assert_eq!(after[flag], before[flag], "{flag} with {parent}");
        }
    }
    let c = room.has(child("C", &a, "derived")).await;
    let free = json!({ "parent_rate_plan_id": null, "rate_mode": "manual" });
    let free = room.updates(&c, free).await.is(200).attributes();
    for flag in INHERIT {
        assert_eq!(free[flag], true, "{flag}");
        // Null is the default, which is another one without a parent.
        assert_eq!(room.updates(&c, json!({ flag: null })).await.is(200).attributes()[flag], false);
    }
    room.updates(&c, json!({ "parent_rate_plan_id": a })).await.is(200);
    for flag in INHERIT {
        assert_eq!(room.reads(&c).await[flag], false, "{flag}");
        assert_eq!(room.updates(&c, json!({ flag: null })).await.is(200).attributes()[flag], true);
    }
}
