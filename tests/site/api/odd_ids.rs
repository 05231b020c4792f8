//! Ids are UUIDs with hyphens, in any case. Other spellings that parsers know name nothing.

use serde_json::json;

use crate::access::{GROUP_USERS, PROPERTY_USERS, part};
use crate::people::world;
use crate::property::{GROUPS, OPTIONS, PROPERTIES, UNKNOWN_ID, at, body, group_at};

/// Other ways to write an id.
fn spellings(id: &str) -> [String; 8] {
    let simple = id.replace('-', "");
    [
        simple.clone(),
        simple.to_uppercase(),
        format!("{{{id}}}"),
        format!("urn:uuid:{id}"),
        format!("{{{simple}}}"),
        format!("{}-{}", &simple[..16], &simple[16..]),
        format!("{id}-"),
        format!("{id}0"),
    ]
}

fn encoded(text: &str) -> String {
    text.replace('{', "%7B").replace('}', "%7D")
}

#[actix_web::test]
async fn another_spelling_in_a_path_names_nothing() {
    let (_server, me) = world().await;
    let (farol, group) = (me.has(json!({})).await, me.has_group("Spare").await);
    let [property_user, group_user] =
        [me.entry(&PROPERTY_USERS, &farol, &me.user.email).await, me.entry(&GROUP_USERS, &group, &me.user.email).await];
    for id in spellings(&farol) {
        let id = encoded(&id);
        me.api.get(&at(&id)).await.error("not_found");
        me.api.put(&at(&id), &body(json!({}))).await.error("resource_not_found");
        me.api.delete(&at(&id)).await.error("resource_not_found");
        me.api.post(&part(&group, &id), &json!({})).await.error("resource_not_found");
        me.api.delete(&part(&me.group().await, &id)).await.error("resource_not_found");
    }
    for id in spellings(&group) {
        let id = encoded(&id);
        me.api.get(&group_at(&id)).await.error("not_found");
        me.api.put(&group_at(&id), &json!({ "group": { "title": "A" } })).await.error("resource_not_found");
        me.api.delete(&group_at(&id)).await.error("resource_not_found");
        me.api.post(&part(&id, &farol), &json!({})).await.error("resource_not_found");
    }
    for (users, entry) in [(&PROPERTY_USERS, &property_user), (&GROUP_USERS, &group_user)] {
        for id in spellings(entry) {
            let path = users.at(&encoded(&id));
            me.api.get(&path).await.error("resource_not_found");
            me.api.put(&path, &users.change(json!({}))).await.error("resource_not_found");
            me.api.delete(&path).await.error("resource_not_found");
        }
    }
    me.api.get(&at(&farol.to_uppercase())).await.is(200);
    me.adds(&group, &farol).await.is(200);
}

#[actix_web::test]
async fn another_spelling_in_a_body_is_invalid() {
    let (_server, me) = world().await;
    let (farol, group) = (me.has(json!({})).await, me.group().await);
    for id in spellings(&group) {
        let answer = me.creates(json!({ "group_id": id })).await;
        answer.error_with("validation_error", json!({ "group_id": ["is invalid"] }));
    }
    for (users, id) in [(&PROPERTY_USERS, &farol), (&GROUP_USERS, &group)] {
        for id in spellings(id) {
            let answer = me.invites(users, &id, "guest@farol.example", "user").await;
            answer.error_with("validation_error", json!({ users.of_id: ["is invalid"] }));
        }
        me.invites(users, &id.to_uppercase(), "guest@farol.example", "user").await.is(201);
    }
    let other = me.creates(json!({ "group_id": group.to_uppercase() })).await.is(201);
    assert_eq!(me.groups_of(&other.id()).await, [group]);
}

#[actix_web::test]
async fn another_spelling_in_a_filter_matches_nothing() {
    let (_server, me) = world().await;
    let (farol, group) = (me.has(json!({})).await, me.group().await);
    let user = me.api.get(PROPERTY_USERS.path).await.column("user_id").remove(0);
    for (path, field, id) in [
        (PROPERTIES, "id", &farol),
        (OPTIONS, "id", &farol),
        (PROPERTIES, "group_id", &group),
        (GROUPS, "id", &group),
        (PROPERTY_USERS.path, "property_id", &farol),
        (PROPERTY_USERS.path, "user_id", &user),
        (GROUP_USERS.path, "group_id", &group),
        (GROUP_USERS.path, "user_id", &user),
    ] {
        for id in spellings(id) {
            for query in
                [format!("[{field}]={id}"), format!("[{field}]={UNKNOWN_ID},{id}"), format!("[{field}][]={id}")]
            {
                let path = format!("{path}?filter{}", encoded(&query));
                let found = me.api.get(&path).await.is(200);
                assert_eq!(found.column("id"), Vec::<String>::new(), "{found}");
            }
            let not = me.api.get(&format!("{path}?filter[{field}][not]={}", encoded(&id))).await.is(200);
            assert_eq!(not.column("id").len(), 1, "{not}");
        }
        let found = me.api.get(&format!("{path}?filter[{field}]={}", id.to_uppercase())).await.is(200);
        assert_eq!(found.column("id").len(), 1, "{found}");
    }
}
