//! What the collections of the API share: fields, validation, lists, and how an answer is written.

pub mod fields;
pub mod json;
pub mod list;
pub mod numbers;
pub mod query;
pub mod render_cache;
pub mod steps;
pub mod validate;
