//! Used by every floor: values and their rules, settings, the clock and the log.

pub mod clock; // now(), the one place that reads the time
pub mod countries; // country codes
pub mod days; // days in time zones
pub mod email; // validating and comparing addresses
pub mod error; // why a request fails
pub mod ids; // a newtype for each table's key
pub mod logging; // the log on standard error
pub mod mail_settings; // the mail server and the sender
pub mod money; // amounts in minor units
pub mod sealed; // encrypted values
pub mod secret; // random secrets and their digests
pub mod secret_keys; // the keys that encrypt
pub mod settings; // every setting
pub mod text; // invisible and misleading characters
