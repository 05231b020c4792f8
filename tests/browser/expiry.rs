//! A session that ends while somebody types.

use crate::{
    chrome::Browser,
    people::User,
    server::Server,
    steps::{Row, before_the_list},
};

#[actix_web::test]
async fn a_title_typed_when_the_session_ends_survives_the_sign_in_with_javascript() {
    a_title_survives(true).await;
}

#[actix_web::test]
async fn a_title_typed_when_the_session_ends_survives_the_sign_in_without_javascript() {
    a_title_survives(false).await;
}

async fn a_title_survives(javascript: bool) {
    let (server, mut user, browser) = before_the_list(1280, javascript).await;
    let title = "Harbour & Söhne + 100% 🗝 <b>";
    browser.press("Create new API Key").await;
    browser.type_into("Title", title).await;
    end_sessions(&server, &mut user);
    browser.press("Create").await;
    assert_told_and_sign_in(&server, &user, &browser).await;

    browser.dialog("Create new API Key").await;
    let kept = browser.field("Title").await.value().await.unwrap();
    assert_eq!(kept.as_deref(), Some(title));
    browser.press("Create").await;
    let key = browser.key_shown(&server).await;
    browser.press("Close").await;
    assert_eq!(browser.rows().await, [Row::active(title, &key)]);
}

#[actix_web::test]
async fn a_name_typed_when_the_session_ends_survives_the_sign_in() {
    let (server, mut user, browser) = before_the_list(1280, true).await;
    browser.type_into("Name", "Rita & Rui").await;
    browser.field("Time zone").await.send_keys("Europe/Lisbon").await.unwrap();
    end_sessions(&server, &mut user);
    browser.press("Save").await;
    assert_told_and_sign_in(&server, &user, &browser).await;

    let typed = "return [document.getElementById('name').value, document.getElementById('time_zone').value].join()";
    browser.expect("what was typed", typed, "Rita & Rui,Europe/Lisbon").await;
    browser.press("Save").await;
    let header = "return document.querySelector('header .person span').textContent";
    browser.expect("the new name in the header", header, "Rita & Rui").await;
}

#[actix_web::test]
async fn a_withdrawal_asked_for_when_the_session_ends_is_asked_for_again() {
    let (server, mut user, browser) = before_the_list(1280, true).await;
    let key = browser.create_key(&server, "Harbour PMS").await;
    browser.press("Close").await;
    browser.press("Actions").await;
    browser.press("Withdraw").await;
    browser.dialog("Withdraw API Key").await;
    end_sessions(&server, &mut user);
    browser.press("Withdraw").await;
    browser.send_sign_in(&server, &user).await;
    browser.dialog("Withdraw API Key").await;
    server.with_key(&key).get("/api/v1/properties").await.is(200);
    browser.press("Withdraw").await;
    browser.no_dialog().await;
    assert_eq!(browser.rows().await, [Row::withdrawn("Harbour PMS", &key)]);
}

/// Gives the user another password, which ends all sessions.
fn end_sessions(server: &Server, user: &mut User) {
    user.password.push_str("-anew");
    server.secrets.register("password", &user.password);
    server.run_with(&["user", "password", &user.email], &user.password).ok();
}

async fn assert_told_and_sign_in(server: &Server, user: &User, browser: &Browser) {
    let notice = browser.first(".notice").await.text().await.unwrap();
    assert!(notice.contains("what you entered has been kept"), "{notice}");
    // A typing error on the way loses nothing either.
    browser.send_sign_in(server, &User { password: "not-the-password".to_owned(), ..user.clone() }).await;
    browser.first("#email_problem").await;
    browser.send_sign_in(server, user).await;
}
