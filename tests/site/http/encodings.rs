//! gzip and brotli, and what they change in the headers.

use crate::people::world;
use crate::property::PROPERTIES;
use crate::response::Response;

const DOCUMENT: &str = "/api/v1/openapi.json";

/// Vary as one header; `Response::header` refuses a repeated one.
fn varies(answer: &Response) -> Vec<String> {
    assert!(answer.header("vary").is_some(), "{answer}");
    answer.words("vary")
}

#[actix_web::test]
async fn a_large_answer_comes_as_gzip_or_brotli_to_those_who_ask() {
    let (server, _me) = world().await;
    let plain = server.anonymous().get(DOCUMENT).await.is(200);
    assert_eq!(plain.header("content-encoding"), None);
    for (asked, given) in [
        ("gzip", Some("gzip")),
        ("br", Some("br")),
        ("gzip, deflate, br", Some("br")),
        ("br;q=0, gzip;q=0.5", Some("gzip")),
        ("identity", None),
        ("zstd, *;q=0", None),
        ("gzip;q=0", None),
        ("compress", None),
        ("", None),
    ] {
        let answer = server.anonymous().get(DOCUMENT).header("accept-encoding", asked).await.is(200);
        assert_eq!(answer.header("content-encoding"), given, "{asked}");
        assert_eq!(varies(&answer), ["accept-encoding", "cookie", "origin", "user-api-key"], "{asked}");
        if given.is_some() {
            assert!(answer.body.len() * 5 < plain.body.len(), "{asked}: {} bytes", answer.body.len());
            assert_eq!(answer.header("etag").unwrap(), format!("W/{}", plain.header("etag").unwrap()), "{asked}");
        } else {
            assert_eq!(answer.body, plain.body, "{asked}");
            assert_eq!(answer.header("etag"), plain.header("etag"), "{asked}");
        }
    }
}

#[actix_web::test]
async fn the_tag_of_a_compressed_answer_is_known_again() {
    let (server, _me) = world().await;
    let compressed = server.anonymous().get(DOCUMENT).header("accept-encoding", "gzip").await.is(200);
    let tag = compressed.header("etag").unwrap();
    for asked in ["gzip", "br", "identity"] {
        let call = server.anonymous().get(DOCUMENT).header("accept-encoding", asked).header("if-none-match", tag);
        let answer = call.await.is(304);
        assert_eq!(answer.header("content-encoding"), None, "{asked}");
        assert!(answer.body.is_empty(), "{asked}");
    }
}

#[actix_web::test]
async fn a_short_answer_and_an_error_are_left_as_they_are() {
    let (server, me) = world().await;
    let list = me.api.get(PROPERTIES).header("accept-encoding", "gzip, br").await.is(200);
    assert_eq!(list.header("content-encoding"), None);
    assert_eq!(list.column("title").len(), 0);
    varies(&list);
    let refused = server.anonymous().get(PROPERTIES).header("accept-encoding", "gzip").await;
    varies(&refused);
    refused.error("unauthorized");
}

#[actix_web::test]
async fn head_tells_the_headers_of_a_compressed_get() {
    let (server, _me) = world().await;
    let get = server.anonymous().get(DOCUMENT).header("accept-encoding", "br").await.is(200);
    let head = server.anonymous().head(DOCUMENT).header("accept-encoding", "br").await.is(200);
    for name in ["content-encoding", "content-type", "etag", "vary", "cache-control"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    assert!(head.body.is_empty());
}

#[actix_web::test]
async fn pages_and_their_assets_are_compressed_too() {
    let (server, me) = world().await;
    let page = me.browser.get("/user_profile").header("accept-encoding", "gzip").await.is(200);
    assert_eq!(page.header("content-encoding"), Some("gzip"));
    let html = server.anonymous().get("/sign_in").await.is(200);
    let css = html.text().split('"').find(|part| part.ends_with("/app.css")).expect("a style sheet");
    let css = server.anonymous().get(css).header("accept-encoding", "br").await.is(200);
    assert_eq!(css.header("content-encoding"), Some("br"));
}
