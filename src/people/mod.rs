//! People: accounts, passwords, browser sessions, subscriptions.

pub mod password; // rules, hashes, common passwords
pub mod sessions; // browser sessions
pub mod subscriptions; // which API keys require
pub mod users; // accounts and invitations
