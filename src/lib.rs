//! Latchkey: a self-hosted, white-label channel-manager API for the hotel trade, in one binary.

#![cfg_attr(not(test), warn(clippy::panic, clippy::unwrap_used))]

mod access; // what a caller sees and may do
mod api_keys; // keys: made, shown once, withdrawn
pub mod cli; // the commands
mod clock; // now(), the one place that asks the time
mod config; // every setting
mod countries; // country codes
mod db; // Db, Tx, on!, migrations
mod demo; // lifelike data for a first look
mod docs; // the documentation's pages
mod email; // addresses, and when two are the same
mod facilities; // catalogues of amenities
mod groups; // bundles of properties
mod http; // what every feature's JSON and pages share
mod ids; // a newtype for each table's key
pub mod logging; // the log's way to standard error
mod members; // property users and group users
mod money; // amounts in minor units
mod openapi; // the API's document, from the tables that judge
mod photos; // of properties and room types
#[cfg(test)]
mod plans; // how both databases answer large accounts
mod profile; // the User Profile page
mod properties; // hotels, hostels, villas
mod quotas; // how much one may have
mod rate_plans; // how room types are sold
mod recent; // what was asked for lately, in bounded room
mod room_types; // what is sold
mod routes; // every URL on one screen
mod secret; // random secrets and their digests
mod sessions; // browser sessions
mod site; // what every handler may need
mod subscriptions; // the gate before API keys
mod users; // people and their passwords
mod visible; // what people can see of a text
