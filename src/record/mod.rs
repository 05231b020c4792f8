//! What happened and where it came from, for the pages and commands that show it.

pub mod activity; // the record: written in the transaction of each change
pub mod by; // who changes something, and whose record it is in
pub mod client; // a short name of a client
pub mod csv;
pub mod entries; // reading the record
pub mod entry; // one entry
pub mod notices; // which entries are mailed to their user
pub mod origin; // client and address of a request
pub mod outbox; // mails to be sent: written in the transaction of what they tell of
pub mod sentence; // an entry in words
