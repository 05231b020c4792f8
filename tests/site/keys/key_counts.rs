//! How often keys are used and refused, and from where; and what pages tell of it.

use std::rc::Rc;

use crate::instances::Instances;
use crate::page::{key_rows, seen, until};
use crate::people::{DESK, Person, world};
use crate::property::{PROPERTIES, body};
use crate::server::Server;

const PROFILE: &str = "/user_profile";

fn key_at(id: &str, what: &str) -> String {
    format!("/user_profile/api_keys/{id}{what}")
}

/// What a page of the key says.
async fn told(me: &Person, id: &str, what: &str) -> String {
    seen(me.browser.get(&key_at(id, what)).await.is(200).text())
}

/// The rows of a table, as text.
async fn stored(server: &Server, sql: &str) -> Vec<String> {
    server.texts(sql).await
}

const DAYS: &str = "select cast(sum(uses) as text) || ' ' || cast(sum(refused) as text) from key_days";

#[actix_web::test]
async fn uses_are_told_at_once_and_stored_when_the_server_ends() {
    let (mut server, me) = world().await;
    let id = me.browser.key_id(&me.key).await;
    assert!(told(&me, &id, "/withdraw").await.contains("Never used."));
    assert!(told(&me, &id, "").await.contains("Use Never used."));
    for _ in 0..7 {
        me.api.get(PROPERTIES).header("user-agent", "FarolPMS/2.1").await.is(200);
    }
    for what in ["/withdraw", ""] {
        let text = told(&me, &id, what).await;
        let (used, from) = ("Used about 7 times in the last 24 hours, last ", ", from 1 address.");
        assert!(text.contains(used) && text.contains(from), "{text}");
    }
    let text = told(&me, &id, "").await;
    for part in
        ["Last 7 days about 7 uses", "Last 90 days about 7 uses", "From where 127.0.0.1 : 7 uses, last ", "FarolPMS"]
    {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(server.terminate().success());
    assert_eq!(stored(&server, DAYS).await, ["7 0"]);
    let places = "select address || ' ' || client || ' ' || cast(uses as text) from key_places";
    assert_eq!(stored(&server, places).await, ["127.0.0.1 FarolPMS/2.1 7"]);

    server.restart();
    for _ in 0..3 {
        server.with_key(&me.key).get(PROPERTIES).await.is(200);
    }
    let browser = server.signed_in(&me.user).await;
    let text = seen(browser.get(&key_at(&id, "/withdraw")).await.is(200).text());
    assert!(text.contains("Used about 10 times in the last 24 hours"), "{text}");
    assert!(server.terminate().success());
    assert_eq!(stored(&server, DAYS).await, ["10 0"]);
}

#[actix_web::test]
async fn a_key_that_was_not_used_for_long_says_for_how_long() {
    let (server, me) = world().await;
    let id = me.browser.key_id(&me.key).await;
    server.set_moment("api_keys", "last_used_at", -93 * 86_400 - 60).await;
    assert!(told(&me, &id, "/withdraw").await.contains("Not used for 93 days."));
    let other = me.browser.create_key("Other").await;
    let other = me.browser.key_id(&other).await;
    assert!(told(&me, &other, "/withdraw").await.contains("Never used."));
}

#[actix_web::test]
async fn the_fifty_addresses_that_were_seen_last_are_kept() {
    let mut server = Server::options().env("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1").start().await;
    let me = server.person(DESK).await;
    let id = me.browser.key_id(&me.key).await;
    let from = async |server: &Server, number: usize| {
        let address = format!("203.0.113.{number}");
        server.with_key(&me.key).get(PROPERTIES).header("x-forwarded-for", &*address).await.is(200);
    };
    for number in [7, 7, 8, 9, 10, 11, 12] {
        from(&server, number).await;
    }
    let text = told(&me, &id, "").await;
    assert!(text.contains("Used about 7 times in the last 24 hours") && text.contains("from 6 addresses."), "{text}");
    assert!(text.contains("203.0.113.7 : 2 uses") && text.contains("203.0.113.12 : 1 use,"), "{text}");
    for number in 13..60 {
        from(&server, number).await;
    }
    assert!(told(&me, &id, "/withdraw").await.contains("from at least 50 addresses."));
    assert!(server.terminate().success());
    assert_eq!(server.count("key_places").await, 50);
    server.restart();
    for number in 60..64 {
        from(&server, number).await;
    }
    assert!(server.terminate().success());
    assert_eq!(server.count("key_places").await, 50);
    let last = "select address from key_places where address in ('203.0.113.63', '203.0.113.9')";
    assert_eq!(stored(&server, last).await, ["203.0.113.63"]);
    assert_eq!(stored(&server, DAYS).await, ["58 0"]);
}

#[actix_web::test]
async fn the_list_tells_where_a_withdrawn_key_is_still_tried() {
    let (mut server, me) = world().await;
    let other = me.browser.create_key("Kept").await;
    let id = me.browser.key_id(&me.key).await;
    me.api.get(PROPERTIES).await.is(200);
    me.browser.withdraw_key(&me.key).await;
    assert!(!seen(me.browser.get(PROFILE).await.text()).contains("Still tried"));
    for _ in 0..3 {
        me.api.get(PROPERTIES).header("user-agent", "PMS-X/2.1 <b>").await.is(401);
    }
    let page = me.browser.get(PROFILE).await.is(200);
    let text = seen(page.text());
    assert!(text.contains("Still tried 3 times, last ") && text.contains("from 127.0.0.1 (PMS-X/2.1 <b>)."), "{text}");
    assert!(!page.text().contains("PMS-X/2.1 <b>"), "{page}");
    let text = told(&me, &id, "").await;
    assert!(text.contains("Used about once in the last 24 hours") && text.contains("Still tried 3 times"), "{text}");
    assert!(text.contains("about 1 use, 3 refused") && text.contains("127.0.0.1 : 1 use, 3 refused, last"), "{text}");
    assert!(server.terminate().success());
    assert_eq!(stored(&server, DAYS).await, ["1 3"]);
    server.restart();
    server.with_key(&me.key).get(PROPERTIES).await.is(401);
    server.with_key(&other).get(PROPERTIES).await.is(200);
    let browser = server.signed_in(&me.user).await;
    let text = seen(browser.get(PROFILE).await.is(200).text());
    assert!(text.contains("Still tried 4 times, last ") && text.contains("from 127.0.0.1."), "{text}");
}

#[actix_web::test]
async fn an_expired_key_that_is_still_tried_says_so_too() {
    let (server, me) = world().await;
    server.set_moment("api_keys", "expires_at", -60).await;
    me.api.get(PROPERTIES).await.error_explained("unauthorized");
    let page = me.browser.get(PROFILE).await.is(200);
    assert!(key_rows(&page).concat().contains(" expired "), "{page}");
    assert!(seen(page.text()).contains("Still tried once, last a moment ago from 127.0.0.1."), "{page}");
}

#[actix_web::test]
async fn refusals_are_stored_with_their_reason_and_are_no_uses() {
    let (mut server, me) = world().await;
    let reason = "select last_refused_reason || ' ' || cast(refused_count as text) from api_keys where title = 'Reads'";
    let fields = [("title", "Reads"), ("form_token", "a-token-of-this-test"), ("access", "all"), ("read_only", "on")];
    let made = me.browser.register(me.browser.post_form(crate::browser::NEW_KEY, &fields).await).is(200);
    let key = crate::html::keys(made.text())[0].to_owned();
    server.with_key(&key).post(PROPERTIES, &body(serde_json::json!({}))).await.is(403);
    let id = me.browser.key_id(&key).await;
    let text = told(&me, &id, "").await;
    assert!(text.contains("Refused once, last ") && text.contains(": the key may only read."), "{text}");
    assert!(!seen(me.browser.get(PROFILE).await.text()).contains("Still tried"));
    assert!(server.terminate().success());
    assert_eq!(stored(&server, reason).await, ["read_only 1"]);
    assert_eq!(stored(&server, DAYS).await, ["1 1"], "it was admitted, and refused to write");

    for (args, status, stored_as) in [
        (vec!["subscription", "cancel", DESK, "--now"], 403, "subscription 3"),
        (vec!["subscription", "activate", DESK], 200, "subscription 3"),
        (vec!["user", "deactivate", DESK], 401, "deactivated 5"),
    ] {
        server.run(&args).ok();
        server.restart();
        for _ in 0..2 {
            server.with_key(&key).get(PROPERTIES).await.is(status);
        }
        assert!(server.terminate().success());
        assert_eq!(stored(&server, reason).await, [stored_as], "{args:?}");
    }
    assert_eq!(stored(&server, DAYS).await, ["3 5"]);
}

#[actix_web::test]
async fn after_a_withdrawal_refusals_are_counted_from_the_first() {
    let (mut server, me) = world().await;
    server.sql("update api_keys set read_only = true, manage_users = false").await;
    for _ in 0..3 {
        me.api.post(PROPERTIES, &body(serde_json::json!({}))).await.is(403);
    }
    assert!(server.terminate().success());
    assert_eq!(stored(&server, "select cast(refused_count as text) from api_keys").await, ["3"]);
    server.restart();
    let browser = server.signed_in(&me.user).await;
    browser.withdraw_key(&me.key).await;
    server.with_key(&me.key).get(PROPERTIES).await.is(401);
    let text = seen(browser.get(PROFILE).await.is(200).text());
    assert!(text.contains("Still tried once, last "), "{text}");
    assert!(server.terminate().success());
    assert_eq!(stored(&server, "select cast(refused_count as text) from api_keys").await, ["1"]);
    assert_eq!(stored(&server, DAYS).await, ["3 4"]);
}

#[actix_web::test]
async fn of_unknown_keys_nothing_is_kept() {
    let (mut server, me) = world().await;
    let key = me.browser.create_key("Gone").await;
    server.sql("delete from api_keys where title = 'Gone'").await;
    for _ in 0..3 {
        server.with_key(&key).get(PROPERTIES).await.is(401);
        server.with_key("lk_nonsense").get(PROPERTIES).await.is(401);
    }
    assert!(server.terminate().success());
    assert_eq!((server.count("key_days").await, server.count("key_places").await), (0, 0));
}

#[actix_web::test]
async fn a_withdrawn_key_that_is_used_an_hour_later_is_recorded_once() {
    let (mut server, me) = world().await;
    me.browser.withdraw_key(&me.key).await;
    let tried = async |server: &mut Server| {
        for _ in 0..2 {
            server.with_key(&me.key).get(PROPERTIES).header("user-agent", "PMS-X/2.1").await.is(401);
        }
        assert!(server.terminate().success());
        let found = server.activity(&["--kind", "withdrawn_key_used"]);
        server.restart();
        found
    };
    assert_eq!(tried(&mut server).await, [], "programs are still being switched over");
    server.set_moment("api_keys", "withdrawn_at", -3_600).await;
    for _ in 0..2 {
        let found = tried(&mut server).await;
        assert_eq!(found.len(), 1, "{found:?}");
        let entry = &found[0];
        assert_eq!(entry["what"], "Tried to use the withdrawn API key “Front desk”");
        assert_eq!((&*entry["account"], &*entry["actor"], &*entry["address"]), (DESK, "key", "127.0.0.1"));
        assert_eq!((&*entry["client"], &*entry["subject"]), ("PMS-X/2.1", "Front desk"));
    }
    let details = stored(&server, "select details from activity where kind = 'withdrawn_key_used'").await;
    let details: serde_json::Value = serde_json::from_str(&details[0]).expect("JSON");
    // The counts may have been written between the last two attempts.
    assert!(matches!(details["count"].as_i64(), Some(3 | 4)), "{details}");
    assert_eq!(details["tail"], me.key[me.key.len() - 6..]);
    assert!(details["withdrawn_at"].as_str().is_some_and(|at| chrono::DateTime::parse_from_rfc3339(at).is_ok()));
}

#[actix_web::test]
async fn several_processes_add_up_their_counts_and_record_a_withdrawn_key_once_on_postgresql() {
    let instances = Instances::start().await;
    if instances.servers.len() < 2 {
        return;
    }
    let me = instances.first().person(DESK).await;
    me.browser.withdraw_key(&me.key).await;
    instances.host.set_moment("api_keys", "withdrawn_at", -3_600).await;
    for server in &instances.servers {
        for _ in 0..3 {
            server.with_key(&me.key).get(PROPERTIES).await.is(401);
        }
    }
    instances.servers.iter().for_each(Server::ask_to_end);
    let mut instances = Rc::into_inner(instances).expect("nobody else has them");
    assert!(instances.servers.iter_mut().all(|server| server.ended().success()));
    let server = instances.first();
    assert_eq!(stored(server, DAYS).await, ["0 6"]);
    assert_eq!(stored(server, "select cast(refused_count as text) from api_keys").await, ["6"]);
    assert_eq!(server.activity(&["--kind", "withdrawn_key_used"]).len(), 1);
}

#[actix_web::test]
async fn a_server_that_is_killed_loses_only_what_was_not_written() {
    let (mut server, me) = world().await;
    me.api.get(PROPERTIES).await.is(200);
    until("the first use is written", async || (server.count("key_days").await == 1).then_some(())).await;
    me.api.get(PROPERTIES).await.is(200);
    server.kill();
    assert_eq!(stored(&server, DAYS).await, ["1 0"]);
    server.restart();
    server.with_key(&me.key).get(PROPERTIES).await.is(200);
    assert!(server.terminate().success());
    assert_eq!(stored(&server, DAYS).await, ["2 0"]);
}

#[actix_web::test]
async fn days_are_kept_for_ninety_days() {
    let (mut server, me) = world().await;
    me.api.get(PROPERTIES).await.is(200);
    assert!(server.terminate().success());
    for days in [89, 91, 400] {
        let row = "insert into key_days (key_id, day, uses, refused) select id, created_at, 5, 0 from api_keys";
        server.sql(row).await;
        server.set_moment_where("key_days", "day", -days * 86_400, "uses = 5").await;
        server.sql("update key_days set uses = 6 where uses = 5").await;
    }
    server.restart();
    until("old days are deleted", async || (server.count("key_days").await == 2).then_some(())).await;
    let browser = server.signed_in(&me.user).await;
    let id = browser.key_id(&me.key).await;
    let text = seen(browser.get(&key_at(&id, "")).await.is(200).text());
    assert!(text.contains("Last 30 days about 1 use Last 90 days about 7 uses"), "{text}");
}

#[actix_web::test]
async fn an_account_that_is_deleted_takes_its_counts_along() {
    let (mut server, me) = world().await;
    me.api.get(PROPERTIES).await.is(200);
    let other = server.person("other@farol.example").await;
    server.run(&["user", "delete", DESK, "--with-properties"]).ok();
    other.api.get(PROPERTIES).await.is(200);
    assert!(server.terminate().success());
    assert!(!server.log().contains("could not be saved"), "{}", server.log());
    assert_eq!(server.count("key_days").await, 1);
}
