//! `/api/v1/rate_plans` (docs/contract/rate-plans.md).

use std::collections::HashMap;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use serde::Serialize;
use serde_json::Value;
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
        ids::{PropertyId, RatePlanId, RoomTypeId},
        money,
    },
    db::Tx,
    hotel::{
        properties,
        rate_plans::{
            Inherit, RatePlan,
            detach::{self, Detaching, Going},
            rules::{self, Validated},
            store::{self, StoredRatePlan},
        },
        room_types::RoomType,
    },
    resource::{
        json::{self, Data as Related, Link},
        query::{self, Query},
        steps::{self, List, Source},
        store as store_of_resources,
        validate::Operation,
    },
    web::{body::Body, state::AppState},
};

/// The top key of bodies.
const KEY: &str = "rate_plan";

#[derive(Serialize)]
struct RatePlanBody {
    r#type: &'static str,
    id: RatePlanId,
    attributes: Attributes,
    relationships: Relationships,
}

#[derive(Serialize)]
struct Attributes {
    id: RatePlanId,
    title: String,
    sell_mode: String,
    rate_mode: String,
    currency: String,
    children_fee: String,
    infant_fee: String,
    options: Vec<OptionBody>,
    #[serde(flatten)]
    inherit: Inherit,
    auto_rate_settings: Option<Value>,
    meal_type: String,
    parent_rate_plan_id: Option<RatePlanId>,
}

#[derive(Serialize)]
struct OptionBody {
    id: Uuid,
    rate: String,
    occupancy: i64,
    is_primary: bool,
    derived_option: Option<Value>,
}

#[derive(Serialize)]
struct Relationships {
    room_type: Related<Link>,
    property: Related<Link>,
    parent_rate_plan: Related<Option<Link>>,
}

impl From<StoredRatePlan> for RatePlanBody {
    fn from(StoredRatePlan { id, property, room_type, plan }: StoredRatePlan) -> Self {
        let price = |minor: i64| money::to_text(minor, &plan.currency);
        let option = |option: super::Occupancy| OptionBody {
            id: id.of_option(option.occupancy),
            rate: price(option.rate),
            occupancy: option.occupancy,
            is_primary: option.is_primary,
            derived_option: option.derived_option,
        };
        RatePlanBody {
            r#type: "rate_plan",
            id,
            attributes: Attributes {
                id,
                title: plan.title,
                sell_mode: plan.sell_mode,
                rate_mode: plan.rate_mode,
                children_fee: price(plan.children_fee),
                infant_fee: price(plan.infant_fee),
                options: plan.options.into_iter().map(option).collect(),
                inherit: plan.inherit,
                auto_rate_settings: plan.auto_rate_settings,
                meal_type: plan.meal_type,
                parent_rate_plan_id: plan.parent_rate_plan_id,
                currency: plan.currency,
            },
            relationships: Relationships {
                room_type: Related { data: Link::new("room_type", room_type.0) },
                property: Related { data: Link::new("property", property.0) },
                parent_rate_plan: Related {
                    data: plan.parent_rate_plan_id.map(|parent| Link::new("rate_plan", parent.0)),
                },
            },
        }
    }
}

/// Rate plans as a list shows them.
struct Listed(Caller);

impl Source for Listed {
    type Resource = RatePlanBody;

    // Each may have 2,000 rules, and options of some 300 kB in all.
    const A_STEP: usize = 10;

    async fn read(&self, tx: &mut Tx, ids: &[Uuid]) -> Result<HashMap<Uuid, RatePlanBody>> {
        let plans = store::by_ids(tx, &self.0, ids).await?;
        Ok(plans.into_iter().map(|kept| (kept.id.0, kept.into())).collect())
    }
}

/// GET /rate_plans
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
    id: RatePlanId,
    occupancy: i64,
    parent_rate_plan_id: Option<RatePlanId>,
    property_id: PropertyId,
    rate_category_id: (),
    room_type_id: RoomTypeId,
    sell_mode: String,
    title: String,
}

impl Source for Choices {
    type Resource = json::Short<RatePlanId, ShortAttributes>;

    const A_STEP: usize = 1_000;

    async fn read(&self, tx: &mut Tx, ids: &[Uuid]) -> Result<HashMap<Uuid, Self::Resource>> {
        let choice = |choice: store::Choice| {
            let attributes = ShortAttributes {
                id: choice.id,
                occupancy: choice.occupancy,
                parent_rate_plan_id: choice.parent_rate_plan_id,
                property_id: choice.property_id,
                rate_category_id: (),
                room_type_id: choice.room_type_id,
                sell_mode: choice.sell_mode,
                title: choice.title,
            };
            (choice.id.0, json::Short { r#type: "rate_plan", id: choice.id, attributes })
        };
        Ok(store::choices(tx, &self.0, ids).await?.into_iter().map(choice).collect())
    }
}

/// GET /rate_plans/options
pub async fn options(state: Data<AppState>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let query = Query::read(request.query_string())?;
    let mut tx = state.db.read().await?;
    let ids = store::all(&mut tx, &caller, &query).await?;
    steps::answer(List::new(&state.db, tx, Choices(caller), ids, None)).await
}

/// GET /rate_plans/:id
pub async fn read(state: Data<AppState>, caller: Caller, id: Path<String>) -> Result<HttpResponse> {
    let mut tx = state.db.read().await?;
    let kept = find(&mut tx, &caller, &id).await?;
    Ok(json::one(&RatePlanBody::from(kept)))
}

/// POST /rate_plans
pub async fn create(state: Data<AppState>, Writer(caller): Writer, sent: Body) -> Result<HttpResponse> {
    let sent = sent.top(KEY)?;
    let mut problems = Problems::default();
    let validated = rules::validate(&sent, Operation::Create, &mut problems)?;
    let mut tx = state.db.write().await?;
    let Place { property, room_type, currency } = place(&mut tx, &caller, &validated, &mut problems).await?;
    let plan = RatePlan::default().changed(validated, &currency, &mut problems)?;
    let kept = StoredRatePlan { id: RatePlanId::new(), property, room_type, plan };
    check(&mut tx, &kept, &sent, &mut problems).await?;
    problems.none_or_invalid()?;
    quotas::rate_plan(&mut tx, property, state.settings.max_rate_plans).await?;
    store::insert(&mut tx, &kept, clock::now()).await?;
    tx.commit().await?;
    let location = format!("{}/api/v1/rate_plans/{}", state.address(), kept.id);
    Ok(json::created(location, &RatePlanBody::from(kept)))
}

/// PUT /rate_plans/:id
pub async fn update(
    state: Data<AppState>,
    Writer(caller): Writer,
    id: Path<String>,
    sent: Body,
) -> Result<HttpResponse> {
    let sent = sent.top(KEY)?;
    let mut tx = state.db.write().await?;
    let StoredRatePlan { id, property, room_type, plan } = lock(&mut tx, &caller, &id).await?;
    let mut problems = Problems::default();
    let validated = rules::validate(&sent, Operation::Update, &mut problems)?;
    if validated.property.is_some_and(|sent| sent != property) {
        problems.add("property_id", "is invalid");
    }
    if validated.room_type.is_some_and(|sent| sent != room_type) {
        problems.add("room_type_id", "is invalid");
    }
    let currency = properties::store::currency(&mut tx, property).await?.unwrap_or_default();
    let kept = StoredRatePlan { id, property, room_type, plan: plan.changed(validated, &currency, &mut problems)? };
    check(&mut tx, &kept, &sent, &mut problems).await?;
    problems.none_or_invalid()?;
    store::update(&mut tx, id, &kept.plan).await?;
    tx.commit().await?;
    Ok(json::one(&RatePlanBody::from(kept)))
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
        let kept = find(&mut tx, &caller, &id).await?;
        let going = Going::Plan(kept.id);
        detaching.prepare(&mut tx, kept.property, going).await?;
        drop(tx);
        let mut tx = state.db.write().await?;
        let kept = lock(&mut tx, &caller, &id).await?;
        let is_last = detaching.apply(&mut tx, kept.property, going).await?;
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
        let found = store_of_resources::by_id::<RoomType>(tx, caller, room_type.0).await?;
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
    kept: &StoredRatePlan,
    sent: &serde_json::Map<String, Value>,
    problems: &mut Problems,
) -> Result<()> {
    let title = sent.get("title").and_then(Value::as_str).map(str::trim);
    if let Some(title) = title
        && !problems.names("title")
        && !problems.names("room_type_id")
        && store::is_taken(tx, kept.room_type, title, kept.id).await?
    {
        problems.add("title", "Duplication in Rate Plan title is not allowed");
    }
    let asked = sent.get("parent_rate_plan_id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    // Other plans matter to one that has a parent, and to one whose children may be in another currency now.
    let has_relatives = asked.is_some() || kept.plan.parent_rate_plan_id.is_some() || sent.contains_key("currency");
    if has_relatives && !problems.names("property_id") {
        let relatives = store::relatives(tx, kept.property).await?;
        kept.plan.fits_relatives(kept.id, asked, &relatives, problems);
    }
    Ok(())
}

async fn find(tx: &mut Tx, caller: &Caller, id: &str) -> Result<StoredRatePlan> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    store::by_id(tx, caller, id).await?.ok_or(Error::NotFound)
}

/// As [`find`], and nobody else changes what belongs to the property before this transaction ends.
async fn lock(tx: &mut Tx, caller: &Caller, id: &str) -> Result<StoredRatePlan> {
    let property = find(tx, caller, id).await?.property;
    access::lock_visible_property(tx, caller, property).await?;
    // It may have changed, or gone, while this waited.
    find(tx, caller, id).await
}
