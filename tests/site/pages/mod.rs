//! Pages and their forms, without a browser.

mod members_pages;
mod profile;
mod properties_page;
mod session_life;
mod sign_in;
mod welcome;
