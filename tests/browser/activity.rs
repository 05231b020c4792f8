//! The page of what happened in an account.

use serde_json::json;

use crate::{
    access::PROPERTY_USERS,
    chrome::{Browser, Scheme},
    looks::titles,
    record::Written,
    server::Server,
};

#[actix_web::test]
async fn the_page_of_activity_looks_right_with_javascript() {
    looks(true).await;
}

#[actix_web::test]
async fn the_page_of_activity_looks_right_without_javascript() {
    looks(false).await;
}

/// With an entry of every kind, and titles as they come.
async fn looks(javascript: bool) {
    let server = Server::start().await;
    let owner = server.person("a.very.long.address.of.an.owner@the-lighthouse-at-the-end-of-the-world.example").await;
    let desk = server.person("desk@farol.example").await;
    for title in titles() {
        desk.browser.create_key(&title).await;
    }
    for title in &titles()[1..4] {
        let body = json!({ "property": { "title": title, "currency": "EUR" } });
        let id = owner.api.post("/api/v1/properties", &body).await.is(201).id();
        let body = json!({ "invite": { "property_id": id, "user_email": desk.user.email, "role": "owner" } });
        owner.browser.post("/api/v1/property_users", &body).await.is(201);
        let group = desk.group().await;
        desk.api.post(&format!("/api/v1/groups/{group}/properties/{id}"), &json!({})).await.is(200);
    }
    let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 \
        Safari/537.36";
    let long = "HarbourPropertyManagementSystem".repeat(8);
    let kinds = [
        "sign_in",
        "sign_in_failed",
        "sign_out",
        "session_ended",
        "confirmed",
        "new_browser",
        "guessing",
        "password_changed",
        "password_reset",
        "user_unlocked",
    ];
    let clients = [chrome, &long, "curl/8.5.0"].into_iter().cycle();
    let written: Vec<_> = kinds
        .into_iter()
        .zip(clients)
        .map(|(kind, client)| Written { kind, at: "2026-08-31T15:30:00Z", client, count: 3 })
        .collect();
    server.write_activity(&desk.user.email, &written).await;
    let mut browser = Browser::open(1280, Scheme::Light, javascript).await;
    browser.arrive(&server, &desk.user).await;
    browser.press("Activity").await;
    browser.looks_right("activity", 200).await;
    let page = format!("{}/user_profile/activity", server.base_url);
    browser.visit(format!("{page}?page=2")).await;
    browser.looks_right("activity-2", 200).await;
    browser.visit(format!("{page}?from=soon&to=2026-02-30&kind=sign_in")).await;
    browser.looks_right("activity-wrong", 422).await;
    browser.visit(format!("{page}?kind=keys_withdrawn")).await;
    browser.looks_right("activity-none", 200).await;
}

#[actix_web::test]
async fn what_a_key_made_looks_right_with_javascript() {
    made_looks(true).await;
}

#[actix_web::test]
async fn what_a_key_made_looks_right_without_javascript() {
    made_looks(false).await;
}

async fn made_looks(javascript: bool) {
    let server = Server::start().await;
    let me = server.person("desk@farol.example").await;
    for (number, title) in titles().iter().enumerate() {
        let body = json!({ "property": { "title": title, "currency": "EUR" } });
        let id = me.api.post("/api/v1/properties", &body).await.is(201).id();
        let email = format!("a.very.long.address.of.guest.{number}@the-lighthouse-at-the-end-of-the-world.example");
        me.invites(&PROPERTY_USERS, &id, &email, "owner").await.is(201);
        let group = me.has_group(title).await;
        me.adds(&group, &id).await.is(200);
    }
    let id = me.browser.key_id(&me.key).await;
    let mut browser = Browser::open(1280, Scheme::Light, javascript).await;
    browser.arrive(&server, &me.user).await;
    browser.visit(format!("{}/user_profile/api_keys/{id}/withdraw", server.base_url)).await;
    browser.looks_right("withdraw-made", 200).await;
    browser.press_in("dialog", "Withdraw").await;
    browser.press("Details").await;
    browser.looks_right("key-details", 200).await;
    browser.press_in("dialog", "Close").await;
    browser.looks_right("profile-withdrawn", 200).await;
}
