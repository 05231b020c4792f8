//! A forgotten password.

use crate::mails::{MailServer, outbox};
use crate::page::{problem, seen, until};
use crate::property::PROPERTIES;
use crate::second_factor;

const SUBJECT: &str = "Set a new password";
const NEW: &str = "seven boats at noon";

#[actix_web::test]
async fn a_link_by_mail_sets_a_new_password_once_and_leaves_keys_alone() {
    let mail = MailServer::start();
    let server = mail.serve().await;
    server.secrets.register("password", NEW);
    let me = server.person("rita@farol.example").await;
    let browser = server.browser();
    let page = browser.get("/sign_in").await.is(200);
    assert!(page.text().contains("href=\"/reset_password\""), "{page}");
    let asked = browser.post_form("/reset_password", &[("email", " Rita@Farol.example")]).await.is(200);
    let words = "If there is an account for that address, a link is on its way.";
    assert!(seen(asked.text()).contains(words), "{asked}");
    let path = mail.link(&server, &me.user.email, SUBJECT).await;
    assert!(path.starts_with("/reset_password/"), "{path}");
    // Mail scanners open links: only a POST uses one up.
    for _ in 0..5 {
        browser.get(&path).await.is(200);
        browser.head(&path).await.is(200);
    }
    let page = browser.get(&path).await.is(200);
    assert!(seen(page.text()).contains("Your API keys stay as they are."), "{page}");
    assert!(page.text().contains("Set password"), "{page}");
    for (password, reason) in [("short", "at least 15"), (&*me.user.password, "present password")] {
        let again = browser.post_form(&path, &[("password", password)]).await.is(422);
        assert!(problem(&again, "password").is_some(), "{reason}: {again}");
    }
    let set = browser.post_form(&path, &[("password", NEW)]).await.is(303);
    assert_eq!(set.header("location"), Some("/sign_in?notice=password_set"));
    // Used up, and nobody is signed in.
    let used = browser.post_form(&path, &[("password", "eight boats at dusk")]).await.is(404);
    let text = seen(used.text());
    assert!(text.contains("This link was already used or has expired."), "{text}");
    assert!(used.text().contains("href=\"/sign_in\"") && used.text().contains("href=\"/reset_password\""), "{used}");
    browser.get("/user_profile").await.is(303);
    me.browser.get("/user_profile").await.is(303);
    me.api.get(PROPERTIES).await.is(200);
    server.browser().sign_in(&me.user.email, &me.user.password).await.is(422);
    browser.sign_in(&me.user.email, NEW).await.is(303);
    let done = mail.mail(&me.user.email, "Your password was set with a link").await;
    assert!(done.text().contains("keep working"), "{}", done.text());
    let kinds =
        server.texts("select kind from activity where kind in ('reset_asked', 'password_reset') order by id").await;
    assert_eq!(kinds, ["reset_asked", "password_reset"]);
}

#[actix_web::test]
async fn an_unknown_address_gets_the_same_response_and_no_mail() {
    let mail = MailServer::start();
    let server = mail.serve().await;
    let user = server.add_user("rita@farol.example");
    let off = server.add_user("gone@farol.example");
    server.run(&["user", "deactivate", &off.email]).ok();
    let client = server.browser();
    let ask = async |email: &str| client.post_form("/reset_password", &[("email", email)]).await;
    let known = ask(&user.email).await;
    for unknown in ["nobody@farol.example", &off.email] {
        let response = ask(unknown).await;
        assert_eq!(response.text().replace(unknown, &user.email), known.text());
        assert_eq!(response.status, known.status);
    }
    mail.mails(&user.email, 1).await;
    // Nothing is kept of the others.
    until("the outbox has one row", async || (server.count("outbox").await == 1).then_some(())).await;
    assert_eq!(mail.accepted().len(), 1);
    let wrong = ask("nobody").await.is(422);
    assert!(problem(&wrong, "email").is_some_and(|told| told.contains("not an email address")), "{wrong}");
}

#[actix_web::test]
async fn links_are_on_the_base_url_whatever_host_was_asked() {
    let mail = MailServer::start();
    let server = mail.serve().await;
    let user = server.add_user("rita@farol.example");
    let browser = server.browser();
    let call = browser.post_form("/reset_password", &[("email", &user.email)]);
    call.header("host", "evil.example").header("x-forwarded-host", "evil.example").answer().await;
    server.browser().post_form("/reset_password", &[("email", &user.email)]).await.is(200);
    let path = mail.link(&server, &user.email, SUBJECT).await;
    assert!(path.starts_with("/reset_password/"));
    assert!(mail.accepted().iter().all(|mail| !mail.0.to_string().contains("evil.example")));
}

#[actix_web::test]
async fn the_second_factor_is_asked_for_and_a_wrong_code_does_not_use_the_link_up() {
    let mail = MailServer::start();
    let server = second_factor::where_needed(mail.options()).start().await;
    server.secrets.register("password", NEW);
    let me = server.person("rita@farol.example").await;
    let factor = server.enrol(&me.browser).await;
    server.let_codes_be_used_again().await;
    server.browser().post_form("/reset_password", &[("email", &me.user.email)]).await.is(200);
    let path = mail.link(&server, &me.user.email, SUBJECT).await;
    let browser = server.browser();
    assert!(browser.get(&path).await.is(200).text().contains("name=\"code\""));
    let wrong = second_factor::wrong_code(&factor.secret);
    for code in ["", &wrong] {
        let refused = browser.post_form(&path, &[("password", NEW), ("code", code)]).await.is(422);
        assert!(problem(&refused, "code").is_some(), "{refused}");
    }
    // They count like wrong codes of a sign-in.
    let counted = "select cast(failures as text) from attempts where subject like 'code:%'";
    assert_eq!(server.texts(counted).await, ["2"]);
    server.browser().sign_in(&me.user.email, NEW).await.is(422);
    browser.post_form(&path, &[("password", NEW), ("code", &factor.recovery[0])]).await.is(303);
    browser.post_form(&path, &[("password", "eight boats at dusk"), ("code", &factor.code(0))]).await.is(404);
    me.browser.get("/user_profile").await.is(303);
    let signed = browser.sign_in(&me.user.email, NEW).await.is(303);
    assert!(signed.header("location").is_some_and(|to| to.starts_with("/sign_in/second_factor")), "{signed}");
}

#[actix_web::test]
async fn a_link_ends_after_half_an_hour_and_with_its_account() {
    let mail = MailServer::start();
    let server = mail.serve().await;
    let user = server.add_user("rita@farol.example");
    server.browser().post_form("/reset_password", &[("email", &user.email)]).await.is(200);
    let path = mail.link(&server, &user.email, SUBJECT).await;
    let lasts = match server.database_url() {
        Some(_) => "select cast(round(extract(epoch from expires_at - created_at) / 60) as text) from user_links",
        None => {
            "select cast(cast(round((julianday(expires_at) - julianday(created_at)) * 1440) as integer) as text) from user_links"
        }
    };
    assert_eq!(server.texts(lasts).await, ["30"]);
    server.run(&["user", "deactivate", &user.email]).ok();
    server.browser().get(&path).await.is(404);
    server.run(&["user", "activate", &user.email]).ok();
    server.browser().get(&path).await.is(200);
    // A link is good for what it was made for alone.
    for other in ["/welcome/", "/email/", "/email/undo/", "/sign_up/"] {
        let path = path.replace("/reset_password/", other);
        server.browser().get(&path).await.is(404);
        server.browser().post_form(&path, &[("password", NEW), ("name", "Eve")]).await.is(404);
    }
    server.set_moment("user_links", "expires_at", -1).await;
    server.browser().get(&path).await.is(404);
    server.browser().post_form(&path, &[("password", NEW)]).await.is(404);
}

#[actix_web::test]
async fn of_two_resets_at_once_one_wins() {
    let mail = MailServer::start();
    let server = mail.serve().await;
    let user = server.add_user("rita@farol.example");
    server.browser().post_form("/reset_password", &[("email", &user.email)]).await.is(200);
    let path = mail.link(&server, &user.email, SUBJECT).await;
    let passwords = [server.new_password(), server.new_password()];
    let client = server.browser();
    let calls = passwords.each_ref().map(|password| client.post_form(&path, &[("password", password)]));
    let mut statuses: Vec<u16> = crate::client::at_once(calls).await.iter().map(|response| response.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404]);
    let mut opens = 0;
    for password in &passwords {
        opens += usize::from(server.browser().sign_in(&user.email, password).await.status == 303);
    }
    assert_eq!(opens, 1);
}

#[actix_web::test]
async fn an_address_gets_three_mails_an_hour_and_a_client_asks_for_ten() {
    let mail = MailServer::start();
    let server = mail.serve().await;
    let user = server.add_user("rita@farol.example");
    let client = server.browser();
    for _ in 0..5 {
        client.post_form("/reset_password", &[("email", &user.email)]).await.is(200);
    }
    outbox(&server, "reset", "sent_at", 3).await;
    assert_eq!(server.count("outbox").await, 3);
    for number in 0..5 {
        client.post_form("/reset_password", &[("email", &format!("nobody{number}@farol.example"))]).await.is(200);
    }
    let closed = client.post_form("/reset_password", &[("email", "nobody@farol.example")]).await.is(429);
    assert!(closed.header("retry-after").is_some(), "{closed}");
    assert!(problem(&closed, "email").is_some_and(|told| told.contains("Try again in 60 minutes")), "{closed}");
    server.set_moment("attempts", "closed_until", -1).await;
    server.set_moment("attempts", "began_at", -3_601).await;
    client.post_form("/reset_password", &[("email", "nobody@farol.example")]).await.is(200);
    server.set_moment("outbox", "created_at", -3_601).await;
    client.post_form("/reset_password", &[("email", &user.email)]).await.is(200);
    outbox(&server, "reset", "sent_at", 4).await;
}

#[actix_web::test]
async fn a_reset_opens_what_a_hundred_failures_closed() {
    let mail = MailServer::start();
    let server = mail.serve().await;
    server.secrets.register("password", NEW);
    let user = server.add_user("rita@farol.example");
    server.browser().sign_in(&user.email, "wrong wrong wrong").await.is(422);
    server.sql("update attempts set failures = 100, closed_until = null where subject like 'account:%'").await;
    let closed = server.browser().sign_in(&user.email, &user.password).await.is(429);
    assert!(seen(closed.text()).contains("ask for a new password"), "{closed}");
    server.browser().post_form("/reset_password", &[("email", &user.email)]).await.is(200);
    let path = mail.link(&server, &user.email, SUBJECT).await;
    server.browser().post_form(&path, &[("password", NEW)]).await.is(303);
    server.browser().sign_in(&user.email, NEW).await.is(303);
}
