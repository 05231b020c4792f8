//! Latchkey: a self-hosted, white-label channel-manager API for the hotel trade, in one binary.

pub mod api_keys; // keys: made, shown once, withdrawn
pub mod cli; // the commands, one function each
pub mod clock; // now(), the one place that asks the time
pub mod config; // every setting
pub mod countries; // country codes
pub mod db; // Db, Tx, on!, migrations
pub mod demo; // lifelike data for a first look
pub mod groups; // bundles of properties
pub mod http; // what every feature's JSON and pages share
pub mod ids; // a newtype for each table's key
pub mod money; // amounts in minor units
pub mod profile; // the User Profile page
pub mod properties; // hotels, hostels, villas
pub mod routes; // every URL on one screen
pub mod secret; // random secrets and their digests
pub mod sessions; // browser sessions
pub mod site; // what every handler may need
pub mod subscriptions; // the gate before API keys
pub mod users; // people and their passwords
