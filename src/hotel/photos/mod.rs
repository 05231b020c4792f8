//! Photos of properties and room types, written in batches through `content.photos` (docs/contract/photos.md).

pub mod store;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    base::{
        error::{Problems, Result},
        ids::{PhotoId, PropertyId, RoomTypeId},
    },
    resource::fields::{Field, Kind, LARGEST, optional, read_only, required},
};

/// The fields of an entry of `content.photos`.
pub const FIELDS: &[Field] = &[
    optional("id", Kind::Id, "The photo to change or remove; without it, a new one is created."),
    optional("is_removed", Kind::Boolean, "`true` removes the photo that `id` names.").hidden(),
    required("url", Kind::Url, "URL of the image. Returned as sent."),
    optional(
        "position",
        Kind::Integer { min: 0, max: LARGEST },
        "Position in the order; 0 is the cover. Default: the end of the list.",
    ),
    optional("description", Kind::Text { max: 500 }, "Description of the photo."),
    optional("author", Kind::Text { max: 255 }, "Photographer."),
    optional("kind", Kind::OneOf(&["photo", "ad", "menu"]), "`ad` is for advertising, `menu` a restaurant's menu."),
    read_only("property_id", Kind::Id, "The property it belongs to."),
    read_only("room_type_id", Kind::Id, "The room type it belongs to, or null."),
];

/// Photos of one property or one room type at most; where there are more they stay.
pub const MOST: usize = 100;

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
    new: HashSet<PhotoId>,
    changed: HashSet<PhotoId>,
    removed: Vec<PhotoId>,
}

/// Takes `content.photos` out of a validated body.
pub fn take(validated: &mut Map<String, Value>) -> Vec<Value> {
    let photos =
        validated.get_mut("content").and_then(Value::as_object_mut).and_then(|content| content.remove("photos"));
    match photos {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    }
}

/// Works out what validated entries do to the photos that are there: all of it, or none. Photos that are not mentioned
/// stay. What is wrong goes to `content.photos`.
pub fn plan(parent: Parent, old: Vec<Photo>, entries: Vec<Value>, problems: &mut Problems) -> Result<Changes> {
    let mut changes = Changes::default();
    let mut photos: Vec<Option<Photo>> = old.into_iter().map(Some).collect();
    let mut by_id: HashMap<PhotoId, usize> = HashMap::new();
    for (index, photo) in photos.iter().enumerate() {
        by_id.extend(photo.as_ref().map(|photo| (photo.id, index)));
    }
    let mut wrong = Problems::default();
    let mut places = Vec::new();
    let mut without_position = Vec::new();
    let mut named: HashSet<PhotoId> = HashSet::new();
    for (place, entry) in entries.into_iter().enumerate() {
        let Value::Object(mut entry) = entry else { continue };
        let id: Option<PhotoId> = entry.remove("id").and_then(|id| serde_json::from_value(id).ok());
        if id.is_some_and(|id| !named.insert(id)) {
            wrong.add("photos", format!("{place}.id is invalid"));
            continue;
        }
        let is_removed = entry.remove("is_removed") == Some(Value::Bool(true));
        let index = id.and_then(|id| by_id.get(&id).copied());
        // A photo that is not this parent's, or one that is to be removed but is not named.
        if index.is_none() && (id.is_some() || is_removed) {
            wrong.add("photos", "has an invalid entry");
            continue;
        }
        let wants_position = entry.get("position").is_some_and(|position| !position.is_null());
        let keeps_position = index.is_some() && !entry.contains_key("position");
        let index = match index {
            Some(index) => index,
            None => {
                let photo = blank(parent);
                changes.new.insert(photo.id);
                photos.push(Some(photo));
                photos.len() - 1
            }
        };
        if is_removed {
            changes.removed.extend(id);
            photos[index] = None;
            if let Some(id) = id {
                by_id.remove(&id);
            }
            continue;
        }
        if let Some(photo) = &mut photos[index] {
            change(photo, entry);
            changes.changed.insert(photo.id);
        }
        if wants_position {
            places.push((index, place));
        } else if !keeps_position {
            without_position.push(index);
        }
    }
    number(&mut photos, without_position, places, &mut wrong);
    changes.photos = photos.into_iter().flatten().collect();
    let adds = !changes.new.is_empty();
    if adds && changes.photos.len() > MOST {
        wrong.add("photos", format!("should have at most {MOST} item(s)"));
    }
    problems.merge_inside("content", wrong);
    changes.photos.sort_by_key(|photo| photo.position);
    Ok(changes)
}

/// Gives the next free number to photos `without_position`, by index, and refuses positions that are taken: `asked` are
/// those with a position of their own, by index and place in the body.
fn number(
    photos: &mut [Option<Photo>],
    without_position: Vec<usize>,
    asked: Vec<(usize, usize)>,
    wrong: &mut Problems,
) {
    // How many photos have each position.
    let mut taken: BTreeMap<i64, usize> = BTreeMap::new();
    for photo in photos.iter().flatten().filter(|photo| photo.position >= 0) {
        *taken.entry(photo.position).or_default() += 1;
    }
    // The next free number; the last one there is leaves none.
    for index in without_position {
        let Some(photo) = &mut photos[index] else { continue };
        if let Some(count) = taken.get_mut(&photo.position) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&photo.position);
            }
        }
        photo.position = taken.last_key_value().map_or(0, |(last, _)| last + 1);
        *taken.entry(photo.position).or_default() += 1;
        if photo.position > LARGEST {
            wrong.add("photos", "has no position after the last");
        }
    }
    for (index, place) in asked {
        let position = photos[index].as_ref().map(|photo| photo.position);
        if position.is_some_and(|position| taken.get(&position).is_some_and(|count| *count > 1)) {
            wrong.add("photos", format!("{place}.position has already been taken"));
        }
    }
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

/// Sets what a validated entry says; a null that is no text's has become its default.
fn change(photo: &mut Photo, entry: Map<String, Value>) {
    let text = |value: Value| if let Value::String(text) = value { Some(text) } else { None };
    for (name, value) in entry {
        match name.as_str() {
            "url" => photo.url = text(value).unwrap_or_default(),
            "kind" => photo.kind = text(value).unwrap_or_else(|| "photo".to_owned()),
            "author" => photo.author = text(value),
            "description" => photo.description = text(value),
            "position" => photo.position = value.as_i64().unwrap_or(photo.position),
            _ => {}
        }
    }
}
