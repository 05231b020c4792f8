//! Pages and their forms, without a browser.

mod docs;
mod forms_from_elsewhere;
mod members_pages;
mod page_headers;
mod profile;
mod properties_page;
mod session_life;
mod sign_in;
mod sign_in_floods;
mod welcome;
