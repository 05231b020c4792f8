//! The list of keys, and the subscription that opens it.

use crate::{
    chrome::{Browser, Scheme},
    server::Server,
    steps::before_the_list,
};

#[actix_web::test]
async fn the_title_header_sorts_the_list_both_ways() {
    let (server, user, mut browser) = before_the_list(1280, false).await;
    let desk = server.signed_in(&user).await;
    for title in ["booking engine", "Channel desk", "Apartments", "Évora", "dock"] {
        desk.create_key(title).await;
    }
    for width in [1280, 360] {
        browser.look(width, Scheme::Light).await;
        browser.visit(format!("{}/user_profile", server.base_url)).await;
        sort(&browser, "ascending").await;
        sort(&browser, "descending").await;
        sort(&browser, "ascending").await;
    }
}

/// Clicks on the header, and reads what the list then is.
async fn sort(browser: &Browser, direction: &str) {
    browser.press_in("#api_keys thead", "Title").await;
    let sorted = "return document.querySelector('#api_keys th[scope=col]').getAttribute('aria-sort')";
    browser.expect("the direction that is told", sorted, direction).await;
    let titles: Vec<String> = browser.rows().await.into_iter().map(|row| row.title).collect();
    let mut expected = ["Apartments", "booking engine", "Channel desk", "dock", "Évora"];
    if direction == "descending" {
        expected.reverse();
    }
    assert_eq!(titles, expected, "{direction}");
    // The list stays in sight: a page that jumps to its top after each click would be a nuisance.
    let top = browser.run("return document.getElementById('api_keys').getBoundingClientRect().top").await;
    assert!(top.as_f64().is_some_and(|top| (-1.0..400.0).contains(&top)), "the list begins at {top}");
}

#[actix_web::test]
async fn a_refresh_shows_the_keys_as_soon_as_the_subscription_is_active() {
    let (server, user, browser) = before_the_list(1280, true).await;
    let key = browser.create_key(&server, "Harbour PMS").await;
    browser.press("Close").await;
    browser.no_dialog().await;

    server.run(&["subscription", "cancel", &user.email, "--now"]).ok();
    browser.refresh().await.unwrap();
    let text = text_of(&browser).await;
    assert!(!text.contains("API Keys") && !text.contains("Create new API Key"), "{text}");
    assert!(text.contains("API keys require an active subscription") && text.contains("is suspended"), "{text}");
    server.with_key(&key).get("/api/v1/properties").await.is(403);
    browser.visit(format!("{}/user_profile/api_keys/new", server.base_url)).await;
    assert!(text_of(&browser).await.contains("Page not found"));

    browser.visit(format!("{}/user_profile", server.base_url)).await;
    server.subscribe(&user.email);
    browser.refresh().await.unwrap();
    assert_eq!(browser.rows().await.len(), 1);
    server.with_key(&key).get("/api/v1/properties").await.is(200);
}

#[actix_web::test]
async fn a_user_without_a_subscription_sees_no_api_keys() {
    let server = Server::start().await;
    let user = server.add_user("new@farol.example");
    let browser = Browser::open(1280, Scheme::Light, true).await;
    browser.arrive(&server, &user).await;
    let text = text_of(&browser).await;
    assert!(!text.contains("API Keys") && !text.contains("Create"), "{text}");
    assert!(text.contains("API keys require an active subscription."), "{text}");
    server.subscribe(&user.email);
    browser.refresh().await.unwrap();
    assert_eq!(browser.rows().await, []);
    browser.button("#api_keys", "Create new API Key").await;
}

#[actix_web::test]
async fn paused_keys_are_withdrawn_all_at_once() {
    let (server, user, browser) = before_the_list(1280, true).await;
    let desk = server.signed_in(&user).await;
    let keys = [desk.create_key("One").await, desk.create_key("Two").await];
    server.run(&["subscription", "cancel", &user.email, "--now"]).ok();
    browser.refresh().await.unwrap();
    browser.press("Withdraw all keys").await;
    let told = browser.dialog("Withdraw all API keys").await;
    assert!(told.contains("Your 2 active keys") && told.contains("cannot be undone"), "{told}");
    browser.press_in("dialog", "Withdraw all keys").await;
    browser.no_dialog().await;
    assert!(text_of(&browser).await.contains("All API keys withdrawn."));
    server.subscribe(&user.email);
    for key in keys {
        server.with_key(&key).get("/api/v1/properties").await.is(401);
    }
}

#[actix_web::test]
async fn with_as_many_keys_as_there_may_be_the_button_is_off_and_says_why() {
    let server = Server::options().env("LATCHKEY_MAX_KEYS", "2").start().await;
    let user = server.add_subscriber("full@farol.example");
    let desk = server.signed_in(&user).await;
    desk.create_key("One").await;
    let browser = Browser::open(1280, Scheme::Light, true).await;
    browser.arrive(&server, &user).await;
    browser.press("Create new API Key").await;
    desk.create_key("Two").await;
    browser.type_into("Title", "Three").await;
    browser.press("Create").await;
    let told = browser.dialog("Create new API Key").await;
    assert!(told.contains("the limit of 2 active keys"), "{told}");
    assert_eq!(browser.field("Title").await.value().await.unwrap().as_deref(), Some("Three"));

    browser.press("Cancel").await;
    browser.no_dialog().await;
    let create = browser.button("#api_keys", "Create new API Key").await;
    assert!(!create.is_enabled().await.unwrap());
    let why = create.attr("aria-describedby").await.unwrap().expect("it says why");
    let why = browser.first(&format!("#{why}")).await.text().await.unwrap();
    assert!(why.contains("Withdraw one"), "{why}");
}

async fn text_of(browser: &Browser) -> String {
    browser.reads("the page", "return document.body.innerText").await
}
