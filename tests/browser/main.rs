//! The pages, seen in Chromium. `tests/run browser` installs what this needs.

mod account;
mod activity;
mod axe;
mod chrome;
mod docs;
mod expiry;
mod harness;
mod history;
mod journey;
mod key_life;
mod key_list;
mod key_shown;
mod keyboard;
mod leaked_key;
mod limits;
mod list;
mod looks;
mod mail;
mod members;
mod mistakes;
mod probe;
mod properties;
mod sign_in;
mod steps;

#[allow(dead_code, reason = "what the tests over HTTP need as well")]
#[path = "../support/mod.rs"]
mod support;

// Helpers find each other at the root, as in the tests over HTTP.
#[allow(unused_imports, reason = "what the tests over HTTP need as well")]
use support::{
    access, activity as record, browser, client, cluster, command, database, derived, hammer, host, html, instances,
    key_form, mail as mails, memory, options, page, people, program, property, rate_plan, raw, response, room_type,
    rounds, second_factor, secrets, server, site, sql, wire,
};
