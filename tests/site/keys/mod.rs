//! API keys: limits, uses, and the pages and commands that make and withdraw them.

mod imported;
mod key_gate;
mod key_limits;
mod key_pages;
mod key_uses;
mod leak_box;
mod limited_keys;
