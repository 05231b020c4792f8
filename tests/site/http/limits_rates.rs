//! Limits of requests a minute: of a key, and of an address.

use std::time::Duration;

use actix_web::rt::time::sleep;
use serde_json::json;

use crate::client::Client;
use crate::options::Options;
use crate::page::seen;
use crate::property::PROPERTIES;
use crate::raw;
use crate::response::Response;
use crate::server::Server;

fn limits(key: &str, address: &str) -> Options {
    let options = Server::options().env("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1");
    options.env("LATCHKEY_REQUESTS_PER_KEY", key).env("LATCHKEY_REQUESTS_PER_ADDRESS", address)
}

/// The first answer that is a 429; there must be one among so many.
async fn refusal(client: &Client, path: &str, within: u32) -> Response {
    for _ in 0..within {
        let answer = client.get(path).await;
        if answer.status == 429 {
            return answer;
        }
    }
    panic!("{within} requests of {path} and no 429");
}

fn seconds(answer: &Response) -> u64 {
    answer.header("retry-after").expect("retry-after").parse().expect("seconds")
}

/// The contract's body, and headers that name the limit.
fn assert_form(answer: &Response, policy: &str, name: &str) {
    let error = json!({ "errors": { "code": "http_too_many_requests", "title": "Too Many Requests" } });
    assert_eq!(answer.json(), error, "{answer}");
    assert_eq!(answer.header("ratelimit-policy"), Some(policy), "{answer}");
    assert_eq!(answer.header("ratelimit"), Some(&*format!("\"{name}\";r=0;t={}", seconds(answer))), "{answer}");
    assert!(answer.header("x-request-id").is_some(), "{answer}");
}

#[actix_web::test]
async fn a_key_that_asks_too_often_is_told_when_to_come_again_and_others_go_on() {
    let server = limits("30", "0").start().await;
    let me = server.person("desk@farol.example").await;
    let other = server.with_key(&me.browser.create_key("Other").await);
    let answer = refusal(&me.api, PROPERTIES, 60).await;
    assert_form(&answer, "\"key\";q=30;w=60", "key");
    other.get(PROPERTIES).await.is(200);
    me.browser.get(PROPERTIES).await.is(200);
    server.with_key("lk_no_key").get(PROPERTIES).await.is(401);
    sleep(Duration::from_secs(seconds(&answer))).await;
    me.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn a_signed_in_user_may_ask_the_api_as_often_as_a_key_whatever_browsers_ask() {
    let server = limits("30", "0").start().await;
    let user = server.add_user("night@farol.example");
    let (one, two) = (server.signed_in(&user).await, server.signed_in(&user).await);
    let mut refusals = Vec::new();
    for _ in 0..40 {
        for browser in [&one, &two] {
            let answer = browser.get(PROPERTIES).await;
            if answer.status == 429 {
                refusals.push(answer);
            }
        }
    }
    assert!(refusals.len() >= 20, "{}", refusals.len());
    assert_form(&refusals[0], "\"user\";q=30;w=60", "user");
    let other = server.signed_in(&server.add_user("day@farol.example")).await;
    other.get(PROPERTIES).await.is(200);
    // Pages have limits of their own.
    one.get("/properties").await.is(200);
}

#[actix_web::test]
async fn the_limit_of_a_key_holds_although_callers_are_forgotten_meanwhile() {
    let server = Server::options().arg("--requests-per-key").arg("2").start().await;
    let me = server.person("desk@farol.example").await;
    me.api.get(PROPERTIES).await.is(200);
    me.api.get(PROPERTIES).await.is(200);
    server.take_away("update users set name = name").await;
    me.api.get(PROPERTIES).await.is(429);
}

#[actix_web::test]
async fn all_that_an_address_sends_counts_with_strangers_and_pages_too() {
    let server = limits("0", "20").start().await;
    let from = |address: &str| server.anonymous().always("x-forwarded-for", address);
    let answer = refusal(&from("192.0.2.1"), PROPERTIES, 60).await;
    assert_form(&answer, "\"address\";q=20;w=60", "address");
    let page = from("192.0.2.1").get("/docs").await.is(429);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{page}");
    assert_eq!(page.header("ratelimit-policy"), Some("\"address\";q=20;w=60"), "{page}");
    assert!(page.header("content-security-policy").is_some(), "{page}");
    assert!(seen(page.text()).contains(&format!("Try again in {} second", seconds(&page))), "{page}");
    for open in ["/healthz", "/readyz"] {
        from("192.0.2.1").get(open).await.is(200);
    }
    from("192.0.2.2").get(PROPERTIES).await.is(401);
    from("192.0.2.2").get("/docs").await.is(200);
    refusal(&from("2001:db8:1:2::1"), "/docs", 60).await;
    from("2001:db8:1:2::ffff").get("/docs").await.is(429);
    from("2001:db8:1:3::1").get("/docs").await.is(200);
    sleep(Duration::from_secs(seconds(&page))).await;
    from("192.0.2.1").get(PROPERTIES).await.is(401);
}

#[actix_web::test]
async fn nothing_but_what_machines_watch_and_files_passes_the_limit_of_an_address() {
    let server = limits("0", "10").start().await;
    let from = |request: &str, address: &str| {
        let forwarded = format!("X-Forwarded-For: {address}");
        server.raw(&raw::request(request, &[forwarded.as_bytes()], b""))
    };
    let page = server.browser().get("/sign_in").await.is(200);
    let file = page.text().split('"').find(|part| part.starts_with("/static/")).expect("a file").to_owned();
    for (number, request) in [
        "GET /static/a/b/c",
        "GET /static/a/b",
        "GET /static/",
        "GET /static/..%2f..%2fhealthz",
        &format!("POST {file}"),
        &format!("GET {file}x"),
        "GET /%68ealthz",
        "GET /healthz/x",
        "GET /HEALTHZ",
        "GET /healthz%2f",
        "GET /healthz;x",
        "POST /healthz",
        "DELETE /readyz",
        "BREW /healthz",
        "OPTIONS *",
        "OPTIONS /api/v1/properties",
        "BREW /api/v1/properties",
        "GET /api",
        "GET /api/x",
        "GET /%61pi/v1/properties",
        "GET /apix",
        "GET x",
        "GET /",
        "GET /nothing",
        "CONNECT farol:1",
    ]
    .into_iter()
    .enumerate()
    {
        let address = format!("192.0.2.{number}");
        let counted = (0..12).any(|_| from(request, &address).status == 429);
        assert!(counted, "{request} passes the limit");
    }
    for open in ["GET /healthz", "GET /readyz", "HEAD /healthz", &format!("GET {file}"), "GET http://farol/healthz"] {
        let passed = (0..12).all(|_| from(open, "192.0.2.200").status == 200);
        assert!(passed, "{open} is counted");
    }
}

#[actix_web::test]
async fn zero_is_no_limit() {
    let server = limits("0", "0").start().await;
    let me = server.person("desk@farol.example").await;
    for _ in 0..100 {
        me.api.get(PROPERTIES).await.is(200);
    }
}
