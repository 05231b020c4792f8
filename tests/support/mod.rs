//! The program under test, and the people and programs that use it: what the tests over HTTP and those in Chromium share.

pub mod access;
pub mod browser;
pub mod client;
pub mod cluster;
pub mod command;
pub mod database;
pub mod hammer;
pub mod host;
pub mod html;
pub mod instances;
pub mod memory;
pub mod options;
pub mod page;
pub mod people;
pub mod program;
pub mod property;
pub mod rate_plan;
pub mod raw;
pub mod response;
pub mod room_type;
pub mod rounds;
pub mod secrets;
pub mod server;
pub mod site;
pub mod sql;
pub mod wire;
