//! One photo, as a resource of its own.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    base::{
        error::{Error, Problems, Result},
        ids::{PropertyId, RoomTypeId},
        settings::Settings,
    },
    db::{Bind, Row, Statement, Tx, execute},
    resource::{
        attribute::{Attribute, field},
        collection::{Name, Pages, Resource, Stored},
        fields::{Kind, LARGEST, Need},
        store,
        validate::Operation,
        value::{Scalar, Text, Url, words},
    },
};

/// Photos of one property or one room type at most; where there are more they stay.
pub const MOST: usize = 100;

/// Whose photos.
#[derive(Clone, Copy)]
pub struct Parent {
    pub property: PropertyId,
    /// `None`: the property's own.
    pub room_type: Option<RoomTypeId>,
}

/// A photo of a property, or of one of its room types. `Default` has the values of a new one.
#[derive(Clone, Debug, Default)]
pub struct Photo {
    pub author: Option<Text<255>>,
    pub description: Option<Text<500>>,
    pub kind: PhotoKind,
    pub position: Position,
    pub property_id: PropertyId,
    pub room_type_id: Option<RoomTypeId>,
    pub url: Url,
}

words! {
    /// What a photo is for.
    PhotoKind { Photo = "photo", Ad = "ad", Menu = "menu" }
}

/// A place in the order of the photos of one parent, from 0 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub i64);

impl Position {
    /// Not known yet.
    pub const NONE: Position = Position(-1);
}

impl Default for Position {
    fn default() -> Self {
        Position::NONE
    }
}

impl Scalar for Position {
    const KIND: Kind = Kind::Integer { min: 0, max: LARGEST };

    fn bind(value: Option<&Self>) -> Bind {
        Bind::MaybeWhole(value.map(|position| position.0))
    }

    fn load(row: &Row<'_>, place: usize) -> sqlx::Result<Option<Self>> {
        Ok(row.at::<Option<i64>>(place)?.map(Position))
    }
}

impl Resource for Photo {
    const NAME: Name = Name { one: "photo", many: "photos" };
    const FIELDS: &'static [Attribute<Self>] = &[
        field!(author).about("Photographer.").example(r#""Rita""#),
        field!(description).about("Description of the photo.").example(r#""Terrace""#),
        field!(kind).filter().about("`ad` is for advertising, `menu` a restaurant's menu."),
        field!(position).about("Position in the order; 0 is the cover. Default: the end of the list.").example("0"),
        field!(property_id).need(Need::RequiredOnCreate).filter().about("The property it belongs to."),
        field!(room_type_id).filter().about("The room type it belongs to, or null.").example("null"),
        field!(url)
            .required()
            .about("URL of the image. Returned as sent.")
            .example(r#""https://farol.example/terrace.jpg""#),
    ];
    const PAGES: Pages = Pages::WhenAskedElseEmpty;
    const ORDER: &'static str = "position";
    const TAG: &'static str = "Photos";

    fn property(&self) -> Option<PropertyId> {
        Some(self.property_id)
    }

    /// Counted for each parent, in `relate`.
    fn limit(_: &Settings) -> i64 {
        0
    }

    async fn relate(
        tx: &mut Tx,
        stored: &mut Stored<Self>,
        operation: Operation,
        problems: &mut Problems,
    ) -> Result<()> {
        let parent = parent(stored);
        // What others have is not looked at: an answer would tell of it.
        if problems.names("property_id") {
            return Ok(());
        }
        if let Some(room_type) = parent.room_type
            && !is_room_type_of(tx, room_type, parent.property).await?
        {
            problems.add("room_type_id", "does not exist");
            return Ok(());
        }
        let mut others = of_parent(tx, parent).await?;
        let before = others.len();
        others.retain(|other| other.id != stored.id);
        let is_new_there = operation == Operation::Create || others.len() == before;
        let last = others.iter().map(|other| other.resource.position).max();
        let position = &mut stored.resource.position;
        if *position == Position::NONE {
            *position = Position(last.map_or(0, |last| last.0 + 1));
            if position.0 > LARGEST {
                problems.add("position", "has no position after the last");
            }
        } else if others.iter().any(|other| other.resource.position == *position) {
            problems.add("position", "has already been taken");
        }
        if problems.is_empty() && is_new_there && others.len() >= MOST {
            let whose = if parent.room_type.is_some() { "room type" } else { "property" };
            return Err(Error::Full(format!("the {whose} has {MOST} photos, the most there may be")));
        }
        Ok(())
    }

    /// Properties and room types show their photos.
    async fn written(tx: &mut Tx, before: Option<&Stored<Self>>, stored: &Stored<Self>) -> Result<()> {
        if let Some(before) = before {
            touch(tx, parent(before)).await?;
        }
        touch(tx, parent(stored)).await
    }

    async fn before_delete(tx: &mut Tx, stored: &Stored<Self>) -> Result<()> {
        touch(tx, parent(stored)).await
    }
}

fn parent(stored: &Stored<Photo>) -> Parent {
    Parent { property: stored.resource.property_id, room_type: stored.resource.room_type_id }
}

/// Gives the parent of a photo a new version.
async fn touch(tx: &mut Tx, parent: Parent) -> Result<()> {
    let (sql, id) = match parent.room_type {
        Some(room_type) => ("update room_types set version = $2 where id = $1", room_type.0),
        None => ("update properties set version = $2 where id = $1", parent.property.0),
    };
    let binds = vec![Bind::Id(id), Bind::Whole(rand::random())];
    Ok(Statement::new(sql, binds).execute(tx).await.map(drop)?)
}

/// The photos of one parent, by position.
pub async fn of_parent(tx: &mut Tx, parent: Parent) -> sqlx::Result<Vec<Stored<Photo>>> {
    let photos = match parent.room_type {
        Some(room_type) => of_room_types(tx, &[room_type.0]).await?,
        None => of_properties(tx, &[parent.property.0]).await?,
    };
    Ok(photos.into_values().next().unwrap_or_default())
}

/// The photos of each of these properties itself, not of its room types. (Said with `is null`, SQLite would go through
/// the index of room types, where all properties' photos stand under null.)
pub async fn of_properties(tx: &mut Tx, properties: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Vec<Stored<Photo>>>> {
    let column = "coalesce(room_type_id, property_id) = property_id and property_id";
    of_all(tx, column, properties, |photo| Some(photo.property_id.0)).await
}

/// The photos of each of these room types.
pub async fn of_room_types(tx: &mut Tx, room_types: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Vec<Stored<Photo>>>> {
    of_all(tx, "room_type_id", room_types, |photo| photo.room_type_id.map(|id| id.0)).await
}

async fn of_all(
    tx: &mut Tx,
    column: &str,
    ids: &[Uuid],
    parent: fn(&Photo) -> Option<Uuid>,
) -> sqlx::Result<HashMap<Uuid, Vec<Stored<Photo>>>> {
    let mut photos: HashMap<Uuid, Vec<Stored<Photo>>> = HashMap::new();
    if ids.is_empty() {
        return Ok(photos);
    }
    let mut rows = Statement::new(format!("{} where {column} in (", store::select::<Photo>()), Vec::new());
    let names = rows.bind_all(ids.iter().copied().map(Bind::Id));
    rows.push(&format!("{names}) order by position, id"));
    for photo in rows.fetch_all::<Stored<Photo>>(tx).await? {
        photos.entry(parent(&photo.resource).unwrap_or_default()).or_default().push(photo);
    }
    Ok(photos)
}

/// True for a room type of this property.
pub async fn is_room_type_of(tx: &mut Tx, room_type: RoomTypeId, property: PropertyId) -> sqlx::Result<bool> {
    const SQL: &str = "select count(*) from room_types where id = $1 and property_id = $2";
    Ok(Statement::new(SQL, vec![room_type.into(), property.into()]).fetch_value::<i64>(tx).await? > 0)
}

/// Photos that one transaction deletes at most: each has texts of some kilobytes.
const A_STEP: u64 = 500;

/// Deletes photos of a property, its room types' too. False where some are still there.
pub async fn delete_of_property(tx: &mut Tx, property: PropertyId) -> sqlx::Result<bool> {
    const SQL: &str = "delete from photos where id in (select id from photos where property_id = $1 limit 500)";
    execute!(tx, SQL, property).map(|rows| rows < A_STEP)
}

/// Deletes photos of a room type. False where some are still there.
pub async fn delete_of_room_type(tx: &mut Tx, room_type: RoomTypeId) -> sqlx::Result<bool> {
    const SQL: &str = "delete from photos where id in (select id from photos where room_type_id = $1 limit 500)";
    execute!(tx, SQL, room_type).map(|rows| rows < A_STEP)
}
