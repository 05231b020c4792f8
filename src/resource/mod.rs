//! What the collections of the API share: fields, validation, lists, and how an answer is written.

pub mod amount;
pub mod answer;
pub mod attribute;
pub mod blocks;
pub mod collection;
pub mod document;
pub mod fields;
pub mod handlers;
pub mod json;
pub mod list;
pub mod numbers;
pub mod object;
pub mod query;
pub mod render_cache;
pub mod steps;
pub mod store;
pub mod validate;
pub mod value;
pub mod values;
