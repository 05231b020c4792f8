//! Sessions: how they begin, what their cookie is like, and what ends them.

use crate::client::Client;
use crate::host::Host;
use crate::page::{key_titles, problem, seen};
use crate::people::{User, world};
use crate::property::PROPERTIES;
use crate::response::Response;
use crate::server::Server;

const PROFILE: &str = "/user_profile";

/// A server and a user who has not signed in.
async fn someone() -> (Server, User) {
    let server = Server::start().await;
    let user = server.add_user("desk@farol.example");
    (server, user)
}

/// The pair that an answer sets as a cookie.
fn cookie(answer: &Response) -> String {
    let header = answer.set_cookies().0.unwrap_or_else(|| panic!("no cookie in {answer}"));
    header.split(';').next().expect("a pair").to_owned()
}

/// What an answer says of its cookie beside the pair.
fn attributes(header: Option<&str>) -> Vec<String> {
    let header = header.expect("a cookie").to_ascii_lowercase();
    let mut parts: Vec<String> = header.split("; ").skip(1).map(str::to_owned).collect();
    parts.sort();
    parts
}

async fn is_signed_in(client: &Client, cookie: &str) -> bool {
    let answer = client.get(PROFILE).header("cookie", cookie).await;
    assert!(matches!(answer.status, 200 | 303), "{answer}");
    answer.status == 200
}

#[actix_web::test]
async fn every_sign_in_begins_a_session_of_its_own() {
    let (server, user) = someone().await;
    let browser = server.browser();
    let first = cookie(&browser.sign_in(&user.email, &user.password).await.is(303));
    let second = cookie(&browser.sign_in(&user.email, &user.password).await.is(303));
    assert_ne!(first, second);
    let nobody = server.anonymous();
    assert!(is_signed_in(&nobody, &second).await);
    assert!(!is_signed_in(&nobody, &first).await, "the session before is over");
    let elsewhere = server.signed_in(&user).await;
    assert!(is_signed_in(&nobody, &second).await, "another browser's sign-in ends nothing");
    elsewhere.get(PROFILE).await.is(200);
}

#[actix_web::test]
async fn a_planted_cookie_is_not_adopted() {
    let (server, user) = someone().await;
    let mallory = server.add_user("mallory@evil.example");
    let planted = cookie(&server.browser().sign_in(&mallory.email, &mallory.password).await.is(303));
    for planted in [&*planted, "latchkey=chosen-by-mallory", "latchkey=", "__Host-latchkey=chosen"] {
        let form = [("email", &*user.email), ("password", &*user.password)];
        let sign_in = server.browser().post_form("/sign_in", &form).header("cookie", planted);
        let own = cookie(&sign_in.await.is(303));
        assert_ne!(own, planted);
        let page = server.anonymous().get(PROFILE).header("cookie", &own).await.is(200);
        assert!(page.text().contains(&user.email), "{page}");
        let page = server.anonymous().get(PROFILE).header("cookie", planted).await;
        assert!(!page.text().contains(&user.email), "{page}");
    }
}

#[actix_web::test]
async fn a_signed_out_cookie_is_worth_nothing() {
    let (server, user) = someone().await;
    let browser = server.signed_in(&user).await;
    let old = browser.cookies().expect("a session");
    let nobody = server.anonymous();
    assert!(is_signed_in(&nobody, &old).await);
    // An address alone signs nobody out.
    browser.get("/sign_out").await.is(303);
    assert!(is_signed_in(&nobody, &old).await);
    let out = browser.post_form("/sign_out", &[]).await.is(303);
    assert!(out.header("location").is_some_and(|to| to.starts_with("/sign_in")), "{out}");
    assert!(!is_signed_in(&nobody, &old).await);
    nobody.get(PROPERTIES).header("cookie", &old).await.error("unauthorized");
    assert!(browser.cookies().is_some_and(|left| !left.contains("latchkey-1") && left.contains("latchkey-browser-")));
    let page = browser.get(out.header("location").expect("where it leads")).await.is(200);
    assert!(seen(page.text()).contains("You are signed out."), "{page}");
    browser.post_form("/sign_out", &[]).await.is(303);
}

#[actix_web::test]
async fn the_session_cookie_is_for_this_site_and_no_script() {
    let (server, user) = someone().await;
    let answer = server.browser().sign_in(&user.email, &user.password).await.is(303);
    let (session, known) = answer.set_cookies();
    assert_eq!(attributes(session), ["httponly", "path=/", "samesite=lax"]);
    assert_eq!(attributes(known), ["httponly", "max-age=34560000", "path=/", "samesite=lax"]);
    // Cookies know no ports, so that the name says it where there is one.
    let name = format!("latchkey-{}=", server.address().port());
    assert!(cookie(&answer).starts_with(&name), "{answer}");

    let server = Server::options().public_url("https://pms.example").start().await;
    let user = server.add_user("desk@farol.example");
    let answer = server.browser().sign_in(&user.email, &user.password).await.is(303);
    let (session, known) = answer.set_cookies();
    assert_eq!(attributes(session), ["httponly", "path=/", "samesite=lax", "secure"]);
    assert_eq!(attributes(known), ["httponly", "max-age=34560000", "path=/", "samesite=lax", "secure"]);
    assert!(known.is_some_and(|known| known.starts_with("__Host-latchkey-browser=")), "{answer}");
    let own = cookie(&answer);
    assert!(own.starts_with("__Host-latchkey="));
    assert!(is_signed_in(&server.anonymous(), &own).await);
    let insecure = own.replace("__Host-", "");
    assert!(!is_signed_in(&server.anonymous(), &insecure).await, "a cookie that any neighbour may set");
}

#[actix_web::test]
async fn two_servers_of_one_name_do_not_end_each_other_s_sessions() {
    let (server, user) = someone().await;
    let other = Server::start().await;
    let other_user = other.add_user("desk@farol.example");
    let cookies = format!(
        "{}; {}",
        server.signed_in(&user).await.cookies().expect("a session"),
        other.signed_in(&other_user).await.cookies().expect("a session")
    );
    for server in [&server, &other] {
        assert!(is_signed_in(&server.anonymous(), &cookies).await);
    }
}

#[actix_web::test]
async fn a_session_that_begins_in_the_future_is_ended() {
    let host = Host::new().await;
    let server = host.serve(&[]);
    let me = server.person("desk@farol.example").await;
    host.sql("update sessions set created_at = '2099-01-01T00:00:00+00:00', expires_at = '2099-01-02T00:00:00+00:00'")
        .await;
    me.browser.get(PROFILE).await.is(303);
    assert_eq!(host.texts("select cast(count(*) as text) from sessions").await, ["0"]);
}

#[actix_web::test]
async fn a_deactivated_user_is_signed_out_and_stays_out_until_activated() {
    let (server, me) = world().await;
    let old = me.browser.cookies().expect("a session");
    server.run(&["user", "deactivate", &me.user.email]).ok();
    let away = me.browser.get(PROFILE).await.is(303);
    assert!(away.header("location").is_some_and(|to| to.starts_with("/sign_in")), "{away}");
    me.browser.post_form("/user_profile/api_keys/new", &[("title", "Late")]).await.is(303);
    let refused = server.browser().sign_in(&me.user.email, &me.user.password).await.is(422);
    assert!(problem(&refused, "email").is_some_and(|reason| reason.contains("deactivated")), "{refused}");
    assert_eq!(refused.header("set-cookie"), None);

    server.run(&["user", "activate", &me.user.email]).ok();
    assert!(!is_signed_in(&server.anonymous(), &old).await, "its sessions ended");
    let browser = server.signed_in(&me.user).await;
    assert_eq!(key_titles(&browser.get(PROFILE).await), ["Front desk"]);
    me.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn a_new_password_from_the_host_ends_all_sessions() {
    let (server, me) = world().await;
    let new = "a-lantern-in-the-fog-1";
    server.secrets.register("password", new);
    server.run_with(&["user", "password", &me.user.email], new).ok();
    me.browser.get(PROFILE).await.is(303);
    server.browser().sign_in(&me.user.email, &me.user.password).await.is(422);
    server.browser().sign_in(&me.user.email, new).await.is(303);
    me.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn a_session_ends_when_it_is_not_used_or_is_old() {
    let host = Host::new().await;
    let user = host.add_subscriber("desk@farol.example");
    let server = host.serve(&["--session-idle-minutes", "2", "--session-hours", "1"]);
    for (set, signed_in) in [
        // Used a minute ago: another two minutes begin now.
        (("expires_at", 60), true),
        (("expires_at", -1), false),
        (("created_at", -3590), true),
        (("created_at", -3601), false),
    ] {
        let browser = server.signed_in(&user).await;
        browser.get(PROFILE).await.is(200);
        assert_eq!(host.set_moment("sessions", set.0, set.1).await, 1);
        let answer = browser.get(PROFILE).await;
        assert_eq!(answer.status == 200, signed_in, "{set:?}: {answer}");
        assert_eq!(browser.get(PROPERTIES).await.status == 200, signed_in, "{set:?}");
        host.sql("delete from sessions").await;
    }
}

#[actix_web::test]
async fn a_session_in_use_goes_on_beyond_its_first_end() {
    let host = Host::new().await;
    let user = host.add_subscriber("desk@farol.example");
    let server = host.serve(&["--session-idle-minutes", "30"]);
    let browser = server.signed_in(&user).await;
    host.set_moment("sessions", "expires_at", 20).await;
    browser.get(PROFILE).await.is(200);
    let left = match host.database_url() {
        Some(_) => "select cast(cast(extract(epoch from expires_at - now()) as int) as text) from sessions",
        None => "select cast(strftime('%s', expires_at) - strftime('%s', 'now') as text) from sessions",
    };
    let left: i64 = host.texts(left).await[0].parse().expect("seconds");
    assert!((1700..=1800).contains(&left), "{left}");
}
