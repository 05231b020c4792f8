//! Deleting a room type, for good, with all that hangs on it.

use serde_json::json;

use crate::property::{UNKNOWN_ID, at};
use crate::rate_plan::{RATE_PLAN_OPTIONS, RATE_PLANS, rate_plan_at, room};
use crate::room_type::{ROOM_TYPE_OPTIONS, ROOM_TYPES, house, room_type_at, room_type_body};

#[actix_web::test]
async fn a_deleted_room_type_is_gone_everywhere() {
    let house = house().await;
    let id = house.has(json!({ "title": "Aurora" })).await;
    let stays = house.has(json!({ "title": "Farol" })).await;
    let answer = house.me.api.delete(&room_type_at(&id)).await.is(200);
    answer.says(json!({ "meta": { "message": "Success" } }));
    house.me.api.get(&room_type_at(&id)).await.error("not_found");
    house.updates(&id, json!({})).await.error("resource_not_found");
    house.me.api.delete(&room_type_at(&id)).await.error("resource_not_found");
    for list in [ROOM_TYPES, ROOM_TYPE_OPTIONS] {
        assert_eq!(house.me.api.get(list).await.is(200).column("id"), [&*stays]);
    }
    house.me.api.get(&at(&house.property)).await.is(200);
}

#[actix_web::test]
async fn a_room_type_can_be_deleted_by_force_too() {
    let house = house().await;
    for query in ["?force=true", "?force=1", "?force=false", "?force=0", "/?force=true"] {
        let id = house.has(json!({})).await;
        let answer = house.me.api.delete(&format!("{}{query}", room_type_at(&id))).await.is(200);
        answer.says(json!({ "meta": { "message": "Success" } }));
        house.me.api.get(&room_type_at(&id)).await.error("not_found");
    }
}

#[actix_web::test]
async fn an_unknown_room_type_cannot_be_deleted() {
    let house = house().await;
    for id in [UNKNOWN_ID, "x", "%20", &house.property] {
        house.me.api.delete(&room_type_at(id)).await.error("resource_not_found");
    }
}

#[actix_web::test]
async fn a_room_type_takes_its_own_rate_plans_along() {
    let room = room().await;
    let second = room.house.has(json!({ "title": "Dorm" })).await;
    let gone = [room.has(json!({})).await, room.has(json!({ "title": "Weekly" })).await];
    let stays = room.has(json!({ "room_type_id": second })).await;
    room.me().api.delete(&room_type_at(&room.room_type)).await.is(200);
    for id in &gone {
        room.me().api.get(&rate_plan_at(id)).await.error("not_found");
        room.updates(id, json!({})).await.error("resource_not_found");
        room.me().api.delete(&rate_plan_at(id)).await.error("resource_not_found");
    }
    for list in [RATE_PLANS, RATE_PLAN_OPTIONS] {
        assert_eq!(room.me().api.get(list).await.is(200).column("id"), [&*stays]);
    }
    let absent = json!({ "room_type_id": ["does not exist"] });
    room.creates(json!({})).await.invalid(absent);
}

#[actix_web::test]
async fn a_property_takes_its_room_types_and_rate_plans_along() {
    let room = room().await;
    let plan = room.has(json!({})).await;
    let property = room.me().has(json!({ "title": "Pensão Aurora" })).await;
    let other_room = room.house.has(json!({ "property_id": property })).await;
    let other_plan = room.has(json!({ "property_id": property, "room_type_id": other_room })).await;
    let child = json!({ "title": "Weekly", "parent_rate_plan_id": plan, "rate_mode": "derived" });
    let child = room.has(child).await;
    room.me().api.delete(&at(&room.house.property)).await.is(200);
    room.me().api.get(&room_type_at(&room.room_type)).await.error("not_found");
    for plan in [&plan, &child] {
        room.me().api.get(&rate_plan_at(plan)).await.error("not_found");
    }
    for (list, stays) in [(ROOM_TYPES, &other_room), (RATE_PLANS, &other_plan)] {
        for list in [list, &format!("{list}/options")] {
            assert_eq!(room.me().api.get(list).await.is(200).column("id"), [&**stays]);
        }
    }
}

#[actix_web::test]
async fn of_many_deletions_at_once_one_succeeds_and_no_update_fails_in_between() {
    let house = house().await;
    for round in 0..4 {
        let id = house.has(json!({})).await;
        let running: Vec<_> = (0..10)
            .map(|number| {
                let change = json!({ "room_type": { "title": format!("Round {round}"), "occ_adults": number + 2 } });
                let call = match number % 2 {
                    0 => house.me.api.delete(&room_type_at(&id)),
                    _ => house.me.api.put(&room_type_at(&id), &change),
                };
                actix_web::rt::spawn(async move { (number % 2 == 0, call.await) })
            })
            .collect();
        let mut deleted = 0;
        for answer in running {
            let (is_deletion, answer) = answer.await.unwrap();
            match answer.status {
                200 => deleted += usize::from(is_deletion),
                _ => drop(answer.error("resource_not_found")),
            }
        }
        assert_eq!(deleted, 1);
        house.me.api.get(&room_type_at(&id)).await.error("not_found");
    }
}

#[actix_web::test]
async fn a_property_that_goes_while_room_types_come_leaves_none_behind() {
    let house = house().await;
    for _ in 0..4 {
        let property = house.me.has(json!({})).await;
        let mut running = Vec::new();
        for number in 0..6 {
            let call = house.me.api.post(ROOM_TYPES, &room_type_body(&property, json!({})));
            running.push(actix_web::rt::spawn(async move { call.await }));
            if number == 2 {
                let call = house.me.api.delete(&at(&property));
                running.push(actix_web::rt::spawn(async move { call.await }));
            }
        }
        for answer in running {
            let answer = answer.await.unwrap();
            if ![200, 201].contains(&answer.status) {
                answer.invalid(json!({ "property_id": ["does not exist"] }));
            }
        }
        assert_eq!(house.finds("").await, Vec::<String>::new());
    }
}
