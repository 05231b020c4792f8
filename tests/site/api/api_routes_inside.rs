//! What strangers are told of what is inside properties.

use serde_json::json;

use crate::rate_plan::{RATE_PLAN_OPTIONS, RATE_PLANS, Room, rate_plan_at, room};
use crate::room_type::{ROOM_TYPE_OPTIONS, ROOM_TYPES, room_type_at};

/// A room with one plan, and where that is.
async fn sold() -> (Room, String) {
    let room = room().await;
    let plan = room.has(json!({})).await;
    (room, rate_plan_at(&plan))
}

#[actix_web::test]
async fn strangers_are_told_nothing() {
    let (room, plan) = sold().await;
    let stranger = room.house.server.anonymous();
    let room_type = room_type_at(&room.room_type);
    for path in [ROOM_TYPES, ROOM_TYPE_OPTIONS, RATE_PLANS, RATE_PLAN_OPTIONS, &plan, &room_type] {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            let call = stranger.call(method.parse().expect("a method"), path).body("{");
            call.await.error("unauthorized");
        }
    }
    room.me().api.get(&plan).await.is(200);
}
