//! `/api/v1/rate_plans` (docs/contract/rate-plans.md).

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    access::{
        self,
        caller::{Caller, Writer},
        quotas,
    },
    base::{
        clock,
        error::{Problems, Result},
        ids::{PropertyId, RatePlanId, RoomTypeId},
    },
    db::Tx,
    hotel::{
        properties,
        rate_plans::{
            detach::{self, Detaching, Going},
            plan::RatePlan,
            rules::{self, Validated},
            store,
        },
        room_types::RoomType,
    },
    resource::{
        collection::{self, Resource, Stored},
        handlers::{find, lock},
        json, query, store as resources,
        validate::Operation,
    },
    web::{body::Body, state::AppState},
};

/// POST /rate_plans
pub async fn create(state: Data<AppState>, Writer(caller): Writer, sent: Body) -> Result<HttpResponse> {
    let sent = sent.top_of(RatePlan::KEYS)?;
    let mut problems = Problems::default();
    let validated = rules::validate(&sent, Operation::Create, &mut problems)?;
    let mut tx = state.db.write().await?;
    let Place { property, room_type, currency } = place(&mut tx, &caller, &validated, &mut problems).await?;
    let plan = RatePlan { property_id: property, room_type_id: room_type, ..RatePlan::default() };
    let resource = plan.changed(validated, &currency, &mut problems)?;
    let mut stored = Stored { id: Uuid::now_v7(), version: rand::random(), resource };
    check(&mut tx, &stored, &sent, &mut problems).await?;
    problems.none_or_invalid()?;
    let noun = RatePlan::NAME.noun();
    let max = RatePlan::limit(&state.settings);
    quotas::resource(&mut tx, RatePlan::NAME.many, &noun, quotas::Of::Property(property), max).await?;
    resources::insert(&mut tx, None, &stored, clock::now()).await?;
    tx.commit().await?;
    let location = format!("{}/api/v1/rate_plans/{}", state.address(), stored.id);
    stored.resource.options.plan = RatePlanId(stored.id);
    Ok(json::created(location, &collection::body(&stored)))
}

/// PUT /rate_plans/:id
pub async fn update(
    state: Data<AppState>,
    Writer(caller): Writer,
    id: Path<String>,
    sent: Body,
) -> Result<HttpResponse> {
    let sent = sent.top_of(RatePlan::KEYS)?;
    let mut tx = state.db.write().await?;
    let Stored { id, resource: plan, .. } = lock::<RatePlan>(&mut tx, &caller, &id).await?;
    let mut problems = Problems::default();
    let validated = rules::validate(&sent, Operation::Update, &mut problems)?;
    if validated.property.is_some_and(|sent| sent != plan.property_id) {
        problems.add("property_id", "is invalid");
    }
    if validated.room_type.is_some_and(|sent| sent != plan.room_type_id) {
        problems.add("room_type_id", "is invalid");
    }
    let currency = properties::store::currency(&mut tx, plan.property_id).await?.unwrap_or_default();
    let resource = plan.changed(validated, &currency, &mut problems)?;
    let mut stored = Stored { id, version: rand::random(), resource };
    check(&mut tx, &stored, &sent, &mut problems).await?;
    problems.none_or_invalid()?;
    resources::update(&mut tx, &stored).await?;
    tx.commit().await?;
    stored.resource.options.plan = RatePlanId(id);
    Ok(json::one(&collection::body(&stored)))
}

/// DELETE /rate_plans/:id. There are no channels yet that `force` would have to overrule. Where many plans derive from it
/// they are made independent in several transactions; the plan itself goes in the last.
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
        let Stored { id: found, resource: plan, .. } = find::<RatePlan>(&mut tx, &caller, &id).await?;
        let going = Going::Plan(RatePlanId(found));
        detaching.prepare(&mut tx, plan.property_id, going).await?;
        drop(tx);
        let mut tx = state.db.write().await?;
        let Stored { resource: plan, .. } = lock::<RatePlan>(&mut tx, &caller, &id).await?;
        let is_last = detaching.apply(&mut tx, plan.property_id, going).await?;
        tx.commit().await?;
        Ok(is_last)
    })
    .await?;
    Ok(json::success())
}

/// Where a new plan goes.
struct Place {
    property: PropertyId,
    room_type: RoomTypeId,
    currency: String,
}

/// Finds property and room type for the caller, and keeps them as they are until this transaction ends.
async fn place(tx: &mut Tx, caller: &Caller, validated: &Validated, problems: &mut Problems) -> Result<Place> {
    let mut currency = None;
    if let Some(property) = validated.property {
        if access::lock_visible_property(tx, caller, property).await?.is_some() {
            currency = properties::store::currency(tx, property).await?;
        } else {
            problems.add("property_id", "does not exist");
        }
    }
    if let Some(room_type) = validated.room_type {
        let found = resources::by_id::<RoomType>(tx, caller, room_type.0).await?;
        let found = found.map(|found| found.resource.property_id);
        let elsewhere = currency.is_some() && found != validated.property;
        if found.is_none() || elsewhere {
            problems.add("room_type_id", "does not exist");
        }
    }
    Ok(Place {
        property: validated.property.unwrap_or_default(),
        room_type: validated.room_type.unwrap_or_default(),
        currency: currency.unwrap_or_default(),
    })
}

/// The rules that hang on other plans. A clash of titles is told even where something else is wrong.
async fn check(
    tx: &mut Tx,
    Stored { id, resource: plan, .. }: &Stored<RatePlan>,
    sent: &Map<String, Value>,
    problems: &mut Problems,
) -> Result<()> {
    let id = RatePlanId(*id);
    let title = sent.get("title").and_then(Value::as_str).map(str::trim);
    if let Some(title) = title
        && !problems.names("title")
        && !problems.names("room_type_id")
        && store::is_taken(tx, plan.room_type_id, title, id).await?
    {
        problems.add("title", "Duplication in Rate Plan title is not allowed");
    }
    let asked = sent.get("parent_rate_plan_id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    // Other plans matter to one that has a parent, and to one whose children may be in another currency now.
    let has_relatives = asked.is_some() || plan.parent_rate_plan_id.is_some() || sent.contains_key("currency");
    if has_relatives && !problems.names("property_id") {
        let relatives = store::relatives(tx, plan.property_id).await?;
        plan.fits_relatives(id, asked, &relatives, problems);
    }
    Ok(())
}
