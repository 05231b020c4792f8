//! Who is let into the API, and what all others are told.

use serde_json::json;

use crate::people::world;
use crate::property::{GROUPS, OPTIONS, PROPERTIES, UNKNOWN_ID, at, body, group_at};
use crate::raw;
use crate::response::Response;
use crate::server::Server;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The six characters that end a key which begins like this.
fn checksum(start: &str) -> String {
    let mut rest = crc32fast::hash(start.as_bytes()) as usize;
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[rest % 62];
        rest /= 62;
    }
    String::from_utf8_lossy(&digits).into_owned()
}

/// A key that looks right in every way, but that nobody has made.
fn invented_key() -> String {
    let start = format!("lk_{}", "Farol0987654321".repeat(3).split_at(43).0);
    format!("{start}{}", checksum(&start))
}

fn unauthorized(answer: Response) {
    let answer = answer.error("unauthorized");
    assert_eq!(answer.header("www-authenticate"), Some("ApiKey"), "{answer}");
}

/// One raw GET of the list with these header lines.
fn list_with(server: &Server, lines: &[&[u8]]) -> Response {
    server.raw(&raw::request(&format!("GET {PROPERTIES}"), lines, b""))
}

#[actix_web::test]
async fn a_key_has_a_prefix_43_characters_and_their_checksum() {
    let (_server, me) = world().await;
    assert_eq!(me.key.len(), "lk_".len() + 43 + 6);
    let (start, end) = me.key.split_at(me.key.len() - 6);
    assert_eq!(checksum(start), end);
}

#[actix_web::test]
async fn no_key_is_a_401_on_every_route_and_method() {
    let server = Server::start().await;
    let nobody = server.anonymous();
    for path in [
        PROPERTIES,
        OPTIONS,
        GROUPS,
        &at(UNKNOWN_ID),
        &group_at(UNKNOWN_ID),
        "/api",
        "/api/v1",
        "/api/v1/nothing",
        "/api/v2/properties",
    ] {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "BREW"] {
            for path in [path.to_owned(), format!("{path}/")] {
                let method = method.parse().unwrap();
                unauthorized(nobody.call(method, &path).await);
            }
        }
        let head = nobody.head(path).await.is(401);
        assert_eq!(head.header("www-authenticate"), Some("ApiKey"), "{head}");
        assert_eq!(head.text(), "");
    }
}

#[actix_web::test]
async fn a_request_of_a_stranger_is_judged_no_further_than_the_key() {
    let server = Server::start().await;
    for client in [server.anonymous(), server.with_key(&invented_key())] {
        for body in ["{", "", "null", "\"x\"", "{\"property\":{\"title\":\"\"}}"] {
            let post = client.call("POST".parse().unwrap(), PROPERTIES);
            unauthorized(post.body(body).await);
            let put = client.call("PUT".parse().unwrap(), &at("not-an-id"));
            unauthorized(put.body(body).await);
        }
        unauthorized(client.get(&format!("{PROPERTIES}?filter[x]=%00")).await);
        unauthorized(client.get("/api/v1/properties/%00").await);
    }
}

#[actix_web::test]
async fn too_large_a_body_of_a_stranger_is_a_401() {
    let server = Server::start().await;
    let claim: &[u8] = b"Content-Length: 99999999";
    unauthorized(server.raw(&raw::request(&format!("POST {PROPERTIES}"), &[claim], b"")));
}

#[actix_web::test]
async fn a_key_that_is_not_one_is_a_401_without_details() {
    let (server, me) = world().await;
    let mut mistyped = me.key.clone().into_bytes();
    mistyped[20] = if mistyped[20] == b'a' { b'b' } else { b'a' };
    let mut other_end = me.key.clone();
    other_end.replace_range(me.key.len() - 1.., if me.key.ends_with('0') { "1" } else { "0" });
    let long = format!("lk_{}", "a".repeat(10_000));
    let malformed: Vec<Vec<u8>> = vec![
        vec![],
        b"   ".to_vec(),
        b"\t".to_vec(),
        b"lk_".to_vec(),
        b"null".to_vec(),
        b"undefined".to_vec(),
        b"uU08XiMgk8a7CrY4xUjAReUIuTrn83R123adaVb8Tf/qMcVTEgriuJhXWs/1Q1P".to_vec(),
        me.key[..me.key.len() - 1].into(),
        me.key[1..].into(),
        me.key[3..].into(),
        format!("{}0", me.key).into(),
        format!("{0},{0}", me.key).into(),
        format!("{0}, {0}", me.key).into(),
        me.key.to_uppercase().into(),
        me.key.replacen("lk_", "LK_", 1).into(),
        me.key.replacen("lk_", "xx_", 1).into(),
        me.key.replacen('_', "-", 1).into(),
        mistyped,
        other_end.into(),
        long.into(),
        b"lk_\xe9\xff".to_vec(),
        "lk_ключ🔑".into(),
        invented_key().into(),
    ];
    for key in malformed {
        let line = [b"user-api-key: ".as_slice(), &key].concat();
        unauthorized(list_with(&server, &[&line]));
    }
    me.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn a_repeated_key_is_a_401_even_when_both_are_good() {
    let (server, me) = world().await;
    let good = format!("user-api-key: {}", me.key);
    let other_case = format!("User-Api-Key: {}", me.key);
    let bad = format!("user-api-key: {}", invented_key());
    let empty = "user-api-key:";
    for (first, second) in
        [(&*good, &*good), (&good, &other_case), (&good, &bad), (&bad, &good), (&good, empty), (empty, &good)]
    {
        unauthorized(list_with(&server, &[first.as_bytes(), second.as_bytes()]));
    }
}

#[actix_web::test]
async fn a_key_is_taken_however_its_header_is_written() {
    let (server, me) = world().await;
    for line in [
        format!("user-api-key: {}", me.key),
        format!("user-api-key:{}", me.key),
        format!("User-Api-Key:   {}", me.key),
        format!("USER-API-KEY:\t{} \t ", me.key),
    ] {
        list_with(&server, &[line.as_bytes()]).is(200);
    }
}

#[actix_web::test]
async fn a_key_counts_in_its_own_header_alone() {
    let (server, me) = world().await;
    for name in ["x-api-key", "api-key", "apikey", "user_api_key", "token"] {
        unauthorized(server.anonymous().get(PROPERTIES).header(name, &me.key).await);
    }
    for value in [format!("Bearer {}", me.key), format!("ApiKey {}", me.key)] {
        let call = server.anonymous().get(PROPERTIES);
        unauthorized(call.header("authorization", value).await);
    }
    for name in ["user-api-key", "user_api_key", "api_key", "key"] {
        let path = format!("{PROPERTIES}?{name}={}", me.key);
        // Whoever makes this mistake must not find the key in a log either,
        // which the end of the test looks for.
        unauthorized(server.anonymous().get(&path).await);
    }
}

#[actix_web::test]
async fn a_withdrawn_key_is_told_so_and_no_longer_opens_the_api() {
    let (_server, me) = world().await;
    let id = me.creates(json!({})).await.is(201).id();
    me.browser.withdraw_key(&me.key).await;
    let reason = json!(["the API key was withdrawn"]);
    for path in [PROPERTIES, OPTIONS, GROUPS, &at(&id)] {
        let answer = me.api.get(path).await;
        let answer = answer.error_with("unauthorized", reason.clone());
        assert_eq!(answer.header("www-authenticate"), Some("ApiKey"));
    }
    let write = me.api.post(PROPERTIES, &body(json!({}))).await;
    write.error_with("unauthorized", reason.clone());
    let delete = me.api.delete(&at(&id)).await;
    delete.error_with("unauthorized", reason);
}

#[actix_web::test]
async fn withdrawing_one_key_leaves_the_others() {
    let (server, me) = world().await;
    let other = me.browser.create_key("Front desk").await;
    assert_ne!(other, me.key);
    me.browser.withdraw_key(&me.key).await;
    server.with_key(&other).get(PROPERTIES).await.is(200);
    let replacement = me.browser.create_key("Front desk").await;
    server.with_key(&replacement).get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn a_key_survives_a_restart_of_the_server() {
    let (mut server, me) = world().await;
    let id = me.has(json!({ "title": "Pensão Aurora" })).await;
    server.restart();
    let answer = server.with_key(&me.key).get(&at(&id)).await.is(200);
    assert_eq!(answer.attributes()["title"], "Pensão Aurora");
}

#[actix_web::test]
async fn a_key_pauses_with_the_subscription_and_works_again_with_it() {
    let (server, me) = world().await;
    let email = &*me.user.email;
    server.run(&["subscription", "cancel", email, "--now"]).ok();
    let reason = json!(["the subscription is not active"]);
    let read = me.api.get(PROPERTIES).await;
    read.error_with("forbidden", reason.clone());
    let write = me.creates(json!({})).await;
    write.error_with("forbidden", reason);
    server.subscribe(email);
    me.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn a_key_of_a_deactivated_user_is_a_401_until_the_user_is_back() {
    let (server, me) = world().await;
    server.run(&["user", "deactivate", &me.user.email]).ok();
    let answer = me.api.get(PROPERTIES).await.is(401);
    assert_eq!(answer.json()["errors"]["code"], "unauthorized");
    let by_session = me.browser.get(PROPERTIES).await.is(401);
    assert_eq!(by_session.json()["errors"]["code"], "unauthorized");
    server.run(&["user", "activate", &me.user.email]).ok();
    me.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn a_withdrawn_key_of_an_unsubscribed_user_is_a_401() {
    let (server, me) = world().await;
    me.browser.withdraw_key(&me.key).await;
    let email = &*me.user.email;
    server.run(&["subscription", "cancel", email, "--now"]).ok();
    let reason = json!(["the API key was withdrawn"]);
    me.api.get(PROPERTIES).await.error_with("unauthorized", reason);
}
