//! Puts the parts together: state, routes, the server's layers, the API's document.

pub mod auth; // who is asking
pub mod openapi; // the API's document
#[cfg(test)]
mod query_plans; // how both databases answer large accounts
pub mod routes; // every URL on one screen
pub mod server; // the layers in their order
