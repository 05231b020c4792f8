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
    hotel::photos::photo::{self, MOST, Parent, Photo, Position},
    resource::{
        attribute::{self, FieldType, FieldValue},
        collection::{self, Resource, Stored, attributes},
        fields::{Field, Kind, LARGEST, optional, read_only},
        store,
        validate::Operation,
        value,
    },
};

/// What an entry of `content.photos` has beside the fields of a photo.
const OF_ENTRY: &[Field] = &[
    optional("id", Kind::Id("photo"), "The photo to change or remove; without it, a new one is created.")
        .nullable(false),
    optional("is_removed", Kind::Boolean, "`true` removes the photo that `id` names.").hidden(),
    read_only("property_id", Kind::Id("property"), "The property it belongs to."),
    read_only("room_type_id", Kind::Id("room type"), "The room type it belongs to, or null.").nullable(true),
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

    /// Works out what was sent with a new parent, or for one that is there; see [`plan`].
    pub async fn relate(
        &mut self,
        tx: &mut Tx,
        parent: Parent,
        operation: Operation,
        problems: &mut Problems,
    ) -> Result<()> {
        let old = match operation {
            Operation::Create => Vec::new(),
            Operation::Update => photo::of_parent(tx, parent).await?,
        };
        self.changes = plan(parent, old, std::mem::take(&mut self.entries), problems);
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
fn plan(parent: Parent, old: Vec<Stored<Photo>>, entries: Vec<Value>, problems: &mut Problems) -> Changes {
    let mut plan = Plan { photos: old.into_iter().map(Some).collect(), ..Plan::default() };
    for (index, photo) in plan.photos.iter().enumerate() {
        plan.by_id.extend(photo.as_ref().map(|photo| (photo.id, index)));
    }
    let defaults = collection::defaults::<Photo>();
    for (place, entry) in entries.into_iter().enumerate() {
        if let Value::Object(entry) = entry {
            plan.take(parent, place, entry, &defaults);
        }
    }
    let Plan { mut changes, mut photos, without_position, asked, mut wrong, .. } = plan;
    number(&mut photos, without_position, asked, &mut wrong);
    changes.photos = photos.into_iter().flatten().collect();
    let adds = !changes.new.is_empty();
    if adds && changes.photos.len() > MOST {
        wrong.add("photos", format!("should have at most {MOST} item(s)"));
    }
    problems.merge_inside("content", wrong);
    changes.photos.sort_by_key(|photo| photo.resource.position);
    changes
}

/// What is known after some of the entries.
#[derive(Default)]
struct Plan {
    changes: Changes,
    /// Those that were there, then new ones; `None` for what was removed.
    photos: Vec<Option<Stored<Photo>>>,
    /// The indices of those that were there.
    by_id: HashMap<Uuid, usize>,
    /// Ids that an entry has named.
    named: HashSet<Uuid>,
    /// Indices of those without a position of their own.
    without_position: Vec<usize>,
    /// Indices of those with one, and their places in the body.
    asked: Vec<(usize, usize)>,
    wrong: Problems,
}

impl Plan {
    fn take(&mut self, parent: Parent, place: usize, mut entry: Map<String, Value>, defaults: &Map<String, Value>) {
        let id: Option<Uuid> = entry.remove("id").and_then(|id| serde_json::from_value(id).ok());
        if id.is_some_and(|id| !self.named.insert(id)) {
            return self.wrong.add("photos", format!("{place}.id is invalid"));
        }
        let is_removed = entry.remove("is_removed") == Some(Value::Bool(true));
        let known = id.and_then(|id| self.by_id.get(&id).copied());
        // A photo that is not this parent's, or one that is to be removed but is not named.
        if known.is_none() && (id.is_some() || is_removed) {
            return self.wrong.add("photos", "has an invalid entry");
        }
        if is_removed {
            self.changes.removed.extend(id);
            known.into_iter().for_each(|index| self.photos[index] = None);
            return;
        }
        let index = known.unwrap_or_else(|| {
            let photo = blank(parent);
            self.changes.new.insert(photo.id);
            self.photos.push(Some(photo));
            self.photos.len() - 1
        });
        if entry.get("position").is_some_and(|position| !position.is_null()) {
            self.asked.push((index, place));
        } else if known.is_none() || entry.contains_key("position") {
            self.without_position.push(index);
        }
        if let Some(photo) = &mut self.photos[index] {
            change(photo, entry, defaults, &mut self.wrong);
            self.changes.changed.insert(photo.id);
        }
    }
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
