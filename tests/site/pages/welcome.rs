//! The one-use link with which a person sets name and password.

use crate::command::first_line;
use crate::html;
use crate::page::{problem, seen, typed};
use crate::people::world;
use crate::property::PROPERTIES;
use crate::server::Server;

/// Makes a link and returns its path.
fn link(server: &Server, email: &str) -> String {
    let printed = server.run(&["user", "link", email, "--base-url", "https://pms.example"]).ok();
    let path = first_line(&printed).strip_prefix("https://pms.example").expect("a link").to_owned();
    server.secrets.register("one-use link", path.trim_start_matches("/welcome/"));
    path
}

#[actix_web::test]
async fn a_link_sets_name_and_password_once() {
    let (server, me) = world().await;
    let path = link(&server, &me.user.email);
    let new = "seven boats at noon";
    server.secrets.register("password", new);
    let person = server.browser();
    for _ in 0..2 {
        let page = person.get(&path).await.is(200);
        assert_eq!(html::form_actions(page.text()), [&*path]);
        let text = seen(page.text());
        assert!(text.contains("Name") && text.contains("Password"), "{page}");
        assert!(page.text().contains(&me.user.email), "{page}");
        assert_eq!(page.header("referrer-policy"), Some("same-origin"));
    }
    let set = person.post_form(&path, &[("name", " Rita "), ("password", new)]).await.is(303);
    let next = set.header("location").expect("where it leads").to_owned();
    assert!(next.starts_with("/sign_in") && !next.contains(new), "{set}");
    assert!(seen(person.get(&next).await.is(200).text()).contains("Your password is set"));

    person.get(&path).await.is(404);
    person.post_form(&path, &[("name", "Eve"), ("password", "eight boats at dusk")]).await.is(404);
    me.browser.get("/user_profile").await.is(303);
    server.browser().sign_in(&me.user.email, &me.user.password).await.is(422);
    let browser = server.browser();
    browser.sign_in(&me.user.email, new).await.is(303);
    assert_eq!(typed(&browser.get("/user_profile").await, "name").as_deref(), Some("Rita"));
    me.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn a_link_stays_good_when_what_was_typed_will_not_do() {
    let server = Server::start().await;
    server.add_user("desk@farol.example");
    let path = link(&server, "desk@farol.example");
    let long = "x".repeat(256);
    for (name, password, field) in [
        ("Rita", "short", "password"),
        ("Rita", "latchkey-2026-11-23", "password"),
        ("a\nb", "seven boats at noon", "name"),
        (&*long, "seven boats at noon", "name"),
    ] {
        let page = server.browser().post_form(&path, &[("name", name), ("password", password)]).await.is(422);
        assert!(problem(&page, field).is_some(), "{page}");
        assert_eq!(typed(&page, "name").as_deref(), Some(name));
        assert!(!page.text().contains(password), "{page}");
        assert_eq!(typed(&page, "password"), None);
    }
    server.browser().get(&path).await.is(200);
    let both = server.browser().post_form(&path, &[("name", "a\nb")]).await.is(422);
    assert!(problem(&both, "name").is_some() && problem(&both, "password").is_some(), "{both}");
}

#[actix_web::test]
async fn a_new_link_ends_the_one_before_and_no_link_helps_a_deactivated_user() {
    let server = Server::start().await;
    server.add_user("desk@farol.example");
    server.add_user("night@farol.example");
    let (old, other) = (link(&server, "desk@farol.example"), link(&server, "night@farol.example"));
    let new = link(&server, "desk@farol.example");
    server.browser().get(&old).await.is(404);
    server.browser().get(&new).await.is(200);
    server.browser().get(&other).await.is(200);
    server.run(&["user", "deactivate", "desk@farol.example"]).ok();
    server.browser().get(&new).await.is(404);
    server.browser().post_form(&new, &[("password", "seven boats at noon")]).await.is(404);
    for made_up in ["/welcome/x", "/welcome/%00", &"/welcome/x".repeat(500), &other.to_lowercase()] {
        server.browser().get(made_up).await.is(404);
    }
}

#[actix_web::test]
async fn a_link_used_many_times_at_once_works_once() {
    let server = Server::start().await;
    server.add_user("desk@farol.example");
    let path = link(&server, "desk@farol.example");
    // The fifth wrong password in a row would close the account for a while.
    let passwords: Vec<String> = (0..5).map(|number| format!("seven boats at noon {number}")).collect();
    let calls: Vec<_> = passwords
        .iter()
        .map(|password| {
            let form = [("name", "Rita"), ("password", &**password)];
            actix_web::rt::spawn(server.browser().post_form(&path, &form).into_future())
        })
        .collect();
    let mut won = Vec::new();
    for (call, password) in calls.into_iter().zip(&passwords) {
        let answer = call.await.expect("an answer");
        assert!(matches!(answer.status, 303 | 404), "{answer}");
        if answer.status == 303 {
            won.push(password);
        }
    }
    assert_eq!(won.len(), 1);
    for password in &passwords {
        let status = if password == won[0] { 303 } else { 422 };
        server.browser().sign_in("desk@farol.example", password).await.is(status);
    }
}

#[actix_web::test]
async fn a_link_is_good_for_seven_days() {
    let server = Server::start().await;
    let user = server.add_subscriber("desk@farol.example");
    let printed = server.run(&["user", "link", &user.email, "--base-url", &server.base_url]).ok();
    let path = first_line(&printed).strip_prefix(&server.base_url).expect("a link of this server").to_owned();
    server.secrets.register("one-use link", path.trim_start_matches("/welcome/"));
    server.anonymous().get(&path).await.is(200);
    let days = match server.database_url() {
        Some(_) => "select cast(round(extract(epoch from expires_at - created_at) / 86400) as text) from user_links",
        None => "select cast(julianday(expires_at) - julianday(created_at) as text) from user_links",
    };
    let days: f64 = server.texts(days).await[0].parse().expect("days");
    assert!((days - 7.0).abs() < 0.01, "{days}");
    // A link of a clock that was ahead would last too long.
    server.set_moment("user_links", "created_at", 86_400).await;
    server.anonymous().get(&path).await.is(404);
    server.browser().post_form(&path, &[("password", "seven boats at noon")]).await.is(404);
    server.set_moment("user_links", "created_at", -60).await;
    server.anonymous().get(&path).await.is(200);
    server.sql("update user_links set expires_at = created_at").await;
    server.anonymous().get(&path).await.is(404);
    let form = [("password", "seven boats at noon")];
    server.browser().post_form(&path, &form).await.is(404);
    server.signed_in(&user).await;
}

#[actix_web::test]
async fn a_link_that_is_not_good_any_more_says_so_and_what_to_do() {
    let server = Server::options().arg("--support").arg("help@pms.example").start().await;
    let invited = server.run(&["user", "invite", "rita@farol.example", "--name", "Rita"]).ok();
    let mut lines = invited.lines();
    // The address of the server, though nobody told it to the command.
    let path = lines.next().expect("a link").strip_prefix(&*server.base_url).expect("at the server").to_owned();
    server.secrets.register("one-use link", path.trim_start_matches("/welcome/"));
    let end = lines.next().and_then(|line| line.strip_prefix("good until ")).expect("its end");
    assert!(end.ends_with(" UTC") && end.len() == "2026-12-05 10:00 UTC".len(), "{end}");
    let page = server.browser().get(&path).await.is(200);
    assert_eq!(typed(&page, "name").as_deref(), Some("Rita"));
    assert!(seen(page.text()).contains("Not a common password"), "{page}");
    let new = "seven boats at noon";
    server.secrets.register("password", new);
    server.browser().post_form(&path, &[("name", "Rita"), ("password", new)]).await.is(303);
    for path in [&*path, "/welcome/never-was-one"] {
        for page in [server.browser().get(path).await, server.browser().post_form(path, &[("password", "x")]).await] {
            let page = page.is(404);
            let text = seen(page.text());
            assert!(text.contains("This link was already used or has expired."), "{page}");
            assert!(page.text().contains("href=\"/sign_in\"") && text.contains("help@pms.example"), "{page}");
        }
    }
    let said = server.run(&["user", "invite", "RITA@farol.example"]).refused(1);
    assert!(said.contains("already exists") && said.contains("latchkey user link"), "{said}");
}

#[actix_web::test]
async fn the_password_that_one_has_is_no_new_one() {
    let server = Server::start().await;
    let user = server.add_user("desk@farol.example");
    let path = link(&server, &user.email);
    let page = server.browser().post_form(&path, &[("password", &*user.password)]).await.is(422);
    assert!(problem(&page, "password").is_some_and(|said| said.contains("current password")), "{page}");
    let browser = server.signed_in(&user).await;
    let form = [("old_password", &*user.password), ("new_password", &*user.password)];
    let page = browser.post_form("/user_profile/password", &form).await.is(422);
    assert!(problem(&page, "new_password").is_some_and(|said| said.contains("current password")), "{page}");
    let said = server.run_with(&["user", "password", &user.email], &user.password).refused(1);
    assert!(said.contains("current password"), "{said}");
    server.signed_in(&user).await;
}
