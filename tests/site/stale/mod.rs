//! Nothing that was withdrawn is still good, on any process.

mod stale_hammer;
mod stale_keys;
mod stale_outages;
mod stale_people;
mod stale_responses;
mod stale_snapshots;
