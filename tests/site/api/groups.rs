//! Groups, as far as they can be read.

use serde_json::json;

use crate::people::world;
use crate::property::{GROUPS, UNKNOWN_ID, group_at};

/// The one group of a person, with these properties.
fn user_group(id: &str, properties: &[(&str, &str)]) -> serde_json::Value {
    let properties: Vec<_> = properties
        .iter()
        .map(|(id, title)| {
            let attributes = json!({ "id": id, "title": title });
            json!({ "id": id, "type": "property", "attributes": attributes })
        })
        .collect();
    json!({
        "type": "group",
        "id": id,
        "attributes": { "id": id, "title": "User Group" },
        "relationships": { "properties": { "data": properties } }
    })
}

#[actix_web::test]
async fn an_account_begins_with_one_group() {
    let (_server, me) = world().await;
    let id = me.group().await;
    let group = user_group(&id, &[]);
    let list = me.api.get(GROUPS).await.is(200);
    list.says(json!({ "data": [group] }));
    let one = me.api.get(&group_at(&id)).await.is(200);
    one.says(json!({ "data": group }));
}

#[actix_web::test]
async fn a_group_names_its_properties() {
    let (_server, me) = world().await;
    let id = me.group().await;
    let farol = me.has(json!({})).await;
    let group = user_group(&id, &[(&farol, "Casa do Farol")]);
    let one = me.api.get(&group_at(&id.to_uppercase())).await.is(200);
    one.says(json!({ "data": group }));
    let aurora = me.has(json!({ "title": "Aurora" })).await;
    me.updates(&farol, json!({ "title": "Farol" })).await.is(200);
    let list = me.api.get(GROUPS).await.is(200).data();
    let mut titles: Vec<_> = list[0]["relationships"]["properties"]["data"]
        .as_array()
        .expect("properties")
        .iter()
        .map(|property| (property["id"].clone(), property["attributes"].clone()))
        .collect();
    titles.sort_by_key(|(_, attributes)| attributes["title"].to_string());
    let expected =
        [(&aurora, "Aurora"), (&farol, "Farol")].map(|(id, title)| (json!(id), json!({ "id": id, "title": title })));
    assert_eq!(titles, expected);
}

#[actix_web::test]
async fn an_unknown_group_is_not_found() {
    let (_server, me) = world().await;
    let expected = me.api.get(&group_at(UNKNOWN_ID)).await.error("not_found").face();
    for id in ["x", "%20", "00000000-0000-0000-0000-000000000000"] {
        assert_eq!(me.api.get(&group_at(id)).await.face(), expected);
    }
    let property = me.has(json!({})).await;
    assert_eq!(me.api.get(&group_at(&property)).await.face(), expected);
}
