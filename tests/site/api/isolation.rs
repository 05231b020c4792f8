//! What belongs to another user does not exist: every answer about it is, to
//! the last header, the answer about an id that nobody has.

use serde_json::json;

use crate::client::{Call, Client};
use crate::people::{Person, world};
use crate::property::{GROUPS, OPTIONS, PROPERTIES, UNKNOWN_ID, at, body, group_at};
use crate::server::Server;

/// Somebody with a property and a group, and somebody else who is curious.
async fn neighbours() -> (Server, Person, Person, String) {
    let (server, me) = world().await;
    let other = server.person("owner@aurora.example").await;
    let theirs = other.has(json!({ "title": "Pensão Aurora", "city": "Faro" })).await;
    (server, me, other, theirs)
}

/// Sends the same about their id and about an unknown one: no difference.
pub async fn indistinguishable(theirs: &str, call: impl Fn(&str) -> Call) {
    let unknown = call(UNKNOWN_ID).await;
    for id in [theirs.to_owned(), theirs.to_uppercase()] {
        let answer = call(&id).await;
        assert_eq!(answer.face(), unknown.face(), "{answer}");
    }
    assert!(!unknown.text().contains("Aurora"));
}

#[actix_web::test]
async fn a_property_of_another_user_is_like_one_that_does_not_exist() {
    let (_server, me, other, theirs) = neighbours().await;
    let before = other.reads(&theirs).await;
    for client in [&me.api, &*me.browser] {
        indistinguishable(&theirs, |id| client.get(&at(id))).await;
        indistinguishable(&theirs, |id| client.get(&format!("{}/", at(id)))).await;
        indistinguishable(&theirs, |id| client.head(&at(id))).await;
        indistinguishable(&theirs, |id| client.get(&at(id)).header("if-none-match", "*")).await;
        for fields in [json!({}), json!({ "title": "Mine" }), json!({ "title": "" })] {
            let body = json!({ "property": fields });
            indistinguishable(&theirs, |id| client.put(&at(id), &body)).await;
        }
        indistinguishable(&theirs, |id| client.put(&at(id), &json!({}))).await;
        indistinguishable(&theirs, |id| client.put(&at(id), &json!({})).body("{")).await;
        indistinguishable(&theirs, |id| client.delete(&at(id))).await;
        indistinguishable(&theirs, |id| client.delete(&format!("{}?force=true", at(id)))).await;
        indistinguishable(&theirs, |id| client.post(&at(id), &json!({}))).await;
    }
    let read = me.api.get(&at(&theirs)).await;
    read.error("not_found");
    let deleted = me.api.delete(&at(&theirs)).await;
    deleted.error("resource_not_found");
    assert_eq!(other.reads(&theirs).await, before);
}

#[actix_web::test]
async fn no_list_and_no_filter_shows_what_another_user_has() {
    let (_server, me, other, theirs) = neighbours().await;
    let their_group = other.group().await;
    for list in [PROPERTIES, OPTIONS] {
        let everything = me.api.get(list).await.is(200);
        assert_eq!(everything.column("id"), Vec::<String>::new());
        for filter in ["id", "id][not", "group_id"] {
            let path = |id: &str| format!("{list}?filter[{filter}]={id}");
            indistinguishable(&theirs, |id| me.api.get(&path(id))).await;
            indistinguishable(&their_group, |id| me.api.get(&path(id))).await;
        }
        for query in ["filter[city]=Faro", "filter[title]=Pens%C3%A3o%20Aurora", "filter[city][not]=x"] {
            let found = me.api.get(&format!("{list}?{query}")).await.is(200);
            assert_eq!(found.column("id"), Vec::<String>::new());
        }
    }
    let mine = me.has(json!({})).await;
    assert_eq!(me.api.get(PROPERTIES).await.column("id"), [&*mine]);
    assert_eq!(me.api.get(PROPERTIES).await.json()["meta"]["total"], 1);
    assert_eq!(other.api.get(PROPERTIES).await.column("id"), [&*theirs]);
}

#[actix_web::test]
async fn a_group_of_another_user_is_like_one_that_does_not_exist() {
    let (_server, me, other, _theirs) = neighbours().await;
    let their_group = other.group().await;
    assert_ne!(their_group, me.group().await);
    for client in [&me.api, &*me.browser] {
        indistinguishable(&their_group, |id| client.get(&group_at(id))).await;
        indistinguishable(&their_group, |id| client.head(&group_at(id))).await;
        let path = |id: &str| format!("{GROUPS}?filter[id]={id}");
        indistinguishable(&their_group, |id| client.get(&path(id))).await;
        let create = |id: &str| body(json!({ "group_id": id }));
        indistinguishable(&their_group, |id| client.post(PROPERTIES, &create(id))).await;
    }
    let answer = me.creates(json!({ "group_id": their_group })).await;
    answer.error_with("validation_error", json!({ "group_id": ["does not exist"] }));
    assert_eq!(me.api.get(GROUPS).await.column("id"), [me.group().await]);
}

#[actix_web::test]
async fn an_update_cannot_move_a_property_to_another_user_s_group() {
    let (_server, me, other, _theirs) = neighbours().await;
    let mine = me.has(json!({})).await;
    let group_id = other.group().await;
    me.updates(&mine, json!({ "group_id": group_id })).await.is(200);
    let theirs = other.api.get(GROUPS).await.is(200).text().to_owned();
    assert!(!theirs.contains(&mine));
    other.api.get(&at(&mine)).await.error("not_found");
}

#[actix_web::test]
async fn an_etag_of_another_user_is_worth_nothing() {
    let (_server, me, other, theirs) = neighbours().await;
    let seen = other.api.get(&at(&theirs)).await.is(200);
    let etag = seen.header("etag").expect("an ETag");
    let call = me.api.get(&at(&theirs)).header("if-none-match", etag);
    call.await.error("not_found");
    let list = other.api.get(PROPERTIES).await.is(200);
    let etag = list.header("etag").expect("an ETag");
    let call = me.api.get(PROPERTIES).header("if-none-match", etag);
    let mine = call.await.is(200);
    assert_eq!(mine.column("id"), Vec::<String>::new());
}

#[actix_web::test]
async fn a_key_of_another_user_cannot_be_withdrawn() {
    let (_server, me, other, _theirs) = neighbours().await;
    let their_key = other.browser.key_id(&other.key).await;
    let withdraw = |client: &Client, id: &str| {
        let path = format!("/user_profile/api_keys/{id}/withdraw");
        client.post_form(&path, &[])
    };
    let unknown = withdraw(&me.browser, UNKNOWN_ID).await;
    let theirs = withdraw(&me.browser, &their_key).await;
    assert_eq!(theirs.is(404).status, unknown.is(404).status);
    other.api.get(PROPERTIES).await.is(200);
}
