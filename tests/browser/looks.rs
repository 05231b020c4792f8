//! Every page in every state, on a phone and at a desk, by day and by night: nothing sticks out, axe-core finds
//! nothing, the console is quiet, and a picture is kept in target/screenshots.

use crate::{
    axe::assert_accessible,
    chrome::{Browser, Scheme},
    people::User,
    server::Server,
    steps::before_the_list,
};

impl Browser {
    /// Looks at the open page, which the server answered with `status`.
    pub async fn looks_right(&mut self, name: &str, status: u16) {
        self.reads::<bool>("the page is loaded", "return true").await;
        let complaints = self.complaints(status).await;
        assert!(complaints.is_empty(), "{name} complains in the console: {complaints:?}");
        for (width, scheme) in Browser::LOOKS {
            self.look(width, scheme).await;
            self.touch(width < 640).await;
            self.screenshot(name).await;
            self.assert_no_sideways_scroll().await;
            self.assert_nothing_sticks_out(name).await;
            assert_accessible(self).await;
        }
        // What the test presses next is pressed with a mouse.
        self.touch(false).await;
        self.assert_quiet_console().await;
    }

    /// A finger in place of a mouse, for which the page makes its buttons larger.
    async fn touch(&self, by_finger: bool) {
        let touch = serde_json::json!({ "enabled": by_finger });
        self.cdp().send_raw("Emulation.setTouchEmulationEnabled", touch).await.expect("a finger");
        let coarse = "return matchMedia('(pointer: coarse)').matches";
        self.expect("a coarse pointer", coarse, by_finger).await;
    }

    /// Neither in a dialog nor in a frame does anything stick out to the side, which the width of the page does not
    /// tell.
    async fn assert_nothing_sticks_out(&self, name: &str) {
        let script = "
            const clips = one => one && (getComputedStyle(one).overflowX !== 'visible' || clips(one.parentElement));
            const look = page => [...page.querySelectorAll('body *')].flatMap(one => {
                if (one.contentDocument) return look(one.contentDocument);
                const box = one.getBoundingClientRect(), width = page.documentElement.clientWidth;
                const out = box.width && (box.left < -0.5 || box.right > width + 0.5) && !clips(one.parentElement);
                const scrolls = one.scrollWidth > one.clientWidth + 1
                    && ['auto', 'scroll'].includes(getComputedStyle(one).overflowX);
                return (out || scrolls) && one.checkVisibility() ? [one.outerHTML.slice(0, 120)] : [];
            });
            return look(document);";
        let found: Vec<String> = self.reads("what sticks out", script).await;
        assert!(found.is_empty(), "{name} at {} px: {found:?}", self.width);
    }
}

/// Titles as they come: one unbroken, some of other scripts, one of two emoji that are one family and one key.
pub fn titles() -> [String; 8] {
    [
        "Front desk".to_owned(),
        "W".repeat(255),
        "🏨🗝️ 👩‍👩‍👧‍👦 Réception".to_owned(),
        "מערכת ניהול הזמנות, סניף תל אביב (2)".to_owned(),
        "نظام إدارة الفنادق ٣".to_owned(),
        "旅館管理システム・予約エンジン連携用の鍵・東京本店".to_owned(),
        "Channel manager of the three houses by the sea, night shift and weekends, the second of its kind".to_owned(),
        "<b>&amp; \"quoted\" 'title'</b>".to_owned(),
    ]
}

/// A client whose name takes all the room there is.
fn long_client() -> String {
    format!("Mozilla/5.0 (X11; Linux x86_64) HarbourPropertyManagementSystem/{}", "0123456789".repeat(19))
}

/// Keys of every kind: never used, used, used by a long client, withdrawn by their owner and by the host.
async fn keys_of_every_kind(server: &Server, user: &User) {
    let desk = server.signed_in(user).await;
    let mut keys = vec![];
    for title in titles() {
        keys.push(desk.create_key(&title).await);
    }
    server.with_key(&keys[0]).get("/api/v1/properties").header("user-agent", long_client()).await.is(200);
    server.with_key(&keys[1]).get("/api/v1/properties").header("user-agent", "curl/8.14.1").await.is(200);
    server.with_key(&keys[3]).get("/api/v1/properties").await.is(200);
    desk.withdraw_key(&keys[2]).await;
    let host = desk.key_id(&keys[4]).await;
    server.run(&["key", "withdraw", &host]).ok();
}

#[actix_web::test]
async fn the_pages_before_the_sign_in_look_right() {
    let server = Server::options().arg("--support").arg("help@farol.example").start().await;
    let user = server.add_user("a.very.long.address.of.a.guest.house@the-lighthouse-at-the-end-of-the-world.example");
    let mut browser = Browser::open(1280, Scheme::Light, true).await;
    browser.visit(format!("{}/sign_in", server.base_url)).await;
    browser.send_sign_in(&server, &User { password: "not-the-password".to_owned(), ..user.clone() }).await;
    browser.looks_right("sign-in-wrong", 422).await;
    browser.visit(format!("{}/no/such/page", server.base_url)).await;
    browser.looks_right("error-404", 404).await;

    let link = server.run(&["user", "link", &user.email, "--base-url", &server.base_url]).ok();
    let link = link.split_whitespace().find(|word| word.starts_with("http")).expect("a link").to_owned();
    browser.visit(&link).await;
    browser.looks_right("welcome", 200).await;
    browser.type_into("Name", &"n".repeat(256)).await;
    browser.type_into("Password", "short").await;
    browser.press("Save").await;
    browser.looks_right("welcome-wrong", 422).await;
}

#[actix_web::test]
async fn the_profile_without_keys_looks_right() {
    let server = Server::start().await;
    let user = server.add_user("a.very.long.address.of.a.guest.house@the-lighthouse-at-the-end-of-the-world.example");
    let mut browser = Browser::open(1280, Scheme::Light, true).await;
    browser.arrive(&server, &user).await;
    browser.looks_right("profile-without-subscription", 200).await;
    server.subscribe(&user.email);
    browser.refresh().await.unwrap();
    browser.looks_right("profile-empty", 200).await;

    browser.type_into("Name", &"n".repeat(256)).await;
    browser.press("Save").await;
    browser.looks_right("profile-wrong-name", 422).await;
    browser.type_into("New password", "short").await;
    browser.press("Change password").await;
    browser.looks_right("profile-wrong-password", 422).await;
}

#[actix_web::test]
async fn the_profile_with_many_keys_looks_right() {
    let (server, user, mut browser) = before_the_list(1280, true).await;
    keys_of_every_kind(&server, &user).await;
    browser.visit(format!("{}/user_profile?order=title", server.base_url)).await;
    browser.looks_right("profile-keys", 200).await;
    browser.visit(format!("{}/user_profile#api_keys", server.base_url)).await;
    browser.press_in("tbody tr:nth-child(6)", "Actions").await;
    browser.looks_right("profile-menu", 200).await;

    let wide = format!("tbody tr:nth-child({})", 5);
    browser.visit(format!("{}/user_profile", server.base_url)).await;
    browser.press_in(&wide, "Actions").await;
    browser.press_in(&wide, "Withdraw").await;
    browser.dialog("Withdraw API Key").await;
    browser.looks_right("withdraw", 200).await;
}

#[actix_web::test]
async fn the_dialogs_that_make_a_key_look_right_with_javascript() {
    the_dialogs(true).await;
}

#[actix_web::test]
async fn the_dialogs_that_make_a_key_look_right_without_javascript() {
    the_dialogs(false).await;
}

async fn the_dialogs(javascript: bool) {
    let (server, _, mut browser) = before_the_list(1280, javascript).await;
    browser.press("Create new API Key").await;
    browser.dialog("Create new API Key").await;
    browser.looks_right("create", 200).await;
    browser.press("Create").await;
    browser.dialog("Create new API Key").await;
    browser.looks_right("create-wrong", 422).await;

    browser.type_into("Title", &titles()[1]).await;
    browser.press("Create").await;
    let key = browser.key_shown(&server).await;
    browser.looks_right("created", 200).await;
    server.with_key(&key).get("/api/v1/properties").header("user-agent", long_client()).await.is(200);
    if javascript {
        let state = "return document.querySelector('[data-first-use]').dataset.firstUse";
        browser.expect("the first request", state, "seen").await;
        browser.looks_right("created-used", 200).await;
    }
    let frame = browser.run("return document.querySelector('[data-first-use-at]').dataset.firstUseAt").await;

    browser.refresh().await.unwrap();
    if javascript {
        browser.dialog("API Key").await;
        browser.looks_right("details", 200).await;
    } else {
        browser.dialog("API Key already created").await;
        browser.looks_right("already-created", 409).await;
    }

    browser.visit(format!("{}{}", server.base_url, frame.as_str().unwrap())).await;
    browser.looks_right("first-use", 200).await;
}

#[actix_web::test]
async fn the_dialogs_that_withdraw_look_right_without_javascript() {
    let (server, _, mut browser) = before_the_list(1280, false).await;
    browser.create_key(&server, &titles()[1]).await;
    browser.press("Close").await;
    browser.press("Actions").await;
    browser.press("Withdraw").await;
    browser.dialog("Withdraw API Key").await;
    browser.looks_right("withdraw", 200).await;
}

#[actix_web::test]
async fn the_profile_with_paused_keys_looks_right() {
    for javascript in [true, false] {
        let (server, user, mut browser) = before_the_list(1280, javascript).await;
        keys_of_every_kind(&server, &user).await;
        server.run(&["subscription", "cancel", &user.email, "--now"]).ok();
        browser.refresh().await.unwrap();
        if javascript {
            browser.looks_right("profile-paused", 200).await;
        }
        browser.press("Withdraw all keys").await;
        browser.dialog("Withdraw all API keys").await;
        browser.looks_right("withdraw-all", 200).await;
    }
}
