//! Keys that end by the clock.

use serde_json::json;

use crate::browser::{Browser, NEW_KEY};
use crate::command::finish;
use crate::html;
use crate::page::{key_rows, problem, seen, typed, until};
use crate::people::{DESK, Person, world};
use crate::property::{PROPERTIES, at};
use crate::response::Response;
use crate::server::Server;

const PROFILE: &str = "/user_profile";

/// Sends the form of a new key with an end.
pub async fn send(browser: &Browser, expires: &str, expires_on: &str) -> Response {
    let form = browser.get(NEW_KEY).await.is(200);
    let token = html::input_value(form.text(), "form_token").expect("a form token");
    let fields = [("title", "Ending"), ("form_token", &*token), ("expires", expires), ("expires_on", expires_on)];
    browser.register(browser.post_form(NEW_KEY, &fields).await)
}

/// A new key with this end.
pub async fn ending(me: &Person, expires: &str, expires_on: &str) -> String {
    let answer = send(&me.browser, expires, expires_on).await.is(200);
    html::keys(answer.text())[0].to_owned()
}

/// The row of a key in the list.
pub async fn row(browser: &Browser, key: &str) -> String {
    let rows = key_rows(&browser.get(PROFILE).await.is(200));
    let tail = format!("***{}", &key[46..]);
    rows.into_iter().find(|row| row.contains(&tail)).unwrap_or_else(|| panic!("no row of {tail}"))
}

/// The day in so many days, in UTC.
pub fn day(later: i64) -> String {
    let mut date = std::process::Command::new("date");
    date.args(["-u", "-d", &format!("{later} days"), "+%F"]);
    finish(date, "").ok().trim().to_owned()
}

/// The end that `/me` tells.
async fn end(server: &Server, key: &str) -> String {
    let me = server.with_key(key).get("/api/v1/me").await.is(200).attributes();
    me["key"]["expires_at"].as_str().unwrap_or("never").to_owned()
}

/// Lets the end of all keys that have one be so many seconds from now, for the running server too.
pub async fn ends_in(server: &Server, seconds: i64) {
    assert!(server.set_moment_where("api_keys", "expires_at", seconds, "expires_at is not null").await > 0);
    server.take_away("delete from api_keys where 1 = 0").await;
}

#[actix_web::test]
async fn the_form_offers_ends_and_makes_keys_with_them() {
    let (server, me) = world().await;
    let form = me.browser.get(NEW_KEY).await.is(200);
    let options: Vec<&str> =
        form.text().split("<option value=\"").skip(1).map(|o| o.split('"').next().unwrap()).collect();
    assert_eq!(options[..5], ["never", "30", "90", "365", "date"], "{form}");
    assert!(form.text().contains("<option value=\"never\" selected>"), "{form}");

    for (expires, status) in [("never", "active"), ("30", "expires "), ("90", "active"), ("365", "active")] {
        let key = ending(&me, expires, "").await;
        let told = end(&server, &key).await;
        match expires {
            "never" => assert_eq!(told, "never"),
            days => assert!(told.starts_with(&day(days.parse().unwrap())), "{told}"),
        }
        let row = row(&me.browser, &key).await;
        assert!(row.contains(status), "{expires}: {row}");
    }
    // The end of a day in the user's time zone: which one that is, `keys/expiry.rs` tests.
    let zones = [("name", "Rita"), ("time_zone", "Pacific/Kiritimati")];
    me.browser.post_form(PROFILE, &zones).await.is(303);
    let key = ending(&me, "date", "2031-05-06").await;
    assert_eq!(end(&server, &key).await, "2031-05-06T10:00:00.000000");
    let id = me.browser.key_id(&key).await;
    let facts = me.browser.get(&format!("{PROFILE}/api_keys/{id}")).await.is(200);
    assert!(seen(facts.text()).contains("Expires at the end of 6 May 2031"), "{facts}");
    let listed = server.run(&["key", "list", DESK]).ok();
    assert!(listed.contains("\tactive, expires at 2031-05-06 10:00 UTC\t"), "{listed}");
}

#[actix_web::test]
async fn ends_that_are_none_are_refused_at_their_field_and_stay_in_the_form() {
    let (_server, me) = world().await;
    for (expires, expires_on, field, words) in [
        ("date", "", "expires_on", "such as"),
        ("date", "2031-02-29", "expires_on", "There is no day 2031-02-29"),
        ("date", "2020-01-01", "expires_on", "This day is over"),
        ("date", "10000-01-01", "expires_on", "up to 9999"),
        ("date", "<b>&\"", "expires_on", "such as"),
        ("date", &"9".repeat(5_000), "expires_on", "such as"),
        ("31", "", "expires", "from the list"),
        ("-1", "2031-01-01", "expires", "from the list"),
        ("\u{0}", "", "expires", "from the list"),
    ] {
        let answer = send(&me.browser, expires, expires_on).await.is(422);
        let told = problem(&answer, field).unwrap_or_else(|| panic!("{expires} {expires_on}: {answer}"));
        assert!(told.contains(words), "{expires} {expires_on}: {told}");
        assert_eq!(typed(&answer, "title").as_deref(), Some("Ending"));
        assert_eq!(typed(&answer, "expires_on").as_deref(), Some(expires_on));
    }
    assert_eq!(key_rows(&me.browser.get(PROFILE).await).len(), 1);
}

#[actix_web::test]
async fn where_keys_must_end_never_is_refused_in_words() {
    let server = Server::options().arg("--max-key-days").arg("90").start().await;
    let user = server.add_subscriber("desk@farol.example");
    let browser = server.signed_in(&user).await;
    let form = browser.get(NEW_KEY).await.is(200);
    assert!(form.text().contains("<option value=\"90\" selected>"), "{form}");
    assert!(!form.text().contains("value=\"never\"") && !form.text().contains("value=\"365\""), "{form}");
    for (expires, expires_on, field) in
        [("never", "", "expires"), ("", "", "expires"), ("365", "", "expires"), ("date", &*day(91), "expires_on")]
    {
        let answer = send(&browser, expires, expires_on).await.is(422);
        let told = problem(&answer, field).unwrap_or_else(|| panic!("{expires}: {answer}"));
        assert!(told.contains("at most 90 days"), "{told}");
    }
    for (expires, expires_on) in [("90", ""), ("30", ""), ("date", &*day(90))] {
        send(&browser, expires, expires_on).await.is(200);
    }
    let guide = server.anonymous().get("/docs/api_key_access").await.is(200);
    assert!(seen(guide.text()).contains("at most 90 days"), "{guide}");
}

#[actix_web::test]
async fn a_key_works_until_its_end_and_is_told_that_it_has_expired() {
    let (server, me) = world().await;
    let key = ending(&me, "30", "").await;
    let api = server.with_key(&key);
    api.get(PROPERTIES).await.is(200);
    ends_in(&server, 2).await;
    api.get(PROPERTIES).await.is(200);
    // Nothing but the clock ends it: what is cached is compared with the time at each request.
    until("the key has expired", async || (api.get(PROPERTIES).await.status == 401).then_some(())).await;
    let told = api.get(PROPERTIES).await;
    let told = told.error_with("unauthorized", json!(["the API key has expired"]));
    assert!(told.header("api-key-expires").is_some(), "{told}");
    let row = row(&me.browser, &key).await;
    assert!(row.contains(" expired "), "{row}");
    me.api.get(PROPERTIES).await.is(200);
    // It counts as none of the active keys, but can still be withdrawn for good.
    me.browser.withdraw_key(&key).await;
    api.get(PROPERTIES).await.error_with("unauthorized", json!(["the API key was withdrawn"]));
}

#[actix_web::test]
async fn expired_keys_do_not_count_and_come_back_only_where_there_is_room() {
    let server = Server::options().env("LATCHKEY_MAX_KEYS", "2").start().await;
    let me = server.person("desk@farol.example").await;
    let key = ending(&me, "30", "").await;
    send(&me.browser, "30", "").await.is(422);
    ends_in(&server, -1).await;
    let other = me.browser.create_key("Night audit").await;
    let id = me.browser.key_id(&key).await;
    let edit = format!("{PROFILE}/api_keys/{id}/edit");
    let back = [("title", "Ending"), ("expires", "90")];
    let refused = me.browser.post_form(&edit, &back).await.is(422);
    assert!(problem(&refused, "expires").is_some_and(|told| told.contains("the limit of 2 active keys")), "{refused}");
    me.browser.withdraw_key(&other).await;
    me.browser.post_form(&edit, &back).await.is(303);
    server.with_key(&key).get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn every_answer_to_a_key_that_has_an_end_says_it() {
    let (server, me) = world().await;
    let id = me.has(json!({})).await;
    let key = ending(&me, "date", "2031-05-06").await;
    let api = server.with_key(&key);
    let says = |answer: &Response| {
        assert_eq!(answer.header("api-key-expires"), Some("2031-05-07T00:00:00Z"), "{answer}");
    };
    for _ in 0..3 {
        let list = api.get(PROPERTIES).await.is(200);
        says(&list);
        let tag = list.header("etag").expect("a tag").to_owned();
        says(&api.get(PROPERTIES).header("if-none-match", &tag).await.is(304));
        says(&api.head(PROPERTIES).await.is(200));
    }
    says(&api.get(&at("not-an-id")).await.is(404));
    says(&api.get("/api/v1/nothing").await.is(404));
    says(&api.get(&format!("{PROPERTIES}?filter[x]=1")).await.is(400));
    says(&api.call("PATCH".parse().unwrap(), PROPERTIES).await.is(405));
    says(&api.post(PROPERTIES, &json!({ "property": {} })).await.is(422));
    says(&api.post(PROPERTIES, &json!({ "property": { "title": "A", "currency": "EUR" } })).await.is(201));
    says(&api.delete(&at(&id)).await.is(200));
    server.run(&["subscription", "cancel", DESK, "--now"]).ok();
    says(&api.get(PROPERTIES).await.is(403));
    server.subscribe(DESK);
    let without = me.api.get(PROPERTIES).await.is(200);
    assert_eq!((without.header("api-key-expires"), without.header("subscription-ends")), (None, None));
    let session = me.browser.get(PROPERTIES).await.is(200);
    assert_eq!(session.header("api-key-expires"), None);
}

#[actix_web::test]
async fn an_end_is_recorded_once_by_the_clock_also_if_no_server_ran() {
    let (mut server, me) = world().await;
    let key = ending(&me, "30", "").await;
    ending(&me, "365", "").await;
    assert_eq!(server.recorded("key_expired"), [""; 0]);
    let tail = &key[46..];
    server.kill();
    assert_eq!(server.set_moment_where("api_keys", "expires_at", -60, &format!("tail = '{tail}'")).await, 1);
    for _ in 0..3 {
        server.restart();
        until("the end is recorded", async || (!server.recorded("key_expired").is_empty()).then_some(())).await;
    }
    let expected = format!("{DESK}: automatically: The API key “Ending” expired");
    assert_eq!(server.recorded("key_expired"), [expected]);
    let found = server.activity(&["--kind", "key_expired"]);
    assert_eq!((&*found[0]["actor"], &*found[0]["subject"], &*found[0]["address"]), ("clock", "Ending", ""));
    let page = server.signed_in(&me.user).await.get("/user_profile/activity?kind=key_expired").await.is(200);
    assert!(seen(page.text()).contains("The API key “ Ending ” expired"), "{page}");
}

#[actix_web::test]
async fn every_answer_to_a_key_whose_subscription_is_to_end_says_when() {
    let (server, me) = world().await;
    let ends = |answer: &Response| answer.header("subscription-ends").map(str::to_owned);
    assert_eq!(ends(&me.api.get(PROPERTIES).await.is(200)), None);
    server.run(&["subscription", "activate", DESK, "--until", "2031-05-06"]).ok();
    let list = me.api.get(PROPERTIES).await.is(200);
    assert_eq!(ends(&list).as_deref(), Some("2031-05-07T00:00:00Z"));
    let tag = list.header("etag").expect("a tag").to_owned();
    let unchanged = me.api.get(PROPERTIES).header("if-none-match", &tag).await.is(304);
    assert_eq!(ends(&unchanged).as_deref(), Some("2031-05-07T00:00:00Z"));
    assert_eq!(ends(&me.api.get(&at("not-an-id")).await.is(404)).as_deref(), Some("2031-05-07T00:00:00Z"));
    server.subscribe(DESK);
    assert_eq!(ends(&me.api.get(PROPERTIES).await.is(200)), None);
    assert_eq!(ends(&me.browser.get(PROPERTIES).await.is(200)), None);
}
