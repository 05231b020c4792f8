//! Batches of photos, through `content.photos` of properties and room types (docs/contract/photos.md).

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    base::{
        clock::Moment,
        error::{Problems, Result},
    },
    db::{Bind, Row, Tx},
    hotel::photos::photo::{MOST, Parent, Photo, Position},
    resource::{
        attribute::{self, FieldType, FieldValue},
        collection::{self, Resource, Stored, attributes},
        fields::{Field, Kind, LARGEST, optional, read_only},
        store, value,
    },
};

/// What an entry of `content.photos` has beside the fields of a photo.
const OF_ENTRY: &[Field] = &[
    optional("id", Kind::Id, "The photo to change or remove; without it, a new one is created."),
    optional("is_removed", Kind::Boolean, "`true` removes the photo that `id` names.").hidden(),
    read_only("property_id", Kind::Id, "The property it belongs to."),
    read_only("room_type_id", Kind::Id, "The room type it belongs to, or null."),
];

/// The fields of an entry of `content.photos`.
pub fn fields_of_entry() -> Vec<&'static Field> {
    let own = Photo::FIELDS.iter().map(|attribute| &attribute.field);
    let is_parent = |field: &&Field| OF_ENTRY.iter().any(|known| known.name == field.name);
    OF_ENTRY.iter().chain(own.filter(|field| !is_parent(field))).collect()
}

/// What a batch does to the photos of one parent.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// All photos afterwards, by position.
    pub photos: Vec<Stored<Photo>>,
    new: HashSet<Uuid>,
    changed: HashSet<Uuid>,
    removed: Vec<Uuid>,
}

/// What the field `content.photos` says in the API's document.
pub const ABOUT: &str =
    "Photos to add, change or remove, each once; photos not listed stay unchanged. At most 100 in all.";

/// The field `content.photos`: the photos of a property or a room type, and what a body does to them.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    changes: Changes,
    entries: Vec<Value>,
}

impl Batch {
    /// These photos, by position.
    pub fn of(photos: Vec<Stored<Photo>>) -> Self {
        Batch { changes: Changes { photos, ..Changes::default() }, entries: Vec::new() }
    }

    /// Works out what was sent, see [`plan`]. `old` are the photos that are there.
    pub fn plan(&mut self, parent: Parent, old: Vec<Stored<Photo>>, problems: &mut Problems) -> Result<()> {
        self.changes = plan(parent, old, std::mem::take(&mut self.entries), problems)?;
        Ok(())
    }

    /// What is to be written.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }
}

impl FieldValue for Batch {
    fn bind(&self, _: &mut Vec<Bind>) {}

    fn load(&mut self, _: &Row<'_>, _: &mut usize) -> sqlx::Result<()> {
        Ok(())
    }

    fn set(&mut self, value: Value, name: &str, _: &str, problems: &mut Problems) {
        if !value.is_null() {
            value::replace(&mut self.entries, value, name, problems);
        }
    }

    fn json(&self, _: &str) -> Value {
        self.changes.photos.iter().map(|photo| Value::Object(attributes(photo))).collect()
    }
}

impl FieldType for Batch {
    const KIND: Kind = Kind::Batch(fields_of_entry);

    fn columns(_: &str, _: &mut Vec<String>) {}
}

/// Works out what validated entries do to the photos that are there: all of it, or none. Photos that are not mentioned
/// stay. What is wrong goes to `content.photos`.
fn plan(parent: Parent, old: Vec<Stored<Photo>>, entries: Vec<Value>, problems: &mut Problems) -> Result<Changes> {
    let mut changes = Changes::default();
    let mut photos: Vec<Option<Stored<Photo>>> = old.into_iter().map(Some).collect();
    let mut by_id: HashMap<Uuid, usize> = HashMap::new();
    for (index, photo) in photos.iter().enumerate() {
        by_id.extend(photo.as_ref().map(|photo| (photo.id, index)));
    }
    let mut wrong = Problems::default();
    let mut places = Vec::new();
    let mut without_position = Vec::new();
    let mut named: HashSet<Uuid> = HashSet::new();
    let defaults = collection::defaults::<Photo>();
    for (place, entry) in entries.into_iter().enumerate() {
        let Value::Object(mut entry) = entry else { continue };
        let id: Option<Uuid> = entry.remove("id").and_then(|id| serde_json::from_value(id).ok());
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
            change(photo, entry, &defaults, &mut wrong);
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
    changes.photos.sort_by_key(|photo| photo.resource.position);
    Ok(changes)
}

/// Gives the next free number to photos `without_position`, by index, and refuses positions that are taken: `asked` are
/// those with a position of their own, by index and place in the body.
fn number(
    photos: &mut [Option<Stored<Photo>>],
    without_position: Vec<usize>,
    asked: Vec<(usize, usize)>,
    wrong: &mut Problems,
) {
    // How many photos have each position.
    let mut taken: BTreeMap<i64, usize> = BTreeMap::new();
    for photo in photos.iter().flatten().filter(|photo| photo.resource.position != Position::NONE) {
        *taken.entry(photo.resource.position.0).or_default() += 1;
    }
    // The next free number; the last one there is leaves none.
    for index in without_position {
        let Some(photo) = &mut photos[index] else { continue };
        let position = &mut photo.resource.position.0;
        if let Some(count) = taken.get_mut(position) {
            *count -= 1;
            if *count == 0 {
                taken.remove(position);
            }
        }
        *position = taken.last_key_value().map_or(0, |(last, _)| last + 1);
        *taken.entry(*position).or_default() += 1;
        if *position > LARGEST {
            wrong.add("photos", "has no position after the last");
        }
    }
    for (index, place) in asked {
        let position = photos[index].as_ref().map(|photo| photo.resource.position.0);
        if position.is_some_and(|position| taken.get(&position).is_some_and(|count| *count > 1)) {
            wrong.add("photos", format!("{place}.position has already been taken"));
        }
    }
}

/// A new photo, before anything of it is known; its place is found last.
fn blank(parent: Parent) -> Stored<Photo> {
    let resource = Photo { property_id: parent.property, room_type_id: parent.room_type, ..Photo::default() };
    Stored { id: Uuid::now_v7(), version: rand::random(), resource }
}

/// Sets what a validated entry says; null is the default.
fn change(
    photo: &mut Stored<Photo>,
    mut entry: Map<String, Value>,
    defaults: &Map<String, Value>,
    problems: &mut Problems,
) {
    for (name, value) in entry.iter_mut().filter(|(_, value)| value.is_null()) {
        *value = defaults.get(name).cloned().unwrap_or_default();
    }
    attribute::set(Photo::FIELDS, &mut photo.resource, entry, "", problems);
    photo.version = rand::random();
}

/// Writes what a batch changes.
pub async fn write(tx: &mut Tx, changes: &Changes, now: Moment) -> sqlx::Result<()> {
    for id in &changes.removed {
        store::delete::<Photo>(tx, *id).await?;
    }
    for photo in &changes.photos {
        if changes.new.contains(&photo.id) {
            store::insert(tx, None, photo, now).await?;
        } else if changes.changed.contains(&photo.id) {
            store::update(tx, photo).await?;
        }
    }
    Ok(())
}
