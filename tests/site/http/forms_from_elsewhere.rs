//! Forms that another site makes a browser send: none of them does anything.

use serde_json::json;

use crate::client::Call;
use crate::html;
use crate::page::{key_titles, seen, typed, until};
use crate::people::{Person, world};
use crate::property::{PROPERTIES, UNKNOWN_ID, at, body};
use crate::server::Server;

/// What tells where a request started: `Sec-Fetch-Site` and `Origin`.
type Start<'a> = (Option<&'a str>, Option<&'a str>);

fn started(call: Call, (site, origin): Start) -> Call {
    let mut call = call.without("sec-fetch-site");
    if let Some(site) = site {
        call = call.header("sec-fetch-site", site);
    }
    match origin {
        Some(origin) => call.header("origin", origin),
        None => call,
    }
}

/// Starts that are not pages of the site at `base_url`.
fn elsewhere(base_url: &str) -> Vec<(Option<String>, Option<String>)> {
    let own = || Some(base_url.to_owned());
    let text = |text: &str| Some(text.to_owned());
    let other_port = base_url.rsplit_once(':').map(|(start, _)| format!("{start}:1"));
    vec![
        (None, None),
        (text("cross-site"), None),
        (text("same-site"), None),
        (text("cross-site"), own()),
        (text("same-site"), own()),
        (text(""), None),
        (text("SAME-ORIGIN"), own()),
        (text("same-origin, cross-site"), own()),
        (None, text("null")),
        (None, text("")),
        (None, text("https://evil.example")),
        (None, other_port),
        (None, Some(base_url.replacen("http", "https", 1))),
        (None, Some(format!("{base_url}.evil.example"))),
        (None, Some(base_url.replacen("127.0.0.1", "127.0.0.1.evil.example", 1))),
        (None, Some(base_url.replacen("http://", "http://evil.example@", 1).replacen("127.0.0.1", "10.0.0.1", 1))),
    ]
}

/// Every form of the site, filled in rightly: sent from a page of ours it would do something.
async fn forms(server: &Server, me: &Person, link: &str, token: &str) -> Vec<Call> {
    let id = me.browser.key_id(&me.key).await;
    let new_password = "a-lantern-in-the-fog-1";
    server.secrets.register("password", new_password);
    let (email, password) = (&*me.user.email, &*me.user.password);
    vec![
        server.browser().post_form("/sign_in", &[("email", email), ("password", password)]),
        me.browser.post_form("/sign_in", &[("email", email), ("password", password)]),
        server.browser().post_form(link, &[("name", "Evil"), ("password", new_password)]),
        me.browser.post_form("/user_profile", &[("name", "Evil"), ("time_zone", "UTC")]),
        me.browser.post_form("/user_profile/password", &[("old_password", password), ("new_password", new_password)]),
        me.browser.post_form("/user_profile/api_keys/new", &[("title", "Evil"), ("form_token", token)]),
        me.browser
            .post_form(&format!("/user_profile/api_keys/{id}/rotate"), &[("form_token", &format!("{token}-again"))]),
        me.browser.post_form(&format!("/user_profile/api_keys/{id}/withdraw"), &[]),
        me.browser.post_form("/user_profile/withdraw_all_keys", &[]),
        me.browser.post_form("/sign_out", &[]),
    ]
}

/// The path of a one-use link for a new user.
fn link_path(server: &Server, email: &str) -> String {
    server.add_user(email);
    let printed = server.run(&["user", "link", email]).ok();
    let token = crate::command::first_line(&printed).split("/welcome/").nth(1).expect("a link");
    server.secrets.register("one-use link", token);
    format!("/welcome/{token}")
}

#[actix_web::test]
async fn a_form_sent_from_elsewhere_is_refused_and_does_nothing() {
    let (server, me) = world().await;
    let link = link_path(&server, "new@farol.example");
    for (site, origin) in elsewhere(&server.base_url) {
        for call in forms(&server, &me, &link, "evil").await {
            let answer = started(call, (site.as_deref(), origin.as_deref())).await;
            assert_eq!(answer.status, 403, "{site:?} {origin:?}: {answer}");
            assert_eq!(answer.header("set-cookie"), None, "{answer}");
            assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{answer}");
            assert!(seen(answer.text()).contains("Request blocked"), "{answer}");
            assert_eq!(html::keys(answer.text()), Vec::<&str>::new());
        }
    }
    // Still signed in, still the same name, key and password, and the link is still good.
    let profile = me.browser.get("/user_profile").await.is(200);
    assert_eq!(typed(&profile, "name").as_deref(), Some(""));
    assert_eq!(key_titles(&profile), ["Front desk"]);
    me.api.get(PROPERTIES).await.is(200);
    server.signed_in(&me.user).await;
    server.browser().get(&link).await.is(200);
}

#[actix_web::test]
async fn a_form_sent_from_a_page_of_ours_does_what_it_says() {
    let server = Server::start().await;
    let own = server.base_url.clone();
    let localhost = own.replacen("127.0.0.1", "localhost", 1);
    let starts: [Start; 6] = [
        (Some("same-origin"), None),
        (Some("none"), None),
        (Some("same-origin"), Some(&own)),
        (Some("same-origin"), Some("null")),
        (None, Some(&own)),
        (None, Some(&localhost)),
    ];
    for (number, start) in starts.into_iter().enumerate() {
        let me = server.person(&format!("desk-{number}@farol.example")).await;
        let link = link_path(&server, &format!("new-{number}@farol.example"));
        for call in forms(&server, &me, &link, &format!("ours-{number}")).await {
            let answer = started(call, start).await;
            assert!(matches!(answer.status, 200 | 303), "{start:?}: {answer}");
            for key in html::keys(answer.text()) {
                server.secrets.register("API key", key);
            }
        }
        me.api.get(PROPERTIES).await.is(401);
        server.browser().get(&link).await.is(404);
    }
}

#[actix_web::test]
async fn behind_a_proxy_only_the_public_address_is_ours() {
    let server = Server::options().public_url("https://pms.example").start().await;
    let user = server.add_user("desk@farol.example");
    let sign_in = |start| {
        let form = [("email", &*user.email), ("password", &*user.password)];
        started(server.browser().post_form("/sign_in", &form), start)
    };
    for origin in [
        "http://pms.example",
        "https://pms.example:8443",
        "https://evil.pms.example",
        "https://pms.example.evil.example",
        "https://localhost",
        "https://127.0.0.1",
        &server.base_url,
    ] {
        sign_in((None, Some(origin))).await.is(403);
    }
    sign_in((None, Some("https://pms.example"))).await.is(303);
    sign_in((Some("same-origin"), None)).await.is(303);
}

#[actix_web::test]
async fn whoever_opens_the_site_under_another_name_learns_of_both_and_of_the_setting() {
    let server = Server::options().public_url("http://localhost:7001").start().await;
    let sign_in = |origin: &str, host: &str| {
        let call = server.browser().post_form("/sign_in", &[("email", "desk@farol.example")]);
        started(call, (None, Some(origin))).header("host", host)
    };
    let page = sign_in("http://desk.farol.example:7001", "desk.farol.example:7001").await.is(403);
    let text = seen(page.text());
    for part in ["http://desk.farol.example:7001", "http://localhost:7001", "LATCHKEY_BASE_URL"] {
        assert!(text.contains(part), "{page}");
        until("the log tells of it", async || server.log().contains(part).then_some(())).await;
    }
    // A page of another site cannot have ours say that it should be this one.
    let page = sign_in("http://evil.example", "localhost:7001").await.is(403);
    assert!(!page.text().contains("evil.example"), "{page}");
}

#[actix_web::test]
async fn on_loopback_every_name_of_this_machine_is_ours() {
    let server = Server::options().public_url("http://localhost:7001").start().await;
    let user = server.add_user("desk@farol.example");
    let form = [("email", &*user.email), ("password", &*user.password)];
    for (origin, status) in [
        ("http://localhost:7001", 303),
        ("http://127.0.0.1:7001", 303),
        ("http://[::1]:7001", 303),
        ("http://localhost:7002", 403),
        ("http://localhost", 403),
        ("https://localhost:7001", 403),
        ("http://localhost.evil.example:7001", 403),
    ] {
        started(server.browser().post_form("/sign_in", &form), (None, Some(origin))).await.is(status);
    }
}

#[actix_web::test]
async fn reading_is_believed_from_anywhere() {
    let (server, me) = world().await;
    for (site, origin) in elsewhere(&server.base_url) {
        for path in ["/user_profile", "/user_profile/api_keys/new", PROPERTIES] {
            let call = me.browser.get(path);
            started(call, (site.as_deref(), origin.as_deref())).await.is(200);
        }
    }
    // A link to the address that signs out, or an image with it, does not.
    let call = me.browser.get("/sign_out");
    started(call, (Some("cross-site"), None)).await.is(303);
    me.browser.get("/user_profile").await.is(200);
}

#[actix_web::test]
async fn a_form_cannot_be_sent_by_a_link() {
    let (_server, me) = world().await;
    let id = me.browser.key_id(&me.key).await;
    for path in [
        "/user_profile?name=Evil&time_zone=UTC".to_owned(),
        "/user_profile/api_keys/new?title=Evil&form_token=evil".to_owned(),
        format!("/user_profile/api_keys/{id}/withdraw"),
        format!("/user_profile/api_keys/{id}/rotate?form_token=evil&overlap=now"),
        "/user_profile/withdraw_all_keys".to_owned(),
    ] {
        let answer = me.browser.get(&path).await;
        assert_eq!(html::keys(answer.text()), Vec::<&str>::new());
    }
    let profile = me.browser.get("/user_profile").await.is(200);
    assert_eq!(typed(&profile, "name").as_deref(), Some(""));
    assert_eq!(key_titles(&profile), ["Front desk"]);
    me.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn the_api_believes_a_session_from_our_own_pages_and_a_key_from_anywhere() {
    let (server, me) = world().await;
    let body = body(json!({ "title": "Casa do Farol" }));
    for (site, origin) in elsewhere(&server.base_url) {
        let start = (site.as_deref(), origin.as_deref());
        for call in [
            me.browser.post(PROPERTIES, &body),
            me.browser.put(&at(UNKNOWN_ID), &body),
            me.browser.delete(&at(UNKNOWN_ID)),
        ] {
            let answer = started(call, start).await.is(403);
            assert_eq!(answer.json()["errors"]["code"], "forbidden", "{answer}");
        }
        // A bad key beside a good session: the key decides.
        let call = me.browser.post(PROPERTIES, &body).header("user-api-key", "lk_no_key");
        started(call, start).await.error("unauthorized");
        started(me.browser.get(PROPERTIES).header("user-api-key", "lk_no_key"), start).await.error("unauthorized");
    }
    assert_eq!(me.api.get(PROPERTIES).await.column("id"), Vec::<String>::new());
    for (site, origin) in elsewhere(&server.base_url) {
        let call = me.api.post(PROPERTIES, &body);
        started(call, (site.as_deref(), origin.as_deref())).await.is(201);
    }
}
