//! The database: one SQL text for SQLite and PostgreSQL, run over an enum of the two.
//!
//! `db.read()` and `db.write()` say what is meant; a [`Tx`] that is dropped is undone.

mod bind; // a value bound to a statement
mod database; // Db, Tx
mod execute; // execute!
mod faults; // what an error means
mod folded; // how texts are compared
mod found; // what a database holds before anything is done to it
pub mod host_values; // what all processes share
mod limits; // of waiting
mod migrate; // the schema, brought up to date
mod migrations;
mod postgres; // the server, and what it holds
mod postgres_pool;
mod postgres_url;
mod revocation; // how long cached credentials hold
mod revocation_store;
mod row;
mod sqlite_reader; // reading SQLite
mod sqlite_writer; // writing SQLite
mod statement; // one query, on any of them

#[cfg(test)]
pub use crate::db::statement::RAN;
pub use crate::db::{
    bind::Bind,
    database::{Db, On, Tx},
    faults::{is_gone, is_taken, is_unavailable, plain},
    folded::folded,
    found::{Found, look_at_file},
    limits::{PATIENCE, PATIENCE_OF_COMMANDS, in_time},
    migrations::{lock_file, missing},
    postgres::Server,
    row::{FromRow, Row},
    statement::Statement,
};
pub(crate) use crate::db::{
    execute::execute,
    row::{impl_column, impl_from_row},
};
