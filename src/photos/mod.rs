//! Photos of properties and room types, written in batches through `content.photos` (contract/photos.md).

pub mod store;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    http::{
        error::{Problems, Result},
        fields::{Field, Kind, LARGEST, optional, read_only, required},
        judge,
    },
    ids::{PhotoId, PropertyId, RoomTypeId},
};

/// The fields of an entry of `content.photos`.
pub const FIELDS: &[Field] = &[
    optional("id", Kind::Id, "The photo to change or remove; without it a new one is made."),
    optional("is_removed", Kind::Boolean, "`true` removes the photo that `id` names.").hidden(),
    required("url", Kind::Url, "Where the picture is. It is given back as sent."),
    optional(
        "position",
        Kind::Integer { min: 0, max: LARGEST },
        "Place in the order; 0 is the cover. Default: the next.",
    ),
    optional("description", Kind::LongText, "What is to be seen."),
    optional("author", Kind::LongText, "Who took it."),
    optional("kind", Kind::OneOf(&["photo", "ad", "menu"]), "`ad` is for advertising, `menu` a restaurant's menu."),
    read_only("property_id", Kind::Id, "The property that it belongs to."),
    read_only("room_type_id", Kind::Id, "The room type that it belongs to, or null."),
];

/// A photo as answers show it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Photo {
    pub author: Option<String>,
    pub description: Option<String>,
    pub id: PhotoId,
    pub kind: String,
    pub position: i64,
    pub property_id: PropertyId,
    pub room_type_id: Option<RoomTypeId>,
    pub url: String,
}

/// Whose photos.
#[derive(Clone, Copy)]
pub struct Parent {
    pub property: PropertyId,
    /// `None`: the property's own.
    pub room_type: Option<RoomTypeId>,
}

/// What a batch does to the photos of one parent.
#[derive(Debug, Default)]
pub struct Changes {
    /// All photos afterwards, by position.
    pub photos: Vec<Photo>,
    new: Vec<PhotoId>,
    changed: Vec<PhotoId>,
    removed: Vec<PhotoId>,
}

/// Takes `content.photos` out of a judged body.
pub fn take(judged: &mut Map<String, Value>) -> Vec<Value> {
    let photos = judged.get_mut("content").and_then(Value::as_object_mut).and_then(|content| content.remove("photos"));
    match photos {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    }
}

/// Works out what judged entries do to the photos that are there: all of it, or none. Photos that are not mentioned
/// stay. What is wrong goes to `content.photos`.
pub fn plan(parent: Parent, old: Vec<Photo>, entries: Vec<Value>, problems: &mut Problems) -> Result<Changes> {
    let mut changes = Changes { photos: old, ..Changes::default() };
    let mut wrong = Problems::default();
    let mut places = Vec::new();
    let mut without_position = Vec::new();
    for (place, entry) in entries.into_iter().enumerate() {
        let Value::Object(mut entry) = entry else { continue };
        let id: Option<PhotoId> = entry.get("id").and_then(|id| serde_json::from_value(id.clone()).ok());
        let is_removed = entry.remove("is_removed") == Some(Value::Bool(true));
        let index = id.and_then(|id| changes.photos.iter().position(|photo| photo.id == id));
        // A photo that is not this parent's, or one that is to be removed but is not named.
        if index.is_none() && (id.is_some() || is_removed) {
            wrong.add("photos", "has an invalid entry");
            continue;
        }
        if entry.get("kind") == Some(&Value::Null) {
            entry.insert("kind".to_owned(), "photo".into());
        }
        let wants_position = entry.get("position").is_some_and(|position| !position.is_null());
        let keeps_position = index.is_some() && !entry.contains_key("position");
        if !wants_position {
            entry.remove("position");
        }
        let photo = match index {
            Some(index) if is_removed => {
                changes.removed.push(changes.photos.remove(index).id);
                continue;
            }
            Some(index) => {
                let photo = changed(&changes.photos[index], entry)?;
                changes.changed.push(photo.id);
                changes.photos[index] = photo.clone();
                photo
            }
            None => {
                entry.remove("id");
                let photo = changed(&blank(parent), entry)?;
                changes.new.push(photo.id);
                changes.photos.push(photo.clone());
                photo
            }
        };
        if wants_position {
            places.push((photo.id, place));
        } else if !keeps_position {
            without_position.push(photo.id);
        }
    }
    // The next free number; the last one there is leaves none.
    for id in without_position {
        let others = changes.photos.iter().filter(|photo| photo.id != id && photo.position >= 0);
        let next = others.map(|photo| photo.position + 1).max().unwrap_or(0);
        if let Some(photo) = changes.photos.iter_mut().find(|photo| photo.id == id) {
            photo.position = next;
        }
        if next > LARGEST {
            wrong.add("photos", "has no position after the last");
        }
    }
    for (id, place) in places {
        let position = changes.photos.iter().find(|photo| photo.id == id).map(|photo| photo.position);
        if changes.photos.iter().any(|photo| photo.id != id && Some(photo.position) == position) {
            wrong.add("photos", format!("{place}.position has already been taken"));
        }
    }
    let adds = !changes.new.is_empty();
    if adds && changes.photos.len() > judge::MOST_ENTRIES {
        wrong.add("photos", format!("should have at most {} item(s)", judge::MOST_ENTRIES));
    }
    problems.merge_inside("content", wrong);
    changes.photos.sort_by_key(|photo| photo.position);
    Ok(changes)
}

/// A new photo, before anything of it is known; its place is found last.
fn blank(parent: Parent) -> Photo {
    Photo {
        author: None,
        description: None,
        id: PhotoId::new(),
        kind: "photo".to_owned(),
        position: -1,
        property_id: parent.property,
        room_type_id: parent.room_type,
        url: String::new(),
    }
}

fn changed(photo: &Photo, entry: Map<String, Value>) -> Result<Photo> {
    let mut all = judge::object(photo)?;
    judge::merge(&mut all, entry);
    Ok(serde_json::from_value(all.into())?)
}
