//! What every floor above may use: values and their rules, the clock and the log.

pub mod clock; // now(), the one place that asks the time
pub mod countries; // country codes
pub mod email; // addresses, and when two are the same
pub mod error; // why a request is not answered as hoped
pub mod ids; // a newtype for each table's key
pub mod logging; // the log on standard error
pub mod money; // amounts in minor units
pub mod secret; // random secrets and their digests
pub mod settings; // every setting
pub mod text; // what people can see of a text
