//! Paths and methods: what exists, written either way, and what does not.

use reqwest::Method;
use serde_json::json;

use crate::access::{GROUP_USERS, PROPERTY_USERS, part};
use crate::people::world;
use crate::property::{GROUPS, OPTIONS, PROPERTIES, UNKNOWN_ID, at, body, group_at};

#[actix_web::test]
async fn a_trailing_slash_changes_nothing_on_any_route() {
    let (_server, me) = world().await;
    let created = me.api.post("/api/v1/properties/", &body(json!({}))).await;
    let id = created.is(201).id();
    let group = me.group().await;
    for path in [
        PROPERTIES,
        OPTIONS,
        GROUPS,
        &at(&id),
        &group_at(&group),
        &at(UNKNOWN_ID),
        &group_at(UNKNOWN_ID),
        "/api/v1/nothing",
    ] {
        let without = me.api.get(path).await;
        let with = me.api.get(&format!("{path}/")).await;
        assert_eq!(with.face(), without.face());
        let without = me.api.head(path).await;
        let with = me.api.head(&format!("{path}/")).await;
        assert_eq!(with.face(), without.face());
    }
    let queried = me.api.get("/api/v1/properties/?filter[title]=Nowhere").await;
    assert_eq!(queried.is(200).column("id"), Vec::<String>::new());
    let update = json!({ "property": { "title": "Pensão Aurora" } });
    let updated = me.api.put(&format!("{}/", at(&id)), &update).await.is(200);
    assert_eq!(updated.attributes()["title"], "Pensão Aurora");
    me.api.delete(&format!("{}/", at(&id))).await.is(200);
    me.api.get(&at(&id)).await.error("not_found");
}

#[actix_web::test]
async fn an_unknown_path_is_a_404_in_json_for_every_method() {
    let (_server, me) = world().await;
    for path in [
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v2/properties",
        "/api/v1/propertie",
        &format!("{}/rooms", at(UNKNOWN_ID)),
        &format!("{}/properties", group_at(UNKNOWN_ID)),
        &format!("{}/x", part(UNKNOWN_ID, UNKNOWN_ID)),
        &format!("{}/x", PROPERTY_USERS.at(UNKNOWN_ID)),
    ] {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            let call = me.api.call(method.parse().unwrap(), path);
            call.await.error("resource_not_found");
        }
        let head = me.api.head(path).await.is(404);
        assert_eq!(head.text(), "");
    }
}

#[actix_web::test]
async fn a_wrong_method_is_a_405_that_names_the_right_ones() {
    let (_server, me) = world().await;
    let id = me.has(json!({})).await;
    let group = me.group().await;
    let wrong: [(String, &[&str], &[&str]); 12] = [
        (PROPERTIES.into(), &["GET", "HEAD", "POST"], &["PUT", "DELETE", "PATCH", "BREW"]),
        (OPTIONS.into(), &["GET", "HEAD"], &["POST", "PUT", "DELETE", "PATCH", "BREW"]),
        (at(&id), &["GET", "HEAD", "PUT", "DELETE"], &["POST", "PATCH", "BREW"]),
        (at(UNKNOWN_ID), &["GET", "HEAD", "PUT", "DELETE"], &["POST", "PATCH"]),
        (GROUPS.into(), &["GET", "HEAD", "POST"], &["PUT", "DELETE", "PATCH", "BREW"]),
        (group_at(&group), &["GET", "HEAD", "PUT", "DELETE"], &["POST", "PATCH", "BREW"]),
        (part(&group, &id), &["POST", "DELETE"], &["GET", "PUT", "PATCH", "BREW"]),
        (part(UNKNOWN_ID, "x"), &["POST", "DELETE"], &["GET", "PUT"]),
        (PROPERTY_USERS.path.into(), &["GET", "HEAD", "POST"], &["PUT", "DELETE", "PATCH", "BREW"]),
        (PROPERTY_USERS.at("x"), &["GET", "HEAD", "PUT", "DELETE"], &["POST", "PATCH", "BREW"]),
        (GROUP_USERS.path.into(), &["GET", "HEAD", "POST"], &["PUT", "DELETE", "PATCH", "BREW"]),
        (GROUP_USERS.at("x"), &["GET", "HEAD", "PUT", "DELETE"], &["POST", "PATCH", "BREW"]),
    ];
    for (path, right, methods) in wrong {
        for method in methods {
            for path in [path.clone(), format!("{path}/")] {
                let method: Method = method.parse().unwrap();
                let call = me.api.call(method.clone(), &path).body("{");
                let answer = call.await.error("method_not_allowed");
                let allowed = answer.words("allow");
                for right in right {
                    let right = right.to_lowercase();
                    assert!(allowed.contains(&right), "{right} is missing: {answer}");
                }
                let wrong = method.as_str().to_lowercase();
                assert!(!allowed.contains(&wrong), "{wrong} is named: {answer}");
            }
        }
    }
}

#[actix_web::test]
async fn head_answers_like_get_without_the_body() {
    let (_server, me) = world().await;
    let id = me.has(json!({})).await;
    let group = me.group().await;
    for path in [PROPERTIES, OPTIONS, GROUPS, &at(&id), &group_at(&group)] {
        let get = me.api.get(path).await.is(200);
        let head = me.api.head(path).await.is(200);
        assert_eq!(head.text(), "");
        for name in ["content-type", "etag", "cache-control"] {
            assert!(get.header(name).is_some(), "{name}: {get}");
            assert_eq!(head.header(name), get.header(name), "{name}: {head}");
        }
        // Its length may be left out, but must not be another one.
        if let Some(length) = head.header("content-length") {
            assert_eq!(length, get.body.len().to_string(), "{head}");
        }
    }
    for (path, status) in
        [(at(UNKNOWN_ID), 404), (group_at(UNKNOWN_ID), 404), (format!("{PROPERTIES}?filter[x]=1"), 400)]
    {
        let head = me.api.head(&path).await.is(status);
        assert_eq!(head.text(), "");
    }
}
