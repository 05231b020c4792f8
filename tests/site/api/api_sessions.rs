//! The API for a signed-in browser: the same as for a key, but writes are
//! believed only from our own pages.

use serde_json::json;

use crate::people::world;
use crate::property::{PROPERTIES, at, body};

#[actix_web::test]
async fn a_session_and_a_key_get_the_same_answers() {
    let (_server, me) = world().await;
    let id = me.has(json!({ "title": "Pensão Aurora" })).await;
    for path in [PROPERTIES, &at(&id), "/api/v1/groups", "/api/v1/nothing"] {
        let by_key = me.api.get(path).await;
        let by_session = me.browser.get(path).await;
        assert_eq!(by_key.status, by_session.status);
        assert_eq!(by_key.json(), by_session.json());
    }
}

#[actix_web::test]
async fn a_session_may_create_update_and_delete() {
    let (_server, me) = world().await;
    let created = me.browser.post(PROPERTIES, &body(json!({}))).await;
    let id = created.is(201).id();
    let update = json!({ "property": { "title": "Pensão Aurora" } });
    me.browser.put(&at(&id), &update).await.is(200);
    assert_eq!(me.reads(&id).await["title"], "Pensão Aurora");
    me.browser.delete(&at(&id)).await.is(200);
    me.api.get(&at(&id)).await.error("not_found");
}

#[actix_web::test]
async fn a_session_without_subscription_may_call_the_api() {
    let (server, me) = world().await;
    let user = server.add_user("night@farol.example");
    let browser = server.signed_in(&user).await;
    browser.get(PROPERTIES).await.is(200);
    server.run(&["subscription", "cancel", &me.user.email, "--now"]).ok();
    me.browser.get(PROPERTIES).await.is(200);
    me.browser.post(PROPERTIES, &body(json!({}))).await.is(201);
}

#[actix_web::test]
async fn the_key_decides_where_a_session_is_sent_too() {
    let (server, me) = world().await;
    let other = server.person("owner@aurora.example").await;
    let theirs = other.has(json!({ "title": "Pensão Aurora" })).await;
    for key in ["", "lk_wrong", &me.key.replacen("lk_", "xx_", 1)] {
        let call = me.browser.get(PROPERTIES).header("user-api-key", key);
        call.await.error("unauthorized");
    }
    let call = me.browser.get(&at(&theirs));
    call.header("user-api-key", &other.key).await.is(200);
    let call = me.browser.get(&at(&theirs));
    call.header("user-api-key", &me.key).await.error("not_found");
}

#[actix_web::test]
async fn a_key_works_beside_a_session_that_does_not() {
    let (server, me) = world().await;
    let cookies = me.browser.cookies().expect("a session cookie");
    let broken: String = cookies.chars().rev().collect();
    for cookie in [&*broken, "a=b", "=", ";;;", "__Host-x=1; x"] {
        me.api.get(PROPERTIES).header("cookie", cookie).await.is(200);
    }
    let call = server.anonymous().get(PROPERTIES);
    call.header("cookie", &broken).await.error("unauthorized");
    let call = server.anonymous().get(PROPERTIES);
    call.header("cookie", &cookies).await.is(200);
}

#[actix_web::test]
async fn a_write_by_session_is_believed_only_from_our_own_pages() {
    let (server, me) = world().await;
    let id = me.has(json!({})).await;
    let ours = server.base_url.clone();
    let cases: [(Option<&str>, Option<&str>, bool); 12] = [
        (Some("same-origin"), None, true),
        (Some("none"), None, true),
        (Some("same-origin"), Some("https://elsewhere.example"), true),
        (None, Some(&ours), true),
        (Some("cross-site"), None, false),
        (Some("same-site"), None, false),
        (Some("cross-site"), Some(&ours), false),
        (Some("SAME"), Some(&ours), false),
        (None, Some("https://elsewhere.example"), false),
        (None, Some("http://127.0.0.1"), false),
        (None, Some("null"), false),
        (None, None, false),
    ];
    for (site, origin, believed) in cases {
        for write in
            [me.browser.post(PROPERTIES, &body(json!({}))), me.browser.put(&at(&id), &json!({ "property": {} }))]
        {
            let mut call = write.without("sec-fetch-site");
            if let Some(site) = site {
                call = call.header("sec-fetch-site", site);
            }
            if let Some(origin) = origin {
                call = call.header("origin", origin);
            }
            let answer = call.await;
            if believed {
                assert!(answer.status < 300, "{site:?} {origin:?}: {answer}");
            } else {
                let answer = answer.is(403);
                assert_eq!(answer.json()["errors"]["code"], "forbidden", "{answer}");
            }
        }
    }
    let delete = me.browser.delete(&at(&id)).without("sec-fetch-site");
    delete.header("sec-fetch-site", "cross-site").await.is(403);
    me.reads(&id).await;
}

#[actix_web::test]
async fn a_request_with_a_key_is_believed_from_anywhere() {
    let (_server, me) = world().await;
    let call = me.api.post(PROPERTIES, &body(json!({})));
    call.header("sec-fetch-site", "cross-site").header("origin", "https://pms.example").await.is(201);
    let both = me.browser.post(PROPERTIES, &body(json!({})));
    both.header("user-api-key", &me.key)
        .header("sec-fetch-site", "cross-site")
        .header("origin", "https://pms.example")
        .await
        .is(201);
}
