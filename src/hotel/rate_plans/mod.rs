//! Rate plans: how a room type is sold (docs/contract/rate-plans.md).

pub mod api;
mod chain; // rules applied one after the other, in bounded work
pub mod derive;
pub mod detach;
mod options;
mod plan;
mod rule_schemas;
pub mod rules;
pub mod store;

pub use crate::hotel::rate_plans::plan::RatePlan;
