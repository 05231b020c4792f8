//! Black-box tests: each starts the real program on a free port, with a
//! database of its own, and speaks to it as its users do.
//!
//! `LATCHKEY_TEST_DATABASE` chooses the engine, see `tests/support/database.rs`.

#[path = "../support/mod.rs"]
mod support;

mod activity;
mod api;
mod architecture;
mod faults;
mod harness;
mod hosts;
mod http;
mod keys;
mod mail;
mod pages;
mod stale;

// Helpers find each other at the root, as in the tests in Chromium.
use support::{
    access, activity as record, browser, client, cluster, command, database, derived, hammer, host, html, instances,
    key_form, mail as mails, memory, options, page, people, program, property, rate_plan, raw, response, room_type,
    rounds, second_factor, secrets, server, site, sql, wire,
};
