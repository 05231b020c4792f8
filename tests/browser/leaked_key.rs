//! The page where anybody hands in keys that they have found.

use crate::{
    chrome::{Browser, Scheme},
    key_form::foreign_key,
    server::Server,
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
