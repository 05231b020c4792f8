//! The pages that keep an account safe: sessions, confirmation, two-factor authentication.

use crate::{
    chrome::{Browser, Scheme},
    keyboard::Key,
    second_factor::{code, where_needed},
    server::Server,
};

#[actix_web::test]
async fn the_pages_of_sessions_and_confirmation_look_right_with_javascript() {
    sessions_look(true).await;
}

#[actix_web::test]
async fn the_pages_of_sessions_and_confirmation_look_right_without_javascript() {
    sessions_look(false).await;
}

async fn sessions_look(javascript: bool) {
    let server = Server::options().env("LATCHKEY_SUPPORT", "help@farol.example").start().await;
    let user = server.add_subscriber("a.very.long.address.of.an.owner@the-lighthouse-at-the-end-of-the-world.example");
    let long = "HarbourPropertyManagementSystem".repeat(8);
    let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 \
        Safari/537.36";
    for client in [windows, &long, "", "<b>curl/8.5.0</b>"] {
        let form = [("email", &*user.email), ("password", &*user.password)];
        server.browser().post_form("/sign_in", &form).header("user-agent", client).await.is(303);
    }
    let mut browser = Browser::open(1280, Scheme::Light, javascript).await;
    browser.arrive(&server, &user).await;
    browser.looks_right("profile-security", 200).await;
    browser.press("Sessions").await;
    browser.looks_right("sessions", 200).await;
    // Ten minutes later somebody is asked again, and comes back.
    server.set_moment("sessions", "confirmed_at", -601).await;
    browser.press("Sign out everywhere else").await;
    browser.looks_right("confirm", 200).await;
    browser.type_into("Password", "not the password").await;
    browser.press_in("main", "Confirm").await;
    browser.looks_right("confirm-wrong", 422).await;
    browser.type_into("Password", &user.password).await;
    browser.press_in("main", "Confirm").await;
    browser.press("Sign out everywhere else").await;
    assert!(browser.everything().await.contains("Signed out in 4 other browsers."));
    browser.looks_right("sessions-one", 200).await;
}

#[actix_web::test]
async fn two_factor_authentication_looks_right_and_works_with_javascript() {
    second_factor_looks(true).await;
}

#[actix_web::test]
async fn two_factor_authentication_looks_right_and_works_without_javascript() {
    second_factor_looks(false).await;
}

async fn second_factor_looks(javascript: bool) {
    let options = Server::options().env("LATCHKEY_SUPPORT", "help@farol.example");
    let server = where_needed(options).env("LATCHKEY_HOST_NAME", "The Lighthouse Hotels").start().await;
    let user = server.add_subscriber("desk@farol.example");
    let mut browser = Browser::open(1280, Scheme::Light, javascript).await;
    browser.arrive(&server, &user).await;
    browser.press("Two-factor authentication").await;
    browser.looks_right("second-factor-off", 200).await;
    browser.press("Set up").await;
    browser.looks_right("second-factor-set-up", 200).await;
    let secret = browser.first("#secret").await.text().await.expect("a secret").replace(' ', "");
    server.secrets.register("secret of an authenticator app", &secret);
    browser.type_into("Code", "000 000").await;
    browser.press("Turn on").await;
    browser.looks_right("second-factor-wrong", 422).await;
    assert_eq!(browser.first("#secret").await.text().await.expect("a secret").replace(' ', ""), secret);
    browser.type_into("Code", &code(&secret, 0)).await;
    browser.press("Turn on").await;
    browser.looks_right("recovery-codes", 200).await;
    let codes: Vec<String> =
        browser.first("#recovery_codes").await.text().await.expect("codes").lines().map(str::to_owned).collect();
    assert_eq!(codes.len(), 10);
    for code in &codes {
        server.secrets.register("recovery code", code);
    }
    browser.press("I have stored them").await;
    browser.looks_right("second-factor-on", 200).await;
    browser.press("Turn off").await;
    browser.looks_right("second-factor-remove", 200).await;
    // Signing in, by keyboard alone.
    browser.press("Sign out").await;
    browser.send_sign_in(&server, &user).await;
    browser.looks_right("sign-in-code", 200).await;
    browser.begins_at("Code").await;
    browser.type_text("111111").await;
    browser.strike(Key::Enter).await;
    browser.expect("the reason", "return document.getElementById('code_problem') !== null", true).await;
    browser.looks_right("sign-in-code-wrong", 422).await;
    browser.press("Use a recovery code").await;
    browser.looks_right("sign-in-recovery", 200).await;
    browser.begins_at("Recovery code").await;
    browser.type_text(&codes[0]).await;
    browser.strike(Key::Enter).await;
    browser.expect("the profile", "return location.pathname", "/user_profile".to_owned()).await;
}
