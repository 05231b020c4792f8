//! Facilities: two catalogues of amenities of our own, one for properties, one for room types (docs/contract/facilities.md).
//! Their ids never change; a new line may be added to a list, none taken away.

pub mod api;

use std::{collections::HashMap, sync::LazyLock};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    db::{Bind, Row, folded},
    resource::{fields::Kind, json::Named, value::Scalar},
};

/// One amenity.
#[derive(Serialize)]
pub struct Facility {
    pub id: Uuid,
    pub category: &'static str,
    pub title: &'static str,
}

/// A list of amenities.
pub struct Catalogue {
    /// By title.
    pub entries: Vec<Facility>,
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
            Some(Facility { id: id.parse().ok()?, category, title })
        };
        let mut entries: Vec<Facility> = text.lines().filter_map(entry).collect();
        entries.sort_by_cached_key(|facility| (folded(facility.title), facility.id));
        let by_id = entries.iter().enumerate().map(|(place, facility)| (facility.id, place)).collect();
        Catalogue { entries, by_id }
    }

    /// The facilities of a resource, as its relationships name them.
    pub fn named(&self, ids: &[Uuid]) -> Vec<Named<'static>> {
        let known = ids.iter().filter_map(|id| self.by_id.get(id)).filter_map(|place| self.entries.get(*place));
        known.map(|facility| Named::new("facility", facility.id, facility.title)).collect()
    }
}

/// Facilities of a room type: ids of the catalogue, each once, in the order sent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoomFacilities(pub Vec<Uuid>);

impl RoomFacilities {
    /// As relationships name them.
    pub fn named(&self) -> Vec<Named<'static>> {
        OF_ROOMS.named(&self.0)
    }
}

impl Scalar for RoomFacilities {
    const KIND: Kind = Kind::Ids(is_of_rooms);

    fn bind(value: Option<&Self>) -> Bind {
        Bind::MaybeText(value.map(|ids| to_text(&ids.0)))
    }

    fn load(row: &Row<'_>, place: usize) -> sqlx::Result<Option<Self>> {
        Ok(row.at::<Option<String>>(place)?.map(|text| RoomFacilities(from_text(&text))))
    }
}

/// Ids as a column keeps them.
pub fn to_text(ids: &[Uuid]) -> String {
    ids.iter().map(Uuid::to_string).collect::<Vec<_>>().join(" ")
}

/// Ids as a column has kept them.
pub fn from_text(text: &str) -> Vec<Uuid> {
    text.split_whitespace().filter_map(|id| id.parse().ok()).collect()
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
            let titles: std::collections::BTreeSet<&str> = catalogue.entries.iter().map(|f| f.title).collect();
            assert_eq!(titles.len(), catalogue.entries.len());
        }
        assert!(OF_PROPERTIES.entries.iter().all(|facility| !is_of_rooms(facility.id)));
    }
}
