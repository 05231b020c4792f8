//! Room types: the units whose availability is counted (docs/contract/room-types.md).

pub mod api;
pub mod store;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    base::{
        error::{Problems, Result},
        ids::PropertyId,
    },
    hotel::{facilities, photos},
    resource::{
        fields::{Field, Kind, LARGEST, LONG_TEXT, optional, read_only, required, required_on_create},
        validate::{self, Operation},
    },
};

const BEDS: Kind = Kind::Integer { min: 0, max: LARGEST };

/// The fields of a room type.
pub const FIELDS: &[Field] = &[
    read_only("id", Kind::Id, "The room type's ID."),
    required_on_create("property_id", Kind::Id, "The property it belongs to.").hidden(),
    required("title", Kind::Title, "Name of the room type."),
    required("count_of_rooms", Kind::Positive, "Number of such rooms; for information only."),
    required("occ_adults", Kind::Positive, "Bed spaces for adults."),
    required("occ_children", BEDS, "Bed spaces for children only; children may also use adult bed spaces."),
    required("occ_infants", BEDS, "Cots."),
    optional("default_occupancy", Kind::Positive, "Guests without extra beds; at most, and by default, `occ_adults`."),
    optional("facilities", Kind::Ids(facilities::is_of_rooms), "IDs from `/room_facilities`.").hidden(),
    optional("room_kind", Kind::OneOf(&["room", "dorm"]), "Kind of room. Default: `room`."),
    optional("capacity", Kind::Positive, "Beds in one room of a `dorm`; null for a `room`."),
    optional("content", Kind::Object(CONTENT), "Text and photos."),
];

const CONTENT: &[Field] = &[
    optional("description", LONG_TEXT, "Description for guests."),
    optional(
        "photos",
        Kind::Batch(photos::FIELDS),
        "Photos to add, change or remove, each once; photos not listed stay unchanged. At most 100 in all.",
    ),
];

/// What can be written of a room type. Its defaults are those of a new one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoomType {
    pub title: String,
    pub count_of_rooms: i64,
    pub occ_adults: i64,
    pub occ_children: i64,
    pub occ_infants: i64,
    /// At most `occ_adults`.
    pub default_occupancy: i64,
    /// Ids of the catalogue, in the order sent.
    pub facilities: Vec<Uuid>,
    /// `room` or `dorm`.
    pub room_kind: String,
    pub capacity: Option<i64>,
    pub content: Content,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Content {
    pub description: Option<String>,
}

impl Default for RoomType {
    fn default() -> Self {
        RoomType {
            title: String::new(),
            count_of_rooms: 0,
            occ_adults: 0,
            occ_children: 0,
            occ_infants: 0,
            default_occupancy: 0,
            facilities: Vec::new(),
            room_kind: "room".to_owned(),
            capacity: None,
            content: Content::default(),
        }
    }
}

/// What a body makes of a room type.
pub struct Draft {
    pub room_type: RoomType,
    /// The property of a new one, where the body names one as it should.
    pub property: Option<PropertyId>,
    /// The entries of `content.photos`.
    pub photos: Vec<Value>,
}

impl RoomType {
    /// This room type with what a body changes; a new one begins with the defaults. What is wrong goes to `problems`.
    pub fn draft(self, sent: &Map<String, Value>, operation: Operation, problems: &mut Problems) -> Result<Draft> {
        let defaults = validate::object(&Self::default())?;
        let mut validated = validate::validate(FIELDS, sent, &defaults, operation, problems);
        let property = validated.remove("property_id").and_then(|id| serde_json::from_value(id).ok());
        let photos = photos::take(&mut validated);
        let mut all = validate::object(&self)?;
        validate::merge(&mut all, validated);
        let mut room_type: RoomType = serde_json::from_value(all.into())?;
        // Nothing, or null, means as many as there are beds.
        let asks = sent.get("default_occupancy").is_some_and(|occupancy| !occupancy.is_null());
        if room_type.default_occupancy == 0 || (sent.contains_key("default_occupancy") && !asks) {
            room_type.default_occupancy = room_type.occ_adults;
        }
        if room_type.default_occupancy > room_type.occ_adults
            && !problems.names("occ_adults")
            && !problems.names("default_occupancy")
        {
            let most = room_type.occ_adults;
            problems.add("default_occupancy", format!("must be less than or equal to {most}"));
        }
        if room_type.room_kind == "room" {
            room_type.capacity = None;
        }
        Ok(Draft { room_type, property, photos })
    }
}
