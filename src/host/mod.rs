//! Pages beyond a single feature: User Profile and the documentation.

pub mod docs; // the documentation's pages
pub mod profile; // the User Profile page
