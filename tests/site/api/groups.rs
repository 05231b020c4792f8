//! Groups, as far as they can be read.

use serde_json::json;

use crate::people::{Person, world};
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

async fn list(me: &Person, query: &str) -> crate::response::Response {
    me.api.get(&format!("{GROUPS}?{query}")).await
}

#[actix_web::test]
async fn groups_have_pages_only_for_those_who_ask() {
    let (_server, me) = world().await;
    let group = user_group(&me.group().await, &[]);
    for query in ["", "&&", "relationships=all", "order[title]=asc", "filter[title]=User%20Group"] {
        let answer = list(&me, query).await.is(200);
        answer.says(json!({ "data": [group] }));
    }
    for (query, page, limit) in [
        ("pagination[page]=1", 1, 10),
        ("pagination[limit]=5", 1, 5),
        ("pagination[limit]=500", 1, 100),
        ("page=1", 1, 10),
        ("limit=3", 1, 3),
    ] {
        let meta = json!({ "page": page, "limit": limit, "total": 1 });
        let answer = list(&me, query).await.is(200);
        answer.says(json!({ "data": [group], "meta": meta }));
    }
    let past = json!({ "data": [], "meta": { "page": 2, "limit": 10, "total": 1 } });
    list(&me, "pagination[page]=2").await.is(200).says(past);
    let answer = list(&me, "pagination[page]=0").await;
    answer.error_with("bad_request", json!(["pagination[page] is invalid"]));
}

#[actix_web::test]
async fn groups_are_filtered_and_ordered_like_everything() {
    let (_server, me) = world().await;
    let id = me.group().await;
    for (query, found) in [
        (format!("filter[id]={id}"), 1),
        (format!("filter[id]={UNKNOWN_ID}"), 0),
        ("filter[id]=x".into(), 0),
        ("filter[title]=User%20Group".into(), 1),
        ("filter[title]=user%20group".into(), 0),
        ("filter[title][not]=User%20Group".into(), 0),
        ("order[inserted_at]=desc".into(), 1),
        ("order[id]=desc".into(), 1),
    ] {
        let answer = list(&me, &query).await.is(200);
        assert_eq!(answer.column("id").len(), found, "{answer}");
    }
    for (query, problem) in [
        ("filter[currency]=EUR", "filter[currency] is not supported"),
        ("filter[title][like]=x", "filter[title][like] is not supported"),
        ("order[currency]=asc", "order[currency] is not supported"),
        ("order[title]=x", "order[title] is invalid"),
    ] {
        let answer = list(&me, query).await;
        answer.error_with("bad_request", json!([problem]));
    }
}
