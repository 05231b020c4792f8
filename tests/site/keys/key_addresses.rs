//! Keys that may be used from some addresses only.

use serde_json::json;

use crate::browser::NEW_KEY;
use crate::client::Client;
use crate::html;
use crate::page::{problem, seen};
use crate::people::{DESK, Person, world};
use crate::property::PROPERTIES;
use crate::response::Response;
use crate::server::Server;

/// Sends the form of a new key with a list.
async fn send(me: &Person, addresses: &str) -> Response {
    let form = me.browser.get(NEW_KEY).await.is(200);
    let token = html::input_value(form.text(), "form_token").expect("a form token");
    let fields = [("title", "Listed"), ("form_token", &*token), ("allowed_addresses", addresses)];
    me.browser.register(me.browser.post_form(NEW_KEY, &fields).await)
}

async fn listed(me: &Person, addresses: &str) -> String {
    let answer = send(me, addresses).await.is(200);
    html::keys(answer.text())[0].to_owned()
}

/// Asks from an address, as a listed proxy says.
async fn asks_from(api: &Client, address: &str) -> Response {
    api.get(PROPERTIES).header("x-forwarded-for", address).await
}

#[actix_web::test]
async fn the_form_says_where_you_are_and_names_each_wrong_entry() {
    let (server, me) = world().await;
    let form = me.browser.get(NEW_KEY).await.is(200);
    assert!(seen(form.text()).contains("You are at 127.0.0.1 ."), "{form}");
    let entered = "10.0.0.5/8 pms.example\r\n0.0.0.0/0, 203.0.113.7";
    let answer = send(&me, entered).await.is(422);
    let told = problem(&answer, "allowed_addresses").expect("a reason");
    for words in
        ["10.0.0.5/8” has host bits; did you mean 10.0.0.0/8?", "pms.example” is a name", "0.0.0.0/0” is everyone"]
    {
        assert!(told.contains(words), "{told}");
    }
    assert!(!told.contains("203.0.113.7") && answer.text().contains(&format!("{entered}</textarea>")), "{answer}");
    let many: String = (0..60).map(|number| format!("10.0.0.{number}\n")).collect();
    let answer = send(&me, &many).await.is(422);
    assert!(problem(&answer, "allowed_addresses").is_some_and(|told| told.contains("at most 50")), "{answer}");
    send(&me, &"<script>\u{0} ".repeat(2_000)).await.is(422);

    let key = listed(&me, "127.0.0.0/8 ::ffff:203.0.113.7").await;
    server.with_key(&key).get(PROPERTIES).await.is(200);
    let id = me.browser.key_id(&key).await;
    let facts = seen(me.browser.get(&format!("/user_profile/api_keys/{id}")).await.is(200).text());
    assert!(facts.contains("Allowed addresses 127.0.0.0/8 , 203.0.113.7"), "{facts}");
    let printed = server.run(&["key", "list", DESK]).ok();
    assert!(printed.contains("\tListed\tall properties, read and write, from 127.0.0.0/8 203.0.113.7\n"), "{printed}");
}

#[actix_web::test]
async fn a_key_with_a_list_is_refused_from_elsewhere_by_the_address_and_leaves_no_trace() {
    let server = Server::options()
        .env("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1")
        .env("LATCHKEY_REQUESTS_PER_KEY", "3")
        .start()
        .await;
    let me = server.person("desk@farol.example").await;
    let key = listed(&me, "203.0.113.7 198.51.100.0/24 2001:db8::/48").await;
    let api = server.with_key(&key);
    for (address, shown) in [
        ("203.0.113.8", "203.0.113.8"),
        ("198.51.101.1", "198.51.101.1"),
        ("2001:db8:1::1", "2001:db8:1::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        // What a client says of itself does not count.
        ("203.0.113.7, 203.0.113.10", "203.0.113.10"),
        ("unknown", "127.0.0.1"),
    ] {
        let refused = asks_from(&api, address).await.is(403);
        let why = json!([format!("the API key is not allowed from {shown}")]);
        refused.error_with("forbidden", why);
    }
    api.get(PROPERTIES).await.is(403);
    let row = super::key_expiry::row(&me.browser, &key).await;
    assert!(row.contains(" never"), "{row}");
    // None of them counted for the rate limit.
    for address in ["203.0.113.7", "::ffff:198.51.100.77", "2001:db8:0:1::5"] {
        asks_from(&api, address).await.is(200);
    }
    asks_from(&api, "203.0.113.7").await.is(429);
    asks_from(&api, "203.0.113.8").await.is(403);
    let log = server.log();
    assert!(log.contains("reason=\"the API key is not allowed from this address\""), "{log}");
}

#[actix_web::test]
async fn the_reasons_before_the_address_come_first() {
    let (server, me) = world().await;
    let key = listed(&me, "203.0.113.7").await;
    let api = server.with_key(&key);
    api.get(PROPERTIES).await.error_with("forbidden", json!(["the API key is not allowed from 127.0.0.1"]));
    server.run(&["subscription", "cancel", DESK, "--now"]).ok();
    api.get(PROPERTIES).await.error_with("forbidden", json!(["the subscription is not active"]));
    server.run(&["user", "deactivate", DESK]).ok();
    assert_eq!(api.get(PROPERTIES).await.error("unauthorized").json()["errors"].get("details"), None);
    server.run(&["user", "activate", DESK]).ok();
    server.subscribe(DESK);
    let id = server.signed_in(&me.user).await.key_id(&key).await;
    server.run(&["key", "withdraw", &id]).ok();
    api.get(PROPERTIES).await.error_with("unauthorized", json!(["the API key was withdrawn"]));
}

#[actix_web::test]
async fn behind_a_proxy_that_is_not_listed_the_field_is_off_and_a_list_lets_nobody_in() {
    let (server, me) = world().await;
    let key = listed(&me, "127.0.0.1").await;
    let hidden = server.with_key(&key).always("x-forwarded-for", "203.0.113.7");
    let unknown = json!(["the API key is not allowed from an unknown address"]);
    hidden.get(PROPERTIES).await.error_with("forbidden", unknown);
    server.with_key(&key).get(PROPERTIES).await.is(200);

    let form = me.browser.get(NEW_KEY).header("x-forwarded-for", "203.0.113.7").await.is(200);
    let text = seen(form.text());
    assert!(text.contains("cannot see where requests come from") && !text.contains("You are at"), "{form}");
    assert!(form.text().contains("<textarea id=\"allowed_addresses\" rows=\"2\" disabled"), "{form}");
    let fields = [("title", "Listed"), ("allowed_addresses", "203.0.113.7")];
    let answer = me.browser.post_form(NEW_KEY, &fields).header("x-forwarded-for", "203.0.113.7").await.is(422);
    assert!(problem(&answer, "allowed_addresses").is_some_and(|told| told.contains("cannot see")), "{answer}");
    // An edit there keeps the list.
    let edit = format!("/user_profile/api_keys/{}/edit", me.browser.key_id(&key).await);
    let fields = [("title", "Renamed"), ("expires", "never")];
    me.browser.post_form(&edit, &fields).header("x-forwarded-for", "203.0.113.7").await.is(303);
    assert!(
        server.run(&["key", "list", DESK]).ok().contains("\tRenamed\tall properties, read and write, from 127.0.0.1\n")
    );
}
