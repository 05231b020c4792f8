//! Reading one property, and the short list of all.

use serde_json::{Value, json};

use crate::people::world;
use crate::property::{OPTIONS, UNKNOWN_ID, at};

#[actix_web::test]
async fn a_property_is_read_as_it_was_created() {
    let (_server, me) = world().await;
    let created = me.creates(json!({ "city": "Faro" })).await.is(201);
    let read = me.api.get(&at(&created.id())).await.is(200);
    read.says(json!({ "data": created.data() }));
}

#[actix_web::test]
async fn an_id_is_read_in_any_letter_case_and_told_in_lower_case() {
    let (_server, me) = world().await;
    let id = me.has(json!({})).await;
    assert_eq!(id, id.to_lowercase());
    let read = me.api.get(&at(&id.to_uppercase())).await.is(200);
    assert_eq!(read.id(), id);
    let updated = me.api.put(&at(&id.to_uppercase()), &json!({ "property": {} })).await;
    assert_eq!(updated.is(200).id(), id);
    me.api.delete(&at(&id.to_uppercase())).await.is(200);
}

#[actix_web::test]
async fn an_unknown_id_and_one_that_is_none_are_not_found() {
    let (_server, me) = world().await;
    let expected = me.api.get(&at(UNKNOWN_ID)).await.error("not_found").face();
    for id in ["x", "00000000-0000-0000-0000-000000000000", "%20", &"a".repeat(36)] {
        let answer = me.api.get(&at(id)).await;
        assert_eq!(answer.face(), expected);
    }
}

#[actix_web::test]
async fn an_inactive_property_is_read_and_changed_like_any_other() {
    let (_server, me) = world().await;
    let id = me.has(json!({ "is_active": false })).await;
    assert_eq!(me.reads(&id).await["is_active"], false);
    me.updates(&id, json!({ "city": "Faro" })).await.is(200);
    assert_eq!(me.finds("").await, ["Casa do Farol"]);
    me.updates(&id, json!({ "is_active": true })).await.is(200);
    assert_eq!(me.reads(&id).await["is_active"], true);
}

#[actix_web::test]
async fn the_short_list_has_all_properties_by_title_and_no_pages() {
    let (_server, me) = world().await;
    me.api.get(OPTIONS).await.is(200).says(json!({ "data": [] }));
    let mut expected = Vec::new();
    for number in (10..23).rev() {
        let title = format!("Pousada {number}");
        let id = me.has(json!({ "title": title, "currency": "JPY" })).await;
        let attributes = json!({ "id": id, "title": title, "currency": "JPY" });
        expected.push(json!({ "type": "properties", "id": id, "attributes": attributes }));
    }
    expected.reverse();
    let expected = json!({ "data": expected });
    for query in ["", "?pagination[limit]=1", "?limit=2&page=3"] {
        let answer = me.api.get(&format!("{OPTIONS}{query}")).await.is(200);
        answer.says(expected.clone());
    }
}

#[actix_web::test]
async fn the_short_list_takes_the_filters_of_the_list() {
    let (_server, me) = world().await;
    let aurora = me.has(json!({ "title": "Aurora", "city": "Faro" })).await;
    me.has(json!({ "title": "Farol", "city": "Lagos", "is_active": false })).await;
    for (query, expected) in [
        ("filter[title]=Aurora", json!(["Aurora"])),
        ("filter[city][not]=Faro", json!(["Farol"])),
        ("filter[is_active]=true", json!(["Aurora"])),
        ("filter[is_active]=0", json!(["Farol"])),
        ("filter[currency]=EUR", json!(["Aurora", "Farol"])),
        ("filter[country]=PT", json!([])),
        ("order[title]=desc", json!(["Farol", "Aurora"])),
        (&format!("filter[id]={aurora}"), json!(["Aurora"])),
        (&format!("filter[group_id]={}", me.group().await), json!(["Aurora", "Farol"])),
        (&format!("filter[group_id]={UNKNOWN_ID}"), json!([])),
    ] {
        let answer = me.api.get(&format!("{OPTIONS}?{query}")).await.is(200);
        assert_eq!(Value::from(answer.column("title")), expected, "{answer}");
        assert_eq!(answer.json().get("meta"), None);
    }
    let answer = me.api.get(&format!("{OPTIONS}?filter[stars]=5")).await;
    answer.error_with("bad_request", json!(["filter[stars] is not supported"]));
}
