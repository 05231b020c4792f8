//! Signing in and out, and the sessions between.

use crate::browser::Browser;
use crate::command::finish;
use crate::host::Host;
use crate::html;
use crate::page::{face, problem, seen, typed};
use crate::people::{User, world};
use crate::program::HASH_MEMORY;
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

/// The sign-in form with a way back, sent.
async fn sign_in_for(browser: &Browser, user: &User, return_to: &str) -> Response {
    let fields = [("email", &*user.email), ("password", &*user.password), ("return_to", return_to)];
    browser.post_form("/sign_in", &fields).await
}

/// The sign-in page with a way back.
fn form_path(return_to: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", return_to).finish();
    format!("/sign_in?{query}")
}

#[actix_web::test]
async fn a_page_opened_signed_out_leads_to_sign_in_and_back() {
    let (server, user) = someone().await;
    server.subscribe(&user.email);
    for path in [PROFILE, "/user_profile?order=title", "/user_profile/api_keys/new", "/user_profile/withdraw_all_keys"]
    {
        let browser = server.browser();
        let away = browser.get(path).await.is(303);
        let sign_in = away.header("location").expect("where it leads").to_owned();
        assert!(sign_in.starts_with("/sign_in?"), "{away}");
        let form = browser.get(&sign_in).await.is(200);
        let return_to = typed(&form, "return_to").expect("the way back");
        assert_eq!(return_to, path);
        let back = sign_in_for(&browser, &user, &return_to).await.is(303);
        assert_eq!(back.header("location"), Some(path));
        assert!(browser.get(path).await.status != 404);
    }
    let answer = server.browser().get("/").await.is(303);
    assert_eq!(answer.header("location"), Some(PROFILE));
}

#[actix_web::test]
async fn a_way_back_leads_to_pages_of_this_site_alone() {
    let (server, user) = someone().await;
    let browser = server.signed_in(&user).await;
    // Each sign-in clears the failure before.
    let known = server.signed_in(&user).await;
    for evil in [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r\nSet-Cookie: a=b",
        "\t//evil.example",
        " //evil.example",
        "/ /evil.example",
        "/\u{0}/evil.example",
        "/x\u{85}y",
        "https://evil.example",
        "HTTPS:evil.example",
        "http:/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "?a=b",
        "#a",
        "",
        "/x\\y",
    ] {
        let shown = server.browser().get(&form_path(evil)).await.is(200);
        assert_eq!(typed(&shown, "return_to").as_deref(), Some(PROFILE), "{evil:?}");
        // Whoever is signed in is led on without a form.
        let led_on = browser.get(&form_path(evil)).await.is(303);
        assert_eq!(led_on.header("location"), Some(PROFILE), "{evil:?}");
        let sent = sign_in_for(&known, &user, evil).await.is(303);
        assert_eq!(sent.header("location"), Some(PROFILE), "{evil:?}");
        let wrong = User { email: user.email.clone(), password: "not my password".to_owned() };
        let again = sign_in_for(&known, &wrong, evil).await.is(422);
        assert_eq!(typed(&again, "return_to").as_deref(), Some(PROFILE), "{evil:?}");
    }
    for own in ["/user_profile?name=a%20b&x=//y", "/", "/nothing", "/user_profile#api_keys"] {
        let sent = sign_in_for(&server.browser(), &user, own).await.is(303);
        assert_eq!(sent.header("location"), Some(own));
    }
}

#[actix_web::test]
async fn a_wrong_password_and_an_unknown_email_get_the_same_answer() {
    let (server, user) = someone().await;
    server.add_user("gone@farol.example");
    server.run(&["user", "deactivate", "gone@farol.example"]).ok();
    let password = "not the password 7";
    let wrong = server.browser().sign_in(&user.email, password).await.is(422);
    assert_eq!(typed(&wrong, "email").as_deref(), Some(&*user.email));
    assert_eq!(problem(&wrong, "email").as_deref(), Some("Incorrect email or password."));
    assert!(!wrong.text().contains(password), "{wrong}");
    assert_eq!(typed(&wrong, "password"), None);
    assert_eq!(wrong.header("set-cookie"), None);
    let anonymous = |answer: &Response, email: &str| {
        let (status, headers, body) = face(answer);
        let headers: Vec<_> = headers.into_iter().filter(|(name, _)| name != "content-length").collect();
        (status, headers, body.replace(email, "(email)"))
    };
    for other in ["nobody@farol.example", "gone@farol.example", "not-an-address", "a b@c", "<x>@farol.example"] {
        let answer = server.browser().sign_in(other, password).await;
        let escaped = other.replace('<', "&#60;").replace('>', "&#62;");
        assert_eq!(anonymous(&answer, &escaped), anonymous(&wrong, &user.email), "{other}");
    }
    for empty in [[("email", ""), ("password", "")], [("email", &*user.email), ("password", "")]] {
        server.browser().post_form("/sign_in", &empty).await.is(422);
    }
    server.browser().post_form("/sign_in", &[]).await.is(422);
    server.browser().sign_in("\u{0}", "\u{0}\u{0}").await.is(422);
}

#[actix_web::test]
async fn an_email_is_the_same_in_any_case() {
    let server = Server::start().await;
    let user = server.add_user("Rita.DESK@Bücher.Example");
    for email in ["rita.desk@bücher.example", "RITA.DESK@BÜCHER.EXAMPLE", " Rita.Desk@bu\u{308}cher.example "] {
        server.browser().sign_in(email, &user.password).await.is(303);
    }
    for other in ["rita.desk@bucher.example", "ritadesk@bücher.example"] {
        server.browser().sign_in(other, &user.password).await.is(422);
    }
    let browser = server.signed_in(&user).await;
    assert!(browser.get(PROFILE).await.text().contains("Rita.DESK@Bücher.Example"), "it is shown as it was given");
}

#[actix_web::test]
async fn a_password_is_taken_as_it_is() {
    let server = Server::start().await;
    for (number, password) in ["  spaces around it  ", "пароль от маяка 🔑", "a+b&c=d%20;e\"f'g<h>"].iter().enumerate()
    {
        let email = format!("desk-{number}@farol.example");
        server.secrets.register("password", password);
        server.run_with(&["user", "add", &email], password).ok();
        server.browser().sign_in(&email, password).await.is(303);
        for other in [password.trim_end(), password.trim_start()] {
            let status = if other == *password { 303 } else { 422 };
            server.browser().sign_in(&email, other).await.is(status);
        }
    }
}

#[actix_web::test]
async fn a_weaker_hash_is_made_stronger_at_sign_in() {
    let host = Host::new().await;
    let weak = |args: &[&str]| {
        let mut command = host.latchkey(args);
        command.env(HASH_MEMORY, "8192").env("LATCHKEY_ARGON2_ITERATIONS", "1");
        command
    };
    let user = User { email: "desk@farol.example".to_owned(), password: host.new_password() };
    host.migrate();
    finish(weak(&["user", "add", &user.email]), &user.password).ok();
    let hash = async || host.texts("select password_hash from users").await.remove(0);
    let first = hash().await;
    assert!(first.starts_with("$argon2id$v=19$m=8192,t=1,p=1$"), "{first}");

    let server = host.start(weak(&["serve", "--listen", "127.0.0.1:0"])).serving();
    server.signed_in(&user).await;
    assert_eq!(hash().await, first, "as strong as is wanted");
    drop(server);

    let server = host.serve(&["--argon2-memory-kib", "16384", "--argon2-iterations", "2"]);
    server.browser().sign_in(&user.email, "not the password 7").await.is(422);
    assert_eq!(hash().await, first);
    server.signed_in(&user).await;
    let second = hash().await;
    assert!(second.starts_with("$argon2id$v=19$m=16384,t=2,p=1$"), "{second}");
    server.signed_in(&user).await;
    assert_eq!(hash().await, second);
    drop(server);

    // A stronger hash than is wanted now is left alone.
    let server = host.start(weak(&["serve", "--listen", "127.0.0.1:0"])).serving();
    server.signed_in(&user).await;
    assert_eq!(hash().await, second);
}

#[actix_web::test]
async fn the_default_hash_is_as_strong_as_owasp_asks() {
    let host = Host::new().await;
    host.migrate();
    let mut add = host.latchkey(&["user", "add", "desk@farol.example"]);
    add.env_remove(HASH_MEMORY);
    finish(add, &host.new_password()).ok();
    let hash = host.texts("select password_hash from users").await.remove(0);
    assert!(hash.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{hash}");
}

#[actix_web::test]
async fn a_storm_of_sign_ins_does_not_stop_requests_with_keys() {
    let (server, me) = world().await;
    let storm: Vec<_> = (0..12)
        .map(|_| {
            let form = [("email", &*me.user.email), ("password", "not the password 7")];
            actix_web::rt::spawn(server.browser().post_form("/sign_in", &form).into_future())
        })
        .collect();
    for _ in 0..20 {
        me.api.get(PROPERTIES).await.is(200);
    }
    for sign_in in storm {
        let status = sign_in.await.expect("an answer").status;
        assert!(matches!(status, 422 | 429 | 503), "{status}");
    }
    me.browser.sign_in(&me.user.email, &me.user.password).await.is(303);
}

#[actix_web::test]
async fn the_sign_in_page_has_what_people_and_password_managers_look_for() {
    let (server, user) = someone().await;
    let page = server.browser().get("/sign_in").await.is(200);
    let text = seen(page.text());
    assert!(text.contains("Email") && text.contains("Password") && text.contains("Sign in"), "{page}");
    assert_eq!(html::form_actions(page.text()), ["/sign_in"]);
    for part in ["autocomplete=\"username\"", "autocomplete=\"current-password\"", "type=\"password\""] {
        assert!(page.text().contains(part), "no {part} in {page}");
    }
    let browser = server.signed_in(&user).await;
    let led_on = browser.get("/sign_in").await.is(303);
    assert_eq!(led_on.header("location"), Some(PROFILE));
}
