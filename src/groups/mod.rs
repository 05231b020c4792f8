//! Groups: bundles of properties (contract/groups.md).

pub mod api;
pub mod store;

use crate::ids::GroupId;

/// The title of the group that every account begins with (contract/properties.md, quirk 11).
pub const FIRST_TITLE: &str = "User Group";

/// A group.
pub struct Group {
    pub id: GroupId,
    pub title: String,
}
