//! Photos in the database. Whoever calls has found their property or room type for the caller before.

use crate::{
    base::{
        clock::Moment,
        ids::{PropertyId, RoomTypeId},
    },
    db::{Bind, Statement, Tx, execute, impl_from_row},
    hotel::photos::{Changes, Parent, Photo},
};

impl_from_row!(Photo { author, description, id, kind, position, property_id, room_type_id, url });

const SELECT: &str = "select author, description, id, kind, position, property_id, room_type_id, url from photos where";

/// The photos of one parent, by position.
pub async fn of_parent(tx: &mut Tx, parent: Parent) -> sqlx::Result<Vec<Photo>> {
    match parent.room_type {
        Some(room_type) => of_room_types(tx, &[room_type]).await,
        None => of_properties(tx, &[parent.property]).await,
    }
}

/// The photos of properties themselves, not of their room types. (Said with `is null`, SQLite would go through the
/// index of room types, where all properties' photos stand under null.)
pub async fn of_properties(tx: &mut Tx, properties: &[PropertyId]) -> sqlx::Result<Vec<Photo>> {
    of_all(tx, "coalesce(room_type_id, property_id) = property_id and property_id", properties.iter().map(|id| id.0))
        .await
}

/// The photos of room types.
pub async fn of_room_types(tx: &mut Tx, room_types: &[RoomTypeId]) -> sqlx::Result<Vec<Photo>> {
    of_all(tx, "room_type_id", room_types.iter().map(|id| id.0)).await
}

async fn of_all(tx: &mut Tx, column: &str, ids: impl Iterator<Item = uuid::Uuid>) -> sqlx::Result<Vec<Photo>> {
    let mut rows = Statement::new(format!("{SELECT} {column} in ("), Vec::new());
    let names = rows.bind_all(ids.map(Bind::Id));
    if names.is_empty() {
        return Ok(Vec::new());
    }
    rows.push(&names);
    rows.push(") order by position, id");
    rows.fetch_all(tx).await
}

/// Photos that one transaction deletes at most: each has texts of some kilobytes.
const A_STEP: u64 = 500;

/// Deletes photos of a property, its room types' too. False where some are still there.
pub async fn delete_of_property(tx: &mut Tx, property: PropertyId) -> sqlx::Result<bool> {
    const SQL: &str = "delete from photos where id in (select id from photos where property_id = $1 limit 500)";
    execute!(tx, sqlx::query(SQL).bind(property)).map(|rows| rows < A_STEP)
}

/// Deletes photos of a room type. False where some are still there.
pub async fn delete_of_room_type(tx: &mut Tx, room_type: RoomTypeId) -> sqlx::Result<bool> {
    const SQL: &str = "delete from photos where id in (select id from photos where room_type_id = $1 limit 500)";
    execute!(tx, sqlx::query(SQL).bind(room_type)).map(|rows| rows < A_STEP)
}

/// Writes what a batch changes.
pub async fn write(tx: &mut Tx, changes: &Changes, now: Moment) -> sqlx::Result<()> {
    const REMOVE: &str = "delete from photos where id = $1";
    const CHANGE: &str = "
        update photos set url = $2, kind = $3, author = $4, description = $5, position = $6 where id = $1";
    const ADD: &str = "
        insert into photos (id, url, kind, author, description, position, property_id, room_type_id, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    for id in &changes.removed {
        execute!(tx, sqlx::query(REMOVE).bind(id))?;
    }
    for photo in &changes.photos {
        let is_new = changes.new.contains(&photo.id);
        if !is_new && !changes.changed.contains(&photo.id) {
            continue;
        }
        macro_rules! bound {
            ($sql:expr) => {
                sqlx::query($sql)
                    .bind(photo.id)
                    .bind(&photo.url)
                    .bind(&photo.kind)
                    .bind(&photo.author)
                    .bind(&photo.description)
                    .bind(photo.position)
            };
        }
        if is_new {
            execute!(tx, bound!(ADD).bind(photo.property_id).bind(photo.room_type_id).bind(now))?;
        } else {
            execute!(tx, bound!(CHANGE))?;
        }
    }
    Ok(())
}
