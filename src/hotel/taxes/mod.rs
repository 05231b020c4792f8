//! Taxes of a property, and the sets of them that rate plans use (docs/contract/taxes.md).

mod entries;
mod rate;
mod set;
mod tax;

pub use crate::hotel::taxes::{set::TaxSet, tax::Tax};
