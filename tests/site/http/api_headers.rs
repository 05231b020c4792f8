//! The headers of API answers: caches, conditions, other origins.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use crate::client::Client;
use crate::people::{Person, world};
use crate::property::{GROUPS, OPTIONS, PROPERTIES, UNKNOWN_ID, at, body};
use crate::response::Response;
use crate::server::Server;

/// Answers of every kind: found, made, not found, refused, malformed, unasked.
async fn answers_of_every_kind(server: &Server, me: &Person) -> Vec<Response> {
    let api = &me.api;
    let id = me.has(json!({})).await;
    let etag = api.get(PROPERTIES).await;
    let etag = etag.header("etag").expect("an ETag").to_owned();
    vec![
        api.get(PROPERTIES).await.is(200),
        api.get(PROPERTIES).header("if-none-match", etag).await.is(304),
        api.head(PROPERTIES).await.is(200),
        api.get(OPTIONS).await.is(200),
        api.get(GROUPS).await.is(200),
        me.creates(json!({})).await.is(201),
        me.updates(&id, json!({})).await.is(200),
        api.delete(&at(&id)).await.is(200),
        api.get(&at(UNKNOWN_ID)).await.is(404),
        api.get("/api/v1/nothing").await.is(404),
        api.call(Method::PATCH, PROPERTIES).await.is(405),
        api.call(Method::POST, PROPERTIES).body("{").await.is(400),
        api.get(&format!("{PROPERTIES}?order[x]=asc")).await.is(400),
        me.creates(json!({ "title": "" })).await.is(422),
        server.anonymous().get(PROPERTIES).await.is(401),
        server.anonymous().get("/api/v1/nothing").await.is(401),
        me.browser.get(PROPERTIES).await.is(200),
    ]
}

#[actix_web::test]
async fn every_answer_has_a_request_id_of_its_own() {
    let (server, me) = world().await;
    let mut answers = answers_of_every_kind(&server, &me).await;
    let call = || me.api.get(PROPERTIES).header("x-request-id", "mine");
    answers.extend([call().await, call().await]);
    answers.push(server.anonymous().get("/sign_in").await.is(200));
    answers.push(server.anonymous().get("/nowhere").await.is(404));
    answers.push(server.anonymous().get("/healthz").await.is(200));
    answers.push(preflight(&server.anonymous(), PROPERTIES, "GET").await);
    let mut seen = BTreeSet::new();
    for answer in &answers {
        let id = answer.header("x-request-id").unwrap_or_default();
        assert!(!id.is_empty(), "no x-request-id in {answer}");
        assert!(seen.insert(id.to_owned()), "the id is not new in {answer}");
    }
}

#[actix_web::test]
async fn no_answer_of_the_api_may_be_kept_for_somebody_else() {
    let (server, me) = world().await;
    for answer in answers_of_every_kind(&server, &me).await {
        let kept = answer.header("cache-control");
        assert_eq!(kept, Some("private, no-cache"), "{answer}");
        assert_eq!(answer.words("vary"), ["accept-encoding", "cookie", "origin", "user-api-key"], "{answer}");
    }
}

#[actix_web::test]
async fn an_unchanged_answer_is_a_304_to_whoever_asks() {
    let (_server, me) = world().await;
    let id = me.has(json!({})).await;
    for path in [PROPERTIES, OPTIONS, GROUPS, &at(&id)] {
        let first = me.api.get(path).await.is(200);
        let etag = first.header("etag").expect("an ETag").to_owned();
        let opaque = etag.trim_start_matches("W/");
        assert!(opaque.len() > 2 && opaque.starts_with('"') && opaque.ends_with('"'));
        for condition in [
            etag.clone(),
            opaque.to_owned(),
            format!("W/{opaque}"),
            format!("\"another\", {etag}"),
            format!("\"a, b\",{etag} "),
            "*".to_owned(),
        ] {
            let call = me.api.get(path).header("if-none-match", &condition);
            let answer = call.await.is(304);
            assert_eq!(answer.text(), "");
            assert_eq!(answer.header("etag"), Some(&*etag), "{answer}");
            let call = me.api.head(path).header("if-none-match", &condition);
            call.await.is(304);
        }
        for condition in ["\"another\"", "W/\"another\"", "", "nonsense"] {
            let call = me.api.get(path).header("if-none-match", condition);
            let answer = call.await.is(200);
            assert_eq!(answer.body, first.body);
        }
    }
}

#[actix_web::test]
async fn a_changed_answer_has_another_etag() {
    let (_server, me) = world().await;
    let id = me.has(json!({})).await;
    let paths = [PROPERTIES, OPTIONS, GROUPS, &at(&id)];
    let mut before = Vec::new();
    for path in paths {
        let answer = me.api.get(path).await.is(200);
        before.push(answer.header("etag").expect("an ETag").to_owned());
    }
    me.updates(&id, json!({ "title": "Pensão Aurora" })).await.is(200);
    for (path, etag) in paths.into_iter().zip(before) {
        let call = me.api.get(path).header("if-none-match", &etag);
        let answer = call.await.is(200);
        assert_ne!(answer.header("etag"), Some(&*etag), "{answer}");
    }
}

#[actix_web::test]
async fn a_condition_opens_nothing_and_hides_no_error() {
    let (server, me) = world().await;
    let etag = me.api.get(PROPERTIES).await;
    let etag = etag.header("etag").expect("an ETag").to_owned();
    for condition in [&*etag, "*"] {
        let call = server.anonymous().get(PROPERTIES);
        call.header("if-none-match", condition).await.error("unauthorized");
        let call = me.api.get(&at(UNKNOWN_ID));
        call.header("if-none-match", condition).await.error("not_found");
    }
}

async fn preflight(client: &Client, path: &str, method: &str) -> Response {
    client
        .call(Method::OPTIONS, path)
        .header("origin", "https://pms.example")
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "content-type,user-api-key")
        .await
}

fn open_to_any_origin(answer: &Response) {
    let origin = answer.header("access-control-allow-origin");
    assert!([Some("*"), Some("https://pms.example")].contains(&origin), "{answer}");
    let credentials = answer.header("access-control-allow-credentials");
    assert_eq!(credentials, None, "{answer}");
}

#[actix_web::test]
async fn a_preflight_needs_no_key() {
    let server = Server::start().await;
    let paths = [PROPERTIES, OPTIONS, GROUPS, &at(UNKNOWN_ID), "/api/v1/properties/"];
    for path in paths {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            let answer = preflight(&server.anonymous(), path, method).await;
            assert!([200, 204].contains(&answer.status), "{answer}");
            open_to_any_origin(&answer);
            let methods = answer.words("access-control-allow-methods");
            assert_eq!(methods, ["delete", "get", "options", "post", "put"], "{answer}");
            let headers = answer.words("access-control-allow-headers");
            assert_eq!(headers, ["content-type", "if-none-match", "user-api-key"], "{answer}");
        }
    }
}

#[actix_web::test]
async fn an_answer_to_another_origin_may_be_read_there() {
    let (server, me) = world().await;
    let from = |client: &Client, path: &str| client.get(path).header("origin", "https://pms.example");
    let post = me.api.post(PROPERTIES, &body(json!({})));
    for answer in [
        post.header("origin", "https://pms.example").await.is(201),
        from(&me.api, PROPERTIES).await.is(200),
        from(&me.api, &at(UNKNOWN_ID)).await.is(404),
        from(&me.api, "/api/v1/nothing").await.is(404),
        from(&server.anonymous(), PROPERTIES).await.is(401),
        from(&me.api, "/api/v1/properties?filter[x]=1").await.is(400),
    ] {
        open_to_any_origin(&answer);
        assert_eq!(
            answer.words("access-control-expose-headers"),
            ["allow", "api-key-expires", "etag", "location", "retry-after", "subscription-ends", "x-request-id"],
            "{answer}"
        );
    }
    let patch = me.api.call(Method::PATCH, PROPERTIES);
    let patch = patch.header("origin", "https://pms.example").await;
    open_to_any_origin(&patch.error("method_not_allowed"));
    let sandboxed = me.api.get(PROPERTIES).header("origin", "null");
    let answer = sandboxed.await.is(200);
    let origin = answer.header("access-control-allow-origin");
    assert!([Some("*"), Some("null")].contains(&origin), "{answer}");
}

#[actix_web::test]
async fn pages_are_not_open_to_other_origins() {
    let (_server, me) = world().await;
    for path in ["/sign_in", "/user_profile"] {
        let call = me.browser.get(path).header("origin", "https://pms.example");
        let answer = call.await;
        let origin = answer.header("access-control-allow-origin");
        assert_eq!(origin, None, "{answer}");
    }
}
