//! Changing the title, the end and the addresses of a key.

use serde_json::json;

use super::key_expiry::{day, ending, row};
use crate::browser::Browser;
use crate::html;
use crate::page::{problem, seen, typed};
use crate::people::{DESK, Person, world};
use crate::property::{PROPERTIES, UNKNOWN_ID};
use crate::response::Response;
use crate::server::Server;

async fn path(browser: &Browser, key: &str) -> String {
    format!("/user_profile/api_keys/{}/edit", browser.key_id(key).await)
}

/// What the form holds when it opens: title, end, last day and addresses.
fn held(form: &Response) -> [String; 4] {
    let chosen = form
        .text()
        .split("<option value=\"")
        .skip(1)
        .find(|option| option.split('>').next().unwrap().contains("selected"));
    let expires = chosen.and_then(|option| option.split('"').next()).unwrap_or_default().to_owned();
    let (_, list) = form.text().split_once("name=\"allowed_addresses\"").expect("the field");
    let list = list.split_once(">\n").and_then(|(_, list)| list.split("</textarea>").next()).unwrap_or_default();
    [typed(form, "title").unwrap_or_default(), expires, typed(form, "expires_on").unwrap_or_default(), list.to_owned()]
}

async fn saves(browser: &Browser, path: &str, [title, expires, day, addresses]: [&str; 4]) -> Response {
    let fields = [("title", title), ("expires", expires), ("expires_on", day), ("allowed_addresses", addresses)];
    browser.post_form(path, &fields).await
}

/// More than ten minutes after the sign-in.
async fn later(server: &Server) {
    server.set_moment("sessions", "confirmed_at", -601).await;
}

async fn end(server: &Server, key: &str) -> String {
    server.with_key(key).get("/api/v1/me").await.is(200).attributes()["key"]["expires_at"].to_string()
}

#[actix_web::test]
async fn a_form_saved_as_it_opens_changes_nothing_and_a_rename_nothing_else() {
    let (server, me) = world().await;
    let key = ending(&me, "90", "").await;
    let before = end(&server, &key).await;
    let path = path(&me.browser, &key).await;
    later(&server).await;
    let form = me.browser.get(&path).await.is(200);
    let held = held(&form);
    assert_eq!(held, ["Ending", "date", &*day(90), ""].map(str::to_owned));
    let [title, expires, on, list] = &held;
    saves(&me.browser, &path, [title, expires, on, list]).await.is(303);
    assert_eq!(server.recorded("key_edited"), [""; 0]);
    saves(&me.browser, &path, ["Night <b> & day", expires, on, list]).await.is(303);
    assert_eq!(end(&server, &key).await, before);
    let row = row(&me.browser, &key).await;
    assert!(row.contains("Night <b> & day"), "{row}");
    assert_eq!(
        server.recorded("key_edited"),
        [format!("{DESK}: {DESK}: Changed the API key “Night <b> & day”: title")]
    );
    let notice =
        me.browser.post_form(&path, &[("title", "Third"), ("expires", "date"), ("expires_on", on)]).await.is(303);
    let page = me.browser.get(notice.header("location").expect("the list")).await.is(200);
    assert!(seen(page.text()).contains("API key saved."), "{page}");
    server.with_key(&key).get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn what_lets_a_key_do_more_asks_first_and_what_narrows_it_does_not() {
    let (server, me) = world().await;
    let key = ending(&me, "90", "").await;
    let path = path(&me.browser, &key).await;
    let api = server.with_key(&key);
    later(&server).await;
    // Fewer addresses, and an earlier end: at once, for what is cached too.
    api.get(PROPERTIES).await.is(200);
    saves(&me.browser, &path, ["Ending", "date", &day(90), "203.0.113.0/24"]).await.is(303);
    api.get(PROPERTIES).await.error_with("forbidden", json!(["the API key is not allowed from 127.0.0.1"]));
    saves(&me.browser, &path, ["Ending", "30", "", "203.0.113.7"]).await.is(303);
    for wider in [
        ["Ending", "90", "", "203.0.113.7"],
        ["Ending", "never", "", "203.0.113.7"],
        ["Ending", "date", &day(40), "203.0.113.7"],
        ["Ending", "date", &day(30), ""],
        ["Ending", "date", &day(30), "203.0.113.0/24"],
        ["Ending", "date", &day(30), "203.0.113.7 127.0.0.1"],
    ] {
        let asked = saves(&me.browser, &path, wider).await.is(303);
        let to = asked.header("location").expect("where it leads").to_owned();
        assert!(to.starts_with("/confirm?return_to="), "{wider:?}: {asked}");
    }
    assert!(end(&server, &me.key).await == "null");
    api.get(PROPERTIES).await.is(403);
    // The form comes back filled in, and is sent again.
    let asked = saves(&me.browser, &path, ["Wider", "never", "", "203.0.113.7\n127.0.0.1"]).await.is(303);
    let way = asked.header("location").expect("a way").strip_prefix("/confirm?return_to=").expect("to confirm");
    let way = url::form_urlencoded::parse(format!("way={way}").as_bytes()).next().expect("a way back").1.into_owned();
    let fields = [("password", &*me.user.password), ("return_to", &*way)];
    let back = me.browser.post_form("/confirm", &fields).await.is(303);
    let form = me.browser.get(back.header("location").expect("the form")).await.is(200);
    assert_eq!(held(&form), ["Wider", "never", "", "203.0.113.7\n127.0.0.1"].map(str::to_owned));
    saves(&me.browser, &path, ["Wider", "never", "", "203.0.113.7\n127.0.0.1"]).await.is(303);
    api.get(PROPERTIES).await.is(200);
    assert_eq!(end(&server, &key).await, "null");
    let found = server.activity(&["--kind", "key_edited"]);
    assert_eq!(found.len(), 3);
    assert_eq!(found[0]["what"], "Changed the API key “Wider”: title, end, allowed addresses");
}

#[actix_web::test]
async fn an_expired_key_can_be_renamed_and_works_again_with_a_later_end() {
    let (server, me) = world().await;
    let key = ending(&me, "30", "").await;
    let path = path(&me.browser, &key).await;
    super::key_expiry::ends_in(&server, -86_400 * 3).await;
    let api = server.with_key(&key);
    api.get(PROPERTIES).await.is(401);
    let form = me.browser.get(&path).await.is(200);
    assert_eq!(held(&form)[1..3], ["date".to_owned(), day(-3)]);
    saves(&me.browser, &path, ["Renamed", "date", &day(-3), ""]).await.is(303);
    api.get(PROPERTIES).await.is(401);
    let refused = saves(&me.browser, &path, ["Renamed", "date", &day(-2), ""]).await.is(422);
    assert!(problem(&refused, "expires_on").is_some_and(|told| told.contains("is over")), "{refused}");
    saves(&me.browser, &path, ["Renamed", "date", &day(1), ""]).await.is(303);
    api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn bad_edits_are_refused_at_their_fields() {
    let (server, me) = world().await;
    let key = ending(&me, "90", "").await;
    let path = path(&me.browser, &key).await;
    let answer = saves(&me.browser, &path, [" ", "date", "2031-02-30", "here 10.0.0.1/8"]).await.is(422);
    for field in ["title", "expires_on", "allowed_addresses"] {
        assert!(problem(&answer, field).is_some(), "{field}: {answer}");
    }
    assert_eq!(held(&answer), [" ", "date", "2031-02-30", "here 10.0.0.1/8"].map(str::to_owned));
    me.browser.post_form(&path, &[]).await.is(422);
    let stranger = server.person("stranger@farol.example").await;
    stranger.browser.get(&path).await.is(404);
    saves(&stranger.browser, &path, ["Mine", "never", "", ""]).await.is(404);
    for id in ["x", UNKNOWN_ID] {
        me.browser.get(&format!("/user_profile/api_keys/{id}/edit")).await.is(404);
        saves(&me.browser, &format!("/user_profile/api_keys/{id}/edit"), ["A", "never", "", ""]).await.is(404);
    }
    me.browser.withdraw_key(&key).await;
    for is_sent in [false, true] {
        let answer = match is_sent {
            false => me.browser.get(&path).await,
            true => saves(&me.browser, &path, ["Late", "never", "", ""]).await,
        };
        let to = answer.is(303).header("location").expect("the list").to_owned();
        let page = me.browser.get(&to).await.is(200);
        assert!(seen(page.text()).contains("has been withdrawn and cannot be changed"), "{page}");
    }
    assert_eq!(server.recorded("key_edited"), [""; 0]);
}

#[actix_web::test]
async fn a_longest_life_counts_from_the_creation_also_in_an_edit() {
    let server = Server::options().env("LATCHKEY_MAX_KEY_DAYS", "90").start().await;
    let user = server.add_subscriber("desk@farol.example");
    let browser = server.signed_in(&user).await;
    let answer = super::key_expiry::send(&browser, "90", "").await.is(200);
    let key = html::keys(answer.text())[0].to_owned();
    let path = path(&browser, &key).await;
    server.set_moment("api_keys", "created_at", -86_400 * 80).await;
    let form = browser.get(&path).await.is(200);
    assert!(!form.text().contains("value=\"30\"") && !form.text().contains("value=\"never\""), "{form}");
    saves(&browser, &path, ["Renamed", "date", &day(90), ""]).await.is(303);
    saves(&browser, &path, ["Shorter", "date", &day(10), ""]).await.is(303);
    for (expires, on, field) in [("30", "", "expires"), ("never", "", "expires"), ("date", &*day(11), "expires_on")] {
        let refused = saves(&browser, &path, ["Longer", expires, on, ""]).await.is(422);
        assert!(problem(&refused, field).is_some_and(|told| told.contains("at most 90 days")), "{refused}");
    }
}

#[actix_web::test]
async fn the_host_sets_ends_and_addresses_by_commands() {
    let (server, me) = world().await;
    let Person { browser, key, api, .. } = &me;
    let id = browser.key_id(key).await;
    api.get(PROPERTIES).await.is(200);
    let said = server.run(&["key", "allow", &id, "203.0.113.7", "198.51.100.0/24,2001:db8::/48"]).ok();
    assert!(said.contains("may be used from 203.0.113.7, 198.51.100.0/24, 2001:db8::/48."), "{said}");
    api.get(PROPERTIES).await.error_with("forbidden", json!(["the API key is not allowed from 127.0.0.1"]));
    let refused = server.run(&["key", "allow", &id, "10.0.0.5/8", "here"]).refused(1);
    assert!(refused.contains("did you mean 10.0.0.0/8?") && refused.contains("“here” is a name"), "{refused}");
    server.run(&["key", "allow", &id, "any"]).ok();
    api.get(PROPERTIES).await.is(200);

    let said = server.run(&["key", "expire", &id, "2031-12-31"]).ok();
    assert!(said.contains("expires at the end of 2031-12-31 (UTC)."), "{said}");
    assert_eq!(api.get(PROPERTIES).await.header("api-key-expires"), Some("2032-01-01T00:00:00Z"));
    let listed = server.run(&["key", "list", DESK]).ok();
    assert!(listed.contains("\tactive, expires at the end of 2031-12-31 (UTC)\t"), "{listed}");
    let refused = server.run(&["key", "expire", &id, "2020-01-01"]).refused(1);
    assert!(refused.contains("This end is over") && refused.contains("key withdraw"), "{refused}");
    for wrong in ["soon", "2031-02-30", "+10000-01-01"] {
        server.run(&["key", "expire", &id, wrong]).refused(2);
    }
    server.run(&["key", "expire", &id, "never"]).ok();
    assert_eq!(api.get(PROPERTIES).await.header("api-key-expires"), None);
    let found = server.activity(&["--kind", "key_edited"]);
    let what: Vec<&str> = found.iter().rev().map(|entry| &*entry["what"]).collect();
    let title = "Changed the API key “Front desk”";
    let (end, addresses) = (format!("{title}: end"), format!("{title}: allowed addresses"));
    assert_eq!(what, [&*addresses, &addresses, &end, &end]);
    assert!(found.iter().all(|entry| entry["actor"] == "command" && entry["account"] == DESK), "{found:?}");

    server.run(&["key", "withdraw", &id]).ok();
    assert!(server.run(&["key", "list", DESK]).ok().contains(" (command)\t"));
    let refused = server.run(&["key", "expire", &id, "never"]).refused(1);
    assert!(refused.contains("has been withdrawn"), "{refused}");
    let refused = server.run(&["key", "allow", UNKNOWN_ID, "any"]).refused(1);
    assert!(refused.contains("There is no key"), "{refused}");
}
