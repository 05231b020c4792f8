//! Room types in the database. What reads takes the caller and finds only what is the caller's; what writes is given
//! what was found before.

use uuid::Uuid;

use crate::{
    access::{self, caller::Caller},
    base::{
        clock::Moment,
        error::Result,
        ids::{PropertyId, RoomTypeId},
    },
    db::{Bind, Statement, Tx, execute, folded, impl_from_row},
    hotel::{
        facilities, photos,
        room_types::{Content, RoomType},
    },
    resource::{
        json::Meta,
        list::{self, Compared, Filterable, Listing, Orderable},
        query::Query,
    },
};

const COLUMNS: &str = "
    rt.id, rt.property_id, rt.title, rt.count_of_rooms, rt.occ_adults, rt.occ_children, rt.occ_infants,
    rt.default_occupancy, rt.facilities, rt.room_kind, rt.capacity, rt.description";

/// What the list of room types can be filtered and ordered by (docs/contract/README.md, sections 7 and 8).
pub const LISTING: Listing = Listing {
    filters: &[
        Filterable { name: "id", sql: "rt.id {}", kind: Compared::Id },
        Filterable { name: "property_id", sql: "rt.property_id {}", kind: Compared::Id },
        Filterable { name: "title", sql: "rt.title {}", kind: Compared::Text },
        Filterable { name: "room_kind", sql: "rt.room_kind {}", kind: Compared::Text },
    ],
    orders: &[
        Orderable { name: "id", sql: "rt.id" },
        Orderable { name: "title", sql: "rt.sort_title" },
        Orderable { name: "count_of_rooms", sql: "rt.count_of_rooms" },
        Orderable { name: "occ_adults", sql: "rt.occ_adults" },
        Orderable { name: "occ_children", sql: "rt.occ_children" },
        Orderable { name: "occ_infants", sql: "rt.occ_infants" },
        Orderable { name: "default_occupancy", sql: "rt.default_occupancy" },
        Orderable { name: "room_kind", sql: "rt.room_kind collate \"C\"" },
        Orderable { name: "capacity", sql: "rt.capacity" },
        Orderable { name: "inserted_at", sql: "rt.created_at" },
    ],
    default_order: "rt.sort_title",
    id: "rt.id",
};

/// A room type with its ids.
pub struct StoredRoomType {
    pub id: RoomTypeId,
    pub property: PropertyId,
    pub room_type: RoomType,
}

impl_from_row!(StoredRoomType, row => StoredRoomType {
    id: row.try_get("id")?,
    property: row.try_get("property_id")?,
    room_type: RoomType {
        title: row.try_get("title")?,
        count_of_rooms: row.try_get("count_of_rooms")?,
        occ_adults: row.try_get("occ_adults")?,
        occ_children: row.try_get("occ_children")?,
        occ_infants: row.try_get("occ_infants")?,
        default_occupancy: row.try_get("default_occupancy")?,
        facilities: facilities::from_text(&row.try_get::<String>("facilities")?),
        room_kind: row.try_get("room_kind")?,
        capacity: row.try_get("capacity")?,
        content: Content { description: row.try_get("description")? },
    },
});

/// The short form for `/options`.
pub struct Choice {
    pub id: RoomTypeId,
    pub property_id: PropertyId,
    pub title: String,
    pub default_occupancy: i64,
}

impl_from_row!(Choice { id, property_id, title, default_occupancy });

fn select(tx: &Tx, columns: &str, caller: &Caller) -> Statement {
    access::visible_rows(tx, columns, "room_types rt", "rt.property_id = mine.property_id", caller)
}

/// The ids of one page of the room types of the caller's properties.
pub async fn page(tx: &mut Tx, caller: &Caller, query: &Query) -> Result<(Vec<Uuid>, Meta)> {
    let count = select(tx, "count(*)", caller);
    let rows = select(tx, "rt.id", caller);
    let (ids, meta) = list::page::<list::Id>(tx, &LISTING, query, rows, count).await?;
    Ok((ids.into_iter().map(|list::Id(id)| id).collect(), meta))
}

/// The ids of all of them.
pub async fn all(tx: &mut Tx, caller: &Caller, query: &Query) -> Result<Vec<Uuid>> {
    let rows = select(tx, "rt.id", caller);
    let ids: Vec<list::Id> = list::whole(tx, &LISTING, query, rows).await?;
    Ok(ids.into_iter().map(|list::Id(id)| id).collect())
}

const FROM: &str = "from room_types rt join properties p on p.id = rt.property_id";

/// Those of these room types that are the caller's.
pub async fn by_ids(tx: &mut Tx, caller: &Caller, ids: &[Uuid]) -> sqlx::Result<Vec<StoredRoomType>> {
    let mut rows = access::seen(&format!("select {COLUMNS} {FROM}"), caller);
    let names = rows.bind_all(ids.iter().map(|id| Bind::Id(*id)));
    rows.push(&format!(" and rt.id in ({names})"));
    rows.fetch_all(tx).await
}

/// The same in short.
pub async fn choices(tx: &mut Tx, caller: &Caller, ids: &[Uuid]) -> sqlx::Result<Vec<Choice>> {
    let columns = "rt.id, rt.property_id, rt.title, rt.default_occupancy";
    let mut rows = access::seen(&format!("select {columns} {FROM}"), caller);
    let ids = rows.bind_ids(tx.is_postgres(), ids.iter().copied());
    rows.push(&format!(" and rt.id in {ids}"));
    rows.fetch_all(tx).await
}

/// One room type of the caller's properties.
pub async fn by_id(tx: &mut Tx, caller: &Caller, id: RoomTypeId) -> sqlx::Result<Option<StoredRoomType>> {
    let statement = format!("select {COLUMNS} {FROM}");
    let mut rows = access::seen(&statement, caller);
    rows.and("rt.id", Bind::Id(id.0));
    Ok(rows.fetch_all(tx).await?.pop())
}

/// The columns that can be written, in the order of the two statements below: `$2` to `$12`.
macro_rules! bind_fields {
    ($query:expr, $room_type:expr) => {{
        let room_type: &RoomType = $room_type;
        $query
            .bind(&room_type.title)
            .bind(folded(&room_type.title).into_bytes())
            .bind(room_type.count_of_rooms)
            .bind(room_type.occ_adults)
            .bind(room_type.occ_children)
            .bind(room_type.occ_infants)
            .bind(room_type.default_occupancy)
            .bind(facilities::to_text(&room_type.facilities))
            .bind(&room_type.room_kind)
            .bind(room_type.capacity)
            .bind(&room_type.content.description)
    }};
}

/// Adds a room type.
pub async fn insert(tx: &mut Tx, kept: &StoredRoomType, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "
        insert into room_types (
            id, title, sort_title, count_of_rooms, occ_adults, occ_children, occ_infants, default_occupancy,
            facilities, room_kind, capacity, description, property_id, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    execute!(tx, bind_fields!(sqlx::query(SQL).bind(kept.id), &kept.room_type).bind(kept.property).bind(now)).map(drop)
}

/// Writes all fields of a room type.
pub async fn update(tx: &mut Tx, kept: &StoredRoomType) -> sqlx::Result<()> {
    const SQL: &str = "
        update room_types set
            title = $2, sort_title = $3, count_of_rooms = $4, occ_adults = $5, occ_children = $6, occ_infants = $7,
            default_occupancy = $8, facilities = $9, room_kind = $10, capacity = $11, description = $12
        where id = $1";
    execute!(tx, bind_fields!(sqlx::query(SQL).bind(kept.id), &kept.room_type)).map(drop)
}

/// Deletes a room type whose rate plans are gone, with its photos. False where some are still there: the rest is for
/// another transaction.
pub async fn delete(tx: &mut Tx, id: RoomTypeId) -> sqlx::Result<bool> {
    const SQL: &str = "delete from room_types where id = $1";
    if !photos::store::delete_of_room_type(tx, id).await? {
        return Ok(false);
    }
    execute!(tx, sqlx::query(SQL).bind(id)).map(|_| true)
}
