//! The page where anybody hands in keys that they have found.

use crate::{
    chrome::{Browser, Scheme},
    key_form::{foreign_key, sha256_hex},
    server::Server,
    steps::eventually,
};

#[actix_web::test]
async fn the_page_for_found_keys_looks_right_with_javascript() {
    looks(true).await;
}

#[actix_web::test]
async fn the_page_for_found_keys_looks_right_without_javascript() {
    looks(false).await;
}

async fn looks(javascript: bool) {
    let server = Server::options().arg("--support").arg("help@latchkey.example").start().await;
    let mut browser = Browser::open(1280, Scheme::Light, javascript).await;
    browser.visit(format!("{}/leaked_key", server.base_url)).await;
    browser.looks_right("leaked-key", 200).await;
    browser.type_into("The key, or a text that contains it", &format!("KEY={}", foreign_key("lk"))).await;
    browser.press("Stop these keys").await;
    let thanks = "return document.querySelector('[role=status]')?.textContent ?? ''";
    let words = "Thank you. A working key among these stops at once, and its owner is told.";
    browser.expect("thanks", thanks, words.to_owned()).await;
    browser.looks_right("leaked-key-thanks", 200).await;
}

#[actix_web::test]
async fn keys_that_were_imported_or_found_look_right_in_the_list() {
    let server = Server::start().await;
    let me = server.person("desk@farol.example").await;
    let found = me.browser.create_key("Property management system").await;
    let file = format!(
        "email,title,sha256,tail,expires_at,read_only,property_ids\n{},Old system,{},1Q1P,,,\n",
        me.user.email,
        sha256_hex("the key of an old system")
    );
    server.run_with(&["key", "import", "-"], &file).ok();
    server.anonymous().post_form("/leaked_key", &[("text", &found)]).await.is(200);
    let mut browser = Browser::open(1280, Scheme::Light, true).await;
    browser.arrive(&server, &me.user).await;
    let list = "return document.querySelector('#api_keys').innerText";
    eventually("the key is withdrawn", async || {
        browser.visit(format!("{}/user_profile", server.base_url)).await;
        let list: String = browser.reads("the list", list).await;
        (list.contains("found, leaked") && list.contains("imported")).then_some(())
    })
    .await;
    browser.looks_right("profile-found", 200).await;
}
