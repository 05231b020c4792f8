//! Deleting a rate plan, for good, and what becomes of those that derive from it.

use serde_json::{Value, json};

use crate::property::UNKNOWN_ID;
use crate::rate_plan::{
    INHERIT, RATE_PLAN_OPTIONS, RATE_PLANS, Room, option, other_option, rate_plan_at, rates, room, rules,
};
use crate::room_type::room_type_at;

/// An option with these rules instead of a rate.
fn derived(occupancy: u32, is_primary: bool, by: &[(&str, &str)]) -> Value {
    let rules = if by.is_empty() { json!(null) } else { rules(by) };
    json!({ "occupancy": occupancy, "is_primary": is_primary, "derived_option": rules })
}

/// A child of this plan with these options.
async fn child(room: &Room, title: &str, parent: &str, mode: &str, options: Value) -> String {
    let fields = json!({
        "title": title, "parent_rate_plan_id": parent, "rate_mode": mode, "options": options,
        "currency": room.reads(parent).await["currency"]
    });
    room.has(fields).await
}

/// Asserts that a plan stands on its own feet; its rates.
async fn independent(room: &Room, id: &str) -> Vec<String> {
    let attributes = room.reads(id).await;
    assert_eq!(attributes["parent_rate_plan_id"], json!(null), "{attributes}");
    assert_eq!(attributes["rate_mode"], "manual", "{attributes}");
    for flag in INHERIT {
        assert_eq!(attributes[flag], false, "{flag}: {attributes}");
    }
    rates(&attributes)
}

/// What a derived plan costs when its parent, of this rate, has gone.
async fn left_behind(room: &Room, currency: &str, rate: &str, by: &[(&str, &str)]) -> String {
    let parent = room.has(json!({ "title": "Parent", "currency": currency, "options": [option(2, rate)] })).await;
    let id = child(room, "Child", &parent, "derived", json!([derived(2, true, by)])).await;
    room.deletes(&parent).await;
    let rate = independent(room, &id).await.remove(0);
    room.deletes(&id).await;
    rate
}

#[actix_web::test]
async fn a_deleted_plan_is_gone_everywhere() {
    let room = room().await;
    let id = room.has(json!({ "title": "Aurora" })).await;
    let stays = room.has(json!({ "title": "Farol" })).await;
    room.deletes(&id).await;
    room.me().api.get(&rate_plan_at(&id)).await.error("not_found");
    room.updates(&id, json!({})).await.error("resource_not_found");
    room.me().api.delete(&rate_plan_at(&id)).await.error("resource_not_found");
    for list in [RATE_PLANS, RATE_PLAN_OPTIONS] {
        assert_eq!(room.me().api.get(list).await.is(200).column("id"), [&*stays]);
    }
    room.me().api.get(&room_type_at(&room.room_type)).await.is(200);
    for query in ["?force=true", "?force=1", "?force=false", "?force=0", "/?force=true"] {
        let id = room.has(json!({})).await;
        let answer = room.me().api.delete(&format!("{}{query}", rate_plan_at(&id))).await.is(200);
        answer.says(json!({ "meta": { "message": "Success" } }));
        room.me().api.get(&rate_plan_at(&id)).await.error("not_found");
    }
    for id in [UNKNOWN_ID, "x", "%20", &room.room_type] {
        room.me().api.delete(&rate_plan_at(id)).await.error("resource_not_found");
    }
}

/// Every plan is priced once: priced again for each child, this would keep all other writers waiting for long.
#[actix_web::test]
async fn an_elaborate_ancestor_of_many_children_does_not_delay_a_deletion() {
    let room = room().await;
    let top = room.has(json!({ "title": "Top", "options": [option(1, "100.00")] })).await;
    let raise = [("increase_by_percent", "99999999999999999999.9999999999"); 40];
    let options: Vec<Value> = (1..=50).map(|guests| derived(guests, guests == 1, &raise)).collect();
    let elaborate = child(&room, "Elaborate", &top, "derived", json!(options)).await;
    let plain = child(&room, "Plain", &elaborate, "derived", json!([derived(1, true, &[])])).await;
    for number in 0..50 {
        child(&room, &format!("Child {number}"), &plain, "derived", json!([derived(1, true, &[])])).await;
    }
    let start = std::time::Instant::now();
    room.deletes(&plain).await;
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

#[actix_web::test]
async fn a_child_keeps_the_price_that_it_had() {
    let room = room().await;
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str);
    let cases: &[Case] = &[
        ("EUR", "100.00", &[], "100.00"),
        ("EUR", "100.00", &[("decrease_by_percent", "10")], "90.00"),
        ("EUR", "100.00", &[("increase_by_percent", "12.5")], "112.50"),
        ("EUR", "100.00", &[("increase_by_amount", "4.50")], "104.50"),
        ("EUR", "100.00", &[("decrease_by_amount", "4.50")], "95.50"),
        ("EUR", "80.00", &[("decrease_by_percent", "10"), ("increase_by_amount", "4.50")], "76.50"),
        ("EUR", "80.00", &[("increase_by_amount", "4.50"), ("decrease_by_percent", "10")], "76.05"),
        // Half up, once, at the end.
        ("EUR", "100.05", &[("decrease_by_percent", "50")], "50.03"),
        ("EUR", "1.00", &[("decrease_by_percent", "33.3")], "0.67"),
        ("EUR", "1.01", &[("decrease_by_percent", "50"), ("increase_by_percent", "100")], "1.01"),
        ("EUR", "0.01", &[("decrease_by_percent", "51")], "0.00"),
        ("JPY", "101", &[("decrease_by_percent", "50")], "51"),
        ("JPY", "100", &[("increase_by_amount", "50")], "150"),
        ("KWD", "1.001", &[("decrease_by_percent", "50")], "0.501"),
        // Never below nothing.
        ("EUR", "5.00", &[("decrease_by_amount", "10")], "0.00"),
        ("EUR", "5.00", &[("decrease_by_percent", "150")], "0.00"),
        ("EUR", "0", &[("increase_by_amount", "3")], "3.00"),
    ];
    for (currency, rate, by, expected) in cases {
        assert_eq!(left_behind(&room, currency, rate, by).await, *expected, "{currency} {rate} {by:?}");
    }
}

#[actix_web::test]
async fn enormous_rules_make_no_fault_of_a_deletion() {
    let room = room().await;
    let nines = "9".repeat(15);
    let many = vec![("increase_by_percent", "1000"); 1000];
    let long = vec![("decrease_by_percent", "33.3333"); 1000];
    for by in [&many, &long, &vec![("increase_by_amount", &*nines); 1000], &vec![("increase_by_percent", &*nines); 40]]
    {
        let parent = room.has(json!({ "title": "Parent" })).await;
        let options = json!([derived(2, true, by)]);
        let fields = json!({
            "title": "Child", "parent_rate_plan_id": parent, "rate_mode": "derived", "options": options
        });
        let answer = room.creates(fields).await;
        assert!([201, 422].contains(&answer.status), "{answer}");
        let deletion = room.me().api.delete(&rate_plan_at(&parent)).await.is(200);
        deletion.says(json!({ "meta": { "message": "Success" } }));
        if answer.status == 201 {
            independent(&room, &answer.id()).await;
            room.deletes(&answer.id()).await;
        }
    }
}

#[actix_web::test]
async fn the_other_options_of_a_derived_child_follow_its_primary_one() {
    let room = room().await;
    let parent = room.has(json!({ "options": [option(2, "100"), other_option(1, "1"), other_option(3, "2")] })).await;
    let options = json!([
        derived(1, false, &[("decrease_by_amount", "15")]),
        derived(2, true, &[("decrease_by_percent", "10")]),
        derived(3, false, &[]),
    ]);
    let id = child(&room, "Child", &parent, "derived", options).await;
    room.deletes(&parent).await;
    assert_eq!(independent(&room, &id).await, ["75.00", "90.00", "90.00"]);
}

#[actix_web::test]
async fn every_option_of_a_cascading_child_follows_the_same_of_the_parent() {
    let room = room().await;
    let options = json!([option(2, "100"), other_option(1, "80"), other_option(3, "120.10")]);
    let parent = room.has(json!({ "sell_mode": "per_person", "options": options })).await;
    let options = json!([
        derived(1, false, &[("increase_by_amount", "5")]),
        derived(3, true, &[("decrease_by_percent", "50")]),
        derived(2, false, &[]),
    ]);
    let id = child(&room, "Child", &parent, "cascade", options).await;
    room.deletes(&parent).await;
    assert_eq!(independent(&room, &id).await, ["85.00", "60.05", "100.00"]);
}

#[actix_web::test]
async fn a_child_that_did_not_follow_keeps_its_own_price() {
    let room = room().await;
    let parent = room.has(json!({})).await;
    let mut ids = Vec::new();
    for (title, mode, inherits) in
        [("Manual", "manual", true), ("Derived", "derived", false), ("Cascade", "cascade", false)]
    {
        let mut option = option(2, "70.00");
        option["derived_option"] = rules(&[("decrease_by_percent", "10")]);
        let fields = json!({
            "title": title, "parent_rate_plan_id": parent, "rate_mode": mode, "inherit_rate": inherits,
            "options": [option]
        });
        ids.push(room.has(fields).await);
    }
    room.deletes(&parent).await;
    for id in ids {
        assert_eq!(independent(&room, &id).await, ["70.00"]);
    }
}

#[actix_web::test]
async fn a_child_with_automatic_rates_keeps_the_rates_that_it_had() {
    let room = room().await;
    let parent = room.has(json!({})).await;
    let fields = json!({
        "title": "Child", "parent_rate_plan_id": parent, "rate_mode": "auto", "sell_mode": "per_person",
        "auto_rate_settings": {
            "increase_mode": "$", "increase_value": "10", "decrease_mode": "%", "decrease_value": "25"
        },
        "options": [other_option(1, "0"), option(2, "70.00"), other_option(3, "0"), other_option(4, "0")]
    });
    let id = room.has(fields).await;
    room.deletes(&parent).await;
    assert_eq!(independent(&room, &id).await, ["52.50", "70.00", "80.00", "90.00"]);
}

#[actix_web::test]
async fn in_a_line_of_parents_only_the_next_ones_become_independent() {
    let room = room().await;
    let by = json!([derived(2, true, &[("decrease_by_percent", "10")])]);
    let a = room.has(json!({ "title": "A" })).await;
    let b = child(&room, "B", &a, "derived", by.clone()).await;
    let c = child(&room, "C", &b, "cascade", by.clone()).await;
    let d = child(&room, "D", &c, "derived", by.clone()).await;
    let dorm = room.house.has(json!({ "title": "Dorm" })).await;
    let sibling = room
        .has(json!({
            "title": "Sibling", "room_type_id": dorm, "parent_rate_plan_id": a, "rate_mode": "derived", "options": by
        }))
        .await;
    let before = (room.reads(&a).await, room.reads(&d).await, room.reads(&sibling).await);
    room.deletes(&b).await;
    assert_eq!(independent(&room, &c).await, ["81.00"]);
    assert_eq!((room.reads(&a).await, room.reads(&d).await, room.reads(&sibling).await), before);
    room.deletes(&a).await;
    assert_eq!(independent(&room, &sibling).await, ["90.00"]);
    room.deletes(&c).await;
    assert_eq!(independent(&room, &d).await, ["72.90"]);
    assert_eq!(room.finds("").await, ["D", "Sibling"]);
}

#[actix_web::test]
async fn a_room_type_that_goes_sets_children_elsewhere_free() {
    let room = room().await;
    let dorm = room.house.has(json!({ "title": "Dorm" })).await;
    let by = json!([derived(2, true, &[("decrease_by_percent", "10")])]);
    // The whole line of parents goes at once, and the price is that of before.
    let a = room.has(json!({ "title": "A" })).await;
    let b = child(&room, "B", &a, "derived", by.clone()).await;
    let fields = json!({
        "title": "C", "room_type_id": dorm, "parent_rate_plan_id": b, "rate_mode": "derived", "options": by
    });
    let c = room.has(fields).await;
    let direct = json!({
        "title": "D", "room_type_id": dorm, "parent_rate_plan_id": a, "rate_mode": "cascade", "options": by
    });
    let d = room.has(direct).await;
    let single = room.has(json!({ "title": "E", "room_type_id": dorm })).await;
    let before = room.reads(&single).await;
    room.me().api.delete(&room_type_at(&room.room_type)).await.is(200);
    assert_eq!(room.finds("").await, ["C", "D", "E"]);
    assert_eq!(independent(&room, &c).await, ["81.00"]);
    assert_eq!(independent(&room, &d).await, ["90.00"]);
    assert_eq!(room.reads(&single).await, before);
}

#[actix_web::test]
async fn a_parent_that_goes_while_children_come_leaves_none_behind() {
    let room = room().await;
    for round in 0..4 {
        let parent = room.has(json!({ "title": "Parent" })).await;
        let mut running = Vec::new();
        for number in 0..6 {
            let body = room.body(json!({
                "title": format!("Child {round} {number}"), "parent_rate_plan_id": parent, "rate_mode": "derived",
                "options": [derived(2, true, &[("decrease_by_percent", "10")])]
            }));
            let call = room.me().api.post(RATE_PLANS, &body);
            running.push(actix_web::rt::spawn(async move { call.await }));
            if number == 2 {
                let call = room.me().api.delete(&rate_plan_at(&parent));
                running.push(actix_web::rt::spawn(async move { call.await }));
            }
        }
        let mut made = Vec::new();
        for answer in running {
            let answer = answer.await.unwrap();
            match answer.status {
                201 => made.push(answer.id()),
                200 => {}
                _ => drop(answer.invalid(json!({ "parent_rate_plan_id": ["does not exist"] }))),
            }
        }
        for id in made {
            assert_eq!(independent(&room, &id).await, ["90.00"]);
        }
        room.me().api.get(&rate_plan_at(&parent)).await.error("not_found");
    }
}

#[actix_web::test]
async fn a_room_type_or_property_that_goes_while_plans_come_leaves_none_behind() {
    let room = room().await;
    for round in 0..6 {
        let property = room.me().has(json!({})).await;
        let room_type = room.house.has(json!({ "property_id": property })).await;
        let gone = match round % 2 {
            0 => room_type_at(&room_type),
            _ => crate::property::at(&property),
        };
        let mut running = Vec::new();
        for number in 0..6 {
            let fields = json!({ "title": number.to_string(), "property_id": property, "room_type_id": room_type });
            let call = room.me().api.post(RATE_PLANS, &room.body(fields));
            running.push(actix_web::rt::spawn(async move { call.await }));
            if number == 2 {
                let call = room.me().api.delete(&gone);
                running.push(actix_web::rt::spawn(async move { call.await }));
            }
        }
        for answer in running {
            let answer = answer.await.unwrap();
            assert!([200, 201, 422].contains(&answer.status), "{answer}");
            if answer.status == 422 {
                let details = answer.json()["errors"]["details"].clone();
                assert_eq!(details["room_type_id"], json!(["does not exist"]), "{answer}");
            }
        }
        assert_eq!(room.finds("").await, Vec::<String>::new());
    }
}
