//! A database that ends and comes back, and one whose connections are all taken.

use std::time::Duration;

use actix_web::rt::{self, time::timeout};
use serde_json::json;

use crate::client::Call;
use crate::cluster::Cluster;
use crate::database::Database;
use crate::host::Host;
use crate::page::{key_rows, until};
use crate::property::{PROPERTIES, at, body};
use crate::response::Response;

const PROFILE: &str = "/user_profile";

/// Longer than any server should make somebody wait for a database.
const TOO_LONG: Duration = Duration::from_secs(20);

async fn in_time(call: Call) -> Response {
    timeout(TOO_LONG, call.into_future()).await.expect("an answer, never a hang")
}

async fn is_away(call: Call) {
    let answer = in_time(call).await.is(503);
    assert!(answer.header("retry-after").is_some(), "{answer}");
}

#[actix_web::test]
async fn a_database_that_is_restarted_costs_some_503_and_nothing_that_was_answered_on_postgresql() {
    if std::env::var("LATCHKEY_TEST_DATABASE").is_err() {
        return;
    }
    let cluster = Cluster::start();
    let host = Host::on(Database::create_on(&cluster.url()).await);
    let mut server = host.serve(&[]);
    let me = server.person("desk@farol.example").await;
    let mut made = vec![me.has(json!({})).await];
    for mode in ["fast", "immediate"] {
        let api = me.api.clone();
        let writing = rt::spawn(async move {
            let (mut made, mut refused) = (Vec::new(), 0);
            // Before, during and after; some writes are refused, the rest hold.
            while refused == 0 || made.is_empty() {
                let answer = in_time(api.post(PROPERTIES, &body(json!({})))).await;
                match answer.status {
                    201 => made.push(answer.id()),
                    _ => {
                        refused += 1;
                        assert!(answer.clone().is(503).header("retry-after").is_some(), "{answer}");
                    }
                }
            }
            made
        });
        cluster.stop(mode);
        is_away(me.api.get(PROPERTIES)).await;
        is_away(me.browser.get(PROFILE)).await;
        is_away(server.anonymous().get("/readyz")).await;
        in_time(server.anonymous().get("/healthz")).await.is(200);
        assert!(!server.has_ended_within(Duration::ZERO).await, "{}", server.log());
        cluster.restart();
        until("it works again", async || (in_time(me.api.get(PROPERTIES)).await.status == 200).then_some(())).await;
        until("pages work again", async || (in_time(me.browser.get(PROFILE)).await.status == 200).then_some(())).await;
        made.append(&mut writing.await.expect("answers"));
        for id in &made {
            me.api.get(&at(id)).await.is(200);
        }
    }
    drop(server);
}

#[actix_web::test]
async fn when_all_connections_are_taken_callers_are_told_to_come_back() {
    let host = Host::new().await;
    let mut server = host.serve(&["--database-connections", "2"]);
    let me = server.person("desk@farol.example").await;
    let keys = [me.browser.create_key("One").await, me.browser.create_key("Two").await];
    let ids = [me.browser.key_id(&keys[0]).await, me.browser.key_id(&keys[1]).await];
    let held = host.hold_keys().await;
    // Each takes the connection that it gets, and waits.
    let mut waiting = Vec::new();
    for id in &ids {
        let path = format!("/user_profile/api_keys/{id}/withdraw");
        waiting.push(rt::spawn(me.browser.post_form(&path, &[]).into_future()));
    }
    until("all connections are taken", async || {
        let answer = in_time(me.api.post(PROPERTIES, &body(json!({})))).await;
        if answer.status != 201 {
            assert!(answer.clone().is(503).header("retry-after").is_some(), "{answer}");
        }
        (answer.status == 503).then_some(())
    })
    .await;
    in_time(server.anonymous().get("/healthz")).await.is(200);
    held.release().await;
    for answer in waiting {
        let answer = timeout(TOO_LONG, answer).await.expect("an answer, never a hang").expect("an answer");
        assert!(matches!(answer.status, 303 | 503), "{answer}");
    }
    until("writes work again", async || {
        (in_time(me.api.post(PROPERTIES, &body(json!({})))).await.status == 201).then_some(())
    })
    .await;
    for (key, id) in keys.iter().zip(&ids) {
        in_time(me.browser.post_form(&format!("/user_profile/api_keys/{id}/withdraw"), &[])).await.is(303);
        in_time(server.with_key(key).get(PROPERTIES)).await.is(401);
    }
    let rows = key_rows(&me.browser.get(PROFILE).await.is(200));
    assert_eq!(rows.iter().filter(|row| row.contains("withdrawn")).count(), 2, "{rows:?}");
    assert!(!server.has_ended_within(Duration::ZERO).await, "{}", server.log());
}
