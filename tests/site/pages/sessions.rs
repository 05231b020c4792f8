//! The page of a user's sessions, and the command.

use crate::browser::Browser;
use crate::client::Client;
use crate::html;
use crate::page::seen;
use crate::people::world;
use crate::property::PROPERTIES;
use crate::response::Response;
use crate::server::Server;

const PROFILE: &str = "/user_profile";
const SESSIONS: &str = "/user_profile/sessions";
const OTHERS: &str = "/user_profile/sessions/sign_out_others";

/// The rows of the list, as they are read.
fn rows(page: &Response) -> Vec<String> {
    html::rows(page.text()).map(seen).filter(|row| !row.contains("Last seen")).collect()
}

/// The addresses that sign out one other session.
fn others(page: &Response) -> Vec<String> {
    html::form_actions(page.text())
        .into_iter()
        .filter(|action| action.ends_with("/sign_out") && action.len() > 20)
        .collect()
}

/// A browser that says what it is, signed in at an address.
async fn signed_in_as(server: &Server, client: &str, address: &str, email: &str, password: &str) -> Browser {
    let browser = server.browser();
    let form = [("email", email), ("password", password)];
    let sign_in = browser.post_form("/sign_in", &form).header("user-agent", client);
    sign_in.header("x-forwarded-for", address).await.is(303);
    browser
}

async fn is_signed_in(browser: &Client) -> bool {
    browser.get(PROFILE).await.status == 200
}

#[actix_web::test]
async fn the_list_shows_where_a_user_is_signed_in_and_marks_this_browser() {
    let server = Server::options().env("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1").start().await;
    let user = server.add_user("desk@farol.example");
    let stranger = server.add_user("other@farol.example");
    signed_in_as(&server, "Foreign/1.0", "192.0.2.1", &stranger.email, &stranger.password).await;
    let first = signed_in_as(&server, "Desk/1.0", "203.0.113.7", &user.email, &user.password).await;
    let second = signed_in_as(&server, "<i>Night/2.0", "2001:db8::7", &user.email, &user.password).await;
    let page = first.get(SESSIONS).await.is(200);
    assert!(page.text().contains("<title>Sessions"), "{page}");
    let rows = rows(&page);
    assert_eq!(rows.len(), 2, "{rows:?}");
    let row =
        |part: &str| rows.iter().find(|row| row.contains(part)).unwrap_or_else(|| panic!("no {part} in {rows:?}"));
    assert!(row("203.0.113.7").contains("This browser"), "{rows:?}");
    assert!(row("2001:db8::7").contains("Sign out") && !row("2001:db8::7").contains("This browser"), "{rows:?}");
    assert!(!page.text().contains("<i>Night") && !page.text().contains("Foreign"), "{page}");
    assert_eq!(others(&page).len(), 1);
    // Signing out elsewhere is seen here.
    second.post_form("/sign_out", &[]).await.is(303);
    let page = first.get(SESSIONS).await.is(200);
    assert_eq!(others(&page), Vec::<String>::new());
    assert!(!page.text().contains(OTHERS), "nothing is left to sign out: {page}");
}

#[actix_web::test]
async fn one_session_can_be_ended_and_those_of_others_do_not_exist() {
    let (server, me) = world().await;
    let other = server.signed_in(&me.user).await;
    let stranger = server.person("other@farol.example").await;
    let page = me.browser.get(SESSIONS).await.is(200);
    let [end] = &others(&page)[..] else { panic!("one other session in {page}") };
    stranger.browser.post_form(end, &[]).await.is(404);
    assert!(is_signed_in(&other).await);
    for id in ["1", "01a226cd-a15d-74ae-b266-128e13f6c172", "%00"] {
        me.browser.post_form(&format!("{SESSIONS}/{id}/sign_out"), &[]).await.is(404);
    }
    let done = me.browser.post_form(end, &[]).await.is(303);
    assert_eq!(done.header("location"), Some(SESSIONS));
    assert!(seen(me.browser.get(SESSIONS).await.text()).contains("Signed out"));
    assert!(!is_signed_in(&other).await && is_signed_in(&me.browser).await && is_signed_in(&stranger.browser).await);
    me.browser.post_form(end, &[]).await.is(404);
    me.api.get(PROPERTIES).await.is(200);
    // An address alone ends nothing.
    me.browser.get(end).await.is(303);
    let recorded = "select kind from activity where kind in ('session_ended', 'sign_out')";
    assert_eq!(server.texts(recorded).await, ["session_ended"]);
}

#[actix_web::test]
async fn all_others_can_be_ended_at_once_and_their_browsers_are_strangers_again() {
    let (server, me) = world().await;
    let others = [server.signed_in(&me.user).await, server.signed_in(&me.user).await];
    let stranger = server.person("other@farol.example").await;
    assert_eq!(server.count("browsers").await, 4);
    me.browser.post_form(OTHERS, &[]).await.is(303);
    let page = me.browser.get(SESSIONS).await.is(200);
    assert!(seen(page.text()).contains("Signed out in 2 other browsers."), "{page}");
    for other in &others {
        assert!(!is_signed_in(other).await);
    }
    assert!(is_signed_in(&me.browser).await && is_signed_in(&stranger.browser).await);
    assert_eq!(server.count("browsers").await, 2);
    me.browser.post_form(OTHERS, &[]).await.is(303);
    assert!(seen(me.browser.get(SESSIONS).await.text()).contains("not signed in anywhere else"));
    me.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn the_twenty_first_session_ends_the_one_that_was_unused_longest() {
    let (server, me) = world().await;
    let second = server.signed_in(&me.user).await;
    server.set_moment("sessions", "last_seen_at", -300).await;
    me.browser.get(PROFILE).await.is(200);
    for _ in 0..18 {
        server.signed_in(&me.user).await;
    }
    assert_eq!(server.count("sessions").await, 20);
    let newest = server.signed_in(&me.user).await;
    assert_eq!(server.count("sessions").await, 20);
    assert!(!is_signed_in(&second).await && is_signed_in(&me.browser).await && is_signed_in(&newest).await);
}

#[actix_web::test]
async fn last_seen_is_at_most_a_minute_old() {
    let (server, me) = world().await;
    server.set_moment("sessions", "last_seen_at", -61).await;
    let ago = match server.database_url() {
        Some(_) => "select cast(cast(extract(epoch from now() - last_seen_at) as int) as text) from sessions",
        None => "select cast(strftime('%s', 'now') - strftime('%s', last_seen_at) as text) from sessions",
    };
    let ago = async || server.texts(ago).await[0].parse::<i64>().expect("seconds");
    assert!(ago().await >= 60);
    me.browser.get(PROFILE).await.is(200);
    assert!(ago().await < 60);
}

#[actix_web::test]
async fn the_host_lists_and_ends_the_sessions_of_a_user() {
    let (server, me) = world().await;
    let said = server.run(&["user", "sessions", &me.user.email]).ok();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("last seen 20") && said.contains("127.0.0.1"), "{said}");
    server.signed_in(&me.user).await;
    let said = server.run(&["user", "sessions", &me.user.email, "--end"]).ok();
    assert!(said.contains("Ended 2 sessions"), "{said}");
    assert!(!is_signed_in(&me.browser).await);
    me.api.get(PROPERTIES).await.is(200);
    let said = server.run(&["user", "sessions", &me.user.email]).ok();
    assert!(said.contains("No sessions."), "{said}");
    server.run(&["user", "sessions", "nobody@farol.example"]).refused(1);
    let recorded = "select actor from activity where kind = 'session_ended'";
    assert_eq!(server.texts(recorded).await, ["command"]);
}
