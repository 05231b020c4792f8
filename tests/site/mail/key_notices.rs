//! Notices of keys: before and after their end, found, and tried after their withdrawal.

use crate::mails::{MailServer, outbox};
use crate::people::Person;
use crate::property::PROPERTIES;
use crate::server::Server;

/// Moves the end of the only key, created a year ago, to so many seconds from now.
async fn ends_in(server: &Server, seconds: i64) {
    server.set_moment("api_keys", "created_at", -365 * 86_400).await;
    server.set_moment("api_keys", "expires_at", seconds).await;
}

async fn begin() -> (MailServer, Server, Person) {
    let mail = MailServer::start();
    let server = mail.serve().await;
    let me = server.person("rita@farol.example").await;
    (mail, server, me)
}

#[actix_web::test]
async fn an_end_is_told_30_7_and_1_days_before_and_when_it_has_come_each_once_though_servers_are_killed() {
    let (mail, mut server, me) = begin().await;
    ends_in(&server, 25 * 86_400).await;
    // The same end comes nearer: what was told stays told.
    for (told, left, mails) in [(30, 25 * 86_400, 1), (7, 6 * 86_400, 2), (1, 86_000, 3)] {
        server.set_moment("api_keys", "expires_at", left).await;
        for _ in 0..2 {
            server.kill();
            server.restart();
            outbox(&server, "key_expires_soon", "sent_at", mails).await;
        }
        assert_eq!(server.texts("select cast(told_until as text) from api_keys").await, [told.to_string()]);
    }
    let soon = mail.mail(&me.user.email, "An API key is about to expire").await;
    assert!(soon.text().contains("Expires:") && soon.text().contains("Front desk"), "{}", soon.text());
    server.set_moment("api_keys", "expires_at", -60).await;
    for _ in 0..2 {
        server.restart();
        outbox(&server, "key_expired", "sent_at", 1).await;
    }
    let ended = mail.mail(&me.user.email, "An API key has expired").await;
    assert!(ended.text().contains("Front desk"), "{}", ended.text());
    assert_eq!(server.texts("select kind from outbox where kind like 'key_exp%'").await.len(), 4);
}

#[actix_web::test]
async fn a_key_that_lives_for_a_month_is_told_of_seven_days_before() {
    let (_mail, mut server, _me) = begin().await;
    server.set_moment("api_keys", "created_at", -86_400).await;
    server.set_moment("api_keys", "expires_at", 29 * 86_400).await;
    server.restart();
    assert_eq!(server.texts("select cast(told_until as text) from api_keys").await, ["0"]);
    server.set_moment("api_keys", "expires_at", 6 * 86_400).await;
    server.set_moment("api_keys", "created_at", -24 * 86_400).await;
    server.restart();
    outbox(&server, "key_expires_soon", "sent_at", 1).await;
    assert_eq!(server.texts("select cast(told_until as text) from api_keys").await, ["7"]);
}

#[actix_web::test]
async fn a_found_key_is_told_to_its_owner() {
    let (mail, server, me) = begin().await;
    server.anonymous().post_form("/leaked_key", &[("text", &me.key)]).await.is(200);
    let found = mail.mail(&me.user.email, "An API key was found, and withdrawn").await;
    let tail = &me.key[me.key.len() - 6..];
    assert!(found.text().contains(&format!("Front desk (***{tail})")), "{}", found.text());
    assert!(!found.text().contains(&me.key) && !found.text().contains("From:"), "{}", found.text());
    me.api.get(PROPERTIES).await.is(401);
}

#[actix_web::test]
async fn a_withdrawn_key_that_is_still_tried_is_told_once() {
    let (mail, mut server, me) = begin().await;
    me.browser.withdraw_key(&me.key).await;
    server.set_moment("api_keys", "withdrawn_at", -3_700).await;
    server.restart();
    for _ in 0..2 {
        let api = server.with_key(&me.key).always("user-agent", "PMS-X/2.1");
        for _ in 0..3 {
            api.get(PROPERTIES).await.is(401);
        }
        // Counts are written when a server ends.
        assert!(server.terminate().success());
        server.restart();
        outbox(&server, "withdrawn_key_used", "sent_at", 1).await;
    }
    let tried = mail.mail(&me.user.email, "A withdrawn API key is still tried").await;
    // The first of them may have been written before the others came.
    let rejected = ["Rejected: 1 request\n", "Rejected: 2 requests\n", "Rejected: 3 requests\n"];
    assert!(rejected.iter().any(|words| tried.text().contains(words)), "{}", tried.text());
    assert!(tried.text().contains("With: PMS-X 2.1") && tried.text().contains("From: 127.0.0.1"), "{}", tried.text());
}

#[actix_web::test]
async fn a_rotation_says_until_when_the_old_key_works() {
    let (mail, server, me) = begin().await;
    let id = me.browser.key_id(&me.key).await;
    let path = format!("/user_profile/api_keys/{id}/rotate");
    let shown = me.browser.register(me.browser.post_form(&path, &[("overlap", "24h"), ("expires", "never")]).await);
    shown.is(200);
    let rotated = mail.mail(&me.user.email, "An API key was rotated").await;
    assert!(rotated.text().contains("Old key works: at most until"), "{}", rotated.text());
    outbox(&server, "key_rotated", "sent_at", 1).await;
}
