//! Assembles the program: routes, middleware, authentication, the OpenAPI document.

pub mod auth; // authentication
pub mod openapi; // the OpenAPI document
#[cfg(test)]
mod query_plans; // for large accounts, on both databases
pub mod routes; // every URL
pub mod server; // middleware in order, start and stop
