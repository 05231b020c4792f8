//! The list of keys of every length and in every state, and the way back to the row from each dialog.

use thirtyfour::{prelude::*, support::base64_decode};

use crate::{
    axe::assert_accessible,
    chrome::{Browser, Scheme},
    keyboard::Key,
    looks::titles,
    people::User,
    server::Server,
    steps::before_the_list,
};

/// Keys by SQL, each with a title of its own, of which some were used, some have expired and some are withdrawn.
async fn many_keys(server: &Server, user: &User, count: usize) {
    let (numbers, id, digest, sort_title) = match server.database_url() {
        Some(_) => (
            format!("with n as (select n from generate_series(1, {count}) n)"),
            "cast(lpad(to_hex(n + 4096), 32, '0') as uuid)",
            "convert_to('digest ' || n, 'UTF8')",
            "convert_to('desk ' || n, 'UTF8')",
        ),
        None => (
            format!("with recursive n(n) as (select 1 union all select n + 1 from n where n < {count})"),
            "unhex(printf('%032x', n + 4096))",
            "cast('digest ' || n as blob)",
            "cast('desk ' || n as blob)",
        ),
    };
    let sql = format!(
        "insert into api_keys (id, user_id, title, sort_title, digest, tail, form_digest, all_properties, read_only,
            manage_users, created_at)
        {numbers} select {id}, u.id, 'Desk ' || n, {sort_title}, {digest}, 'tail' || (10 + n % 90), {digest}, true,
            n % 3 = 0, n % 3 <> 0, u.created_at
        from n, users u where u.email = '{}'",
        user.email
    );
    assert_eq!(server.sql(&sql).await, count as u64);
    server.set_moment_where("api_keys", "created_at", -40 * 86_400, "title like '%5'").await;
    server.set_moment_where("api_keys", "last_used_at", -2 * 3_600, "title like '%1'").await;
    server.set_moment_where("api_keys", "expires_at", -86_400, "title like '%7'").await;
    server.sql("update api_keys set last_used_address = '203.0.113.7', last_used_client = 'HarbourPMS/7.1 (Linux)' where last_used_at is not null").await;
    let withdraw = "update api_keys set withdrawn_by = 'owner', withdrawn_at = created_at where title like '%9'";
    server.sql(withdraw).await;
    server.set_moment_where("api_keys", "withdrawn_at", -9 * 86_400, "withdrawn_at is not null").await;
    server.set_moment_where("api_keys", "last_refused_at", -180, "withdrawn_at is not null").await;
    let refused = "update api_keys set refused_count = 214, last_refused_address = '203.0.113.7',
        last_refused_client = 'PMS-X/2.1', last_refused_reason = 'withdrawn' where last_refused_at is not null";
    server.sql(refused).await;
}

/// Pictures in the two ways of looking that [`Browser::looks_right`] does not try.
async fn other_looks(browser: &mut Browser, name: &str) {
    for (width, scheme) in [(360, Scheme::Light), (1280, Scheme::Dark)] {
        browser.look(width, scheme).await;
        browser.screenshot(name).await;
        browser.assert_no_sideways_scroll().await;
        assert_accessible(browser).await;
    }
}

#[actix_web::test]
async fn a_hundred_keys_in_every_state_look_right() {
    let (server, user, mut browser) = before_the_list(1280, true).await;
    many_keys(&server, &user, 110).await;
    let at = |query: &str| format!("{}/user_profile{query}", server.base_url);
    browser.visit(at("")).await;
    browser.looks_right("keys-100", 200).await;
    other_looks(&mut browser, "keys-100").await;
    browser.visit(at("?order=-status&page=2#api_keys")).await;
    browser.looks_right("keys-100-page-2", 200).await;
    browser.visit(at("?status=withdrawn")).await;
    browser.looks_right("keys-100-withdrawn", 200).await;
    browser.visit(at("?status=expired&q=desk+17")).await;
    browser.looks_right("keys-100-found", 200).await;
    browser.visit(at(&format!("?q={}", "nothing".repeat(20)))).await;
    browser.looks_right("keys-100-not-found", 200).await;
}

#[actix_web::test]
async fn one_key_and_its_use_look_right_with_javascript() {
    one_key(true).await;
}

#[actix_web::test]
async fn one_key_and_its_use_look_right_without_javascript() {
    one_key(false).await;
}

async fn one_key(javascript: bool) {
    let server = Server::options().env("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1").start().await;
    let me = server.person("desk@farol.example").await;
    for number in 1..5 {
        let api = server.with_key(&me.key);
        let (address, client) = (format!("2001:db8:{number}:ffff:ffff:ffff:ffff:{number}"), "PMS/".repeat(50 * number));
        for (name, value) in [("user-agent", &*client), ("user-agent", "curl/8.14.1")] {
            let call = api.get("/api/v1/properties").header("x-forwarded-for", &*address);
            call.header(name, value).await.is(200);
        }
    }
    let id = me.browser.key_id(&me.key).await;
    let mut browser = Browser::open(1280, Scheme::Light, javascript).await;
    browser.arrive(&server, &me.user).await;
    browser.looks_right("keys-1", 200).await;
    server.set_moment("api_keys", "created_at", -40 * 86_400).await;
    server
        .sql("insert into key_days (key_id, day, uses, refused) select id, created_at, 123456, 7 from api_keys")
        .await;
    browser.visit(format!("{}/user_profile/api_keys/{id}", server.base_url)).await;
    browser.find(By::XPath("//summary[text() = 'By day']")).await.unwrap().click().await.unwrap();
    browser.looks_right("key-use", 200).await;
    other_looks(&mut browser, "key-use").await;
    browser.visit(format!("{}/user_profile/api_keys/{id}/withdraw", server.base_url)).await;
    browser.looks_right("withdraw-used", 200).await;
}

#[actix_web::test]
async fn every_dialog_leads_back_to_the_row_with_javascript() {
    back_to_the_row(true).await;
}

#[actix_web::test]
async fn every_dialog_leads_back_to_the_row_without_javascript() {
    back_to_the_row(false).await;
}

async fn back_to_the_row(javascript: bool) {
    let (server, user, browser) = before_the_list(1280, javascript).await;
    many_keys(&server, &user, 60).await;
    browser.visit(format!("{}/user_profile", server.base_url)).await;
    browser.type_into("Search in title and last characters of the keys", "desk").await;
    browser.press_in("#api_keys", "Search").await;
    browser.press_in("#api_keys thead", "Title").await;
    browser.press_in("#api_keys", "Next").await;
    let place = "return location.pathname + location.search";
    browser.expect("page 2", place, "/user_profile?q=desk&order=title&page=2").await;
    let rows = browser.rows().await;
    let (row, key) = rows.iter().enumerate().rfind(|(_, row)| row.status == "active").expect("an active key");
    let title = key.title.clone();
    let focused = "const one = document.activeElement, box = one.getBoundingClientRect();
        return box.top >= 0 && box.bottom <= innerHeight && one.textContent + ' ' +
            one.closest('tr')?.querySelector('th').innerText.trim()";
    let row = format!("#api_keys tbody tr.key:nth-child({} of .key)", row + 1);
    for (choice, heading, word) in [("Details", "API Key", "Close"), ("Withdraw", "Withdraw API Key", "Cancel")] {
        for by_escape in [false, true] {
            browser.press_in(&row, "Actions").await;
            browser.press_in(&row, choice).await;
            browser.dialog(heading).await;
            if by_escape && javascript {
                browser.strike(Key::Escape).await;
            } else {
                browser.press(word).await;
            }
            browser.no_dialog().await;
            browser.expect("where it was", place, "/user_profile?q=desk&order=title&page=2").await;
            browser.expect("the focus", focused, format!("Actions {title}")).await;
        }
    }
    browser.press("Create new API Key").await;
    browser.press("Cancel").await;
    browser.no_dialog().await;
    browser.expect("where it was", place, "/user_profile?q=desk&order=title&page=2").await;
    browser.expect("the focus", "return document.activeElement.id", "new_api_key").await;

    browser.press_in(&row, "Actions").await;
    browser.press_in(&row, "Withdraw").await;
    browser.press_in("dialog", "Withdraw").await;
    browser.no_dialog().await;
    browser.expect("where it was", place, "/user_profile?q=desk&order=title&page=2").await;
    let notice = "const one = document.querySelector('#api_keys [role=status]'), box = one.getBoundingClientRect();
        return box.top >= 0 && box.bottom <= innerHeight && one.textContent";
    browser.expect("the notice", notice, "API key withdrawn. It can no longer be used.").await;
    assert!(browser.rows().await.iter().any(|row| row.title == title && row.status == "withdrawn"));
}

#[actix_web::test]
async fn the_browser_asks_before_a_key_is_lost_that_was_not_copied() {
    let (server, _, browser) = before_the_list(1280, true).await;
    let asks = "const event = new Event('beforeunload', { cancelable: true });
        dispatchEvent(event);
        return event.defaultPrevented";
    browser.grant_clipboard(&server.base_url).await;
    browser.create_key(&server, "Harbour PMS").await;
    browser.expect("it asks", asks, true).await;
    browser.press_in(".copyable:has(#api)", "Copy").await;
    browser.button(".copyable:has(#api)", "Copied").await;
    browser.expect("it still asks", asks, true).await;
    browser.press_in(".copyable:has(#key)", "Copy").await;
    browser.button(".copyable:has(#key)", "Copied").await;
    browser.expect("it is copied", asks, false).await;
    browser.press("Close").await;
    browser.no_dialog().await;
    browser.create_key(&server, "Other PMS").await;
    browser.press("Close").await;
    browser.no_dialog().await;
}

#[actix_web::test]
async fn a_new_key_prints_on_one_sheet_with_what_belongs_to_it() {
    let (server, _, browser) = before_the_list(1280, true).await;
    for number in 0..6 {
        browser.create_key(&server, &format!("{} {number}", titles()[6])).await;
        browser.press("Close").await;
        browser.no_dialog().await;
    }
    let key = browser.create_key(&server, "Harbour PMS").await;
    let print = serde_json::json!({ "media": "print" });
    browser.cdp().send_raw("Emulation.setEmulatedMedia", print).await.expect("a sheet");
    let sheet: String = browser.reads("the sheet", "return document.body.innerText").await;
    for part in ["Latchkey", "Harbour PMS", "created ", " UTC", "/api/v1", "user-api-key"] {
        assert!(sheet.contains(part), "no {part} in {sheet}");
    }
    for part in ["Change password", "Close", "Copy", "curl", "Waiting for"] {
        assert!(!sheet.contains(part), "{part} in {sheet}");
    }
    let shows_key = format!(
        "const one = document.getElementById('key');
        return one.checkVisibility() && one.value === '{key}' && one.scrollHeight <= one.clientHeight + 2"
    );
    browser.expect("the key", &shows_key, true).await;
    browser.screenshot("created-printed").await;
    let printed = browser.cdp().send_raw("Page.printToPDF", serde_json::json!({})).await.expect("a PDF");
    let pdf = printed["data"].as_str().expect("base64");
    let pdf = String::from_utf8_lossy(&base64_decode(pdf).expect("base64")).into_owned();
    assert_eq!(pdf.matches("/Type /Page\n").count() + pdf.matches("/Type /Page ").count(), 1, "one sheet");
}
