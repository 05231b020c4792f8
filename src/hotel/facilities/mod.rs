//! Facilities: two catalogues of amenities of our own, one for properties, one for room types (docs/contract/facilities.md).
//! Their ids never change; a new line may be added to a list, none taken away.

pub mod api;

use std::{collections::HashMap, sync::LazyLock};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    base::ids::PropertyId,
    db::{Bind, Row, folded},
    resource::{
        attribute::{Attribute, field},
        collection::{Name, Resource, Stored},
        fields::Kind,
        json::Named,
        value::{Scalar, Text, Title},
    },
};

/// One amenity.
#[derive(Clone, Debug, Default)]
pub struct Facility {
    pub category: Text<255>,
    pub title: Title,
}

/// Only its table is used: the catalogues are in memory, and for every caller the same.
impl Resource for Facility {
    const NAME: Name = Name { one: "facility", many: "facilities" };
    const FIELDS: &'static [Attribute<Self>] = &[
        field!(category).required().filter().about("What kind of amenity it is."),
        field!(title).required().filter().about("Name of the amenity."),
    ];
    const TAG: &'static str = "Facilities";

    fn property(&self) -> Option<PropertyId> {
        None
    }
}

/// A list of amenities.
pub struct Catalogue {
    /// By title.
    pub entries: Vec<Stored<Facility>>,
    by_id: HashMap<Uuid, usize>,
}

/// What a property can have.
pub static OF_PROPERTIES: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::read(include_str!("property.txt")));

/// What a room can have.
pub static OF_ROOMS: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::read(include_str!("room.txt")));

/// True for an id of the catalogue of properties.
pub fn is_of_properties(id: Uuid) -> bool {
    OF_PROPERTIES.by_id.contains_key(&id)
}

/// True for an id of the catalogue of room types.
pub fn is_of_rooms(id: Uuid) -> bool {
    OF_ROOMS.by_id.contains_key(&id)
}

impl Catalogue {
    /// Lines of id, category and title.
    fn read(text: &'static str) -> Self {
        let entry = |line: &'static str| {
            let (id, rest) = line.split_once(' ')?;
            let (category, title) = rest.split_once(' ')?;
            let facility = Facility { category: Text(category.to_owned()), title: Title(title.to_owned()) };
            Some(Stored { id: id.parse().ok()?, version: 0, resource: facility })
        };
        let mut entries: Vec<Stored<Facility>> = text.lines().filter_map(entry).collect();
        entries.sort_by_cached_key(|facility| (folded(&facility.resource.title.0), facility.id));
        let by_id = entries.iter().enumerate().map(|(place, facility)| (facility.id, place)).collect();
        Catalogue { entries, by_id }
    }

    /// The facilities of a resource, as its relationships name them.
    pub fn named(&'static self, ids: &[Uuid]) -> Vec<Named<'static>> {
        let known = ids.iter().filter_map(|id| self.by_id.get(id)).filter_map(|place| self.entries.get(*place));
        known.map(|facility| Named::new("facility", facility.id, &*facility.resource.title.0)).collect()
    }
}

/// Declares the facilities that one kind of resource may have.
macro_rules! facilities {
    ($($name:ident, $catalogue:ident, $is_known:ident;)*) => { $(
        /// Ids of the catalogue, each once, in the order sent.
        #[derive(Clone, Debug, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Vec<Uuid>);

        impl $name {
            /// As relationships name them.
            pub fn named(&self) -> Vec<Named<'static>> {
                $catalogue.named(&self.0)
            }
        }

        impl Scalar for $name {
            const KIND: Kind = Kind::Ids($is_known);

            fn bind(value: Option<&Self>) -> Bind {
                Bind::MaybeText(value.map(|ids| ids.0.iter().map(Uuid::to_string).collect::<Vec<_>>().join(" ")))
            }

            fn load(row: &Row<'_>, place: usize) -> sqlx::Result<Option<Self>> {
                let text: Option<String> = row.at(place)?;
                let ids = |text: String| text.split_whitespace().filter_map(|id| id.parse().ok()).collect();
                Ok(text.map(|text| $name(ids(text))))
            }
        }
    )* };
}

facilities! {
    PropertyFacilities, OF_PROPERTIES, is_of_properties;
    RoomFacilities, OF_ROOMS, is_of_rooms;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_catalogues_is_read_and_no_id_or_title_occurs_twice() {
        for (text, catalogue) in
            [(include_str!("property.txt"), &*OF_PROPERTIES), (include_str!("room.txt"), &*OF_ROOMS)]
        {
            assert_eq!(catalogue.entries.len(), text.lines().count());
            assert_eq!(catalogue.by_id.len(), catalogue.entries.len());
            let titles: std::collections::BTreeSet<&str> =
                catalogue.entries.iter().map(|f| &*f.resource.title.0).collect();
            assert_eq!(titles.len(), catalogue.entries.len());
        }
        assert!(OF_PROPERTIES.entries.iter().all(|facility| !is_of_rooms(facility.id)));
    }
}
