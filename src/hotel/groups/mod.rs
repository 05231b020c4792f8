//! Groups: bundles of properties (docs/contract/groups.md).

mod answers;
pub mod api;
pub mod placements;
pub mod store;

use uuid::Uuid;

use crate::{
    base::{ids::PropertyId, settings::Settings},
    resource::{
        attribute::{Attribute, field},
        collection::{Name, Pages, Parent, Related, Relationship, Resource, Stored},
        value::Title,
    },
};

/// The title of the group that every account begins with (docs/contract/properties.md, quirk 11).
pub const FIRST_TITLE: &str = "User Group";

/// A group.
#[derive(Clone, Debug, Default)]
pub struct Group {
    pub title: Title,
}

impl Group {
    /// A new one.
    pub fn titled(title: &str) -> Stored<Self> {
        Stored { id: Uuid::now_v7(), version: 0, resource: Group { title: Title(title.to_owned()) } }
    }
}

impl Resource for Group {
    const NAME: Name = Name { one: "group", many: "groups" };
    const PARENT: Parent = Parent::Group("id");
    const ROW: &'static str = "g";
    /// It shows its properties, which may be thousands, and each caller others.
    const VERSIONS: bool = false;
    const FIELDS: &'static [Attribute<Self>] = &[field!(title).required().filter().about("Name of the group.")];
    /// They are read in steps (`answers.rs`).
    const RELATIONSHIPS: &'static [Relationship<Self>] =
        &[Relationship { name: "properties", of: "property", data: Related::Named(|_| Vec::new()) }];
    const PAGES: Pages = Pages::WhenAsked;
    const TAG: &'static str = "Groups";
    const DELETED: &'static str = "Only empty groups; your last group cannot be deleted. Owners only.";

    fn property(&self) -> Option<PropertyId> {
        None
    }

    fn limit(settings: &Settings) -> i64 {
        settings.max_groups
    }
}
