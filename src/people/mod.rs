//! People: accounts, passwords, browser sessions, subscriptions.

pub mod password; // rules, hashes, common ones
pub mod sessions; // browser sessions
pub mod subscriptions; // the gate before API keys
pub mod users; // accounts and invitations
