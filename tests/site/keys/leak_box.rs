//! Keys that somebody has found and hands in: they stop on every process, and nobody learns which of them worked.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{Call, at_once};
use crate::instances::Instances;
use crate::key_form::{foreign_key, mistyped, sha256_hex};
use crate::page::{face, key_rows, seen, until};
use crate::people::{DESK, world};
use crate::property::PROPERTIES;
use crate::response::Response;
use crate::rounds::rounds;
use crate::server::Server;

const LEAKED: &str = "/leaked_key";
const THANKS: &str = "Thank you. A working key among these stops at once, and its owner is told.";

/// No response comes earlier.
const ANSWER_AFTER: Duration = Duration::from_millis(500);

/// Hands a text in, from an address of its own if the server trusts the test as its proxy.
fn hand_in(server: &Server, text: &str, from: &str) -> Call {
    server.anonymous().post_form(LEAKED, &[("text", text)]).header("x-forwarded-for", from)
}

/// A server with one person, behind a proxy, so that the test has any number of addresses.
async fn behind_proxy() -> Server {
    Server::options().env("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1").start().await
}

/// Waits until the server lets nobody in with this key.
async fn stops(server: &Server, key: &str) {
    let api = server.with_key(key);
    until("the key stops", async || (api.get(PROPERTIES).await.status == 401).then_some(())).await;
    api.get(PROPERTIES).await.error_with("unauthorized", json!(["the API key was withdrawn"]));
}

#[actix_web::test]
async fn found_keys_stop_on_every_process_and_their_owners_are_told() {
    let instances = Instances::start().await;
    let (first, last) = (instances.first(), instances.servers.last().expect("a server"));
    let (ana, ben) = (first.person("ana@farol.example").await, first.person("ben@farol.example").await);
    let other = ana.browser.create_key("Night audit").await;
    let kept = ben.browser.create_key("Not found").await;
    let withdrawn = ben.browser.create_key("Old").await;
    ben.browser.withdraw_key(&withdrawn).await;
    for server in &instances.servers {
        for key in [&ana.key, &other, &ben.key, &kept] {
            server.with_key(key).get(PROPERTIES).await.is(200);
        }
    }
    let text = format!(
        "{{\"a\":\"\\n{}\"}} KEY_{other}x https://pms.example/?k=%22{}%22 {withdrawn} {} {} {}",
        ana.key,
        ben.key,
        foreign_key("lk"),
        mistyped(&kept),
        &kept[..40]
    );
    let answer = last.anonymous().post(LEAKED, &json!({ "text": text })).await.is(200);
    assert_eq!(answer.json(), json!({ "message": THANKS }));
    for server in &instances.servers {
        for key in [&ana.key, &other, &ben.key] {
            stops(server, key).await;
        }
        server.with_key(&kept).get(PROPERTIES).await.is(200);
    }

    let rows = key_rows(&ana.browser.get("/user_profile").await);
    assert!(rows.len() == 2 && rows.iter().all(|row| row.contains("withdrawn") && row.contains("found, leaked")));
    let listed = first.run(&["key", "list", "ben@farol.example"]).ok();
    let states: Vec<&str> = listed.lines().map(|line| line.split('\t').nth(2).expect("a state")).collect();
    assert!(states[0].starts_with("withdrawn ") && !states[0].contains("leaked"), "{listed}");
    assert!(states[1] == "active" && states[2].ends_with(" UTC (found, leaked)"), "{listed}");
    let found = |who: &str, title: &str| {
        format!("{who}@farol.example: somebody who found it: Found the API key “{title}”, which was withdrawn")
    };
    let all = [found("ana", "Front desk"), found("ana", "Night audit"), found("ben", "Front desk")];
    assert_eq!(first.recorded("key_leaked"), all);
    let entry = &first.activity(&["--kind", "key_leaked"])[0];
    assert_eq!((&*entry["actor"], &*entry["address"], &*entry["client"]), ("finder", "", ""));
    let page = ana.browser.get("/user_profile/activity?kind=key_leaked").await.is(200);
    assert!(seen(page.text()).contains("somebody who found it"), "{page}");
    assert_eq!(instances.host.count("found_keys").await, 0);

    // Once more: nothing happens to what is withdrawn.
    last.anonymous().post_form(LEAKED, &[("text", &text)]).await.is(200);
    until("it is done", async || (instances.host.count("found_keys").await == 0).then_some(())).await;
    assert_eq!(first.recorded("key_leaked"), all);
}

#[actix_web::test]
async fn the_response_is_the_same_whatever_a_text_holds() {
    let server = behind_proxy().await;
    let me = server.person(DESK).await;
    let withdrawn = me.browser.create_key("Old").await;
    me.browser.withdraw_key(&withdrawn).await;
    let (foreign, wrong) = (foreign_key("lk"), mistyped(&me.key));
    let all = format!("{withdrawn} {} {foreign} {wrong} <script>", me.browser.create_key("Another").await);
    let form = |text: &str| server.anonymous().post_form(LEAKED, &[("text", text)]);
    let plain = || server.anonymous().call(reqwest::Method::POST, LEAKED);
    let calls = [
        ("a key", form(&me.key)),
        ("a withdrawn key", form(&withdrawn)),
        ("a foreign key", form(&foreign)),
        ("a mistyped key", form(&wrong)),
        ("all of them", form(&all)),
        ("nothing", form("")),
        ("no field", server.anonymous().post_form(LEAKED, &[("key", &foreign)])),
        ("no body", plain()),
        ("bytes", plain().body(vec![0, 0xff, b'%', b'_', 0x80])),
        ("broken JSON", plain().body("{\"text\": [")),
        ("64 KiB", form(&"é ".repeat(64 * 1024 / 3))),
    ];
    let mut faces = Vec::new();
    for (number, (what, call)) in calls.into_iter().enumerate() {
        let began = Instant::now();
        let answer = call.header("x-forwarded-for", format!("203.0.113.{number}")).await.is(200);
        assert!(began.elapsed() >= ANSWER_AFTER, "{what} was answered after {:?}", began.elapsed());
        assert!(seen(answer.text()).contains(THANKS), "{answer}");
        for echo in [&*me.key, &withdrawn, &foreign, &wrong, "script&gt;"] {
            assert!(!answer.text().contains(echo), "{what}");
        }
        faces.push((what, face(&answer)));
    }
    for (what, other) in &faces {
        assert_eq!(other, &faces[0].1, "{what}");
    }
    stops(&server, &me.key).await;
}

#[actix_web::test]
async fn a_text_is_taken_however_it_is_sent_and_from_whatever_page() {
    let (server, me) = world().await;
    let plain = |key: &str| server.anonymous().call(reqwest::Method::POST, LEAKED).body(key.to_owned());
    let mut keys = Vec::new();
    for title in ["text", "form without a type", "other field", "JSON without a type", "mark", "from a page"] {
        keys.push(me.browser.create_key(title).await);
    }
    let evil = me.browser.post_form(LEAKED, &[("text", &keys[5])]);
    for call in [
        plain(&keys[0]),
        plain(&format!("text={}%0a", keys[1])),
        plain(&format!("{{\"key\": [\"{}\"]}}", keys[2])),
        plain(&format!("{{\"a\": 1, \"text\": \"{}\"}}", keys[3].replacen('_', "\\u005f", 1))),
        plain(&format!("\u{feff}{{\"text\": \"{}\"}}", keys[4]))
            .header("content-type", "application/JSON; charset=utf-8"),
        evil.header("sec-fetch-site", "cross-site").header("origin", "https://evil.example"),
    ] {
        let answer = call.await.is(200);
        assert_eq!(answer.set_cookies(), (None, None), "{answer}");
    }
    for key in &keys {
        stops(&server, key).await;
    }
    me.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn suspended_and_expired_keys_are_withdrawn_as_well() {
    let server = Server::start().await;
    let mut people = Vec::new();
    for email in ["lapsed@farol.example", "gone@farol.example", "late@farol.example"] {
        people.push(server.person(email).await);
    }
    server.run(&["subscription", "cancel", "lapsed@farol.example", "--now"]).ok();
    server.run(&["user", "deactivate", "gone@farol.example"]).ok();
    let late = "user_id in (select id from users where email = 'late@farol.example')";
    assert_eq!(server.set_moment_where("api_keys", "expires_at", -60, late).await, 1);
    let text: Vec<&str> = people.iter().map(|person| &*person.key).collect();
    server.anonymous().post_form(LEAKED, &[("text", &text.join("\n"))]).await.is(200);
    until("they are withdrawn", async || (server.recorded("key_leaked").len() == 3).then_some(())).await;
    server.subscribe("lapsed@farol.example");
    server.run(&["user", "activate", "gone@farol.example"]).ok();
    assert_eq!(server.sql("update api_keys set expires_at = null").await, 3);
    for person in &people {
        stops(&server, &person.key).await;
    }
}

#[actix_web::test]
async fn the_first_hundred_keys_of_a_text_are_withdrawn_and_each_counts_once() {
    let server = Server::options().env("LATCHKEY_MAX_KEYS", "1000").start().await;
    let me = server.person(DESK).await;
    let last = me.browser.create_key("Last").await;
    let foreign: Vec<String> = (0..98).map(|_| foreign_key("lk")).collect();
    let text = format!("{} {} {last} {}", foreign.join(" "), foreign.join(" "), me.key);
    server.anonymous().post_form(LEAKED, &[("text", &text)]).await.is(200);
    stops(&server, &last).await;
    stops(&server, &me.key).await;
    let another = me.browser.create_key("One too many").await;
    let text = format!("{} {last} {} {another}", foreign.join(" "), me.key);
    server.anonymous().post_form(LEAKED, &[("text", &text)]).await.is(200);
    until("it is done", async || (server.count("found_keys").await == 0).then_some(())).await;
    server.with_key(&another).get(PROPERTIES).await.is(200);
}

/// The eleventh text of an address within a minute.
fn is_one_too_many(answer: &Response) {
    assert_eq!(answer.status, 429, "{answer}");
    let seconds: u64 = answer.header("retry-after").and_then(|seconds| seconds.parse().ok()).expect("seconds");
    assert!((1..=60).contains(&seconds), "{answer}");
    assert_eq!(answer.header("ratelimit-policy"), Some("\"address\";q=10;w=60"));
    assert!(seen(answer.text()).contains("Too many requests from your network"), "{answer}");
}

#[actix_web::test]
async fn an_address_hands_in_ten_texts_a_minute_and_others_go_on() {
    let server = behind_proxy().await;
    let me = server.person(DESK).await;
    let flood = |address: &'static str, count: usize| {
        at_once((0..count).map(|_| hand_in(&server, &foreign_key("lk"), address)).collect::<Vec<_>>())
    };
    for address in ["203.0.113.7", "2001:db8:1:2::7"] {
        let answers = flood(address, 30).await;
        let (taken, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!((taken.len(), refused.len()), (10, 20), "{address}");
        refused.iter().for_each(|answer| is_one_too_many(answer));
    }
    // Of the same network, and with what would be refused for another reason.
    is_one_too_many(&hand_in(&server, &me.key, "2001:db8:1:2:ffff::1").await);
    is_one_too_many(&hand_in(&server, &"a".repeat(70_000), "203.0.113.7").await);
    me.api.get(PROPERTIES).await.is(200);
    hand_in(&server, &me.key, "2001:db8:1:3::7").await.is(200);
    stops(&server, &me.key).await;
    // The page itself is there for everybody.
    server.anonymous().get(LEAKED).header("x-forwarded-for", "203.0.113.7").await.is(200);
}

#[actix_web::test]
async fn clients_behind_a_proxy_that_is_not_listed_do_not_use_up_the_limit_of_one_address() {
    let server = Server::start().await;
    let texts = (0..15).map(|number| hand_in(&server, "nothing", &format!("203.0.113.{number}")));
    for answer in at_once(texts.collect::<Vec<_>>()).await {
        answer.is(200);
    }
}

#[actix_web::test]
async fn a_text_over_64_kib_and_an_encoded_one_are_refused() {
    let server = behind_proxy().await;
    let me = server.person(DESK).await;
    for text in [format!("{} {}", me.key, "a".repeat(64 * 1024)), "a".repeat(300_000)] {
        let answer = hand_in(&server, &text, "203.0.113.7").await.is(413);
        assert!(seen(answer.text()).contains("Too large"), "{answer}");
    }
    hand_in(&server, &me.key, "203.0.113.7").header("content-encoding", "gzip").await.is(415);
    hand_in(&server, &"a".repeat(64 * 1024), "203.0.113.7").await.is(200);
    assert_eq!(server.recorded("key_leaked"), [""; 0]);
    me.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn a_text_that_cannot_be_stored_in_time_is_a_503_whatever_it_holds() {
    let server = behind_proxy().await;
    let me = server.person(DESK).await;
    let held = server.hold("lock table found_keys in exclusive mode").await;
    let texts = [&*me.key, &foreign_key("lk"), "nothing", ""];
    let mut faces = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let began = Instant::now();
        let answer = hand_in(&server, text, &format!("203.0.113.{number}")).await.is(503);
        assert!(began.elapsed() >= ANSWER_AFTER);
        assert!(answer.header("retry-after").is_some(), "{answer}");
        faces.push(face(&answer));
    }
    assert!(faces.iter().all(|other| *other == faces[0]), "{faces:#?}");
    held.release().await;
    hand_in(&server, &me.key, "203.0.113.9").await.is(200);
    stops(&server, &me.key).await;
}

#[actix_web::test]
async fn what_was_stored_before_a_crash_is_withdrawn_when_the_server_starts_again() {
    let (mut server, me) = world().await;
    let other = me.browser.create_key("Night audit").await;
    if server.database_url().is_some() {
        // The text is stored, and nothing can be withdrawn yet.
        let held = server.hold_keys().await;
        server.anonymous().post_form(LEAKED, &[("text", &format!("{} {other}", me.key))]).await.is(200);
        assert_eq!(server.count("found_keys").await, 1);
        server.kill();
        held.release().await;
    } else {
        server.kill();
        let digests: String = [&me.key, &other].map(|key| sha256_hex(key)).concat();
        let row = format!(
            "insert into found_keys (id, digests, received_at)
            values (x'019ad0000000700080000000000000aa', x'{digests}', '2026-11-29T00:00:00+00:00')"
        );
        assert_eq!(server.sql(&row).await, 1);
    }
    assert_eq!(server.recorded("key_leaked"), [""; 0]);
    server.restart();
    for key in [&me.key, &other] {
        stops(&server, key).await;
    }
    until("it is done", async || (server.count("found_keys").await == 0).then_some(())).await;
    assert_eq!(server.recorded("key_leaked").len(), 2);
}

#[actix_web::test]
async fn a_text_that_was_answered_is_withdrawn_though_the_server_is_killed_at_any_moment() {
    let (mut server, me) = world().await;
    let mut keys = Vec::new();
    for _ in 0..rounds(4) {
        keys.push(me.browser.create_key("Found").await);
    }
    for (round, key) in keys.iter().enumerate() {
        let form = server.anonymous().post_form(LEAKED, &[("text", key)]);
        let answer = actix_web::rt::spawn(form.answer());
        tokio::time::sleep(Duration::from_millis(5 + 170 * (round as u64 % 4))).await;
        server.kill();
        let is_answered = answer.await.expect("a task").is_some_and(|answer| answer.status == 200);
        let is_stored = is_answered || server.count("found_keys").await > 0;
        server.restart();
        if is_stored {
            stops(&server, key).await;
        }
    }
}

#[actix_web::test]
async fn what_one_process_has_left_another_one_withdraws_on_postgresql() {
    let instances = Instances::start().await;
    let me = instances.first().person(DESK).await;
    let row = format!(
        "insert into found_keys (id, digests, received_at)
        values ('019ad000-0000-7000-8000-0000000000aa', decode('{}', 'hex'), now())",
        sha256_hex(&me.key)
    );
    assert_eq!(instances.host.sql(&row).await, 1);
    for server in &instances.servers {
        stops(server, &me.key).await;
    }
}
