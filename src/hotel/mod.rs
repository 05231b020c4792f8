//! The hotel trade: groups, properties and what belongs to them, and who has access.

pub mod accounts; // opening an account
pub mod changes; // of who has access to what
pub mod facilities; // catalogues of facilities
pub mod groups; // bundles of properties
pub mod members; // property users and group users
pub mod photos; // of properties and room types
pub mod policies; // house rules
pub mod properties; // hotels, hostels, villas
pub mod rate_plans; // how room types are sold
pub mod room_types; // what is sold
pub mod taxes; // and sets of them
