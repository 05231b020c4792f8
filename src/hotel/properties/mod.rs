//! Properties: one physical place each (docs/contract/properties.md).

pub mod api;
pub mod list_index;
pub mod pages;
mod parts;
mod property;
mod render;
pub mod search;
pub mod store;

pub use crate::hotel::properties::property::Property;
