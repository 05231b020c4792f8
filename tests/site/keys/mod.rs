//! API keys: limits, uses, and the pages and commands that make and withdraw them.

mod key_counts;
mod key_gate;
mod key_limits;
mod key_list;
mod key_pages;
mod key_uses;
mod limited_keys;
