//! The pages, seen in Chromium. `tests/run browser` installs what this needs.

mod axe;
mod chrome;
mod docs;
mod expiry;
mod harness;
mod history;
mod journey;
mod key_shown;
mod keyboard;
mod limits;
mod list;
mod looks;
mod members;
mod mistakes;
mod probe;
mod properties;
mod sign_in;
mod site;
mod steps;

// The modules of the tests over HTTP find each other at the root.
use site::{app, browser, client, database, html, people, raw, response, secrets, wire};
