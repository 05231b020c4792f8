//! What a request may look like, whatever it asks for.

use reqwest::Method;
use serde_json::json;

use crate::people::{Person, world};
use crate::property::{GROUPS, OPTIONS, PROPERTIES, UNKNOWN_ID, at, body, group_at};
use crate::raw;
use crate::response::Response;

const LIMIT: usize = 10 * 1024 * 1024;

async fn post_text(me: &Person, text: impl Into<Vec<u8>>) -> Response {
    let call = me.api.call(Method::POST, PROPERTIES);
    call.header("content-type", "application/json").body(text).await
}

/// A good body of exactly this many bytes.
fn padded_body(length: usize) -> Vec<u8> {
    let mut bytes = body(json!({})).to_string().into_bytes();
    bytes.resize(length, b' ');
    bytes
}

#[actix_web::test]
async fn malformed_json_is_a_400_that_names_the_problem() {
    let (_server, me) = world().await;
    let id = me.has(json!({})).await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for text in [
        "",
        " ",
        "{",
        "}",
        "nul",
        "{'property': {}}",
        "{\"property\": {},}",
        "{\"property\": {}} x",
        "{\"property\": {\"title\": \"a\nb\"}}",
        "{\"property\": {\"title\": \"\\ud800\"}}",
        "{\"property\": {\"title\": NaN}}",
        "title=Casa&currency=EUR",
        &deep,
    ] {
        post_text(&me, text).await.error_explained("bad_request");
        for path in [at(&id), at(UNKNOWN_ID)] {
            let put = me.api.call(Method::PUT, &path).body(text);
            put.await.error_explained("bad_request");
        }
    }
    let not_utf8 = b"{\"property\": {\"title\": \"\xff\", \"currency\": \"EUR\"}}";
    let answer = post_text(&me, not_utf8.as_slice()).await;
    answer.error_explained("bad_request");
}

#[actix_web::test]
async fn a_missing_top_key_is_a_400_with_its_name() {
    let (_server, me) = world().await;
    let id = me.has(json!({})).await;
    for value in [
        json!({}),
        json!(null),
        json!([]),
        json!("property"),
        json!(5),
        json!({ "title": "Casa do Farol", "currency": "EUR" }),
        json!({ "Property": { "title": "Casa do Farol", "currency": "EUR" } }),
        json!({ "group": {} }),
        json!({ "property": null }),
        json!({ "property": [{ "title": "Casa do Farol" }] }),
        json!({ "property": "Casa do Farol" }),
        json!({ "property": 5 }),
        json!({ "property": true }),
    ] {
        let required = || json!(["property is required"]);
        let post = me.api.post(PROPERTIES, &value).await;
        post.error_with("bad_request", required());
        for path in [at(&id), at(UNKNOWN_ID), at("not-an-id")] {
            let put = me.api.put(&path, &value).await;
            put.error_with("bad_request", required());
        }
    }
}

#[actix_web::test]
async fn other_keys_and_unknown_fields_are_ignored() {
    let (_server, me) = world().await;
    let text = r#"{
        "group": { "title": 5 },
        "meta": null,
        "property": {
            "title": "Casa do Farol", "currency": "EUR",
            "stars": 5, "huge": 123456789012345678901234567890, "tiny": 1e-400, "big": 1e400,
            "acc_channels_count": 123456789012345678901234567890,
            "id": 5, "settings": { "unknown": [] }, "content": { "unknown": {} }
        }
    }"#;
    let answer = post_text(&me, text).await.is(201);
    let attributes = answer.attributes();
    assert_eq!(attributes["acc_channels_count"], 0);
    assert_eq!(attributes["id"], answer.data()["id"]);
    for absent in ["stars", "huge"] {
        assert_eq!(attributes.get(absent), None);
    }
}

#[actix_web::test]
async fn json_is_taken_under_any_content_type() {
    let (_server, me) = world().await;
    let id = me.has(json!({})).await;
    for content_type in [
        None,
        Some(""),
        Some("application/json"),
        Some("application/json; charset=utf-8"),
        Some("APPLICATION/JSON"),
        Some("application/vnd.api+json"),
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data"),
        Some("nonsense"),
    ] {
        for (method, path, status) in [(Method::POST, PROPERTIES, 201), (Method::PUT, &at(&id), 200)] {
            let mut call = me.api.call(method, path);
            if let Some(content_type) = content_type {
                call = call.header("content-type", content_type);
            }
            call.body(body(json!({})).to_string()).await.is(status);
        }
    }
}

#[actix_web::test]
async fn a_get_takes_any_body_and_looks_at_none() {
    let (_server, me) = world().await;
    let id = me.has(json!({})).await;
    for path in [PROPERTIES, OPTIONS, &at(&id), GROUPS] {
        for body in ["null", "{}", "{", "x"] {
            let call = me.api.get(path).header("content-type", "application/json");
            call.body(body).await.is(200);
        }
    }
    let delete = me.api.delete(&at(&id)).header("content-type", "application/json");
    delete.body("null").await.is(200);
}

#[actix_web::test]
async fn a_body_of_ten_mebibytes_is_taken_and_one_byte_more_is_a_413() {
    let (server, me) = world().await;
    post_text(&me, padded_body(LIMIT)).await.is(201);
    let key = format!("user-api-key: {}", me.key);
    for (target, method) in [(PROPERTIES.to_owned(), "POST"), (at(UNKNOWN_ID), "PUT")] {
        let head = format!("{method} {target}");
        let request = raw::request(&head, &[key.as_bytes()], &padded_body(LIMIT + 1));
        server.raw(&request).error("payload_too_large");
    }
    let list = me.api.get(PROPERTIES).await;
    assert_eq!(list.json()["meta"]["total"], 1);
}

#[actix_web::test]
async fn a_claim_of_too_much_is_refused_without_waiting_for_it() {
    let (server, me) = world().await;
    let key = format!("user-api-key: {}", me.key);
    let claim = format!("Content-Length: {}", LIMIT + 1);
    let lines: [&[u8]; 2] = [key.as_bytes(), claim.as_bytes()];
    let request = raw::request(&format!("POST {PROPERTIES}"), &lines, b"");
    server.raw(&request).error("payload_too_large");
}

#[actix_web::test]
async fn too_large_a_body_in_chunks_is_a_413() {
    let (server, me) = world().await;
    let key = format!("user-api-key: {}", me.key);
    let lines: [&[u8]; 2] = [key.as_bytes(), b"Transfer-Encoding: chunked"];
    let mut request = raw::request(&format!("POST {PROPERTIES}"), &lines, b"");
    let chunk = [b"100000\r\n".as_slice(), &[b' '; 0x10_0000], b"\r\n"].concat();
    request.extend_from_slice(&chunk.repeat(11));
    request.extend_from_slice(b"0\r\n\r\n");
    server.raw(&request).error("payload_too_large");
}

#[actix_web::test]
async fn an_ordinary_client_reads_the_413_of_a_body_far_too_large() {
    let (_server, me) = world().await;
    let answer = post_text(&me, padded_body(3 * LIMIT)).await;
    answer.error("payload_too_large");
    me.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn a_client_that_goes_away_in_the_middle_harms_nobody() {
    let (server, me) = world().await;
    let key = format!("user-api-key: {}", me.key);
    let lines: [&[u8]; 2] = [key.as_bytes(), b"Content-Length: 500"];
    let request = raw::request(&format!("POST {PROPERTIES}"), &lines, b"");
    for cut in [5, request.len() / 2, request.len()] {
        raw::send_and_leave(server.address(), &request[..cut]);
    }
    let list = me.api.get(PROPERTIES).await.is(200);
    assert_eq!(list.json()["meta"]["total"], 0);
}

#[actix_web::test]
async fn u_0000_is_refused_in_a_body_a_query_and_a_path() {
    let (_server, me) = world().await;
    let id = me.has(json!({})).await;
    for field in ["title", "city", "state", "address", "zip_code"] {
        for value in ["\0", "a\0b"] {
            let answer = me.creates(json!({ field: value })).await;
            answer.error_with("validation_error", json!({ field: ["is invalid"] }));
            let answer = me.updates(&id, json!({ field: value })).await;
            answer.error_with("validation_error", json!({ field: ["is invalid"] }));
        }
    }
    for field in ["description", "important_information"] {
        let answer = me.creates(json!({ "content": { field: "a\0b" } })).await;
        let details = json!({ "content": { field: ["is invalid"] } });
        answer.error_with("validation_error", details);
    }
    for field in ["title", "city", "country", "currency"] {
        for path in [PROPERTIES, OPTIONS] {
            let answer = me.api.get(&format!("{path}?filter[{field}]=a%00b")).await;
            let details = json!([format!("filter[{field}] is invalid")]);
            answer.error_with("bad_request", details);
        }
    }
    me.api.get(&at("%00")).await.error("not_found");
    me.api.get(&at(&format!("{id}%00"))).await.error("not_found");
    me.api.delete(&at("%00")).await.error("resource_not_found");
    me.api.get("/api/v1/%00").await.error("resource_not_found");
    me.api.get(&group_at("%00")).await.error("not_found");
}

#[actix_web::test]
async fn odd_paths_are_404_and_never_a_fault() {
    let (server, me) = world().await;
    for path in ["x", "%FF", "%", "a%2Fb", "%E2%98%83", "-1", "1e5", &"9".repeat(5000)] {
        me.api.get(&at(path)).await.error("not_found");
        me.api.get(&group_at(path)).await.error("not_found");
        me.api.delete(&at(path)).await.error("resource_not_found");
        let put = me.api.put(&at(path), &body(json!({}))).await;
        put.error("resource_not_found");
    }
    let key = format!("user-api-key: {}", me.key);
    let odd = raw::request("GET /api/v1/properties/\u{e9}", &[key.as_bytes()], b"");
    let status = server.raw(&odd).status;
    assert!([400, 404].contains(&status), "{status}");
}

#[actix_web::test]
async fn what_looks_like_a_number_to_the_parser_is_an_object() {
    let (_server, me) = world().await;
    let id = me.has(json!({})).await;
    let number = |text: &str| json!({ "$serde_json::private::Number": text });
    for field in ["latitude", "longitude", "title", "is_active", "email", "timezone"] {
        let answer = me.creates(json!({ field: number("15") })).await;
        answer.error_with("validation_error", json!({ field: ["is invalid"] }));
        let answer = me.updates(&id, json!({ field: number("15") })).await;
        answer.error_with("validation_error", json!({ field: ["is invalid"] }));
    }
    for field in ["min_price", "max_price", "state_length", "min_stay_type"] {
        let answer = me.updates(&id, json!({ "settings": { field: number("150") } })).await;
        answer.error_with("validation_error", json!({ "settings": { field: ["is invalid"] } }));
    }
    // Written with escapes, or not even like a number.
    for text in [
        r#"{"property":{"latitude":{"\u0024serde_json::private::Number":"15"}}}"#,
        r#"{"property":{"latitude":{"$serde_json::private::Number":"x"}}}"#,
        r#"{"property":{"latitude":{"$serde_json::private::Number":15}}}"#,
        r#"{"property":{"latitude":{"$serde_json::private::RawValue":"15"}}}"#,
        r#"{"property":{"latitude":{"$serde_json::private::Number":"15","a":1}}}"#,
        r#"{"property":{"latitude":{"a":1,"$serde_json::private::Number":"15"}}}"#,
    ] {
        let answer = me.api.call(Method::PUT, &at(&id)).body(text).await;
        answer.error_with("validation_error", json!({ "latitude": ["is invalid"] }));
    }
    // As a text it is a text, and where nothing is asked for it is nothing.
    let answer = me.updates(&id, json!({ "city": "$serde_json::private::Number", "x": number("1") })).await.is(200);
    assert_eq!(answer.attributes()["city"], "$serde_json::private::Number");
    assert_eq!(answer.attributes()["latitude"], json!(null));
    // Nor is it one around everything.
    let text = r#"{"$serde_json::private::Number":"15"}"#;
    post_text(&me, text).await.error_with("bad_request", json!(["property is required"]));
    let answer = post_text(&me, format!("{{\"property\":{text}}}")).await;
    let blank = json!(["can't be blank"]);
    answer.error_with("validation_error", json!({ "title": blank, "currency": blank }));
}
