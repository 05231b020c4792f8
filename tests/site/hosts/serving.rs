//! The process: starting, being asked how it is, ending.

use serde_json::json;

use crate::people::world;
use crate::property::{PROPERTIES, at};
use crate::server::Server;

#[actix_web::test]
async fn a_server_says_that_it_is_alive_and_ready() {
    let server = Server::start().await;
    server.anonymous().get("/healthz").await.is(200);
    server.anonymous().get("/readyz").await.is(200);
}

#[actix_web::test]
async fn a_server_that_is_asked_to_end_ends_well_and_loses_nothing() {
    let (mut server, me) = world().await;
    let id = me.has(json!({})).await;
    assert!(server.terminate().success(), "{}", server.log());
    server.restart();
    server.with_key(&me.key).get(&at(&id)).await.is(200);
}

#[actix_web::test]
async fn many_copies_serve_one_postgresql_database_and_one_an_sqlite_file() {
    let (server, me) = world().await;
    if server.database_url().is_none() {
        assert!(server.data_dir().join("latchkey.db").is_file());
        let said = Server::options().start_on(&server).refused();
        assert!(!said.contains("panicked"), "{said}");
        me.api.get(PROPERTIES).await.is(200);
        return;
    }
    let copy = Server::options().start_on(&server).serving();
    let on_copy = copy.with_key(&me.key);
    let id = me.has(json!({})).await;
    on_copy.get(&at(&id)).await.is(200);
    on_copy.delete(&at(&id)).await.is(200);
    me.api.get(&at(&id)).await.error("not_found");
    me.browser.withdraw_key(&me.key).await;
    on_copy.get(PROPERTIES).await.is(401);
}

#[actix_web::test]
async fn a_setting_that_does_not_exist_is_refused() {
    let unknown = Server::options().env("LATCHKEY_LISTENS", "127.0.0.1:0");
    let said = unknown.start_refused().await;
    assert!(said.contains("LATCHKEY_LISTENS"), "{said}");
    assert!(said.contains("LATCHKEY_LISTEN"), "{said}");
    let said = Server::options().arg("--listens").start_refused().await;
    assert!(said.contains("--listens"), "{said}");
}

#[actix_web::test]
async fn plain_http_off_loopback_is_refused_unless_allowed() {
    let exposed = "http://latchkey.farol.example";
    let said = Server::options().public_url(exposed).start_refused().await;
    assert!(said.contains("LATCHKEY_ALLOW_HTTP"), "{said}");
    let allowed = Server::options().public_url(exposed).env("LATCHKEY_ALLOW_HTTP", "1");
    let server = allowed.start().await;
    server.anonymous().get("/healthz").await.is(200);
    let secure = Server::options().public_url("https://latchkey.farol.example");
    let server = secure.start().await;
    server.anonymous().get("/healthz").await.is(200);
}
