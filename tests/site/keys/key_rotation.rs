//! A new key in the place of an old one, and the time in which both work.

use std::future::IntoFuture;

use serde_json::json;

use super::key_expiry::{ending, ends_in, row};
use crate::browser::{Browser, NEW_KEY};
use crate::html;
use crate::page::{key_rows, problem, seen, until};
use crate::people::{DESK, Person, world};
use crate::property::{PROPERTIES, UNKNOWN_ID, at};
use crate::response::Response;
use crate::server::Server;

const PROFILE: &str = "/user_profile";

async fn path(browser: &Browser, key: &str) -> String {
    format!("/user_profile/api_keys/{}/rotate", browser.key_id(key).await)
}

/// Sends the form; the new key.
async fn rotated(me: &Person, key: &str, overlap: &str) -> String {
    let path = path(&me.browser, key).await;
    let form = me.browser.get(&path).await.is(200);
    let token = html::input_value(form.text(), "form_token").expect("a form token");
    let fields = [("form_token", &*token), ("overlap", overlap)];
    let answer = me.browser.register(me.browser.post_form(&path, &fields).await).is(200);
    let text = seen(answer.text());
    assert!(text.contains("API Key created") && text.contains("The old key"), "{answer}");
    html::keys(answer.text())[0].to_owned()
}

/// The server does what is due every hour.
async fn an_hour_later(server: &mut Server, me: &mut Person) {
    server.restart();
    me.browser = server.signed_in(&me.user).await;
}

#[actix_web::test]
async fn for_the_overlap_both_keys_work_and_the_list_says_until_when() {
    let (server, me) = world().await;
    let form = me.browser.get(&path(&me.browser, &me.key).await).await.is(200);
    assert!(form.text().contains("<option value=\"24h\" selected>"), "{form}");
    for (overlap, hours) in [("1h", 1), ("24h", 24), ("", 24), ("7d", 168), ("unused", 720)] {
        let old = me.browser.create_key("Harbour PMS").await;
        let new = rotated(&me, &old, overlap).await;
        for key in [&old, &new] {
            server.with_key(key).get(PROPERTIES).await.is(200);
        }
        let end = server.with_key(&old).get(PROPERTIES).await;
        let end = chrono::DateTime::parse_from_rfc3339(end.header("api-key-expires").expect("an end")).expect("a time");
        let begun = server.activity(&["--kind", "key_rotated"])[0]["time"].clone();
        let begun = chrono::DateTime::parse_from_rfc3339(&begun).expect("a time");
        assert!((end - begun - chrono::Duration::hours(hours)).abs() <= chrono::Duration::seconds(2), "{overlap}");
        assert_eq!(server.with_key(&new).get(PROPERTIES).await.header("api-key-expires"), None);
        let row = row(&me.browser, &old).await;
        let until =
            if overlap == "unused" { "(works until it is no longer used, at most until" } else { "(works until" };
        assert!(row.contains(&format!("replaced {until}")) && row.contains("End now"), "{row}");
        assert!(!row.contains("Edit") && !row.contains("Rotate"), "{row}");
    }
    let listed = server.run(&["key", "list", DESK]).ok();
    assert!(listed.contains("\treplaced, works until it is no longer used, at most until 20"), "{listed}");
    assert!(listed.contains("\treplaced, works until 20"), "{listed}");
    let entry = format!("{DESK}: {DESK}: Rotated the API key “Harbour PMS”");
    assert_eq!(server.recorded("key_rotated"), [&*entry; 5]);
}

#[actix_web::test]
async fn the_new_key_has_title_access_and_addresses_of_the_old_one() {
    let (server, me) = world().await;
    let property = me.has(json!({ "title": "Zirbenhof" })).await;
    let form = me.browser.get(NEW_KEY).await.is(200);
    let token = html::input_value(form.text(), "form_token").expect("a form token");
    let fields = [
        ("title", "Narrow"),
        ("form_token", &*token),
        ("access", "chosen"),
        ("properties[]", &*property),
        ("read_only", "on"),
        ("expires", "90"),
        ("allowed_addresses", "127.0.0.1 203.0.113.0/24"),
    ];
    let answer = me.browser.register(me.browser.post_form(NEW_KEY, &fields).await).is(200);
    let old = html::keys(answer.text())[0].to_owned();
    let form = me.browser.get(&path(&me.browser, &old).await).await.is(200);
    assert!(form.text().contains("<option value=\"90\" selected>"), "the same rule: {form}");
    let new = rotated(&me, &old, "1h").await;
    let [old_row, new_row] = [row(&me.browser, &old).await, row(&me.browser, &new).await];
    for row in [old_row, new_row] {
        assert!(row.contains("Narrow") && row.contains("1 property Read only"));
    }
    let api = server.with_key(&new);
    api.get(&at(&property)).await.is(200);
    api.delete(&at(&property)).await.error_with("forbidden", json!(["the API key is read-only"]));
    let printed = server.run(&["key", "list", DESK]).ok();
    assert_eq!(
        printed.matches("\tNarrow\t1 property, read only, from 127.0.0.1 203.0.113.0/24\n").count(),
        2,
        "{printed}"
    );
    // An end that comes sooner than that of the overlap stays.
    let soon = ending(&me, "30", "").await;
    ends_in(&server, 600).await;
    rotated(&me, &soon, "7d").await;
    let end = server.with_key(&soon).get(PROPERTIES).await;
    let end = chrono::DateTime::parse_from_rfc3339(end.header("api-key-expires").expect("an end")).expect("a time");
    let begun = &server.activity(&["--kind", "key_rotated"])[0]["time"];
    let begun = chrono::DateTime::parse_from_rfc3339(begun).expect("a time");
    assert!(end - begun < chrono::Duration::minutes(11), "{begun} to {end}");
}

#[actix_web::test]
async fn an_overlap_ends_by_the_clock_or_at_once_by_hand() {
    let (server, me) = world().await;
    let new = rotated(&me, &me.key, "1h").await;
    ends_in(&server, -1).await;
    me.api.get(PROPERTIES).await.error_with("unauthorized", json!(["the API key has expired"]));
    server.with_key(&new).get(PROPERTIES).await.is(200);
    let newer = rotated(&me, &new, "7d").await;
    server.with_key(&new).get(PROPERTIES).await.is(200);
    // Ending it asks for nothing.
    server.set_moment("sessions", "confirmed_at", -601).await;
    me.browser.withdraw_key(&new).await;
    server.with_key(&new).get(PROPERTIES).await.error_with("unauthorized", json!(["the API key was withdrawn"]));
    server.with_key(&newer).get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn at_once_the_old_key_is_withdrawn_and_the_list_says_how() {
    let (server, me) = world().await;
    let new = rotated(&me, &me.key, "now").await;
    me.api.get(PROPERTIES).await.error_with("unauthorized", json!(["the API key was withdrawn"]));
    server.with_key(&new).get(PROPERTIES).await.is(200);
    let row = row(&me.browser, &me.key).await;
    assert!(row.contains("withdrawn") && row.contains("by you, in a rotation"), "{row}");
    assert!(server.run(&["key", "list", DESK]).ok().contains(" (rotation)\t"));
    me.browser.withdraw_key(&new).await;
    me.browser.create_key("Third").await;
    me.browser.post_form("/user_profile/withdraw_all_keys", &[]).await.is(303);
    let listed = server.run(&["key", "list", DESK]).ok();
    assert!(listed.contains(" (page)\t") && listed.contains(" (all)\t"), "{listed}");
    assert!(seen(me.browser.get(PROFILE).await.text()).contains("by you, with all keys"));
}

#[actix_web::test]
async fn an_old_key_ends_by_itself_once_the_new_one_is_used_and_it_is_silent() {
    let (mut server, mut me) = world().await;
    me.api.get(PROPERTIES).await.is(200);
    let is_used = "select cast(count(*) as text) from api_keys where last_used_at is not null";
    until("its use is written", async || (server.texts(is_used).await[0] == "1").then_some(())).await;
    let old = me.key.clone();
    let new = rotated(&me, &old, "unused").await;
    let of_old = format!("tail = '{}'", &old[46..]);
    let ended = format!("{DESK}: automatically: The replaced API key “Front desk” ended");
    // Silent, but the new one is not used yet.
    server.set_moment_where("api_keys", "last_used_at", -25 * 3_600, &of_old).await;
    an_hour_later(&mut server, &mut me).await;
    ending(&me, "30", "").await;
    let round = "select cast(count(*) as text) from host_values where name = 'last_hourly_round'";
    until("the round is begun", async || (server.texts(round).await[0] == "1").then_some(())).await;
    // The new one is used, but the old one is not silent.
    server.with_key(&new).get(PROPERTIES).await.is(200);
    until("its use is written", async || (server.texts(is_used).await[0] == "2").then_some(())).await;
    server.set_moment_where("api_keys", "last_used_at", -23 * 3_600, &of_old).await;
    let other = ending(&me, "30", "").await;
    let of_other = format!("tail = '{}'", &other[46..]);
    server.set_moment_where("api_keys", "expires_at", -1, &of_other).await;
    an_hour_later(&mut server, &mut me).await;
    // The round ends with what has expired: then it has passed the old key.
    until("the round is over", async || (server.recorded("key_expired").len() == 1).then_some(())).await;
    assert!(!server.recorded("key_expired").contains(&ended));
    assert!(row(&me.browser, &old).await.contains("replaced (works until"));
    // Both.
    server.set_moment_where("api_keys", "last_used_at", -24 * 3_600 - 1, &of_old).await;
    an_hour_later(&mut server, &mut me).await;
    until("it has ended", async || server.recorded("key_expired").contains(&ended).then_some(())).await;
    server.with_key(&old).get(PROPERTIES).await.error_with("unauthorized", json!(["the API key has expired"]));
    server.with_key(&new).get(PROPERTIES).await.is(200);
    an_hour_later(&mut server, &mut me).await;
    assert_eq!(server.recorded("key_expired").iter().filter(|entry| **entry == ended).count(), 1);
}

#[actix_web::test]
async fn of_rotations_at_the_same_moment_one_rotates_and_the_others_are_told() {
    let (server, me) = world().await;
    let path = path(&me.browser, &me.key).await;
    let calls: Vec<_> = (0..6)
        .map(|number| {
            let token = format!("rotation-race-{number}");
            let fields = [("form_token", &*token), ("overlap", "24h")];
            actix_web::rt::spawn(me.browser.post_form(&path, &fields).into_future())
        })
        .collect();
    let mut new = Vec::new();
    for call in calls {
        let answer = me.browser.register(call.await.expect("an answer"));
        match answer.status {
            200 => new.push(html::keys(answer.text())[0].to_owned()),
            409 => {
                assert!(seen(answer.text()).contains("This API key has already been rotated."), "{answer}");
                assert_eq!(html::keys(answer.text()), [""; 0]);
            }
            _ => panic!("{answer}"),
        }
    }
    assert_eq!(new.len(), 1);
    assert_eq!(key_rows(&me.browser.get(PROFILE).await).len(), 2);
    for key in [&me.key, &new[0]] {
        server.with_key(key).get(PROPERTIES).await.is(200);
    }
}

#[actix_web::test]
async fn a_rotation_and_a_withdrawal_at_the_same_moment_leave_the_old_key_withdrawn() {
    let (server, me) = world().await;
    for round in 0..crate::rounds::rounds(6) {
        let key = me.browser.create_key(&format!("Round {round}")).await;
        let rotate = path(&me.browser, &key).await;
        let withdraw = rotate.replace("/rotate", "/withdraw");
        let token = format!("against-a-withdrawal-{round}");
        let fields = [("form_token", &*token), ("overlap", "7d")];
        let rotation = actix_web::rt::spawn(me.browser.post_form(&rotate, &fields).into_future());
        let withdrawal = actix_web::rt::spawn(me.browser.post_form(&withdraw, &[]).into_future());
        let rotation = me.browser.register(rotation.await.expect("an answer"));
        withdrawal.await.expect("an answer").is(303);
        server.with_key(&key).get(PROPERTIES).await.is(401);
        match rotation.status {
            200 => drop(server.with_key(html::keys(rotation.text())[0]).get(PROPERTIES).await.is(200)),
            409 => assert!(seen(rotation.text()).contains("has been withdrawn"), "{rotation}"),
            _ => panic!("{rotation}"),
        }
        me.browser.post_form("/user_profile/withdraw_all_keys", &[]).await.is(303);
    }
}

#[actix_web::test]
async fn both_keys_count_as_one_and_a_rotation_needs_no_room() {
    let server = Server::options().env("LATCHKEY_MAX_KEYS", "2").start().await;
    let me = server.person("desk@farol.example").await;
    let new = rotated(&me, &me.key, "7d").await;
    for key in [&me.key, &new] {
        server.with_key(key).get(PROPERTIES).await.is(200);
    }
    let profile = me.browser.get(PROFILE).await.is(200);
    assert!(!seen(profile.text()).contains("the limit of 2"), "{profile}");
    me.browser.create_key("Night audit").await;
    let refused = me.browser.post_form(NEW_KEY, &[("title", "One more")]).await.is(422);
    assert!(problem(&refused, "title").is_some_and(|told| told.contains("the limit of 2 active keys")), "{refused}");
    let profile = me.browser.get(PROFILE).await.is(200);
    assert!(seen(profile.text()).contains("the limit of 2"), "{profile}");
    rotated(&me, &new, "1h").await;
    let question = seen(me.browser.get("/user_profile/withdraw_all_keys").await.is(200).text());
    assert!(question.contains("Your 4 active keys will be withdrawn"), "{question}");
}

#[actix_web::test]
async fn rotations_of_what_does_not_work_and_with_bad_fields_are_refused() {
    let (server, me) = world().await;
    let path_of_key = path(&me.browser, &me.key).await;
    for (overlap, expires, on, field) in
        [("2h", "never", "", "overlap"), ("24h", "date", "2031-02-30", "expires_on"), ("24h", "7", "", "expires")]
    {
        let fields = [("overlap", overlap), ("expires", expires), ("expires_on", on)];
        let refused = me.browser.post_form(&path_of_key, &fields).await.is(422);
        assert!(problem(&refused, field).is_some(), "{refused}");
        assert_eq!(html::keys(refused.text()), [""; 0]);
    }
    for id in ["x", UNKNOWN_ID] {
        me.browser.get(&format!("/user_profile/api_keys/{id}/rotate")).await.is(404);
        me.browser.post_form(&format!("/user_profile/api_keys/{id}/rotate"), &[]).await.is(404);
    }
    let stranger = server.person("stranger@farol.example").await;
    stranger.browser.get(&path_of_key).await.is(404);
    stranger.browser.post_form(&path_of_key, &[("overlap", "now")]).await.is(404);

    let expired = ending(&me, "30", "").await;
    let path_of_expired = path(&me.browser, &expired).await;
    ends_in(&server, -1).await;
    let withdrawn = me.browser.create_key("Old").await;
    let path_of_withdrawn = path(&me.browser, &withdrawn).await;
    me.browser.withdraw_key(&withdrawn).await;
    rotated(&me, &me.key, "24h").await;
    for (path, words) in [
        (path_of_expired, "This API key has expired."),
        (path_of_withdrawn, "This API key has been withdrawn."),
        (path_of_key, "This API key has already been rotated."),
    ] {
        let told: Response = me.browser.post_form(&path, &[("overlap", "now")]).await.is(409);
        assert!(seen(told.text()).contains(words), "{told}");
        let to = me.browser.get(&path).await.is(303);
        let page = me.browser.get(to.header("location").expect("the list")).await.is(200);
        assert!(seen(page.text()).contains(words), "{page}");
    }
    assert_eq!(server.recorded("key_rotated").len(), 1);
    me.api.get(PROPERTIES).await.is(200);
}
