//! Paths and methods of what is inside properties, and the headers of their answers.

use serde_json::json;

use crate::property::UNKNOWN_ID;
use crate::rate_plan::{RATE_PLAN_OPTIONS, RATE_PLANS, Room, rate_plan_at, room};
use crate::room_type::{ROOM_TYPE_OPTIONS, ROOM_TYPES, room_type_at};

/// A room with one plan, and where that is.
async fn sold() -> (Room, String) {
    let room = room().await;
    let plan = room.has(json!({})).await;
    (room, rate_plan_at(&plan))
}

#[actix_web::test]
async fn a_trailing_slash_changes_nothing() {
    let (room, plan) = sold().await;
    let api = &room.me().api;
    let room_type = room_type_at(&room.room_type);
    let unknown = room_type_at(UNKNOWN_ID);
    for path in [ROOM_TYPES, ROOM_TYPE_OPTIONS, RATE_PLANS, RATE_PLAN_OPTIONS, &plan, &room_type, &unknown] {
        assert_eq!(api.get(&format!("{path}/")).await.face(), api.get(path).await.face());
    }
    api.post(&format!("{RATE_PLANS}/"), &room.body(json!({ "title": "Weekly" }))).await.is(201);
    api.put(&format!("{plan}/"), &json!({ "rate_plan": { "title": "Bar" } })).await.is(200);
    api.put(&format!("{room_type}/"), &json!({ "room_type": { "title": "Dorm" } })).await.is(200);
    api.delete(&format!("{plan}/")).await.is(200);
    api.delete(&format!("{room_type}/?force=true")).await.is(200);
    assert_eq!(room.finds("").await, Vec::<String>::new());
}

#[actix_web::test]
async fn a_wrong_method_is_a_405_that_names_the_right_ones() {
    let (room, plan) = sold().await;
    let room_type = room_type_at(&room.room_type);
    let of_list = ["get", "head", "post"];
    let of_options = ["get", "head"];
    let of_one = ["delete", "get", "head", "put"];
    for (path, right, wrong) in [
        (ROOM_TYPES, &of_list[..], &["PUT", "DELETE", "PATCH"][..]),
        (RATE_PLANS, &of_list, &["PUT", "DELETE", "PATCH"]),
        (ROOM_TYPE_OPTIONS, &of_options, &["POST", "PUT", "DELETE", "PATCH"]),
        (RATE_PLAN_OPTIONS, &of_options, &["POST", "PUT", "DELETE", "PATCH"]),
        (&room_type, &of_one, &["POST", "PATCH"]),
        (&plan, &of_one, &["POST", "PATCH"]),
        (&room_type_at(UNKNOWN_ID), &of_one, &["POST", "PATCH"]),
    ] {
        for method in wrong {
            let call = room.me().api.call(method.parse().expect("a method"), path).body("{");
            let answer = call.await.error("method_not_allowed");
            let mut allowed = answer.words("allow");
            allowed.retain(|word| word != "options");
            assert_eq!(allowed, right, "{answer}");
        }
    }
}

#[actix_web::test]
async fn head_answers_like_get_and_what_was_read_is_not_sent_again() {
    let (room, plan) = sold().await;
    let room_type = room_type_at(&room.room_type);
    for path in [ROOM_TYPES, ROOM_TYPE_OPTIONS, RATE_PLANS, RATE_PLAN_OPTIONS, &plan, &room_type] {
        let get = room.me().api.get(path).await.is(200);
        let head = room.me().api.head(path).await.is(200);
        assert_eq!(head.text(), "");
        assert_eq!(head.header("etag"), get.header("etag"));
        let etag = get.header("etag").expect("an ETag").to_owned();
        let again = room.me().api.get(path).header("if-none-match", &etag).await.is(304);
        assert_eq!(again.text(), "");
        // A change makes it another answer.
        let title = json!({ "title": path });
        room.house.updates(&room.room_type, title.clone()).await.is(200);
        let id = plan.rsplit('/').next().expect("an id");
        room.updates(id, title).await.is(200);
        room.me().api.get(path).header("if-none-match", &etag).await.is(200);
    }
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
