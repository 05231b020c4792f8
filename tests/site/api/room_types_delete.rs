//! Deleting a room type, for good, with all that hangs on it.

use serde_json::json;

use crate::property::at;
use crate::rate_plan::{RATE_PLAN_OPTIONS, RATE_PLANS, rate_plan_at, room};
use crate::room_type::{ROOM_TYPE_OPTIONS, ROOM_TYPES, house, room_type_at};

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
