//! A server that has lost its PostgreSQL. (An SQLite file cannot be lost so:
//! there is nothing to see here on SQLite.)

use std::time::Duration;

use actix_web::rt::time::{sleep, timeout};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::Client;
use crate::people::Person;
use crate::property::PROPERTIES;
use crate::raw;
use crate::server::Server;
use crate::wire::Wire;

/// Longer than any server should make a caller wait for a database.
const TOO_LONG: Duration = Duration::from_secs(20);

async fn refused_in_time(api: &Client) {
    let answer = timeout(TOO_LONG, api.get(PROPERTIES)).await;
    let answer = answer.expect("an answer, never a hang").is(503);
    assert!(answer.header("retry-after").is_some(), "{answer}");
    assert!(answer.json()["errors"]["code"].is_string(), "{answer}");
}

async fn broken_and_mended(server: &Server, me: &Person, wire: &Wire) {
    for _ in 0..3 {
        refused_in_time(&me.api).await;
    }
    let ready = timeout(TOO_LONG, server.anonymous().get("/readyz")).await;
    ready.expect("an answer, never a hang").is(503);
    server.anonymous().get("/healthz").await.is(200);
    wire.mend();
    let working = async {
        while me.api.get(PROPERTIES).await.status != 200 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(TOO_LONG, working).await.expect("it works again");
    server.anonymous().get("/readyz").await.is(200);
}

#[actix_web::test]
async fn a_lost_connection_is_a_503_until_it_is_back_on_postgresql() {
    let Some(wire) = Wire::to_postgresql() else { return };
    let server = Server::options().over(&wire).start().await;
    let me = server.person("desk@farol.example").await;
    wire.cut();
    broken_and_mended(&server, &me, &wire).await;
}

#[actix_web::test]
async fn a_silent_connection_is_a_503_until_it_speaks_on_postgresql() {
    let Some(wire) = Wire::to_postgresql() else { return };
    let server = Server::options().over(&wire).start().await;
    let me = server.person("desk@farol.example").await;
    wire.silence();
    broken_and_mended(&server, &me, &wire).await;
}

#[actix_web::test]
async fn connections_that_have_fallen_silent_for_ever_are_given_up_for_others_on_postgresql() {
    let Some(wire) = Wire::to_postgresql() else { return };
    let server = Server::options().arg("--database-connections").arg("2").over(&wire).start().await;
    let me = server.person("desk@farol.example").await;
    wire.lose();
    let working = async {
        loop {
            // Several at once ask for every connection.
            let (one, _, _) = tokio::join!(me.api.get(PROPERTIES), me.creates(json!({})), me.creates(json!({})));
            if one.status == 200 && me.creates(json!({})).await.status == 201 {
                return;
            }
        }
    };
    timeout(Duration::from_secs(60), working).await.expect("connections that work");
}

#[actix_web::test]
async fn a_client_that_leaves_while_its_transaction_begins_spoils_no_connection_on_postgresql() {
    let Some(wire) = Wire::to_postgresql() else { return };
    let server = Server::options().over(&wire).start().await;
    let me = server.person("desk@farol.example").await;
    let key = format!("user-api-key: {}", me.key);
    let request = raw::request(&format!("GET {PROPERTIES}"), &[key.as_bytes()], b"");
    for _ in 0..3 {
        me.creates(json!({})).await.is(201);
        wire.silence();
        let mut leaver = TcpStream::connect(server.address()).await.expect("the server listens");
        leaver.set_zero_linger().expect("a setting");
        leaver.write_all(&request).await.expect("a request");
        wire.wait_until_it_holds_something_back();
        drop(leaver);
        // What the server does with a reset cannot be seen: other requests give it the time.
        for _ in 0..20 {
            server.anonymous().get("/healthz").await.is(200);
        }
        wire.mend();
        for _ in 0..5 {
            me.creates(json!({})).await.is(201);
        }
    }
}
