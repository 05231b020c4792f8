//! The short list of room types, beyond what every collection does (`conformance/`).

use serde_json::json;

use crate::room_type::{ROOM_TYPE_OPTIONS, house};

#[actix_web::test]
async fn the_short_list_has_all_room_types_by_title_and_four_attributes_of_each() {
    let house = house().await;
    let mut expected = Vec::new();
    for number in (10..22).rev() {
        let title = format!("Room {number}");
        let id = house.has(json!({ "title": title, "occ_adults": 3, "default_occupancy": 1 })).await;
        let attributes = json!({ "default_occupancy": 1, "id": id, "property_id": house.property, "title": title });
        expected.insert(0, json!({ "type": "room_type", "id": id, "attributes": attributes }));
    }
    for query in ["", "?pagination[limit]=1", "?limit=2&page=3"] {
        let answer = house.me.api.get(&format!("{ROOM_TYPE_OPTIONS}{query}")).await.is(200);
        answer.says(json!({ "data": expected }));
    }
}
