//! Groups made, renamed and deleted.

use reqwest::Method;
use serde_json::{Value, json};

use crate::access::{GROUP_USERS, success};
use crate::people::{Person, world};
use crate::property::{GROUPS, PROPERTIES, UNKNOWN_ID, at, group_at};
use crate::response::Response;

fn titled(title: impl Into<Value>) -> Value {
    json!({ "group": { "title": title.into() } })
}

fn group(id: &str, title: &str) -> Value {
    json!({
        "type": "group",
        "id": id,
        "attributes": { "id": id, "title": title },
        "relationships": { "properties": { "data": [] } }
    })
}

async fn titles(me: &Person) -> Vec<String> {
    me.api.get(GROUPS).await.is(200).column("title")
}

#[actix_web::test]
async fn a_group_is_made_read_renamed_and_deleted() {
    let (server, me) = world().await;
    let made = me.api.post(GROUPS, &titled(" Algarve houses ")).await.is(201);
    let id = made.id();
    assert_eq!(made.header("location"), Some(&*format!("{}{}", server.base_url, group_at(&id))));
    made.says(json!({ "data": group(&id, "Algarve houses") }));
    me.api.get(&group_at(&id)).await.is(200).says(json!({ "data": group(&id, "Algarve houses") }));
    assert_eq!(titles(&me).await, ["Algarve houses", "User Group"]);

    for path in [group_at(&id), group_at(&id.to_uppercase()), format!("{}/", group_at(&id))] {
        let renamed = me.api.put(&path, &titled("\u{a0}Wohnungen in Zürich\n")).await.is(200);
        renamed.says(json!({ "data": group(&id, "Wohnungen in Zürich") }));
    }
    me.api.get(&group_at(&id)).await.says(json!({ "data": group(&id, "Wohnungen in Zürich") }));
    assert_eq!(titles(&me).await, ["User Group", "Wohnungen in Zürich"], "the order follows the title");

    me.api.delete(&group_at(&id)).await.is(200).says(success());
    me.api.get(&group_at(&id)).await.error("not_found");
    me.api.put(&group_at(&id), &titled("Back")).await.error("resource_not_found");
    me.api.delete(&group_at(&id)).await.error("resource_not_found");
    me.invites(&GROUP_USERS, &id, "night@farol.example", "user").await.error("forbidden");
    assert_eq!(me.api.get(&GROUP_USERS.of(&id)).await.column("id"), Vec::<String>::new());
    assert_eq!(titles(&me).await, ["User Group"]);
}

#[actix_web::test]
async fn who_makes_a_group_is_its_owner() {
    let (_server, me) = world().await;
    let id = me.has_group("Algarve houses").await;
    assert_eq!(me.roles(&GROUP_USERS, &id).await, [(me.user.email.clone(), "owner".to_owned())]);
    let first = me.group().await;
    assert_eq!(me.roles(&GROUP_USERS, &first).await, [(me.user.email.clone(), "owner".to_owned())]);
}

#[actix_web::test]
async fn the_title_is_judged_when_a_group_is_made_and_when_it_is_renamed() {
    let (_server, me) = world().await;
    let id = me.has_group("Algarve houses").await;
    let (long, longest) = ("ä".repeat(256), format!(" {} ", "ä".repeat(255)));
    for (title, message) in [
        (json!(""), "can't be blank"),
        (json!("  \t"), "can't be blank"),
        (json!(null), "can't be blank"),
        (json!(5), "is invalid"),
        (json!(true), "is invalid"),
        (json!(["a"]), "is invalid"),
        (json!({ "a": 1 }), "is invalid"),
        (json!({ "$serde_json::private::Number": "15" }), "is invalid"),
        (json!("a\0b"), "is invalid"),
        (json!("a\nb"), "is invalid"),
        (json!(long), "should be at most 255 character(s)"),
    ] {
        for (method, path) in [(Method::POST, GROUPS), (Method::PUT, &group_at(&id))] {
            let answer = me.api.call(method, path).json(&titled(title.clone())).await;
            answer.error_with("validation_error", json!({ "title": [message] }));
        }
    }
    me.api.post(GROUPS, &json!({ "group": {} })).await.error_with("validation_error", blank_title());
    let unchanged = me.api.put(&group_at(&id), &json!({ "group": {} })).await.is(200);
    unchanged.says(json!({ "data": group(&id, "Algarve houses") }));
    for call in [me.api.post(GROUPS, &titled(&*longest)), me.api.put(&group_at(&id), &titled(&*longest))] {
        assert_eq!(call.await.attributes()["title"], longest.trim());
    }
}

fn blank_title() -> Value {
    json!({ "title": ["can't be blank"] })
}

#[actix_web::test]
async fn a_body_without_group_is_a_400_whatever_its_id() {
    let (_server, me) = world().await;
    let id = me.group().await;
    let required = || json!(["group is required"]);
    for body in [json!({}), json!([]), json!(null), json!({ "title": "A" }), json!({ "group": [5] }), json!("group")] {
        me.api.post(GROUPS, &body).await.error_with("bad_request", required());
        for path in [&*id, UNKNOWN_ID, "x"] {
            me.api.put(&group_at(path), &body).await.error_with("bad_request", required());
        }
    }
    for text in ["{", "group[title]=A", "\u{feff}{}"] {
        me.api.call(Method::POST, GROUPS).body(text).await.error_explained("bad_request");
        me.api.call(Method::PUT, &group_at(&id)).body(text).await.error_explained("bad_request");
    }
    assert_eq!(titles(&me).await, ["User Group"]);
}

#[actix_web::test]
async fn what_a_group_does_not_have_is_ignored() {
    let (_server, me) = world().await;
    let farol = me.has(json!({})).await;
    let body = json!({ "property": 5, "group": {
        "title": "A", "id": UNKNOWN_ID, "properties": [farol], "property_ids": [farol], "owner": "x" } });
    let id = me.api.post(GROUPS, &body).await.is(201).id();
    assert_ne!(id, UNKNOWN_ID);
    me.api.put(&group_at(&id), &body).await.is(200).says(json!({ "data": group(&id, "A") }));
}

#[actix_web::test]
async fn two_groups_may_have_one_title() {
    let (_server, me) = world().await;
    let (one, two) = (me.has_group("Algarve houses").await, me.has_group("Algarve houses").await);
    me.api.put(&group_at(&me.group().await), &titled("Algarve houses")).await.is(200);
    let ids = me.api.get(GROUPS).await.column("id");
    assert!(ids.len() == 3 && ids.contains(&one) && ids.contains(&two), "{ids:?}");
    assert!(ids.is_sorted(), "ties are broken by the id: {ids:?}");
}

#[actix_web::test]
async fn a_group_with_a_property_is_not_deleted() {
    let (_server, me) = world().await;
    let id = me.has_group("Algarve houses").await;
    let farol = me.has(json!({ "group_id": id })).await;
    let refused = me.api.delete(&group_at(&id)).await;
    refused.error_with("bad_request", json!("Group has properties"));
    assert_eq!(me.properties_of(&id).await, [&*farol]);
    me.api.delete(&at(&farol)).await.is(200);
    me.api.delete(&group_at(&id)).await.is(200);
}

/// A 400 whose details are one text that nobody has fixed.
fn refused_in_words(answer: Response) {
    let details = answer.json()["errors"]["details"].clone();
    assert!(details.as_str().is_some_and(|text| !text.is_empty()), "{answer}");
    answer.error_with("bad_request", details);
}

#[actix_web::test]
async fn the_last_group_stays_and_any_other_may_go_even_the_first() {
    let (_server, me) = world().await;
    let first = me.group().await;
    refused_in_words(me.api.delete(&group_at(&first)).await);
    let (second, third) = (me.has_group("Zoo").await, me.has_group("Aurora").await);
    me.api.delete(&group_at(&first)).await.is(200).says(success());
    // Without the first group, new properties go to the oldest.
    let farol = me.has(json!({})).await;
    assert_eq!(me.groups_of(&farol).await, [&*second]);
    me.api.delete(&group_at(&third)).await.is(200);
    me.api.delete(&at(&farol)).await.is(200);
    refused_in_words(me.api.delete(&group_at(&second)).await);
    assert_eq!(titles(&me).await, ["Zoo"]);
}

#[actix_web::test]
async fn a_user_of_a_group_sees_it_and_may_neither_rename_nor_delete_it() {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    let id = me.has_group("Algarve houses").await;
    let theirs = me.gives(&GROUP_USERS, &id, &night, "user").await;
    night.api.get(&group_at(&id)).await.is(200).says(json!({ "data": group(&id, "Algarve houses") }));
    assert_eq!(titles(&night).await, ["Algarve houses", "User Group"]);
    for title in ["Mine", ""] {
        night.api.put(&group_at(&id), &titled(title)).await.error("forbidden");
    }
    night.api.put(&group_at(&id), &json!({})).await.error_with("bad_request", json!(["group is required"]));
    night.api.delete(&group_at(&id)).await.error("forbidden");
    // The role is asked before whether the group is empty.
    let farol = me.has(json!({ "group_id": id })).await;
    night.api.delete(&group_at(&id)).await.error("forbidden");
    me.api.delete(&at(&farol)).await.is(200);

    me.changes(&GROUP_USERS, &theirs, json!({ "role": "owner" })).await.is(200);
    night.api.put(&group_at(&id), &titled("Ours")).await.is(200);
    assert_eq!(titles(&me).await, ["Ours", "User Group"]);
    night.api.delete(&group_at(&id)).await.is(200);
    assert_eq!(titles(&me).await, ["User Group"]);
}

#[actix_web::test]
async fn a_user_of_a_group_makes_properties_there_and_owns_them() {
    let (server, me) = world().await;
    let night = server.person("night@farol.example").await;
    let id = me.has_group("Algarve houses").await;
    me.gives(&GROUP_USERS, &id, &night, "user").await;
    let aurora = night.has(json!({ "title": "Aurora", "group_id": id })).await;
    let own = night.roles(&crate::access::PROPERTY_USERS, &aurora).await;
    assert_eq!(own, [(night.user.email.clone(), "owner".to_owned())]);
    assert_eq!(me.api.get(PROPERTIES).await.column("title"), ["Aurora"]);
    me.updates(&aurora, json!({ "city": "Faro" })).await.is(200);
    let farol = me.has(json!({ "group_id": id })).await;
    night.updates(&farol, json!({ "city": "Lagos" })).await.is(200);
    night.api.delete(&at(&farol)).await.error("forbidden");
    night.api.delete(&at(&aurora)).await.is(200);
}
