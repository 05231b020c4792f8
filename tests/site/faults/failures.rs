//! Processes that are killed, clients that go away, several programs on one database: what was answered holds.

use std::time::Duration;

use crate::browser::NEW_KEY;
use crate::host::Host;
use crate::html;
use crate::page::{key_rows, key_titles, seen};
use crate::people::world;
use crate::property::{PROPERTIES, at};
use crate::raw::{self, form, send_and_reset};
use crate::server::Server;

const PROFILE: &str = "/user_profile";

/// From at once to later than any answer.
fn moments() -> impl Iterator<Item = Duration> {
    (0..40).map(|round| Duration::from_micros(250 * round))
}

#[actix_web::test]
async fn a_key_that_was_shown_is_there_after_the_server_was_killed() {
    let (mut server, me) = world().await;
    let mut keys = vec![me.key.clone()];
    for round in 0..3 {
        let browser = server.signed_in(&me.user).await;
        keys.push(browser.create_key(&format!("Round {round}")).await);
        server.kill();
        server.restart();
        for key in &keys {
            server.with_key(key).get(PROPERTIES).await.is(200);
        }
    }
}

#[actix_web::test]
async fn an_answered_withdrawal_holds_after_the_server_was_killed() {
    let (mut server, me) = world().await;
    for round in 0..3 {
        let browser = server.signed_in(&me.user).await;
        let key = browser.create_key(&format!("Round {round}")).await;
        browser.withdraw_key(&key).await;
        server.kill();
        server.restart();
        server.with_key(&key).get(PROPERTIES).await.is(401);
        server.with_key(&me.key).get(PROPERTIES).await.is(200);
    }
    let browser = server.signed_in(&me.user).await;
    browser.post_form("/user_profile/withdraw_all_keys", &[]).await.is(303);
    server.kill();
    server.restart();
    server.with_key(&me.key).get(PROPERTIES).await.is(401);
}

#[actix_web::test]
async fn what_the_api_has_answered_is_there_after_the_server_was_killed() {
    let (mut server, me) = world().await;
    let made = me.creates(serde_json::json!({})).await.is(201).id();
    let deleted = me.creates(serde_json::json!({ "title": "Gone" })).await.is(201).id();
    me.api.delete(&at(&deleted)).await.is(200);
    server.kill();
    server.restart();
    let api = server.with_key(&me.key);
    api.get(&at(&made)).await.is(200);
    api.get(&at(&deleted)).await.is(404);
}

#[actix_web::test]
async fn a_server_that_is_asked_to_end_writes_the_last_use_of_keys() {
    let (mut server, me) = world().await;
    for round in 0..5 {
        let browser = server.signed_in(&me.user).await;
        let key = browser.create_key(&format!("Round {round}")).await;
        let api = server.with_key(&key);
        api.get(PROPERTIES).header("user-agent", "FarolPMS/2.1").await.is(200);
        assert!(server.terminate().success(), "{}", server.log());
        server.restart();
        let browser = server.signed_in(&me.user).await;
        let rows = key_rows(&browser.get(PROFILE).await.is(200));
        assert!(rows[0].contains("FarolPMS/2.1"), "{rows:?}");
    }
}

#[actix_web::test]
async fn a_last_use_that_waits_for_the_database_is_written_before_the_end() {
    let host = Host::new().await;
    let user = host.add_subscriber("desk@farol.example");
    let mut server = host.serve(&[]);
    let key = server.signed_in(&user).await.create_key("Front desk").await;
    let held = host.hold_keys().await;
    server.with_key(&key).get(PROPERTIES).header("user-agent", "FarolPMS/2.1").await.is(200);
    server.ask_to_end();
    // It does not end without having written; time enough to do so, and less than its patience with a database.
    let ended = server.has_ended_within(Duration::from_secs(3)).await;
    held.release().await;
    assert!(!ended && server.ended().success());
    let server = host.serve(&[]);
    let list = server.signed_in(&user).await.get(PROFILE).await.is(200);
    assert!(key_rows(&list)[0].contains("FarolPMS/2.1"), "{list}");
}

#[actix_web::test]
async fn a_session_outlives_a_restart() {
    // The cookie is named by the port of the base URL.
    let mut server = Server::options().public_url("http://localhost:7001").start().await;
    let me = server.person("desk@farol.example").await;
    let cookies = me.browser.cookies().expect("a session");
    server.restart();
    server.anonymous().get(PROFILE).header("cookie", &cookies).await.is(200);
}

#[actix_web::test]
async fn a_client_that_goes_away_leaves_a_key_active_or_withdrawn_and_nothing_between() {
    let (server, me) = world().await;
    for moment in moments() {
        let key = me.browser.create_key("Leaver").await;
        let id = me.browser.key_id(&key).await;
        let path = format!("/user_profile/api_keys/{id}/withdraw");
        send_and_reset(server.address(), &form(&me.browser, &path, &[]), moment).await;

        let api = server.with_key(&key);
        let refused = api.get(PROPERTIES).await.status == 401;
        let tail = format!("***{}", &key[46..]);
        let rows = key_rows(&me.browser.get(PROFILE).await.is(200));
        let row = rows.iter().find(|row| row.contains(&tail)).expect("the key");
        let withdrawn = row.contains("withdrawn") && row.contains("by you") && !row.contains("Actions");
        let active = row.contains("active") && row.contains("Actions") && !row.contains("withdrawn");
        assert!(withdrawn != active, "{row}");
        assert!(withdrawn || !refused, "refused, but: {row}");
        if withdrawn {
            api.get(PROPERTIES).await.is(401);
        }
        me.browser.post_form(&path, &[]).await.is(303);
        api.get(PROPERTIES).await.is(401);
    }
    me.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn a_client_that_goes_away_from_a_new_key_may_send_the_form_again() {
    let (server, me) = world().await;
    for (round, moment) in moments().enumerate() {
        let title = format!("Leaver {round}");
        let page = me.browser.get(NEW_KEY).await.is(200);
        let token = html::input_value(page.text(), "form_token").expect("a form token");
        let fields = [("title", &*title), ("form_token", &*token)];
        send_and_reset(server.address(), &form(&me.browser, NEW_KEY, &fields), moment).await;

        let again = me.browser.send_new_key(&title, &token).await;
        match again.status {
            200 => assert_eq!(html::keys(again.text()).len(), 2, "the key and its curl line: {again}"),
            409 => assert!(again.text().contains("/rotate"), "{again}"),
            _ => panic!("{again}"),
        }
        let titles = key_titles(&me.browser.get(PROFILE).await.is(200));
        assert_eq!(titles.iter().filter(|other| **other == title).count(), 1, "{titles:?}");
    }
}

#[actix_web::test]
async fn clients_that_go_away_cost_nobody_else_an_answer() {
    let (server, me) = world().await;
    let read = raw::request(&format!("GET {PROPERTIES}"), &[format!("user-api-key: {}", me.key).as_bytes()], b"");
    let page = raw::request(
        &format!("GET {PROFILE}"),
        &[format!("Cookie: {}", me.browser.cookies().expect("a session")).as_bytes()],
        b"",
    );
    for _ in 0..10 {
        let leavers: Vec<_> = moments()
            .map(|moment| {
                let request = if moment.subsec_micros() % 500 == 0 { read.clone() } else { page.clone() };
                let address = server.address();
                actix_web::rt::spawn(async move { send_and_reset(address, &request, moment / 2).await })
            })
            .collect();
        for leaver in leavers {
            leaver.await.expect("it left");
        }
        for _ in 0..3 {
            me.creates(serde_json::json!({ "title": "Pensão Aurora" })).await.is(201);
            me.browser.post_form(PROFILE, &[("name", "Rita"), ("time_zone", "UTC")]).await.is(303);
        }
    }
    assert_eq!(me.api.get(PROPERTIES).await.is(200).json()["meta"]["total"], 30);
    // What a request was cut short in must not stay on the connection that the next one gets.
    assert!(!server.log().contains("already a transaction in progress"), "{}", server.log());
}

#[actix_web::test]
async fn a_form_that_never_ends_changes_nothing() {
    let (server, me) = world().await;
    let id = me.browser.key_id(&me.key).await;
    let whole = form(&me.browser, &format!("/user_profile/api_keys/{id}/rotate"), &[("form_token", "cut-short")]);
    for length in [whole.len() - 1, whole.len() - 5] {
        send_and_reset(server.address(), &whole[..length], Duration::from_millis(5)).await;
    }
    me.api.get(PROPERTIES).await.is(200);
    assert_eq!(key_rows(&me.browser.get(PROFILE).await.is(200)).len(), 1);
}

#[actix_web::test]
async fn what_a_command_takes_away_is_gone_at_once() {
    let (server, me) = world().await;
    let email = &*me.user.email;
    for round in 0..3 {
        let key = me.browser.create_key(&format!("Round {round}")).await;
        let api = server.with_key(&key);
        let id = me.browser.key_id(&key).await;
        api.get(PROPERTIES).await.is(200);
        server.run(&["key", "withdraw", &id]).ok();
        api.get(PROPERTIES).await.is(401);
    }
    let list = me.browser.get(PROFILE).await.is(200);
    assert!(seen(list.text()).contains("by the host"), "{list}");
    for _ in 0..3 {
        me.api.get(PROPERTIES).await.is(200);
        server.run(&["subscription", "cancel", email, "--now"]).ok();
        me.api.get(PROPERTIES).await.is(403);
        server.subscribe(email);
    }
    me.api.get(PROPERTIES).await.is(200);
    server.run(&["user", "deactivate", email]).ok();
    me.api.get(PROPERTIES).await.is(401);
    me.browser.get(PROPERTIES).await.is(401);
    me.browser.get(PROFILE).await.is(303);
}
