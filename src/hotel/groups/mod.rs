//! Groups: bundles of properties (docs/contract/groups.md).

mod answers;
pub mod api;
pub mod placements;
pub mod store;

use crate::{
    base::ids::GroupId,
    resource::fields::{Field, Kind, read_only, required},
};

/// The title of the group that every account begins with (docs/contract/properties.md, quirk 11).
pub const FIRST_TITLE: &str = "User Group";

/// The fields of a group (docs/contract/groups.md).
pub const FIELDS: &[Field] =
    &[read_only("id", Kind::Id, "The group's ID."), required("title", Kind::Title, "Name of the group.")];

/// A group.
pub struct Group {
    pub id: GroupId,
    pub title: String,
}
