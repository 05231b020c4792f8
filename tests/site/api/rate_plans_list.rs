//! The short list of rate plans, beyond what every collection does (`conformance/`).

use serde_json::{Value, json};

use crate::rate_plan::{RATE_PLAN_OPTIONS, option, other_option, room};

#[actix_web::test]
async fn the_short_list_has_all_plans_by_title_and_eight_attributes_of_each() {
    let room = room().await;
    let parent = room.has(json!({ "title": "Plan 10" })).await;
    let entry = |id: &str, title: &str, occupancy: u32, parent: Value, sell_mode: &str| {
        let attributes = json!({
            "id": id, "title": title, "occupancy": occupancy, "parent_rate_plan_id": parent,
            "property_id": room.house.property, "rate_category_id": null, "room_type_id": room.room_type,
            "sell_mode": sell_mode
        });
        json!({ "type": "rate_plan", "id": id, "attributes": attributes })
    };
    let mut expected = vec![entry(&parent, "Plan 10", 2, json!(null), "per_room")];
    for number in (11..22).rev() {
        let title = format!("Plan {number}");
        let id = room
            .has(json!({
                "title": title, "parent_rate_plan_id": parent, "sell_mode": "per_person",
                "options": [other_option(1, "80"), option(4, "100"), other_option(2, "90")]
            }))
            .await;
        expected.insert(1, entry(&id, &title, 4, json!(parent), "per_person"));
    }
    for query in ["", "?pagination[limit]=1", "?limit=2&page=3"] {
        let answer = room.me().api.get(&format!("{RATE_PLAN_OPTIONS}{query}")).await.is(200);
        answer.says(json!({ "data": expected }));
    }
}
