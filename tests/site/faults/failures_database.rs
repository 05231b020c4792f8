//! What people and programs do while PostgreSQL is away, and what became of it afterwards. (`outages.rs` has the
//! API's answers; an SQLite file cannot be away, so there is nothing to see here on SQLite.)

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::time::timeout;
use serde_json::json;

use crate::client::Client;
use crate::page::{key_rows, seen, until};
use crate::people::Person;
use crate::property::{PROPERTIES, body};
use crate::response::Response;
use crate::server::Server;
use crate::wire::Wire;

const PROFILE: &str = "/user_profile";

/// Longer than any server should make somebody wait for a database.
const TOO_LONG: Duration = Duration::from_secs(20);

async fn world() -> Option<(Server, Person, Arc<Wire>)> {
    let wire = Wire::to_postgresql()?;
    let server = Server::options().over(&wire).start().await;
    let me = server.person("desk@farol.example").await;
    Some((server, me, wire))
}

async fn in_time(what: &str, call: impl IntoFuture<Output = Response>) -> Response {
    match timeout(TOO_LONG, call.into_future()).await {
        Ok(answer) => answer,
        Err(_) => panic!("{what} hangs"),
    }
}

/// A 503 for a program, in the contract's form.
async fn away_for_programs(what: &str, call: impl IntoFuture<Output = Response>) {
    let answer = in_time(what, call).await.is(503);
    let error = json!({ "errors": { "code": "service_unavailable", "title": "Service Unavailable" } });
    assert_eq!(answer.json(), error, "{what}: {answer}");
    assert!(answer.header("retry-after").is_some(), "{what}: {answer}");
    assert!(answer.header("x-request-id").is_some(), "{what}: {answer}");
}

/// A 503 for a person: a page of ours, with all that a page has.
async fn away_for_people(what: &str, call: impl IntoFuture<Output = Response>) {
    let answer = in_time(what, call).await.is(503);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{what}: {answer}");
    for header in ["retry-after", "x-request-id", "content-security-policy", "referrer-policy"] {
        assert!(answer.header(header).is_some(), "{what}: no {header} in {answer}");
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}: {answer}");
    assert!(seen(answer.text()).contains("try again in a few seconds"), "{what}: {answer}");
}

async fn back(client: &Client, path: &str) {
    until(&format!("{path} is answered again"), async || (client.get(path).await.status == 200).then_some(())).await;
}

#[actix_web::test]
async fn people_see_a_page_while_postgresql_is_away_and_are_still_signed_in_afterwards() {
    let Some((server, me, wire)) = world().await else { return };
    let id = me.browser.key_id(&me.key).await;
    let withdraw = format!("/user_profile/api_keys/{id}/withdraw");
    let sign_in = [("email", &*me.user.email), ("password", &*me.user.password)];
    for silent in [false, true] {
        if silent {
            wire.silence()
        } else {
            wire.cut()
        }
        away_for_people("the profile", me.browser.get(PROFILE)).await;
        away_for_people("a new name", me.browser.post_form(PROFILE, &[("name", "Rita"), ("time_zone", "UTC")])).await;
        away_for_people("the question", me.browser.get(&withdraw)).await;
        away_for_people("a sign-in", server.browser().post_form("/sign_in", &sign_in)).await;
        away_for_people("a sign-out", me.browser.post_form("/sign_out", &[])).await;
        away_for_programs("a session", me.browser.get(PROPERTIES)).await;
        // What needs no database goes on.
        server.browser().get("/sign_in").await.is(200);
        server.anonymous().get(PROFILE).await.is(303);
        server.with_key("lk_no_key").get(PROPERTIES).await.is(401);
        wire.mend();
        back(&me.browser, PROFILE).await;
        back(&me.api, PROPERTIES).await;
        server.signed_in(&me.user).await;
    }
}

#[actix_web::test]
async fn a_write_that_was_answered_with_a_503_can_be_sent_again() {
    let Some((server, me, wire)) = world().await else { return };
    for round in 0..3 {
        let key = me.browser.create_key(&format!("Round {round}")).await;
        let id = me.browser.key_id(&key).await;
        let path = format!("/user_profile/api_keys/{id}/withdraw");
        wire.cut();
        away_for_people("a withdrawal", me.browser.post_form(&path, &[])).await;
        away_for_programs("a create", me.creates(json!({}))).await;
        wire.mend();
        back(&me.browser, PROFILE).await;
        server.with_key(&key).get(PROPERTIES).await.is(200);
        me.browser.post_form(&path, &[]).await.is(303);
        server.with_key(&key).get(PROPERTIES).await.is(401);
        assert_eq!(me.api.get(PROPERTIES).await.column("id").len(), round);
        me.api.post(PROPERTIES, &body(json!({}))).await.is(201);
    }
}

#[actix_web::test]
async fn connections_that_broke_while_nobody_asked_cost_at_most_a_503() {
    let Some((_server, me, wire)) = world().await else { return };
    // All connections of the pool are open, and then broken.
    let calls: Vec<_> = (0..30).map(|_| actix_web::rt::spawn(me.api.get(PROPERTIES).into_future())).collect();
    for call in calls {
        call.await.expect("an answer").is(200);
    }
    wire.cut();
    wire.mend();
    for _ in 0..30 {
        let answer = in_time("a key", me.api.get(PROPERTIES)).await;
        assert!(matches!(answer.status, 200 | 503), "{answer}");
    }
    me.api.get(PROPERTIES).await.is(200);
    me.browser.get(PROFILE).await.is(200);
}

#[actix_web::test]
async fn a_first_use_that_could_not_be_written_is_written_later() {
    let Some((server, me, wire)) = world().await else { return };
    let mut keys = vec![me.key.clone()];
    for round in 0..5 {
        keys.push(me.browser.create_key(&format!("Round {round}")).await);
    }
    for key in &keys {
        server.with_key(key).get(PROPERTIES).await.is(200);
    }
    wire.cut();
    away_for_people("the profile", me.browser.get(PROFILE)).await;
    wire.mend();
    until("all uses are listed", async || {
        let page = me.browser.get(PROFILE).await;
        let rows = key_rows(&page);
        (rows.len() == keys.len() && rows.iter().all(|row| row.contains("127.0.0.1"))).then_some(())
    })
    .await;
}
