//! The server under test and the people who use it, from the tests over HTTP.
#![allow(dead_code, reason = "what the tests over HTTP need as well")]

#[path = "../site/app.rs"]
pub mod app;
#[path = "../site/browser.rs"]
pub mod browser;
#[path = "../site/client.rs"]
pub mod client;
#[path = "../site/database.rs"]
pub mod database;
#[path = "../site/html.rs"]
pub mod html;
#[path = "../site/people.rs"]
pub mod people;
#[path = "../site/raw.rs"]
pub mod raw;
#[path = "../site/response.rs"]
pub mod response;
#[path = "../site/secrets.rs"]
pub mod secrets;
#[path = "../site/wire.rs"]
pub mod wire;
