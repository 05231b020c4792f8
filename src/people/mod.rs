//! People: accounts, passwords, browser sessions, subscriptions.

pub mod password; // rules, hashes, common passwords
pub mod second_factor; // one-time codes and recovery codes
pub mod sessions; // browser sessions
pub mod subscriptions; // which API keys require
pub mod throttle; // limits of failed attempts
pub mod users; // accounts and invitations
