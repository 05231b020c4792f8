//! Pages beyond a single feature: User Profile and the documentation.

pub mod activity; // the page of what happened in an account
pub mod docs; // the documentation's pages
pub mod leaked_key; // where anybody hands in what they have found
pub mod profile; // the User Profile page
pub mod sign_up; // creating an account
