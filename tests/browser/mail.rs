//! The pages behind links in mails, and the mails themselves.

use std::fs;

use crate::{
    chrome::{Browser, Scheme},
    mails::{Mail, MailServer},
    people::User,
    second_factor::where_needed,
};

const OWNER: &str = "a.very.long.address.of.an.owner@the-lighthouse-at-the-end-of-the-world.example";
const NEW: &str = "rita.ferreira@farol.example";

#[actix_web::test]
async fn a_forgotten_password_is_set_anew_with_javascript() {
    forgotten(true).await;
}

#[actix_web::test]
async fn a_forgotten_password_is_set_anew_without_javascript() {
    forgotten(false).await;
}

async fn forgotten(javascript: bool) {
    let mail = MailServer::start();
    let server = where_needed(mail.options())
        .env("LATCHKEY_HOST_NAME", "The Lighthouse Hotels")
        .env("LATCHKEY_SUPPORT", "help@farol.example")
        .env("LATCHKEY_SIGN_UP", "open")
        .start()
        .await;
    let user = server.add_subscriber(OWNER);
    let factor = {
        let browser = server.signed_in(&user).await;
        server.enrol(&browser).await
    };
    server.let_codes_be_used_again().await;
    let mut browser = Browser::open(1280, Scheme::Light, javascript).await;
    browser.visit(format!("{}/sign_in", server.base_url)).await;
    browser.looks_right("sign-in-with-mail", 200).await;
    browser.press("Forgot your password?").await;
    browser.looks_right("reset", 200).await;
    browser.type_into("Email", OWNER).await;
    browser.press("Send the link").await;
    browser.looks_right("reset-asked", 200).await;
    let path = mail.link(&server, OWNER, "Set a new password").await;
    browser.visit(format!("{}{path}", server.base_url)).await;
    browser.looks_right("new-password", 200).await;
    let password = server.new_password();
    browser.type_into("New password", &password).await;
    browser.type_into("Code", "000000").await;
    browser.press("Set password").await;
    browser.looks_right("new-password-wrong-code", 422).await;
    browser.type_into("New password", &password).await;
    browser.type_into("Code", &factor.recovery[0]).await;
    browser.press("Set password").await;
    assert!(browser.everything().await.contains("Your password is set."));
    browser.visit(format!("{}{path}", server.base_url)).await;
    browser.looks_right("link-ended", 404).await;
    browser.press("sign in").await;
    browser.press("Sign up").await;
    browser.looks_right("sign-up", 200).await;
    browser.type_into("Email", NEW).await;
    browser.press("Sign up").await;
    browser.looks_right("sign-up-asked", 200).await;
    let path = mail.link(&server, NEW, "Your account at The Lighthouse Hotels").await;
    browser.visit(format!("{}{path}", server.base_url)).await;
    browser.type_into("Name", "Rita").await;
    browser.type_into("Password", &password).await;
    browser.press("Create account").await;
    browser.send_sign_in(&server, &User { email: NEW.to_owned(), password }).await;
    assert_eq!(browser.current_url().await.unwrap().path(), "/user_profile");
}

#[actix_web::test]
async fn an_email_address_is_changed_and_changed_back_with_javascript() {
    changed(true).await;
}

#[actix_web::test]
async fn an_email_address_is_changed_and_changed_back_without_javascript() {
    changed(false).await;
}

async fn changed(javascript: bool) {
    let mail = MailServer::start();
    let server = mail.options().env("LATCHKEY_SUPPORT", "help@farol.example").start().await;
    let user = server.add_subscriber(OWNER);
    server.run(&["subscription", "cancel", &user.email]).ok();
    server.set_moment("subscriptions", "period_ends_at", 3 * 86_400).await;
    let mut browser = Browser::open(1280, Scheme::Light, javascript).await;
    browser.arrive(&server, &user).await;
    browser.type_into("New email", OWNER).await;
    browser.press("Change email").await;
    browser.looks_right("email-wrong", 422).await;
    browser.type_into("New email", NEW).await;
    browser.press("Change email").await;
    browser.looks_right("email-asked", 200).await;
    let path = mail.link(&server, NEW, "Confirm your new email address").await;
    browser.visit(format!("{}{path}", server.base_url)).await;
    browser.looks_right("email-confirm", 200).await;
    browser.press("Confirm").await;
    let undo = mail.link(&server, OWNER, "Your email address was changed").await;
    browser.visit(format!("{}{undo}", server.base_url)).await;
    browser.looks_right("email-undo", 200).await;
    browser.press("This was not me").await;
    assert!(browser.everything().await.contains("Your email address is changed back."));
    mail.link(&server, OWNER, "Set a new password").await;
}

/// A mail as mail programs show it.
async fn look(browser: &mut Browser, mail: &Mail, name: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mail.html");
    fs::write(&file, mail.html()).expect("a file");
    browser.visit(format!("file://{}", file.display())).await;
    for (width, scheme) in [(360, Scheme::Light), (360, Scheme::Dark), (1280, Scheme::Light), (1280, Scheme::Dark)] {
        browser.look(width, scheme).await;
        browser.screenshot(name).await;
        browser.assert_no_sideways_scroll().await;
    }
    crate::axe::assert_accessible(browser).await;
}

#[actix_web::test]
async fn mails_fit_on_a_phone_by_day_and_by_night() {
    let mail = MailServer::start();
    let server = mail
        .options()
        .env("LATCHKEY_HOST_NAME", "The Lighthouse Hotels")
        .env("LATCHKEY_SUPPORT", "help@farol.example")
        .start()
        .await;
    let user = server.add_subscriber(OWNER);
    let browser = server.signed_in(&user).await;
    browser.create_key(&"HarbourPropertyManagementSystem".repeat(8)).await;
    browser.post_form("/reset_password", &[("email", OWNER)]).await.is(200);
    let invited = server.run(&["user", "invite", NEW]).ok();
    server.secrets.register("link", invited.lines().next().and_then(|line| line.rsplit('/').next()).expect("a token"));
    mail.link(&server, OWNER, "Set a new password").await;
    mail.link(&server, NEW, "You are invited to The Lighthouse Hotels").await;
    let mut browser = Browser::open(360, Scheme::Light, true).await;
    for (to, subject, name) in [
        (OWNER, "An API key was created", "mail-key-created"),
        (OWNER, "New sign-in to The Lighthouse Hotels", "mail-new-browser"),
        (OWNER, "Set a new password", "mail-reset"),
        (NEW, "You are invited to The Lighthouse Hotels", "mail-invitation"),
    ] {
        look(&mut browser, &mail.mail(to, subject).await, name).await;
    }
}
