//! The dialogs that give a key an end and addresses, and that rotate it.

use serde_json::json;

use crate::{
    chrome::{Browser, Scheme},
    people::User,
    server::Server,
    steps::Row,
};

#[actix_web::test]
async fn the_dialogs_of_ends_and_rotations_look_right_and_work_with_javascript() {
    dialogs(true).await;
}

#[actix_web::test]
async fn the_dialogs_of_ends_and_rotations_look_right_and_work_without_javascript() {
    dialogs(false).await;
}

/// Chooses an entry of a list by its words.
async fn choose(browser: &Browser, label: &str, words: &str) {
    browser.field(label).await.send_keys(words).await.expect("a list");
}

/// Sets the last day, which is typed in as many ways as there are languages.
async fn set_day(browser: &Browser, day: &str) {
    browser.run(&format!("document.getElementById('expires_on').value = '{day}'")).await;
}

/// Types into the field for addresses, which the buttons of the dialog may cover.
async fn enter_addresses(browser: &Browser, addresses: &str) {
    browser.run("document.getElementById('allowed_addresses').scrollIntoView({ block: 'center' })").await;
    browser.type_into("Allowed addresses", addresses).await;
}

async fn shows_day(browser: &Browser, is_shown: bool) {
    let script = "return document.getElementById('expires_on').checkVisibility()";
    browser.expect("the field for the day", script, is_shown).await;
}

async fn dialogs(javascript: bool) {
    let server = Server::start().await;
    let user = server.add_subscriber("desk@farol.example");
    let mut browser = Browser::open(1280, Scheme::Light, javascript).await;
    browser.arrive(&server, &user).await;

    let old = creates(&server, &mut browser).await;
    edits(&server, &user, &mut browser).await;
    let new = rotates(&server, &mut browser, &old).await;
    states(&server, &user, &mut browser).await;
    server.with_key(&old).get("/api/v1/properties").await.is(401);
    server.with_key(&new).get("/api/v1/properties").await.is(200);
}

/// The field for a day is there only with "On a date".
async fn creates(server: &Server, browser: &mut Browser) -> String {
    browser.press("Create new API Key").await;
    browser.type_into("Title", "Harbour PMS").await;
    shows_day(browser, false).await;
    browser.looks_right("key-create-life", 200).await;
    choose(browser, "Expires", "On a date").await;
    shows_day(browser, true).await;
    set_day(browser, "2020-02-29").await;
    enter_addresses(browser, "10.0.0.5/8\npms.example").await;
    browser.press("Create").await;
    let told = browser.dialog("Create new API Key").await;
    for words in ["This day is over", "did you mean 10.0.0.0/8?", "is a name", "You are at 127.0.0.1"] {
        assert!(told.contains(words), "{told}");
    }
    shows_day(browser, true).await;
    browser.looks_right("key-create-life-wrong", 422).await;
    choose(browser, "Expires", "In 90 days").await;
    shows_day(browser, true).await;
    enter_addresses(browser, "127.0.0.0/8\n2001:db8::/48").await;
    browser.press("Create").await;
    let old = browser.key_shown(server).await;
    server.with_key(&old).get("/api/v1/properties").await.is(200);
    browser.press("Close").await;
    browser.no_dialog().await;

    old
}

/// As the form opens it has what the key has; what narrows is saved at once.
async fn edits(server: &Server, user: &User, browser: &mut Browser) {
    browser.press("Actions").await;
    browser.looks_right("key-actions", 200).await;
    browser.visit(format!("{}/user_profile", server.base_url)).await;
    browser.press("Actions").await;
    browser.press("Edit").await;
    browser.dialog("Edit API Key").await;
    shows_day(browser, true).await;
    browser.looks_right("key-edit", 200).await;
    server.set_moment("sessions", "confirmed_at", -601).await;
    browser.type_into("Title", "Harbour PMS, renamed").await;
    browser.press_in("dialog", "Save").await;
    browser.no_dialog().await;
    let saved = browser.first(".notice").await.text().await.expect("a notice");
    assert_eq!(saved, "API key saved.");

    // More addresses ask who it is, and the form comes back filled in.
    browser.press("Actions").await;
    browser.press("Edit").await;
    enter_addresses(browser, "").await;
    browser.press_in("dialog", "Save").await;
    browser.type_into("Password", &user.password).await;
    browser.press_in("main", "Confirm").await;
    browser.dialog("Edit API Key").await;
    assert_eq!(browser.field("Allowed addresses").await.value().await.unwrap().as_deref(), Some(""));
    browser.press_in("dialog", "Save").await;
    browser.no_dialog().await;
}

/// Both keys work.
async fn rotates(server: &Server, browser: &mut Browser, old: &str) -> String {
    browser.press("Actions").await;
    browser.press("Rotate").await;
    browser.dialog("Rotate API Key").await;
    browser.looks_right("key-rotate", 200).await;
    choose(browser, "The old key still works", "Until it is no longer used").await;
    browser.press_in("dialog", "Rotate").await;
    let new = browser.key_shown(server).await;
    let told = browser.dialog("API Key created").await;
    assert!(told.contains("The old key works until it has not been used for 24 hours"), "{told}");
    for key in [old, &*new] {
        server.with_key(key).get("/api/v1/properties").await.is(200);
    }
    browser.press("Close").await;
    browser.no_dialog().await;
    let title = "Harbour PMS, renamed";
    let replaced = Row { status: "replaced".to_owned(), ..Row::active(title, old) };
    assert_eq!(browser.rows().await, [Row::active(title, &new), replaced]);

    new
}

/// Every state of the list; the old key is ended by hand.
async fn states(server: &Server, user: &User, browser: &mut Browser) {
    let desk = server.signed_in(user).await;
    for title in ["Expired", "Soon"] {
        let key = desk.create_key(title).await;
        let id = desk.key_id(&key).await;
        server.run(&["key", "expire", &id, "2031-01-01"]).ok();
    }
    server.set_moment_where("api_keys", "expires_at", -100, "title = 'Expired'").await;
    server.set_moment_where("api_keys", "expires_at", 86_400 * 20, "title = 'Soon'").await;
    let lost = desk.create_key("At once").await;
    let rotate = format!("/user_profile/api_keys/{}/rotate", desk.key_id(&lost).await);
    desk.register(desk.post_form(&rotate, &[("overlap", "now")]).await).is(200);
    browser.refresh().await.expect("a reload");
    browser.looks_right("key-states", 200).await;
    let statuses: Vec<String> = browser.rows().await.into_iter().map(|row| row.status).collect();
    // What works comes first, the newest before others.
    assert!(statuses[1].starts_with("expires "), "{statuses:?}");
    assert_eq!(statuses[3..], ["replaced", "expired", "withdrawn"]);
    browser.press_in("tbody tr.key:nth-child(4)", "Actions").await;
    browser.press("End now").await;
    browser.dialog("Withdraw API Key").await;
    browser.press("Withdraw").await;
    browser.no_dialog().await;
}

#[actix_web::test]
async fn where_the_server_sees_no_addresses_the_field_is_off_and_says_why() {
    let server = Server::start().await;
    let user = server.add_subscriber("desk@farol.example");
    let mut browser = Browser::open(1280, Scheme::Light, true).await;
    browser.arrive(&server, &user).await;
    let headers = json!({ "headers": { "X-Forwarded-For": "203.0.113.7" } });
    browser.cdp().send_raw("Network.enable", json!({})).await.expect("the network");
    browser.cdp().send_raw("Network.setExtraHTTPHeaders", headers).await.expect("a header");
    browser.press("Create new API Key").await;
    let told = browser.dialog("Create new API Key").await;
    assert!(told.contains("cannot see where requests come from"), "{told}");
    assert!(!browser.field("Allowed addresses").await.is_enabled().await.expect("a field"));
    browser.looks_right("key-create-hidden", 200).await;
}
