//! Pages and their forms, without a browser.

mod guessing;
mod kept_forms;
mod members_pages;
mod profile;
mod properties_page;
mod second_factor;
mod second_factor_guesses;
mod second_factor_required;
mod session_life;
mod sessions;
mod sign_in;
mod step_up;
mod welcome;
