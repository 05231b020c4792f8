//! API keys: limits, uses, ends, and the pages and commands that make, change and withdraw them.

mod imported;
mod key_addresses;
mod key_counts;
mod key_edits;
mod key_expiry;
mod key_gate;
mod key_limits;
mod key_list;
mod key_pages;
mod key_rotation;
mod key_uses;
mod leak_box;
mod limited_keys;
