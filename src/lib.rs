//! Latchkey: a self-hosted, white-label channel-manager API for the hotel trade, in one binary.

#![cfg_attr(not(test), warn(clippy::panic, clippy::unwrap_used))]

mod access; // what a caller can see and do
mod app; // routes, middleware, authentication, the OpenAPI document
mod base; // values and their rules, the clock and the log
pub mod cli; // the commands
mod db; // SQLite and PostgreSQL: statements, transactions, migrations
mod delivery; // sending mail
mod demo; // data of `latchkey demo`
mod host; // User Profile and documentation
mod hotel; // groups, properties, rooms, rates, and who has access
mod keys; // API keys: created, shown once, withdrawn
mod people; // accounts, passwords, sessions, subscriptions
mod record; // what happened, and where it came from
mod resource; // what the collections of the API share
mod web; // server parts without rules of the product
