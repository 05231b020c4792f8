//! What a person sees of the whole: User Profile and the documentation.

pub mod docs; // the documentation's pages
pub mod profile; // the User Profile page
