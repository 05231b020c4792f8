//! Deleting a property, for good.

use serde_json::json;

use crate::people::world;
use crate::property::{GROUPS, OPTIONS, PROPERTIES, at};

#[actix_web::test]
async fn a_deleted_property_is_gone_everywhere() {
    let (_server, me) = world().await;
    let id = me.has(json!({ "title": "Aurora" })).await;
    let stays = me.has(json!({ "title": "Farol" })).await;
    let answer = me.api.delete(&at(&id)).await.is(200);
    answer.says(json!({ "meta": { "message": "Success" } }));
    me.api.get(&at(&id)).await.error("not_found");
    me.updates(&id, json!({})).await.error("resource_not_found");
    me.api.delete(&at(&id)).await.error("resource_not_found");
    for list in [PROPERTIES, OPTIONS] {
        assert_eq!(me.api.get(list).await.is(200).column("id"), [&*stays]);
        let filtered = me.api.get(&format!("{list}?filter[id]={id}")).await;
        assert_eq!(filtered.is(200).column("id"), Vec::<String>::new());
    }
    let groups = me.api.get(GROUPS).await.is(200).data();
    let properties = &groups[0]["relationships"]["properties"]["data"];
    assert_eq!(properties[0]["id"], json!(stays));
    assert_eq!(properties[1], json!(null));
}

#[actix_web::test]
async fn a_property_can_be_deleted_by_force_too() {
    let (_server, me) = world().await;
    for query in ["?force=true", "?force=1", "?force=false", "?force=0", "/?force=true"] {
        let id = me.has(json!({})).await;
        let answer = me.api.delete(&format!("{}{query}", at(&id))).await.is(200);
        answer.says(json!({ "meta": { "message": "Success" } }));
        me.api.get(&at(&id)).await.error("not_found");
    }
}
