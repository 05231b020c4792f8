//! Taxes of a property (docs/contract/taxes.md).

mod rate;
mod tax;

pub use crate::hotel::taxes::tax::Tax;
