//! Black-box tests: each starts the real program on a free port, with a
//! database of its own, and speaks to it as its users do.
//!
//! `LATCHKEY_TEST_DATABASE` chooses the engine, see `database.rs`.

mod access;
mod app;
mod browser;
mod client;
mod database;
mod host;
mod html;
mod page;
mod people;
mod property;
mod raw;
mod response;
mod secrets;
mod wire;

mod access_races;
mod api_headers;
mod api_keys;
mod api_requests;
mod api_routes;
mod api_sessions;
mod client_forms;
mod commands;
mod commands_refused;
mod demo;
mod encodings;
mod failures;
mod failures_database;
mod failures_start;
mod forms_from_elsewhere;
mod groups;
mod groups_properties;
mod groups_write;
mod harness;
mod isolation;
mod key_gate;
mod key_limits;
mod key_pages;
mod key_uses;
mod limited_keys;
mod odd_ids;
mod operations;
mod outages;
mod page_headers;
mod profile;
mod properties_create;
mod properties_create_parts;
mod properties_delete;
mod properties_fields;
mod properties_filter;
mod properties_list;
mod properties_page;
mod properties_read;
mod properties_update;
mod secrets_stay;
mod serving;
mod session_life;
mod sign_in;
mod users_changed;
mod users_invited;
mod users_listed;
mod welcome;
