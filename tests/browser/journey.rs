//! The main job, as a person does it with a mouse: from the sign-in to a withdrawn key.

use serde_json::json;

use crate::{
    chrome::{Browser, Scheme},
    server::Server,
    steps::Row,
};

#[actix_web::test]
async fn a_person_makes_a_key_uses_it_and_withdraws_it_with_javascript() {
    the_main_job(true).await;
}

#[actix_web::test]
async fn a_person_makes_a_key_uses_it_and_withdraws_it_without_javascript() {
    the_main_job(false).await;
}

async fn the_main_job(javascript: bool) {
    let server = Server::start().await;
    let user = server.add_subscriber("desk@farol.example");
    let browser = Browser::open(1280, Scheme::Light, javascript).await;

    browser.visit(format!("{}/sign_in", server.base_url)).await;
    browser.send_sign_in(&server, &user).await;
    browser.press("User Profile").await;
    assert_eq!(browser.rows().await, []);

    browser.press("Create new API Key").await;
    browser.dialog("Create new API Key").await;
    browser.type_into("Title", "Harbour PMS").await;
    browser.press("Create").await;
    let key = browser.key_shown(&server).await;
    let told = browser.dialog("API Key created").await;
    assert!(told.contains("Harbour PMS") && told.contains("It is shown only this once."), "{told}");
    server.with_key(&key).get("/api/v1/properties/").await.is(200);

    browser.press("Close").await;
    browser.no_dialog().await;
    assert_eq!(browser.rows().await, [Row::active("Harbour PMS", &key)]);
    assert!(!browser.everything().await.contains(&key), "the key is still on the page");

    browser.press("Actions").await;
    browser.press("Withdraw").await;
    let told = browser.dialog("Withdraw API Key").await;
    assert!(told.contains("Harbour PMS") && told.contains(&key[key.len() - 6..]), "names the key: {told}");
    server.with_key(&key).get("/api/v1/properties/").await.is(200);
    browser.press("Withdraw").await;
    browser.no_dialog().await;
    assert_eq!(browser.rows().await, [Row::withdrawn("Harbour PMS", &key)]);
    let notice = browser.first("[role=status]").await.text().await.unwrap();
    assert!(notice.contains("withdrawn"), "{notice}");
    let refused = server.with_key(&key).get("/api/v1/properties/").await;
    assert_eq!(refused.is(401).json()["errors"]["code"], json!("unauthorized"));
    browser.assert_quiet_console().await;
}
