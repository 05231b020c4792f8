//! `/api/v1/room_types` (docs/contract/room-types.md).

use std::collections::HashMap;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    access::{
        self,
        caller::{Caller, Writer},
        quotas,
    },
    base::{
        clock,
        error::{Error, Problems, Result},
        ids::{PropertyId, RoomTypeId},
    },
    db::Tx,
    hotel::{
        facilities,
        photos::{self, Parent, Photo},
        rate_plans::detach::{self, Detaching, Going},
        room_types::{
            Draft, RoomType,
            store::{self, StoredRoomType},
        },
    },
    resource::{
        json::{self, Data as Related, Link, Named},
        query::{self, Query},
        steps::{self, List, Source},
        validate::Operation,
    },
    web::{body::Body, state::AppState},
};

/// The top key of bodies.
const KEY: &str = "room_type";

#[derive(Serialize)]
struct RoomTypeBody {
    r#type: &'static str,
    id: RoomTypeId,
    attributes: Attributes,
    relationships: Relationships,
}

#[derive(Serialize)]
struct Attributes {
    id: RoomTypeId,
    title: String,
    occ_adults: i64,
    occ_children: i64,
    occ_infants: i64,
    default_occupancy: i64,
    count_of_rooms: i64,
    room_kind: String,
    capacity: Option<i64>,
    content: Content,
}

#[derive(Serialize)]
struct Content {
    description: Option<String>,
    photos: Vec<Photo>,
}

#[derive(Serialize)]
struct Relationships {
    facilities: Related<Vec<Named<'static>>>,
    property: Related<Link>,
}

impl RoomTypeBody {
    fn new(StoredRoomType { id, property, room_type }: StoredRoomType, photos: Vec<Photo>) -> Self {
        RoomTypeBody {
            r#type: "room_type",
            id,
            attributes: Attributes {
                id,
                title: room_type.title,
                occ_adults: room_type.occ_adults,
                occ_children: room_type.occ_children,
                occ_infants: room_type.occ_infants,
                default_occupancy: room_type.default_occupancy,
                count_of_rooms: room_type.count_of_rooms,
                room_kind: room_type.room_kind,
                capacity: room_type.capacity,
                content: Content { description: room_type.content.description, photos },
            },
            relationships: Relationships {
                facilities: Related { data: facilities::OF_ROOMS.named(&room_type.facilities) },
                property: Related { data: Link::new("property", property.0) },
            },
        }
    }
}

/// Room types as a list shows them.
struct Listed(Caller);

impl Source for Listed {
    type Resource = RoomTypeBody;

    // Each may have 100 photos, and texts of some 200 kB in all.
    const A_STEP: usize = 10;

    async fn read(&self, tx: &mut Tx, ids: &[Uuid]) -> Result<HashMap<Uuid, RoomTypeBody>> {
        let room_types = store::by_ids(tx, &self.0, ids).await?;
        let ids: Vec<RoomTypeId> = room_types.iter().map(|kept| kept.id).collect();
        let mut photos: HashMap<RoomTypeId, Vec<Photo>> = HashMap::new();
        for photo in photos::store::of_room_types(tx, &ids).await? {
            if let Some(room_type) = photo.room_type_id {
                photos.entry(room_type).or_default().push(photo);
            }
        }
        let body = |kept: StoredRoomType| {
            let photos = photos.remove(&kept.id).unwrap_or_default();
            (kept.id.0, RoomTypeBody::new(kept, photos))
        };
        Ok(room_types.into_iter().map(body).collect())
    }
}

/// GET /room_types
pub async fn list(state: Data<AppState>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let query = Query::read(request.query_string())?;
    let mut tx = state.db.read().await?;
    let (ids, meta) = store::page(&mut tx, &caller, &query).await?;
    steps::answer(List::new(&state.db, tx, Listed(caller), ids, Some(meta))).await
}

/// The same in short.
struct Choices(Caller);

#[derive(Serialize)]
struct ShortAttributes {
    default_occupancy: i64,
    id: RoomTypeId,
    property_id: PropertyId,
    title: String,
}

impl Source for Choices {
    type Resource = json::Short<RoomTypeId, ShortAttributes>;

    const A_STEP: usize = 1_000;

    async fn read(&self, tx: &mut Tx, ids: &[Uuid]) -> Result<HashMap<Uuid, Self::Resource>> {
        let choice = |store::Choice { id, property_id, title, default_occupancy }| {
            let attributes = ShortAttributes { default_occupancy, id, property_id, title };
            (id.0, json::Short { r#type: "room_type", id, attributes })
        };
        Ok(store::choices(tx, &self.0, ids).await?.into_iter().map(choice).collect())
    }
}

/// GET /room_types/options
pub async fn options(state: Data<AppState>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let query = Query::read(request.query_string())?;
    let mut tx = state.db.read().await?;
    let ids = store::all(&mut tx, &caller, &query).await?;
    steps::answer(List::new(&state.db, tx, Choices(caller), ids, None)).await
}

/// GET /room_types/:id
pub async fn read(state: Data<AppState>, caller: Caller, id: Path<String>) -> Result<HttpResponse> {
    let mut tx = state.db.read().await?;
    let kept = find(&mut tx, &caller, &id).await?;
    let photos = photos::store::of_room_types(&mut tx, &[kept.id]).await?;
    Ok(json::one(&RoomTypeBody::new(kept, photos)))
}

/// POST /room_types
pub async fn create(state: Data<AppState>, Writer(caller): Writer, sent: Body) -> Result<HttpResponse> {
    let sent = sent.top(KEY)?;
    let mut problems = Problems::default();
    let Draft { room_type, property, photos } = RoomType::default().draft(&sent, Operation::Create, &mut problems)?;
    let id = RoomTypeId::new();
    let mut tx = state.db.write().await?;
    if let Some(property) = property
        && access::lock_visible_property(&mut tx, &caller, property).await?.is_none()
    {
        problems.add("property_id", "does not exist");
    }
    let property = property.unwrap_or_else(PropertyId::new);
    let parent = Parent { property, room_type: Some(id) };
    let photos = photos::plan(parent, Vec::new(), photos, &mut problems)?;
    problems.none_or_invalid()?;
    quotas::room_type(&mut tx, property, state.settings.max_room_types).await?;
    let now = clock::now();
    let kept = StoredRoomType { id, property, room_type };
    store::insert(&mut tx, &kept, now).await?;
    photos::store::write(&mut tx, &photos, now).await?;
    tx.commit().await?;
    let location = format!("{}/api/v1/room_types/{id}", state.address());
    Ok(json::created(location, &RoomTypeBody::new(kept, photos.photos)))
}

/// PUT /room_types/:id
pub async fn update(
    state: Data<AppState>,
    Writer(caller): Writer,
    id: Path<String>,
    sent: Body,
) -> Result<HttpResponse> {
    let sent = sent.top(KEY)?;
    let mut tx = state.db.write().await?;
    let StoredRoomType { id, property, room_type } = lock(&mut tx, &caller, &id).await?;
    let mut problems = Problems::default();
    let Draft { room_type, photos, .. } = room_type.draft(&sent, Operation::Update, &mut problems)?;
    let parent = Parent { property, room_type: Some(id) };
    let photos = photos::plan(parent, photos::store::of_parent(&mut tx, parent).await?, photos, &mut problems)?;
    problems.none_or_invalid()?;
    let kept = StoredRoomType { id, property, room_type };
    store::update(&mut tx, &kept).await?;
    photos::store::write(&mut tx, &photos, clock::now()).await?;
    tx.commit().await?;
    Ok(json::one(&RoomTypeBody::new(kept, photos.photos)))
}

/// DELETE /room_types/:id, with its rate plans and photos. There are no channels yet that `force` would have to
/// overrule. What is large goes in several transactions (`rate_plans/detach.rs`); the room type itself in the last.
pub async fn delete(
    state: Data<AppState>,
    Writer(caller): Writer,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    query::is_forced(request.query_string())?;
    let mut detaching = Detaching::default();
    detach::in_steps(async || {
        let mut tx = state.db.read().await?;
        let kept = find(&mut tx, &caller, &id).await?;
        let going = Going::RoomType(kept.id);
        detaching.prepare(&mut tx, kept.property, going).await?;
        drop(tx);
        let mut tx = state.db.write().await?;
        let kept = lock(&mut tx, &caller, &id).await?;
        let is_last = detaching.apply(&mut tx, kept.property, going).await? && store::delete(&mut tx, kept.id).await?;
        tx.commit().await?;
        Ok(is_last)
    })
    .await?;
    Ok(json::success())
}

async fn find(tx: &mut Tx, caller: &Caller, id: &str) -> Result<StoredRoomType> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    store::by_id(tx, caller, id).await?.ok_or(Error::NotFound)
}

/// As [`find`], and nobody else changes what belongs to the property before this transaction ends.
async fn lock(tx: &mut Tx, caller: &Caller, id: &str) -> Result<StoredRoomType> {
    let property = find(tx, caller, id).await?.property;
    access::lock_visible_property(tx, caller, property).await?;
    // It may have changed, or gone, while this waited.
    find(tx, caller, id).await
}
