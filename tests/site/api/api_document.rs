//! The API's document, as it is kept in docs/openapi.json: a change of the API is seen there in review.
//!
//! `LATCHKEY_WRITE_SNAPSHOT=1 cargo test --test site the_document_is` writes the file anew.

use std::path::Path;

use serde_json::Value;

use crate::server::Server;

#[actix_web::test]
async fn the_document_is_the_one_that_was_reviewed_on_sqlite() {
    let server = Server::options().public_url("http://localhost:8080").start().await;
    if server.database_url().is_some() {
        return;
    }
    let document: Value = server.anonymous().get("/api/v1/openapi.json").await.is(200).json();
    let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    if std::env::var("LATCHKEY_WRITE_SNAPSHOT").is_ok_and(|wish| wish == "1") {
        std::fs::write(&file, &text).unwrap();
    }
    let reviewed = std::fs::read_to_string(&file).unwrap_or_default();
    let first = text.lines().zip(reviewed.lines()).position(|(now, then)| now != then);
    assert!(
        text == reviewed,
        "docs/openapi.json differs from line {:?} on; if that is meant: LATCHKEY_WRITE_SNAPSHOT=1 cargo test --test site the_document_is",
        first.map(|line| line + 1)
    );
}
