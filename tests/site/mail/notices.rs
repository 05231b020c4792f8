//! Notices: who must know of a change gets a mail.

use serde_json::json;

use crate::mails::{MailServer, outbox};
use crate::page::until;
use crate::second_factor;

/// The subjects of the mails to an address, in the order in which they were written.
async fn kinds(server: &crate::server::Server) -> Vec<String> {
    server.texts("select kind from outbox order by created_at, id").await
}

#[actix_web::test]
async fn keys_and_browsers_are_told_of_with_where_and_when() {
    let mail = MailServer::start();
    let server = mail.serve().await;
    let me = server.person("rita@farol.example").await;
    let page = me.browser.get("/user_profile").await.is(200);
    assert!(page.text().contains("Front desk"));
    me.browser.withdraw_key(&me.key).await;
    me.browser.create_key("Back office").await;
    me.browser.create_key("<b>Bad</b> & \u{202f}“good”").await;
    me.browser.post_form("/user_profile/withdraw_all_keys", &[]).await.is(303);
    outbox(&server, "key_withdrawn", "sent_at", 2).await;
    let expected = ["new_browser", "key_created", "key_withdrawn", "key_created", "key_created", "key_withdrawn"];
    assert_eq!(kinds(&server).await, expected);
    let created = mail.mail(&me.user.email, "An API key was created").await;
    assert!(created.text().contains("From: 127.0.0.1"), "{}", created.text());
    assert!(
        created.html().contains("&#60;b&#62;Bad&#60;/b&#62;") || created.html().contains("&lt;b&gt;Bad"),
        "{}",
        created.html()
    );
    assert!(created.text().contains("<b>Bad</b> & \u{202f}“good”"), "{}", created.text());
    let all = mail.mail(&me.user.email, "All your API keys were withdrawn").await;
    assert!(all.text().contains("2 API keys can no longer be used."), "{}", all.text());
    let browser = mail.mail(&me.user.email, "New sign-in to Latchkey").await;
    assert!(browser.text().contains("UTC"), "{}", browser.text());
}

#[actix_web::test]
async fn what_the_host_does_is_told_in_the_name_of_the_host() {
    let mail = MailServer::start();
    let server = mail.options().env("LATCHKEY_HOST_NAME", "Farol Channels").start().await;
    let me = server.person("rita@farol.example").await;
    let id = me.browser.key_id(&me.key).await;
    server.run(&["key", "withdraw", &id]).ok();
    let withdrawn = mail.mail(&me.user.email, "An API key was withdrawn").await;
    assert!(
        withdrawn.text().contains("By: Farol Channels") && !withdrawn.text().contains("From:"),
        "{}",
        withdrawn.text()
    );
    server.run_with(&["user", "password", &me.user.email], &server.new_password()).ok();
    let changed = mail.mail(&me.user.email, "Your password was changed").await;
    assert!(changed.text().contains("By: Farol Channels"), "{}", changed.text());
}

#[actix_web::test]
async fn changes_of_the_password_and_of_the_second_factor_are_told() {
    let mail = MailServer::start();
    let server = second_factor::where_needed(mail.options()).start().await;
    let me = server.person("rita@farol.example").await;
    let new = server.new_password();
    let fields = [("old_password", &*me.user.password), ("new_password", &*new)];
    me.browser.post_form("/user_profile/password", &fields).await.is(303);
    let factor = server.enrol(&me.browser).await;
    mail.mail(&me.user.email, "Two-factor authentication is on").await;
    let user = crate::people::User { email: me.user.email.clone(), password: new };
    for code in &factor.recovery[..7] {
        second_factor::sign_in(&server.browser(), &user, code).await.is(303);
    }
    // Few are left after the seventh.
    outbox(&server, "recovery_code_used", "sent_at", 6).await;
    let low = mail.mail(&me.user.email, "Few recovery codes are left").await;
    assert!(low.text().contains("Left: 3 recovery codes"), "{}", low.text());
    server.let_codes_be_used_again().await;
    me.browser.post_form("/user_profile/second_factor/remove", &[("code", &factor.code(0))]).await.is(303);
    mail.mail(&me.user.email, "Two-factor authentication is off").await;
    mail.mail(&me.user.email, "Your password was changed").await;
    for secret in factor.recovery.iter().chain([&factor.secret]) {
        assert!(mail.accepted().iter().all(|mail| !mail.0.to_string().contains(secret.as_str())));
    }
}

#[actix_web::test]
async fn guessing_is_told_once_a_day_and_a_sign_in_that_stops_half_way_once_an_hour() {
    let mail = MailServer::start();
    let server = second_factor::where_needed(mail.options()).start().await;
    let me = server.person("rita@farol.example").await;
    let fail = async || {
        for failures in [9, 9] {
            server.sql(&format!("update attempts set failures = {failures}, closed_until = null")).await;
            server.browser().sign_in(&me.user.email, "wrong wrong wrong").await.is(422);
        }
    };
    server.browser().sign_in(&me.user.email, "wrong wrong wrong").await.is(422);
    fail().await;
    let mailed = "select kind from outbox where kind = 'guessing'";
    assert_eq!(server.texts(mailed).await.len(), 1);
    outbox(&server, "guessing", "sent_at", 1).await;
    assert_eq!(server.texts("select kind from activity where kind = 'guessing'").await.len(), 2);
    mail.mail(&me.user.email, "Many failed attempts to sign in").await;
    server.set_moment("outbox", "created_at", -86_401).await;
    fail().await;
    assert_eq!(server.texts(mailed).await.len(), 2);
    outbox(&server, "guessing", "sent_at", 2).await;
    // The right password without a code.
    server.enrol(&me.browser).await;
    for _ in 0..2 {
        server.sql("delete from attempts").await;
        server.browser().sign_in(&me.user.email, &me.user.password).await.is(303);
    }
    server.set_moment("pending_sign_ins", "created_at", -301).await;
    // They are looked for when a server starts.
    let mut server = server;
    server.restart();
    outbox(&server, "sign_in_half", "sent_at", 1).await;
    until("both are recorded", async || {
        (server.texts("select kind from activity where kind = 'sign_in_half'").await.len() == 2).then_some(())
    })
    .await;
    assert_eq!(server.texts("select kind from outbox where kind = 'sign_in_half'").await.len(), 1);
    let half = mail.mail(&me.user.email, "Somebody knows your password").await;
    assert!(half.text().contains("Nobody was signed in"), "{}", half.text());
}

#[actix_web::test]
async fn the_end_of_a_subscription_is_told_once_before_and_once_after() {
    let mail = MailServer::start();
    let server = mail.options().env("LATCHKEY_SUPPORT", "help@farol.example").start().await;
    let me = server.person("rita@farol.example").await;
    let browser = server.signed_in(&me.user).await;
    server.run(&["subscription", "cancel", &me.user.email]).ok();
    let mut server = server;
    for (seconds, kind, count) in
        [(8 * 86_400, "subscription_ending", 0), (6 * 86_400, "subscription_ending", 1), (-60, "subscription_ended", 1)]
    {
        server.set_moment("subscriptions", "period_ends_at", seconds).await;
        // Each start looks for them; so does each hour.
        for _ in 0..2 {
            server.restart();
            outbox(&server, kind, "sent_at", count).await;
        }
        if seconds == 6 * 86_400 {
            let browser = server.signed_in(&me.user).await;
            let page = browser.get("/user_profile").await.is(200);
            assert!(page.text().contains("Your subscription ends on"), "{page}");
        }
    }
    drop(browser);
    assert_eq!(
        server.texts("select kind from outbox where kind like 'subscription%' order by kind").await,
        ["subscription_ended", "subscription_ending"]
    );
    let ending = mail.mail(&me.user.email, "Your subscription is about to end").await;
    assert!(ending.text().contains("To renew it, ask help@farol.example."), "{}", ending.text());
    mail.mail(&me.user.email, "Your subscription has ended").await;
}

#[actix_web::test]
async fn a_name_with_line_breaks_adds_no_header() {
    let mail = MailServer::start();
    let refused = mail
        .options()
        .env("LATCHKEY_MAIL_FROM", "Farol\r\nBcc: eve@evil.example <mail@farol.example>")
        .start_refused()
        .await;
    assert!(refused.contains("control character"), "{refused}");
    let server = mail.options().env("LATCHKEY_HOST_NAME", "Farol\nBcc: eve@evil.example").start().await;
    let me = server.add_user("rita@farol.example");
    server.signed_in(&me).await;
    server.sql("update outbox set data = data").await;
    let mails = mail.mails(&me.email, 1).await;
    assert_eq!(mails[0].0["to"], json!([me.email]));
    let head = mails[0].0["raw"].as_str().expect("a mail").split("\r\n\r\n").next().expect("a head").to_lowercase();
    assert!(!head.lines().any(|line| line.starts_with("bcc:")), "{head}");
    // What people enter cannot have line breaks either, and a long subject is folded.
    assert!(mails[0].header("bcc").is_empty());
}
