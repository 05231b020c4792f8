//! Back, forward and reload: none of them shows a key twice or makes a second one.

use crate::{
    chrome::{Browser, Scheme},
    people::User,
    server::Server,
    steps::{Row, before_the_list, count_keys, eventually},
};

#[actix_web::test]
async fn back_and_forward_never_show_the_key_again_with_javascript() {
    back_and_forward(true).await;
}

#[actix_web::test]
async fn back_and_forward_never_show_the_key_again_without_javascript() {
    back_and_forward(false).await;
}

async fn back_and_forward(javascript: bool) {
    let (server, user, browser) = before_the_list(1280, javascript).await;
    let left = browser.create_key(&server, "Left by going back").await;
    browser.back().await.unwrap();
    browser.dialog("Create new API Key").await;
    browser.forward().await.unwrap();
    assert!(!browser.everything().await.contains(&left), "the key is shown again");
    browser.visit(format!("{}/user_profile", server.base_url)).await;

    let key = browser.create_key(&server, "Harbour PMS").await;
    browser.press("Close").await;
    browser.no_dialog().await;
    // To the page that showed the key, to the form, and all the way forward again. Where Chromium has nothing to show
    // without sending the form again, it says so on a page of its own: the script puts the key's details in its place.
    let id = server.signed_in(&user).await.key_id(&key).await;
    let (form, list) = ("/user_profile/api_keys/new?", format!("/user_profile?#key_{id}"));
    let details = format!("/user_profile/api_keys/{id}");
    let (shown, list) = (if javascript { &*details } else { "/user_profile/api_keys/new" }, &*list);
    for (step, address) in [("back", shown), ("back", form), ("forward", shown), ("forward", list), ("back", shown)] {
        let moved = if step == "back" { browser.back().await } else { browser.forward().await };
        moved.expect("a step through the history");
        let url = format!("{}{address}", server.base_url);
        let arrived = async || (browser.current_url().await.ok()?.as_str() == url).then_some(());
        eventually(&format!("{step} to {url}"), arrived).await;
        assert!(!browser.everything().await.contains(&key), "{step} to {address} shows the key again");
        assert_eq!(count_keys(&server, &user), 2, "{step} to {address}");
        if javascript && address == shown {
            let told = browser.dialog("API Key").await;
            assert!(told.contains("Harbour PMS"), "{told}");
        }
    }
    browser.visit(format!("{}/user_profile", server.base_url)).await;
    let rows = [Row::active("Harbour PMS", &key), Row::active("Left by going back", &left)];
    assert_eq!(browser.rows().await, rows);
}

#[actix_web::test]
async fn a_form_that_was_gone_back_to_makes_no_second_key_with_javascript() {
    form_sent_again(true).await;
}

#[actix_web::test]
async fn a_form_that_was_gone_back_to_makes_no_second_key_without_javascript() {
    form_sent_again(false).await;
}

/// Chromium keeps the form, with its token, in memory.
async fn form_sent_again(javascript: bool) {
    let server = Server::start().await;
    let user = server.add_subscriber("desk@farol.example");
    let browser = Browser::open_whole(1280, Scheme::Light, javascript).await;
    browser.arrive(&server, &user).await;
    let key = browser.create_key(&server, "Harbour PMS").await;
    browser.press("Close").await;
    browser.no_dialog().await;
    browser.back().await.unwrap();
    browser.back().await.unwrap();
    browser.dialog("Create new API Key").await;
    browser.press("Create").await;
    let told = browser.dialog("API Key already created").await;
    assert!(told.contains("Harbour PMS") && !browser.everything().await.contains(&key), "{told}");
    assert_eq!(count_keys(&server, &user), 1);
    server.with_key(&key).get("/api/v1/properties").await.is(200);
}

/// Chromium keeps no answer to a POST in memory for "back"; other browsers may.
#[actix_web::test]
async fn a_page_that_is_left_forgets_the_key() {
    let (server, _, browser) = before_the_list(1280, true).await;
    let key = browser.create_key(&server, "Harbour PMS").await;
    assert!(browser.everything().await.contains(&key));
    browser.run("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))").await;
    assert!(!browser.everything().await.contains(&key), "the key is kept");
    let told = browser.dialog("API Key created").await;
    assert!(told.contains("The API Key is no longer shown."), "{told}");
    browser.press("Close").await;
    browser.no_dialog().await;
}

#[actix_web::test]
async fn reload_shows_the_details_of_the_key_and_makes_no_second_one() {
    let (server, user, browser) = before_the_list(1280, true).await;
    let key = browser.create_key(&server, "Harbour PMS").await;
    browser.refresh().await.expect("a reload");
    let told = browser.dialog("API Key").await;
    assert!(told.contains("Harbour PMS") && told.contains(&format!("***{}", &key[key.len() - 6..])), "{told}");
    assert!(!browser.everything().await.contains(&key), "the key is shown again");
    assert_eq!(count_keys(&server, &user), 1);
    browser.press("Close").await;
    browser.no_dialog().await;
    assert_eq!(browser.rows().await, [Row::active("Harbour PMS", &key)]);
}

#[actix_web::test]
async fn reload_without_javascript_says_that_the_key_exists_and_offers_another() {
    let (server, user, browser) = before_the_list(1280, false).await;
    let first = browser.create_key(&server, "Harbour PMS").await;
    assert_already_created(&server, &user, &browser, &first, 1).await;

    browser.press("Rotate it").await;
    browser.dialog("Rotate API Key").await;
    browser.press("Rotate").await;
    let second = browser.key_shown(&server).await;
    assert_ne!(first, second);
    server.with_key(&first).get("/api/v1/properties").await.is(401);
    server.with_key(&second).get("/api/v1/properties").await.is(200);

    // The offer is a form like the other: reloading it withdraws nothing.
    assert_already_created(&server, &user, &browser, &second, 2).await;
    server.with_key(&second).get("/api/v1/properties").await.is(200);
    browser.press("Close").await;
    browser.no_dialog().await;
    let rows = [Row::active("Harbour PMS", &second), Row::withdrawn("Harbour PMS", &first)];
    assert_eq!(browser.rows().await, rows);
}

/// Reloads the page that shows a key.
async fn assert_already_created(server: &Server, user: &User, browser: &Browser, key: &str, keys: usize) {
    browser.refresh().await.expect("a reload");
    let told = browser.dialog("API Key already created").await;
    assert!(told.contains("cannot be shown again") && told.contains("Harbour PMS"), "{told}");
    assert!(told.contains(&format!("***{}", &key[key.len() - 6..])), "{told}");
    assert!(!browser.everything().await.contains(key), "the key is shown again");
    assert_eq!(count_keys(server, user), keys);
}

#[actix_web::test]
async fn after_the_sign_out_back_shows_nothing_of_the_person() {
    let (_server, user, browser) = before_the_list(1280, false).await;
    browser.press("Create new API Key").await;
    browser.press("Cancel").await;
    browser.press("Sign out").await;
    browser.field("Password").await;
    for _ in 0..3 {
        browser.back().await.unwrap();
        browser.field("Password").await;
        let page: String = browser.reads("the page", "return document.documentElement.outerHTML").await;
        assert!(!page.contains(&user.email), "{page}");
    }
}
