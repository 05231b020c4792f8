//! Room types: the units whose availability is counted (docs/contract/room-types.md).

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use uuid::Uuid;

use crate::{
    access::caller::Writer,
    base::{
        clock,
        error::{Problems, Result},
        ids::{PropertyId, RoomTypeId},
        settings::Settings,
    },
    db::Tx,
    hotel::{
        facilities::RoomFacilities,
        photos::{self, Batch, Parent},
        rate_plans::detach::{self, Detaching, Going},
    },
    resource::{
        attribute::{Attribute, field},
        collection::{Name, Related, Relationship, Resource, Stored},
        fields::Need,
        handlers, json,
        object::object,
        query, store,
        validate::Operation,
        value::{Count, LongText, Positive, Title, words},
    },
    web::state::AppState,
};

/// A room type. `Default` has the values of a new one.
#[derive(Clone, Debug, Default)]
pub struct RoomType {
    pub property_id: PropertyId,
    pub title: Title,
    pub occ_adults: Positive,
    pub occ_children: Count,
    pub occ_infants: Count,
    /// At most `occ_adults`.
    pub default_occupancy: Positive,
    pub count_of_rooms: Positive,
    pub room_kind: RoomKind,
    /// Of a dorm alone.
    pub capacity: Option<Positive>,
    pub facilities: RoomFacilities,
    pub content: Content,
}

words! {
    /// What is sold: a room, or beds in one.
    RoomKind { Room = "room", Dorm = "dorm" }
}

/// Text and photos.
#[derive(Clone, Debug, Default)]
pub struct Content {
    pub description: Option<LongText>,
    pub photos: Batch,
}

object!(Content);

impl Content {
    const FIELDS: &'static [Attribute<Self>] =
        &[field!(description).about("Description for guests."), field!(photos).about(photos::ABOUT)];
}

impl Resource for RoomType {
    const NAME: Name = Name { one: "room_type", many: "room_types" };
    const FIELDS: &'static [Attribute<Self>] = &[
        field!(property_id).need(Need::RequiredOnCreate).filter().hidden().about("The property it belongs to."),
        field!(title).required().filter().about("Name of the room type."),
        field!(occ_adults).required().about("Bed spaces for adults."),
        field!(occ_children).required().about("Bed spaces for children only; children may also use adult bed spaces."),
        field!(occ_infants).required().about("Cots."),
        field!(default_occupancy).about("Guests without extra beds; at most, and by default, `occ_adults`."),
        field!(count_of_rooms).required().about("Number of such rooms; for information only."),
        field!(room_kind).filter().about("Kind of room.").says_default(),
        field!(capacity).about("Beds in one room of a `dorm`; null for a `room`."),
        field!(facilities).hidden().about("IDs from `/room_facilities`."),
        field!(content).about("Text and photos."),
    ];
    const RELATIONSHIPS: &'static [Relationship<Self>] = &[
        Relationship { name: "facilities", of: "facility", data: Related::Named(|room| room.facilities.named()) },
        Relationship { name: "property", of: "property", data: Related::One(|room| room.property_id.0) },
    ];
    const OPTION: &'static [&'static str] = &["default_occupancy", "id", "property_id", "title"];
    const TAG: &'static str = "Room types";
    const DELETED: &'static str = "Deletes it permanently, with its rate plans and photos.";
    const FORCE: bool = true;
    // Each may have 100 photos, and texts of some 200 kB in all.
    const STEP: usize = 10;

    fn property(&self) -> Option<PropertyId> {
        Some(self.property_id)
    }

    fn limit(settings: &Settings) -> i64 {
        settings.max_room_types
    }

    fn check(&mut self, problems: &mut Problems) {
        // Nothing, or null, means as many as there are beds.
        if self.default_occupancy.0 == 0 {
            self.default_occupancy = self.occ_adults;
        }
        let is_known = !problems.names("occ_adults") && !problems.names("default_occupancy");
        if is_known && self.default_occupancy > self.occ_adults {
            problems.add("default_occupancy", format!("must be less than or equal to {}", self.occ_adults.0));
        }
        if self.room_kind == RoomKind::Room {
            self.capacity = None;
        }
    }

    async fn relate(
        tx: &mut Tx,
        stored: &mut Stored<Self>,
        operation: Operation,
        problems: &mut Problems,
    ) -> Result<()> {
        let parent = parent(stored);
        stored.resource.content.photos.relate(tx, parent, operation, problems).await
    }

    async fn complete(tx: &mut Tx, found: &mut [Stored<Self>]) -> Result<()> {
        let ids: Vec<Uuid> = found.iter().map(|stored| stored.id).collect();
        let mut photos = photos::of_room_types(tx, &ids).await?;
        for stored in found {
            stored.resource.content.photos = Batch::of(photos.remove(&stored.id).unwrap_or_default());
        }
        Ok(())
    }

    async fn written(tx: &mut Tx, _: Option<&Stored<Self>>, stored: &Stored<Self>) -> Result<()> {
        Ok(photos::write(tx, stored.resource.content.photos.changes(), clock::now()).await?)
    }
}

/// DELETE /room_types/:id, with its rate plans and photos. There are no channels yet that `force` would have to
/// overrule. What is large goes in several transactions (`rate_plans/detach.rs`), the room type itself in the last.
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
        let Stored { id: found, resource, .. } = handlers::find::<RoomType>(&mut tx, &caller, &id).await?;
        let going = Going::RoomType(RoomTypeId(found));
        detaching.prepare(&mut tx, resource.property_id, going).await?;
        drop(tx);
        let mut tx = state.db.write().await?;
        let Stored { id: found, resource, .. } = handlers::lock::<RoomType>(&mut tx, &caller, &id).await?;
        let is_last = detaching.apply(&mut tx, resource.property_id, going).await?
            && photos::delete_of_room_type(&mut tx, RoomTypeId(found)).await?;
        if is_last {
            store::delete::<RoomType>(&mut tx, found).await?;
        }
        tx.commit().await?;
        Ok(is_last)
    })
    .await?;
    Ok(json::success())
}

/// Whose photos a room type has.
fn parent(stored: &Stored<RoomType>) -> Parent {
    Parent { property: stored.resource.property_id, room_type: Some(RoomTypeId(stored.id)) }
}
