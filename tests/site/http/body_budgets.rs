//! How much one body may hold, and in which form it may be sent (docs/contract/README.md, rulings 109, 116 and 119).

use std::future::IntoFuture;

use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{Person, world};
use crate::property::{PROPERTIES, at, body};
use crate::raw;
use crate::response::Response;

const TOO_MANY: &str = "the body has more than 20000 values";

const LARGE: usize = 10 * 1024 * 1024 - 200;

async fn post(me: &Person, text: impl Into<Vec<u8>>) -> Response {
    me.api.call(Method::POST, PROPERTIES).body(text).await
}

/// A good body with this text as one more field.
fn with(extra: &str) -> String {
    format!(r#"{{"property":{{"title":"Casa do Farol","currency":"EUR","x":{extra}}}}}"#)
}

#[actix_web::test]
async fn a_body_has_twenty_thousand_values_at_most_known_or_not() {
    let (_server, me) = world().await;
    // Two objects, two texts and the list itself.
    let list = |entries: usize, entry: &str| with(&format!("[{}]", vec![entry; entries].join(" , ")));
    post(&me, list(20_000 - 5, "1")).await.is(201);
    for text in [
        list(20_000 - 4, "1"),
        list(20_000, "\"\\\"{,:\""),
        list(20_000, "null"),
        list(10_000, "[[]]"),
        list(10_000, "{\"\":-1.5e3}"),
    ] {
        post(&me, text).await.error_with("bad_request", json!([TOO_MANY]));
    }
    // Beside what is asked for, too, and whatever comes behind.
    let beside = format!(r#"{{"a":[{}],"property":{{}}}}"#, vec!["{}"; 20_000].join(","));
    let update = me.api.call(Method::PUT, &at("x")).body(beside.clone());
    update.await.error_with("bad_request", json!([TOO_MANY]));
    post(&me, &beside[..beside.len() - 1]).await.error_with("bad_request", json!([TOO_MANY]));
    // Signs in a text are none, and names are no values.
    let text = Value::from(":[{,\"".repeat(20_000)).to_string();
    post(&me, with(&text)).await.is(201);
    post(&me, with(&format!("{{{}}}", vec!["\"a\":1"; 19_990].join(",")))).await.is(201);
}

#[actix_web::test]
async fn ten_mebibytes_of_anything_are_read_and_answered() {
    let (_server, me) = world().await;
    let mut junk = br#"{"property":{"x":["#.to_vec();
    junk.extend(br#"{"":1},"#.repeat(LARGE / 7));
    let answers: Vec<_> = (0..6)
        .map(|_| actix_web::rt::spawn(me.api.call(Method::POST, PROPERTIES).body(junk.clone()).into_future()))
        .collect();
    for answer in answers {
        answer.await.expect("an answer").error_with("bad_request", json!([TOO_MANY]));
    }
    post(&me, "[".repeat(LARGE)).await.error_with("bad_request", json!([TOO_MANY]));
    let digits = json!(["the body has a number of too many digits"]);
    post(&me, with(&"1".repeat(LARGE))).await.error_with("bad_request", digits.clone());
    post(&me, with(&format!("1.{}", "0".repeat(LARGE)))).await.error_with("bad_request", digits);
    post(&me, with(&"1".repeat(1000))).await.is(201);
    post(&me, "\"".repeat(LARGE)).await.is(400);
    post(&me, with(&format!("\"{}\"", "a".repeat(LARGE)))).await.is(201);
    post(&me, with(&format!("\"{}\"", "\\u0041".repeat(LARGE / 6)))).await.is(201);
    post(&me, with(&format!("\"{}", "a".repeat(LARGE)))).await.error_explained("bad_request");
    me.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn an_encoded_body_is_a_415_before_it_is_read() {
    let (server, me) = world().await;
    let id = me.has(json!({})).await;
    for coding in ["gzip", "br", "deflate", "x-anything", "identity, gzip", "GZIP"] {
        for (method, path) in [(Method::POST, PROPERTIES), (Method::PUT, &at(&id))] {
            let call = me.api.call(method, path).header("content-encoding", coding);
            let answer = call.body(body(json!({})).to_string()).await.error("unsupported_media_type");
            assert_eq!(answer.header("accept-encoding"), Some("identity"), "{answer}");
        }
        // None of it has been sent.
        let key = format!("user-api-key: {}", me.key);
        let lines: [&[u8]; 3] =
            [key.as_bytes(), format!("Content-Encoding: {coding}").leak().as_bytes(), b"Content-Length: 1000"];
        server.raw(&raw::request(&format!("POST {PROPERTIES}"), &lines, b"")).error("unsupported_media_type");
    }
    for coding in ["identity", "Identity", ""] {
        let call = me.api.call(Method::PUT, &at(&id)).header("content-encoding", coding);
        call.body(body(json!({})).to_string()).await.is(200);
    }
    me.api.get(&at(&id)).header("content-encoding", "gzip").await.is(200);
}

#[actix_web::test]
async fn a_byte_order_mark_before_the_json_is_skipped() {
    let (_server, me) = world().await;
    let marked = |text: &str| format!("\u{feff}{text}");
    post(&me, marked(&body(json!({ "title": "\u{feff}Marked" })).to_string())).await.is(201);
    post(&me, marked("")).await.error_with("bad_request", json!(["property is required"]));
    post(&me, marked(&marked("{}"))).await.error_explained("bad_request");
    post(&me, format!(" {}", marked("{}"))).await.error_explained("bad_request");
}

#[actix_web::test]
async fn an_empty_list_where_an_object_goes_is_an_empty_object() {
    let (_server, me) = world().await;
    let id = me.has(json!({ "city": "Faro" })).await;
    let answer = me.api.put(&at(&id), &json!({ "property": [] })).await.is(200);
    assert_eq!(answer.attributes()["city"], "Faro");
    let blank = json!(["can't be blank"]);
    me.api.post(PROPERTIES, &json!({ "property": [] })).await.invalid(json!({ "title": blank, "currency": blank }));
}
