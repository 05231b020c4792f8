//! The documentation in Chromium: how it looks, the search, and trying an operation out with a real key.

use serde_json::Value;

use crate::{
    chrome::{Browser, Scheme},
    keyboard::Key,
    people::Person,
    server::Server,
};

const PAGES: [(&str, &str); 5] = [
    ("docs", ""),
    ("docs-api-key-access", "/api_key_access"),
    ("docs-conventions", "/conventions"),
    ("docs-reference", "/reference"),
    ("docs-room-types", "/reference/room_types"),
];

async fn site() -> Server {
    Server::options().arg("--support").arg("help@farol.example").start().await
}

#[actix_web::test]
async fn the_documentation_looks_right_with_javascript() {
    let server = site().await;
    let mut browser = Browser::open(1280, Scheme::Light, true).await;
    for (name, path) in PAGES {
        browser.visit(format!("{}/docs{path}", server.base_url)).await;
        // Closed it is looked at without JavaScript.
        browser.run("for (const one of document.querySelectorAll('details')) one.open = true").await;
        browser.looks_right(&format!("{name}-open"), 200).await;
    }
}

#[actix_web::test]
async fn the_documentation_looks_right_without_javascript() {
    let server = site().await;
    let mut browser = Browser::open(1280, Scheme::Light, false).await;
    for (name, path) in PAGES {
        browser.visit(format!("{}/docs{path}", server.base_url)).await;
        browser.looks_right(name, 200).await;
    }
    let shown =
        "return [...document.querySelectorAll('[data-try], [data-copy]')].filter(one => one.checkVisibility()).length";
    browser.expect("what only a script can do", shown, 0).await;
}

#[actix_web::test]
async fn the_search_finds_as_one_types() {
    let server = site().await;
    let browser = Browser::open(1280, Scheme::Light, true).await;
    browser.visit(format!("{}/docs/reference?q=groups", server.base_url)).await;
    let shown = "return [...document.querySelectorAll('[data-words]')].filter(one => one.checkVisibility())
        .map(one => one.querySelector('a').textContent)";
    browser.type_into("Search operations", "DELETE room").await;
    browser.expect("what is found", shown, serde_json::json!(["Delete a room type"])).await;
    let told = "return document.querySelector('[data-found]').textContent";
    browser.expect("how many are found", told, "1 operation").await;
    browser.strike(Key::Enter).await;
    browser.expect("an address to pass on", "return location.search", "?q=DELETE+room").await;
    browser.type_into("Search operations", "no such thing").await;
    browser.expect("nothing", told, "No operation matches all these words.").await;
    browser.assert_quiet_console().await;

    let browser = Browser::open(360, Scheme::Light, false).await;
    browser.visit(format!("{}/docs/reference", server.base_url)).await;
    browser.type_into("Search operations", "occ_infants create").await;
    browser.press("Search").await;
    browser.expect("what is found", shown, serde_json::json!(["Create a room type"])).await;
    browser.press("Create a room type").await;
    browser.expect("the operation", "return location.hash", "#create_room_type").await;
}

#[actix_web::test]
async fn a_curl_line_is_copied_as_it_stands() {
    let server = site().await;
    let browser = Browser::open(360, Scheme::Light, true).await;
    browser.visit(format!("{}/docs/reference/groups", server.base_url)).await;
    browser.grant_clipboard(&server.base_url).await;
    browser.click("[data-copy=read_group_curl]").await;
    let told = "return document.querySelector('[data-copied]').textContent";
    browser.expect("that it is copied", told, "Copied the curl command.").await;
    let line = format!("curl \"{}/api/v1/groups/$ID\" \\\n  -H \"user-api-key: $KEY\"", server.base_url);
    assert_eq!(browser.clipboard().await, line);
}

impl Browser {
    /// What the answer to an operation says: the status in words, and the body.
    async fn answer_of(&self, operation: &str, status: &str) -> String {
        let script = format!(
            "const panel = document.querySelector('#{operation} [data-try]');
             const told = panel.querySelector('[data-status]').textContent;
             const body = panel.querySelector('[data-answer]');
             return told.startsWith('{status}') && body.checkVisibility() ? body.textContent : null"
        );
        self.reads(&format!("{status} of {operation}"), &script).await
    }

    async fn put_into(&self, id: &str, text: &str) {
        let field = self.first(&format!("#{id}")).await;
        field.clear().await.expect("a field to type in");
        field.send_keys(text).await.expect("a field to type in");
    }
}

#[actix_web::test]
async fn an_operation_is_tried_with_a_real_key_that_stays_in_the_page() {
    let server = site().await;
    let me: Person = server.person("desk@farol.example").await;
    let mut browser = Browser::open(1280, Scheme::Light, true).await;
    // Signed in, so that only the key can be what lets it through.
    browser.arrive(&server, &me.user).await;
    browser.visit(format!("{}/docs/reference/properties", server.base_url)).await;
    browser.first("#list_properties .try > summary").await.click().await.unwrap();
    browser.press_in("#list_properties", "Send: List properties").await;
    let refused = browser.answer_of("list_properties", "401 Unauthorized, in ").await;
    assert!(refused.contains("\"code\": \"unauthorized\""), "{refused}");

    browser.put_into("list_properties_key", &me.key).await;
    browser.press_in("#list_properties", "Send: List properties").await;
    let listed = browser.answer_of("list_properties", "200 OK, in ").await;
    assert!(listed.starts_with("{\n  \"data\": [],\n  \"meta\": {\n    \"page\": 1,"), "{listed}");
    let headers = "return document.querySelector('#list_properties [data-headers]').innerText";
    let headers: String = browser.reads("headers", headers).await;
    assert!(headers.contains("x-request-id") && headers.contains("etag"), "{headers}");

    browser.first("#create_property .try > summary").await.click().await.unwrap();
    browser.put_into("create_property_body", "{\"property\": {\"title\": \"\", \"currency\": \"EUR\"}}").await;
    browser.press_in("#create_property", "Send: Create a property").await;
    let refused = browser.answer_of("create_property", "422").await;
    assert!(refused.contains("can't be blank"), "{refused}");
    let body = "{\"property\": {\"title\": \"Casa do Farol\", \"currency\": \"EUR\", \"latitude\": 8.10}}";
    browser.put_into("create_property_body", body).await;
    browser.press_in("#create_property", "Send: Create a property").await;
    let created = browser.answer_of("create_property", "201 Created").await;
    let created: Value = serde_json::from_str(&created).expect("JSON");
    let id = created["data"]["id"].as_str().expect("an id").to_owned();
    let location: String =
        browser.reads("headers", "return document.querySelector('#create_property [data-headers]').innerText").await;
    assert!(location.contains("location") && location.contains(&id), "{location}");
    browser.looks_right_after_trying().await;

    // A path and a query, and what is missing is told.
    browser.first("#read_property .try > summary").await.click().await.unwrap();
    browser.press_in("#read_property", "Send: Read a property").await;
    let told = "return document.querySelector('#read_property [data-status]').textContent";
    browser.expect("what is missing", told, "Fill in id first.").await;
    browser.put_into("read_property_path_1", &id).await;
    browser.strike(Key::Enter).await;
    let read = browser.answer_of("read_property", "200").await;
    assert!(read.contains("Casa do Farol") && read.contains("\"8.10\""), "{read}");
    let order = "const one = document.querySelector('#list_properties [data-name^=\"order\"]');
        one.value = 'order[title]=desc'; return one.value";
    browser.expect("an order", order, "order[title]=desc").await;
    browser.press_in("#list_properties", "Send: List properties").await;
    let listed = browser.answer_of("list_properties", "200").await;
    assert!(listed.contains("Casa do Farol"), "{listed}");

    let place = "return [location.href, document.documentElement.outerHTML, document.cookie,
        JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), JSON.stringify(history.state)].join()";
    let place: String = browser.reads("the page", place).await;
    assert!(!place.contains(&me.key), "the key is in the page's text, address or storage");
    browser.visit(format!("{}/docs", server.base_url)).await;
    browser.back().await.unwrap();
    let kept = "return [...document.querySelectorAll('[data-key]')].map(one => one.value).join('')";
    browser.expect("no key after the page was left", kept, "").await;
}

impl Browser {
    async fn looks_right_after_trying(&mut self) {
        // Refused requests are errors to the console.
        self.browser_log().await.expect("the console");
        self.looks_right("docs-tried", 200).await;
        self.look(1280, Scheme::Light).await;
    }
}

#[actix_web::test]
async fn the_keyboard_alone_is_enough_to_try_an_operation() {
    let server = site().await;
    let me = server.person("desk@farol.example").await;
    let browser = Browser::open(1280, Scheme::Light, true).await;
    browser.visit(format!("{}/docs/reference/facilities#property_facilities_options", server.base_url)).await;
    browser.tab_to("Try it: List facilities of properties (unpaged)").await;
    browser.strike(Key::Enter).await;
    browser.tab_to("API key").await;
    browser.type_text(&me.key).await;
    browser.strike(Key::Enter).await;
    let listed = browser.answer_of("property_facilities_options", "200").await;
    assert!(listed.contains("\"type\": \"facility\""), "{listed}");
    browser.tab_to("Send: List facilities of properties (unpaged)").await;
}
