//! The same job with the keyboard alone: nothing is clicked here.

use serde::Deserialize;
use serde_json::json;

use crate::{
    chrome::{Browser, Scheme},
    limits::before_the_list_with,
    people::User,
    server::Server,
    steps::{Row, count_keys, eventually},
};

#[derive(Clone, Copy)]
pub enum Key {
    Tab,
    Enter,
    Escape,
    Down,
    Space,
}

/// Where the keys that are pressed go.
#[derive(Debug, Deserialize)]
struct Focus {
    /// What it is called: its label or its words.
    name: String,
    outlined: bool,
    /// It is within the window, and nothing lies over it.
    in_sight: bool,
}

impl Browser {
    /// Presses a key. Not by chromedriver's own actions: it would press it once more when a page follows.
    pub async fn strike(&self, key: Key) {
        let (name, code, text) = match key {
            Key::Tab => ("Tab", 9, ""),
            Key::Enter => ("Enter", 13, "\r"),
            Key::Escape => ("Escape", 27, ""),
            Key::Down => ("ArrowDown", 40, ""),
            Key::Space => (" ", 32, " "),
        };
        for event in ["keyDown", "keyUp"] {
            let text = if event == "keyDown" { text } else { "" };
            let stroke =
                json!({ "type": event, "key": name, "code": name, "windowsVirtualKeyCode": code, "text": text });
            self.cdp().send_raw("Input.dispatchKeyEvent", stroke).await.expect("a key is pressed");
        }
    }

    pub async fn type_text(&self, text: &str) {
        for letter in text.chars() {
            let stroke = json!({ "type": "char", "text": letter });
            self.cdp().send_raw("Input.dispatchKeyEvent", stroke).await.expect("a letter is typed");
        }
    }

    async fn focus(&self) -> Focus {
        let script = "
            let one = document.activeElement;
            if (one?.contentDocument) one = one.contentDocument.activeElement;
            const page = one.ownerDocument, style = getComputedStyle(one), box = one.getBoundingClientRect();
            const top = page.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
            return {
                name: one === page.body ? '' : one.labels?.[0]?.textContent.trim() ?? one.textContent.trim(),
                outlined: one.matches(':focus-visible') && style.outlineStyle === 'solid'
                    && parseFloat(style.outlineWidth) >= 2,
                in_sight: one === top || one.contains(top),
            };";
        self.reads("the focus", script).await
    }

    /// Waits until the focus is where a page or a dialog should begin, and can be seen there: a page that has just been
    /// loaded is painted a moment after it has the focus.
    pub async fn begins_at(&self, name: &str) {
        eventually(&format!("the focus is seen on {name:?}"), async || {
            Some(self.focus().await).filter(|focus| focus.name == name && focus.outlined && focus.in_sight)
        })
        .await;
    }

    /// Presses Tab until the focus is on `name`; every stop on the way can be seen.
    pub async fn tab_to(&self, name: &str) {
        let mut stops = vec![];
        while stops.last().is_none_or(|last| last != name) {
            assert!(stops.len() < 20, "{name:?} is none of {stops:?} on {}", self.here().await);
            self.strike(Key::Tab).await;
            let focus = self.focus().await;
            // After the last stop comes the browser itself.
            if !focus.name.is_empty() {
                self.assert_seen(&focus).await;
            }
            stops.push(focus.name);
        }
    }

    async fn assert_seen(&self, focus: &Focus) {
        assert!(focus.outlined && focus.in_sight, "{focus:?} on {}", self.here().await);
    }

    async fn sign_in_by_keys(&self, server: &Server, user: &User) {
        self.visit(format!("{}/sign_in", server.base_url)).await;
        self.begins_at("Email").await;
        self.type_text(&user.email).await;
        self.tab_to("Password").await;
        self.type_text(&user.password).await;
        self.strike(Key::Enter).await;
        self.no_dialog().await;
        for cookie in self.get_all_cookies().await.expect("cookies") {
            server.secrets.register_cookie(&cookie.value);
        }
    }
}

#[actix_web::test]
async fn the_keyboard_alone_is_enough_with_javascript() {
    let server = Server::start().await;
    let user = server.add_subscriber("keys@farol.example");
    let browser = Browser::open(1280, Scheme::Light, true).await;
    browser.sign_in_by_keys(&server, &user).await;

    browser.tab_to("Create new API Key").await;
    browser.strike(Key::Enter).await;
    browser.dialog("Create new API Key").await;
    browser.begins_at("Title").await;
    browser.type_text("Thrown away").await;
    browser.strike(Key::Escape).await;
    browser.no_dialog().await;
    assert_eq!(count_keys(&server, &user), 0);

    let key = create_by_keys(&browser, &server).await;
    // Chromium lets a page refuse the first Escape only.
    for _ in 0..3 {
        browser.strike(Key::Escape).await;
        assert_eq!(browser.key_shown(&server).await, key);
    }
    // A modal dialog holds the focus: after its last stop come the browser's own, and then its first.
    for stop in ["Copy", "Copy", "Copy", "Properties page", "For developers", "Print", "Close", "", "API Key"] {
        browser.strike(Key::Tab).await;
        assert_eq!(browser.focus().await.name, stop);
    }
    close_and_withdraw_by_keys(&browser, &server, &key).await;
}

#[actix_web::test]
async fn the_keyboard_alone_is_enough_without_javascript() {
    let server = Server::start().await;
    let user = server.add_subscriber("keys@farol.example");
    let browser = Browser::open(1280, Scheme::Light, false).await;
    browser.sign_in_by_keys(&server, &user).await;
    let key = create_by_keys(&browser, &server).await;
    browser.strike(Key::Escape).await;
    assert_eq!(browser.key_shown(&server).await, key);
    close_and_withdraw_by_keys(&browser, &server, &key).await;
}

async fn create_by_keys(browser: &Browser, server: &Server) -> String {
    browser.tab_to("Create new API Key").await;
    browser.strike(Key::Enter).await;
    browser.dialog("Create new API Key").await;
    browser.begins_at("Title").await;
    browser.type_text("Harbour PMS").await;
    browser.strike(Key::Enter).await;
    let key = browser.key_shown(server).await;
    browser.begins_at("API Key").await;
    server.with_key(&key).get("/api/v1/properties").await.is(200);
    key
}

async fn close_and_withdraw_by_keys(browser: &Browser, server: &Server, key: &str) {
    browser.tab_to("Close").await;
    browser.strike(Key::Enter).await;
    browser.no_dialog().await;
    assert_eq!(browser.rows().await, [Row::active("Harbour PMS", key)]);

    ask_to_withdraw_by_keys(browser).await;
    if browser.javascript {
        browser.strike(Key::Escape).await;
    } else {
        browser.strike(Key::Enter).await;
    }
    browser.no_dialog().await;
    assert_eq!(browser.rows().await, [Row::active("Harbour PMS", key)]);

    ask_to_withdraw_by_keys(browser).await;
    browser.tab_to("Withdraw").await;
    browser.strike(Key::Enter).await;
    browser.no_dialog().await;
    assert_eq!(browser.rows().await, [Row::withdrawn("Harbour PMS", key)]);
    server.with_key(key).get("/api/v1/properties").await.is(401);
}

/// Opens the menu, closes it with Escape, opens it again and chooses "Withdraw".
async fn ask_to_withdraw_by_keys(browser: &Browser) {
    let menu = "return !!document.querySelector('.menu')?.matches(':popover-open')";
    // Where a dialog of this key, closed before, has led.
    browser.begins_at("Actions").await;
    browser.strike(Key::Enter).await;
    browser.expect("the menu is open", menu, true).await;
    browser.strike(Key::Escape).await;
    browser.expect("the menu is closed", menu, false).await;
    browser.begins_at("Actions").await;
    browser.strike(Key::Enter).await;
    browser.expect("the menu is open", menu, true).await;
    browser.tab_to("Withdraw").await;
    browser.strike(Key::Enter).await;
    browser.dialog("Withdraw API Key").await;
    // The harmless button: a second Enter by mistake withdraws nothing.
    browser.begins_at("Cancel").await;
}

#[actix_web::test]
async fn a_key_is_limited_by_the_keyboard_with_javascript() {
    limited_by_keys(true).await;
}

#[actix_web::test]
async fn a_key_is_limited_by_the_keyboard_without_javascript() {
    limited_by_keys(false).await;
}

async fn limited_by_keys(javascript: bool) {
    let houses = [("Casa do Farol", "Sagres"), ("Zirbenhof", "")];
    let (server, _, browser) = before_the_list_with(&houses, 360, javascript).await;
    browser.tab_to("Create new API Key").await;
    browser.strike(Key::Enter).await;
    browser.dialog("Create new API Key").await;
    browser.begins_at("Title").await;
    browser.type_text("Night audit").await;
    browser.tab_to("All properties").await;
    browser.strike(Key::Down).await;
    browser.begins_at("Selected properties").await;
    for house in ["Casa do Farol Sagres", "Zirbenhof"] {
        browser.tab_to(house).await;
    }
    browser.strike(Key::Space).await;
    browser.tab_to("Read only").await;
    browser.strike(Key::Space).await;
    browser.tab_to("Create").await;
    browser.strike(Key::Enter).await;
    let key = browser.key_shown(&server).await;
    let api = server.with_key(&key);
    assert_eq!(api.get("/api/v1/properties").await.is(200).column("title"), ["Zirbenhof"]);
    browser.tab_to("Close").await;
    browser.strike(Key::Enter).await;
    browser.no_dialog().await;
    browser.tab_to("Show the property of Night audit").await;
    browser.strike(Key::Enter).await;
    let titles = "return document.querySelector('#api_keys details[open] ul')?.innerText.trim()";
    browser.expect("the titles", titles, "Zirbenhof").await;
}
