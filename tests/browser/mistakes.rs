//! What people type wrongly stays as they typed it, with the reason beside it.

use serde::Deserialize;

use crate::{
    chrome::{Browser, Scheme},
    people::User,
    server::Server,
    steps::before_the_list,
};

/// A field that was refused.
#[derive(Debug, Deserialize)]
struct Refused {
    value: String,
    /// What screen readers add to its name.
    described: String,
    invalid: bool,
    focused: bool,
    /// Pixels between the field and the first line below it that explains it.
    distance: f64,
}

impl Browser {
    async fn refused(&self, label: &str) -> Refused {
        self.field(label).await;
        let script = format!(
            "const label = [...document.querySelectorAll('label')].find(one => one.textContent.trim() === '{label}');
            const field = label.control, ids = field.getAttribute('aria-describedby')?.split(' ') ?? [];
            const seen = ids.map(id => document.getElementById(id)).filter(one => one.checkVisibility());
            return {{
                value: field.value,
                described: seen.map(one => one.textContent).join(' '),
                invalid: field.getAttribute('aria-invalid') === 'true',
                focused: document.activeElement === field,
                distance: seen.length ? seen[0].getBoundingClientRect().top - field.getBoundingClientRect().bottom : 999,
            }};"
        );
        self.reads(&format!("the field {label}"), &script).await
    }

    /// The field is marked, says `reason` right below itself, has the focus, and still holds what was typed.
    async fn assert_refused(&self, label: &str, typed: &str, reason: &str) {
        let field = self.refused(label).await;
        assert_eq!(field.value, typed, "what was typed as {label}");
        assert!(field.described.contains(reason), "the reason beside {label}: {field:?}");
        assert!(field.invalid && field.focused, "{field:?}");
        assert!((0.0..16.0).contains(&field.distance), "{field:?}");
    }
}

const TOO_LONG: &str = "(you entered 256)";

#[actix_web::test]
async fn a_wrong_password_leaves_the_email_and_asks_for_the_password_again() {
    let server = Server::start().await;
    let user = server.add_user("desk@farol.example");
    let browser = Browser::open(1280, Scheme::Light, false).await;
    browser.visit(format!("{}/sign_in", server.base_url)).await;
    browser.send_sign_in(&server, &User { password: "not-the-password".to_owned(), ..user.clone() }).await;

    let email = browser.refused("Email").await;
    assert_eq!(email.value, user.email);
    assert!(email.invalid && email.described.contains("Incorrect email or password."), "{email:?}");
    assert!((0.0..16.0).contains(&email.distance), "{email:?}");
    let password = browser.refused("Password").await;
    assert!(password.value.is_empty() && password.focused, "{password:?}");
    assert!(password.described.contains("Incorrect email or password."), "{password:?}");

    browser.send_sign_in(&server, &user).await;
    browser.no_dialog().await;
}

#[actix_web::test]
async fn a_title_that_will_not_do_is_still_there_with_javascript() {
    titles_that_will_not_do(true).await;
}

#[actix_web::test]
async fn a_title_that_will_not_do_is_still_there_without_javascript() {
    titles_that_will_not_do(false).await;
}

async fn titles_that_will_not_do(javascript: bool) {
    let (server, _, browser) = before_the_list(1280, javascript).await;
    browser.press("Create new API Key").await;
    browser.press("Create").await;
    browser.dialog("Create new API Key").await;
    browser.assert_refused("Title", "", "Enter a title").await;

    // Characters, not UTF-16 units: each of these is two.
    let long = "🗝".repeat(256);
    browser.type_into("Title", &long).await;
    browser.press("Create").await;
    browser.dialog("Create new API Key").await;
    browser.assert_refused("Title", &long, TOO_LONG).await;

    let longest = "🗝".repeat(255);
    browser.type_into("Title", &longest).await;
    browser.press("Create").await;
    browser.key_shown(&server).await;
    browser.press("Close").await;
    assert_eq!(browser.rows().await[0].title, longest);
}

#[actix_web::test]
async fn a_name_that_will_not_do_is_still_there_beside_the_rest_of_the_form() {
    let (_server, _, browser) = before_the_list(1280, true).await;
    let long = "é".repeat(256);
    browser.type_into("Name", &long).await;
    browser.field("Time zone").await.send_keys("Europe/Lisbon").await.unwrap();
    browser.press("Save").await;
    browser.assert_refused("Name", &long, TOO_LONG).await;
    let zone = browser.refused("Time zone").await;
    assert_eq!((zone.value.as_str(), zone.invalid), ("Europe/Lisbon", false));

    browser.type_into("Name", "Rita Farol").await;
    browser.press("Save").await;
    let header = "return document.querySelector('header .person span').textContent";
    browser.expect("the new name in the header", header, "Rita Farol").await;
    assert_eq!(browser.refused("Time zone").await.value, "Europe/Lisbon");
}

#[actix_web::test]
async fn a_password_that_will_not_do_says_why_and_is_not_sent_back() {
    let (_server, user, browser) = before_the_list(1280, true).await;
    browser.type_into("Current password", "not-the-password").await;
    browser.type_into("New password", "short").await;
    browser.press("Change password").await;
    browser.assert_refused("Current password", "", "This is not your current password.").await;
    let new = browser.refused("New password").await;
    assert!(new.invalid && new.value.is_empty() && new.described.contains("15"), "{new:?}");

    browser.type_into("Current password", &user.password).await;
    browser.type_into("New password", "short").await;
    browser.press("Change password").await;
    browser.assert_refused("New password", "", "15").await;
    assert!(!browser.refused("Current password").await.invalid);
}
