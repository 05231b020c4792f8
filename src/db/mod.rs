//! The database: one SQL text for SQLite and PostgreSQL, run over an enum of the two.
//!
//! `db.read()` and `db.write()` begin transactions; a [`Tx`] that is dropped is rolled back.

mod bind; // a value bound to a statement
mod database; // Db, Tx
mod execute; // execute!, a write with constant SQL
mod faults; // classes of errors
mod folded; // sorting and searching of texts
mod found; // inspecting a database before it is used
pub mod host_values; // values that all processes share
mod limits; // timeouts
mod migrate; // the schema, brought up to date
mod migrations;
mod postgres; // the server, its content, its pool
mod postgres_pool;
mod postgres_url;
mod postgres_version; // what a cached response is compared by
mod revocation; // how long cached credentials are valid
mod revocation_store;
mod row;
mod sqlite_connection; // statements of SQLite, on the calling thread
mod sqlite_reader; // reading SQLite
mod sqlite_writer; // writing SQLite
mod statement; // one query, on any of them
mod version; // what a cached response is compared by

pub use crate::db::{
    bind::Bind,
    database::{Db, Tx},
    faults::{is_gone, is_taken, is_unavailable, plain},
    folded::folded,
    found::{Found, inspect_file},
    limits::{PATIENCE, PATIENCE_OF_COMMANDS},
    migrations::{lock_file, missing},
    postgres::Server,
    row::{FromRow, Row},
    statement::Statement,
    version::Version,
};
#[cfg(test)]
pub use crate::db::{database::On, statement::RAN};
pub(crate) use crate::db::{
    execute::execute,
    row::{impl_column, impl_from_row},
};
