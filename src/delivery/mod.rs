//! Sending the mails of the outbox (`record/outbox.rs`), beside requests.

mod account_notices; // what notices say of an account
pub mod compose; // a mail as its kind and data say it
mod key_notices; // what notices say of API keys
pub mod letter; // the text and HTML of a mail
mod notice; // what all notices say
pub mod queue; // the outbox, as it is worked off
pub mod server; // the mail server of the settings
mod smtp; // one mail over SMTP
pub mod worker; // takes mails one after the other
