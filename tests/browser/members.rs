//! The page of the people with access to a property, and the page on which people leave.

use serde_json::json;

use crate::{
    chrome::{Browser, Scheme},
    looks::titles,
    server::Server,
};

/// A property that a guest was invited to, and a browser of the guest's in which its page stands.
async fn invited(width: u32, javascript: bool) -> (Server, Browser, String) {
    let server = Server::start().await;
    let owner = server.person("owner@farol.example").await;
    let guest = server.person("desk@farol.example").await;
    let body = json!({ "property": { "title": titles()[1], "currency": "EUR" } });
    let id = owner.api.post("/api/v1/properties", &body).await.is(201).id();
    let body = json!({ "invite": { "property_id": id, "user_email": guest.user.email, "role": "owner" } });
    owner.browser.post("/api/v1/property_users", &body).await.is(201);
    for title in titles() {
        let group = guest.api.post("/api/v1/groups", &json!({ "group": { "title": title } })).await.is(201).id();
        guest.api.post(&format!("/api/v1/groups/{group}/properties/{id}"), &json!({})).await.is(200);
    }
    let browser = Browser::open(width, Scheme::Light, javascript).await;
    browser.arrive(&server, &guest.user).await;
    let path = format!("/properties/{id}/people");
    browser.visit(format!("{}{path}", server.base_url)).await;
    (server, browser, path)
}

#[actix_web::test]
async fn the_pages_of_access_look_right_with_javascript() {
    looks(true).await;
}

#[actix_web::test]
async fn the_pages_of_access_look_right_without_javascript() {
    looks(false).await;
}

async fn looks(javascript: bool) {
    let (server, mut browser, path) = invited(1280, javascript).await;
    browser.looks_right("people", 200).await;
    browser.visit(format!("{}{path}/leave", server.base_url)).await;
    browser.looks_right("people-leave", 200).await;
    browser.visit(format!("{}/your_access", server.base_url)).await;
    browser.looks_right("your-access", 200).await;
}

#[actix_web::test]
async fn a_property_is_left_with_javascript() {
    left(true).await;
}

#[actix_web::test]
async fn a_property_is_left_without_javascript() {
    left(false).await;
}

async fn left(javascript: bool) {
    let (server, browser, path) = invited(360, javascript).await;
    browser.visit(format!("{}{path}/leave", server.base_url)).await;
    browser.press_in("dialog", "Leave").await;
    let notice = "return document.querySelector('.notice').textContent";
    browser.expect("the notice", notice, "You have left the property.").await;
    browser.press("Allow again").await;
    browser.press_in("dialog", "Allow again").await;
    browser.expect("the notice", notice, "This person can invite you again.").await;
}
