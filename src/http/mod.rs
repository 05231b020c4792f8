//! What every feature's JSON and pages share.

pub mod address;
pub mod api_face;
pub mod assets;
pub mod auth;
pub mod body;
pub mod encoding;
pub mod error;
pub mod etag;
pub mod fields;
pub mod form;
pub mod gate;
pub mod json;
pub mod judge;
pub mod listing;
pub mod page;
pub mod page_face;
pub mod parse;
pub mod path;
pub mod query;
pub mod rates;
pub mod rendered;
pub mod requests;
pub mod same_origin;
pub mod server;
pub mod steps;
pub mod verbs;
