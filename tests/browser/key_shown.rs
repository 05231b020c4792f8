//! The dialog that shows a key once: it must not be missed, and it should be of use.

use serde_json::json;
use thirtyfour::prelude::*;

use crate::{
    chrome::{Browser, Scheme},
    steps::{Row, before_the_list, count_keys, eventually},
};

const WHAT_IS_COPIED: &str = "return document.querySelector('[data-copied]').textContent";

impl Browser {
    /// Clicks somewhere in the window with a mouse, as often as is said, and holds the button for so long each time.
    /// One command for all: before each, chromedriver waits for the page that the one before leads to.
    async fn click_at(&self, x: f64, y: f64, times: u32, hold: u64) {
        let click = json!({ "x": x, "y": y, "tapCount": times, "duration": hold, "gestureSourceType": "mouse" });
        self.cdp().send_raw("Input.synthesizeTapGesture", click).await.expect("a click");
    }

    /// From now on every answer takes so many milliseconds longer, as it does far from the server.
    async fn answers_take(&self, milliseconds: u64) {
        let far = json!({
            "offline": false, "latency": milliseconds, "downloadThroughput": -1, "uploadThroughput": -1,
        });
        self.cdp().send_raw("Network.emulateNetworkConditions", far).await.expect("a network");
    }

    async fn double_click(&self, element: &WebElement, hold: u64) {
        element.scroll_into_view().await.expect("it can be seen");
        let place = element.rect().await.expect("where it is");
        let scrolled = self.run("return scrollY").await.as_f64().expect("a number");
        let (x, y) = (place.x + place.width / 2.0, place.y + place.height / 2.0 - scrolled);
        self.click_at(x, y, 2, hold).await;
    }

    async fn strike_with_control(&self, letter: &str) {
        let both = self.action_chain().key_down(Key::Control).send_keys(letter).key_up(Key::Control);
        both.perform().await.expect("keys are pressed");
    }
}

#[actix_web::test]
async fn a_double_click_on_create_makes_one_key_and_shows_it() {
    double_clicks(1280, true, &[(300, 0), (300, 60), (0, 0), (0, 30), (0, 100)]).await;
}

#[actix_web::test]
async fn a_double_click_on_create_makes_one_key_and_shows_it_on_a_phone() {
    double_clicks(360, true, &[(300, 0), (0, 30)]).await;
}

#[actix_web::test]
async fn a_double_click_without_javascript_makes_one_key_and_tells_what_became_of_it() {
    double_clicks(1280, false, &[(300, 0), (0, 30)]).await;
}

/// Each case is how long answers take and how long the button is held, in milliseconds: the second click meets the form
/// while the server is far away, and what follows the form while it is near.
async fn double_clicks(width: u32, javascript: bool, cases: &[(u64, u64)]) {
    let (server, user, browser) = before_the_list(width, javascript).await;
    for (made, &(far, hold)) in cases.iter().enumerate() {
        let case = format!("answers after {far} ms, presses of {hold} ms");
        browser.press("Create new API Key").await;
        browser.type_into("Title", "Clicked twice").await;
        let create = browser.button("dialog", "Create").await;
        browser.answers_take(far).await;
        browser.double_click(&create, hold).await;
        let heading = "return document.querySelector('dialog h2')?.textContent.replace(' already', '')";
        browser.expect("the key, or what became of it", heading, "API Key created").await;
        browser.answers_take(0).await;
        if javascript {
            let key = browser.key_shown(&server).await;
            // Had the second click led away, that page would be here once this click is done.
            browser.click("dialog h2").await;
            assert_eq!(browser.key_shown(&server).await, key, "{case}");
        }
        assert_eq!(count_keys(&server, &user), made + 1, "{case}");
        browser.press("Close").await;
        browser.no_dialog().await;
    }
}

#[actix_web::test]
async fn the_copy_buttons_copy_the_whole_key_and_the_whole_command_and_say_so() {
    let (server, _, browser) = before_the_list(1280, true).await;
    browser.grant_clipboard(&server.base_url).await;
    let key = browser.create_key(&server, "Harbour PMS").await;

    browser.press_in(".copyable:has(#key)", "Copy").await;
    browser.expect("what is said", WHAT_IS_COPIED, "API Key copied.").await;
    browser.button(".copyable:has(#key)", "Copied").await;
    assert_eq!(browser.clipboard().await, key);

    for (what, said, copied) in [
        ("api", "API address copied.", format!("{}/api/v1", server.base_url)),
        ("header", "Header name copied.", "user-api-key".to_owned()),
        ("curl", "Command copied.", format!("curl -H \"user-api-key: {key}\" {}/api/v1/properties/", server.base_url)),
    ] {
        if what == "curl" {
            browser.click("dialog summary").await;
        }
        browser.press_in(&format!(".copyable:has(#{what})"), "Copy").await;
        browser.expect("what is said", WHAT_IS_COPIED, said).await;
        browser.button(&format!(".copyable:has(#{what})"), "Copied").await;
        assert_eq!(browser.clipboard().await, copied);
    }
    // Each goes back to "Copy", for who pasted something else meanwhile.
    browser.button(".copyable:has(#key)", "Copy").await;
    browser.button(".copyable:has(#curl)", "Copy").await;
}

#[actix_web::test]
async fn the_key_is_selected_so_that_control_c_copies_it() {
    let (server, _, browser) = before_the_list(1280, true).await;
    browser.grant_clipboard(&server.base_url).await;
    let key = browser.create_key(&server, "Harbour PMS").await;
    browser.strike_with_control("c").await;
    assert_eq!(browser.clipboard().await, key);
}

#[actix_web::test]
async fn the_copy_buttons_work_where_the_page_may_not_use_the_clipboard() {
    let (server, _, browser) = before_the_list(1280, true).await;
    for what in ["key", "curl"] {
        let key = browser.create_key(&server, "Harbour PMS").await;
        let shown = browser.run(&format!("const one = {what}; return one.value ?? one.textContent")).await;
        if what == "curl" {
            browser.click("dialog summary").await;
        }
        // As in plain http on a network.
        browser.run("Object.defineProperty(navigator, 'clipboard', { value: undefined })").await;
        browser.press_in(&format!(".copyable:has(#{what})"), "Copy").await;
        browser.button(&format!(".copyable:has(#{what})"), "Copied").await;
        assert_eq!(browser.key_shown(&server).await, key);

        browser.press("Close").await;
        browser.press("Create new API Key").await;
        browser.field("Title").await.click().await.unwrap();
        browser.strike_with_control("v").await;
        browser.expect("what was copied", "return document.getElementById('title').value", shown).await;
        browser.press("Cancel").await;
    }
}

#[actix_web::test]
async fn the_dialog_tells_by_itself_when_the_first_request_arrives() {
    let (server, _, browser) = before_the_list(1280, true).await;
    let key = browser.create_key(&server, "Harbour PMS").await;
    let waiting = "Waiting for the first request with this key…";
    let state = "return document.querySelector('[data-first-use-at]').textContent";
    browser.expect("it waits", state, waiting).await;

    server.with_key(&key).get("/api/v1/properties").header("user-agent", "HarbourPMS/7").await.is(200);
    let told = eventually("the first request is told", async || {
        browser.reads::<String>("the state", state).await.split_once(" arrived ").map(|(_, told)| told.to_owned())
    });
    let told = told.await;
    assert!(told.contains(" from 127.0.0.1 by HarbourPMS/7") && told.ends_with("The key works."), "{told}");
    assert_eq!(browser.key_shown(&server).await, key);
    let focus = "return document.activeElement.id";
    browser.expect("the focus stays where it was", focus, "key").await;
    browser.assert_quiet_console().await;
}

#[actix_web::test]
async fn without_javascript_check_again_tells_when_the_first_request_has_arrived() {
    let (server, _, browser) = before_the_list(1280, false).await;
    let key = browser.create_key(&server, "Harbour PMS").await;
    let frame = browser.first("dialog iframe").await;
    frame.enter_frame().await.unwrap();
    let state = "return document.querySelector('[data-first-use]').textContent";
    browser.expect("it waits", state, "No request with this key yet.").await;

    server.with_key(&key).get("/api/v1/properties").header("user-agent", "HarbourPMS/7").await.is(200);
    let told = eventually("the first request is told", async || {
        // The use is written off the request, so that it may take a moment.
        browser.press("Check again").await;
        browser.reads::<String>("the state", state).await.split_once(" arrived ").map(|(_, told)| told.to_owned())
    });
    let told = told.await;
    assert!(told.contains(" from 127.0.0.1 by HarbourPMS/7") && told.ends_with("The key works."), "{told}");
    browser.enter_parent_frame().await.unwrap();
    assert_eq!(browser.key_shown(&server).await, key);
    browser.assert_quiet_console().await;
}

#[actix_web::test]
async fn a_stray_click_does_not_lose_the_key() {
    let (server, _, mut browser) = before_the_list(1280, true).await;
    for width in [1280, 360] {
        browser.look(width, Scheme::Light).await;
        let key = browser.create_key(&server, "Harbour PMS").await;
        for (x, y) in [(2.0, 2.0), (f64::from(width) - 3.0, 797.0), (f64::from(width) / 2.0, 3.0)] {
            browser.click_at(x, y, 1, 20).await;
            browser.click("dialog h2").await;
            assert_eq!(browser.key_shown(&server).await, key, "a click at {x}, {y}");
        }
        browser.press("Close").await;
        browser.no_dialog().await;
        assert_eq!(browser.rows().await[0], Row::active("Harbour PMS", &key));
    }
}
