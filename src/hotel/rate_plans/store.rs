//! Rate plans in the database. What reads for a caller finds only what is the caller's; what writes is given what was
//! found before.

use std::borrow::Cow;

use uuid::Uuid;

use crate::{
    access::{self, caller::Caller},
    base::{
        clock::Moment,
        error::Result,
        ids::{PropertyId, RatePlanId, RoomTypeId},
    },
    db::{Bind, Statement, Tx, execute, folded, impl_from_row},
    hotel::rate_plans::{Inherit, RatePlan, rules::Relative},
    resource::{
        json::Meta,
        list::{self, Compared, Filterable, Listing, Orderable},
        query::Query,
    },
};

const COLUMNS: &str = "
    rp.id, rp.property_id, rp.room_type_id, rp.title, rp.parent_rate_plan_id, rp.currency, rp.sell_mode, rp.rate_mode,
    rp.meal_type, rp.options, rp.auto_rate_settings, rp.children_fee, rp.infant_fee, rp.inherit_rate,
    rp.inherit_closed_to_arrival, rp.inherit_closed_to_departure, rp.inherit_stop_sell, rp.inherit_min_stay_arrival,
    rp.inherit_min_stay_through, rp.inherit_max_stay, rp.inherit_max_sell, rp.inherit_max_availability,
    rp.inherit_availability_offset";

/// What the list of rate plans can be filtered and ordered by (docs/contract/README.md, sections 7 and 8).
pub static LISTING: Listing = Listing {
    filters: Cow::Borrowed(&[
        Filterable { name: "id", sql: Cow::Borrowed("rp.id {}"), kind: Compared::Id },
        Filterable { name: "property_id", sql: Cow::Borrowed("rp.property_id {}"), kind: Compared::Id },
        Filterable { name: "room_type_id", sql: Cow::Borrowed("rp.room_type_id {}"), kind: Compared::Id },
        Filterable { name: "parent_rate_plan_id", sql: Cow::Borrowed("rp.parent_rate_plan_id {}"), kind: Compared::Id },
        Filterable { name: "title", sql: Cow::Borrowed("rp.title {}"), kind: Compared::Text },
        Filterable { name: "sell_mode", sql: Cow::Borrowed("rp.sell_mode {}"), kind: Compared::Text },
        Filterable { name: "rate_mode", sql: Cow::Borrowed("rp.rate_mode {}"), kind: Compared::Text },
    ]),
    orders: Cow::Borrowed(&[
        Orderable { name: "id", sql: Cow::Borrowed("rp.id") },
        Orderable { name: "title", sql: Cow::Borrowed("rp.sort_title") },
        Orderable { name: "sell_mode", sql: Cow::Borrowed("rp.sell_mode collate \"C\"") },
        Orderable { name: "rate_mode", sql: Cow::Borrowed("rp.rate_mode collate \"C\"") },
        Orderable { name: "currency", sql: Cow::Borrowed("rp.currency collate \"C\"") },
        Orderable { name: "meal_type", sql: Cow::Borrowed("rp.meal_type collate \"C\"") },
        Orderable { name: "children_fee", sql: Cow::Borrowed("rp.children_fee") },
        Orderable { name: "infant_fee", sql: Cow::Borrowed("rp.infant_fee") },
        Orderable { name: "parent_rate_plan_id", sql: Cow::Borrowed("rp.parent_rate_plan_id") },
        Orderable { name: "inherit_rate", sql: Cow::Borrowed("rp.inherit_rate") },
        Orderable { name: "inherit_closed_to_arrival", sql: Cow::Borrowed("rp.inherit_closed_to_arrival") },
        Orderable { name: "inherit_closed_to_departure", sql: Cow::Borrowed("rp.inherit_closed_to_departure") },
        Orderable { name: "inherit_stop_sell", sql: Cow::Borrowed("rp.inherit_stop_sell") },
        Orderable { name: "inherit_min_stay_arrival", sql: Cow::Borrowed("rp.inherit_min_stay_arrival") },
        Orderable { name: "inherit_min_stay_through", sql: Cow::Borrowed("rp.inherit_min_stay_through") },
        Orderable { name: "inherit_max_stay", sql: Cow::Borrowed("rp.inherit_max_stay") },
        Orderable { name: "inherit_max_sell", sql: Cow::Borrowed("rp.inherit_max_sell") },
        Orderable { name: "inherit_max_availability", sql: Cow::Borrowed("rp.inherit_max_availability") },
        Orderable { name: "inherit_availability_offset", sql: Cow::Borrowed("rp.inherit_availability_offset") },
        Orderable { name: "inserted_at", sql: Cow::Borrowed("rp.created_at") },
    ]),
    default_order: Cow::Borrowed("rp.sort_title"),
    id: "rp.id",
};

/// A rate plan with its ids.
pub struct StoredRatePlan {
    pub id: RatePlanId,
    pub property: PropertyId,
    pub room_type: RoomTypeId,
    pub plan: RatePlan,
}

impl_from_row!(StoredRatePlan, row => StoredRatePlan {
    id: row.try_get("id")?,
    property: row.try_get("property_id")?,
    room_type: row.try_get("room_type_id")?,
    plan: RatePlan {
        title: row.try_get("title")?,
        parent_rate_plan_id: row.try_get("parent_rate_plan_id")?,
        currency: row.try_get("currency")?,
        sell_mode: row.try_get("sell_mode")?,
        rate_mode: row.try_get("rate_mode")?,
        meal_type: row.try_get("meal_type")?,
        options: from_json(&row.try_get::<String>("options")?)?,
        auto_rate_settings: row.try_get::<Option<String>>("auto_rate_settings")?.as_deref().map(from_json).transpose()?,
        children_fee: row.try_get("children_fee")?,
        infant_fee: row.try_get("infant_fee")?,
        inherit: Inherit {
            inherit_rate: row.try_get("inherit_rate")?,
            inherit_closed_to_arrival: row.try_get("inherit_closed_to_arrival")?,
            inherit_closed_to_departure: row.try_get("inherit_closed_to_departure")?,
            inherit_stop_sell: row.try_get("inherit_stop_sell")?,
            inherit_min_stay_arrival: row.try_get("inherit_min_stay_arrival")?,
            inherit_min_stay_through: row.try_get("inherit_min_stay_through")?,
            inherit_max_stay: row.try_get("inherit_max_stay")?,
            inherit_max_sell: row.try_get("inherit_max_sell")?,
            inherit_max_availability: row.try_get("inherit_max_availability")?,
            inherit_availability_offset: row.try_get("inherit_availability_offset")?,
        },
    },
});

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> sqlx::Result<T> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

pub fn to_json(value: &impl serde::Serialize) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// The short form for `/options`.
pub struct Choice {
    pub id: RatePlanId,
    pub property_id: PropertyId,
    pub room_type_id: RoomTypeId,
    pub parent_rate_plan_id: Option<RatePlanId>,
    pub title: String,
    pub sell_mode: String,
    /// Of the primary option.
    pub occupancy: i64,
}

impl_from_row!(Choice, row => Choice {
    id: row.try_get("id")?,
    property_id: row.try_get("property_id")?,
    room_type_id: row.try_get("room_type_id")?,
    parent_rate_plan_id: row.try_get("parent_rate_plan_id")?,
    title: row.try_get("title")?,
    sell_mode: row.try_get("sell_mode")?,
    occupancy: row.try_get("primary_occupancy")?,
});

fn select(tx: &Tx, columns: &str, caller: &Caller) -> Statement {
    access::visible_rows(tx, columns, "rate_plans rp", "rp.property_id = mine.property_id", caller)
}

/// The ids of one page of the rate plans of the caller's properties.
pub async fn page(tx: &mut Tx, caller: &Caller, query: &Query) -> Result<(Vec<Uuid>, Meta)> {
    let count = select(tx, "count(*)", caller);
    let rows = select(tx, "rp.id", caller);
    let (ids, meta) = list::page::<list::Id>(tx, &LISTING, query, rows, count).await?;
    Ok((ids.into_iter().map(|list::Id(id)| id).collect(), meta))
}

/// The ids of all of them.
pub async fn all(tx: &mut Tx, caller: &Caller, query: &Query) -> Result<Vec<Uuid>> {
    let rows = select(tx, "rp.id", caller);
    let ids: Vec<list::Id> = list::whole(tx, &LISTING, query, rows).await?;
    Ok(ids.into_iter().map(|list::Id(id)| id).collect())
}

const FROM: &str = "from rate_plans rp join properties p on p.id = rp.property_id";

/// Those of these rate plans that are the caller's.
pub async fn by_ids(tx: &mut Tx, caller: &Caller, ids: &[Uuid]) -> sqlx::Result<Vec<StoredRatePlan>> {
    let mut rows = access::seen(&format!("select {COLUMNS} {FROM}"), caller);
    let names = rows.bind_all(ids.iter().map(|id| Bind::Id(*id)));
    rows.push(&format!(" and rp.id in ({names})"));
    rows.fetch_all(tx).await
}

/// The same in short.
pub async fn choices(tx: &mut Tx, caller: &Caller, ids: &[Uuid]) -> sqlx::Result<Vec<Choice>> {
    const SHORT: &str = "
        rp.id, rp.property_id, rp.room_type_id, rp.parent_rate_plan_id, rp.title, rp.sell_mode, rp.primary_occupancy";
    let mut rows = access::seen(&format!("select {SHORT} {FROM}"), caller);
    let ids = rows.bind_ids(tx.is_postgres(), ids.iter().copied());
    rows.push(&format!(" and rp.id in {ids}"));
    rows.fetch_all(tx).await
}

/// One rate plan of the caller's properties.
pub async fn by_id(tx: &mut Tx, caller: &Caller, id: RatePlanId) -> sqlx::Result<Option<StoredRatePlan>> {
    let mut rows = access::seen(&format!("select {COLUMNS} {FROM}"), caller);
    rows.and("rp.id", Bind::Id(id.0));
    Ok(rows.fetch_all(tx).await?.pop())
}

/// A rate plan, whoever asks.
pub async fn any_by_id(tx: &mut Tx, id: RatePlanId) -> sqlx::Result<Option<StoredRatePlan>> {
    let sql = format!("select {COLUMNS} from rate_plans rp where rp.id = $1");
    Ok(Statement::new(sql, vec![Bind::Id(id.0)]).fetch_all(tx).await?.pop())
}

/// How a plan hangs together with the others of its property, and in which version.
pub struct Link {
    pub id: RatePlanId,
    pub room_type: RoomTypeId,
    pub parent: Option<RatePlanId>,
    pub rate_mode: String,
    pub version: i64,
}

impl_from_row!(Link, row => Link {
    id: row.try_get("id")?,
    room_type: row.try_get("room_type_id")?,
    parent: row.try_get("parent_rate_plan_id")?,
    rate_mode: row.try_get("rate_mode")?,
    version: row.try_get("version")?,
});

/// The plans of a property, from the index `rate_plans_by_family` alone.
pub async fn family(tx: &mut Tx, property: PropertyId) -> sqlx::Result<Vec<Link>> {
    const SQL: &str = "
        select id, room_type_id, parent_rate_plan_id, rate_mode, version from rate_plans where property_id = $1";
    Statement::new(SQL, vec![property.into()]).fetch_all(tx).await
}

/// Makes a plan independent that was derived from another. `options` is JSON.
pub async fn detach(tx: &mut Tx, id: RatePlanId, options: &str) -> sqlx::Result<()> {
    const SQL: &str = "
        update rate_plans set
            options = $2, version = $3, parent_rate_plan_id = null, rate_mode = 'manual', inherit_rate = false,
            inherit_closed_to_arrival = false, inherit_closed_to_departure = false, inherit_stop_sell = false,
            inherit_min_stay_arrival = false, inherit_min_stay_through = false, inherit_max_stay = false,
            inherit_max_sell = false, inherit_max_availability = false, inherit_availability_offset = false
        where id = $1";
    execute!(tx, sqlx::query(SQL).bind(id).bind(options).bind(rand::random::<i64>())).map(drop)
}

/// Deletes rate plans from which none of those that stay derives.
pub async fn delete_all(tx: &mut Tx, ids: &[RatePlanId]) -> sqlx::Result<()> {
    let mut rows = Statement::new("delete from rate_plans where id in (", Vec::new());
    let names = rows.bind_all(ids.iter().map(|id| Bind::Id(id.0)));
    if names.is_empty() {
        return Ok(());
    }
    rows.push(&format!("{names})"));
    rows.execute(tx).await.map(drop)
}

impl_from_row!(Relative, row => Relative {
    id: row.try_get("id")?,
    parent: row.try_get("parent_rate_plan_id")?,
    currency: row.try_get("currency")?,
    rate_mode: row.try_get("rate_mode")?,
});

/// The plans of a property, as far as rules ask for them.
pub async fn relatives(tx: &mut Tx, property: PropertyId) -> sqlx::Result<Vec<Relative>> {
    const SQL: &str = "select id, parent_rate_plan_id, currency, rate_mode from rate_plans where property_id = $1";
    Statement::new(SQL, vec![property.into()]).fetch_all(tx).await
}

/// True where another plan of the room type has this title.
pub async fn is_taken(tx: &mut Tx, room_type: RoomTypeId, title: &str, but: RatePlanId) -> sqlx::Result<bool> {
    const SQL: &str = "select count(*) from rate_plans where room_type_id = $1 and title = $2 and id <> $3";
    let binds = vec![room_type.into(), Bind::Text(title.to_owned()), but.into()];
    let found: i64 = Statement::new(SQL, binds).fetch_value(tx).await?;
    Ok(found > 0)
}

/// The columns that can be written, in the order of the two statements below: `$2` to `$23`.
macro_rules! bind_fields {
    ($query:expr, $plan:expr) => {{
        let plan: &RatePlan = $plan;
        let inherit = &plan.inherit;
        $query
            .bind(&plan.title)
            .bind(folded(&plan.title).into_bytes())
            .bind(plan.parent_rate_plan_id)
            .bind(&plan.currency)
            .bind(&plan.sell_mode)
            .bind(&plan.rate_mode)
            .bind(&plan.meal_type)
            .bind(to_json(&plan.options)?)
            .bind(plan.primary().map_or(0, |option| option.occupancy))
            .bind(plan.auto_rate_settings.as_ref().map(to_json).transpose()?)
            .bind(plan.children_fee)
            .bind(plan.infant_fee)
            .bind(inherit.inherit_rate)
            .bind(inherit.inherit_closed_to_arrival)
            .bind(inherit.inherit_closed_to_departure)
            .bind(inherit.inherit_stop_sell)
            .bind(inherit.inherit_min_stay_arrival)
            .bind(inherit.inherit_min_stay_through)
            .bind(inherit.inherit_max_stay)
            .bind(inherit.inherit_max_sell)
            .bind(inherit.inherit_max_availability)
            .bind(inherit.inherit_availability_offset)
    }};
}

/// Adds a rate plan.
pub async fn insert(tx: &mut Tx, kept: &StoredRatePlan, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "
        insert into rate_plans (
            id, title, sort_title, parent_rate_plan_id, currency, sell_mode, rate_mode, meal_type, options,
            primary_occupancy, auto_rate_settings, children_fee, infant_fee, inherit_rate, inherit_closed_to_arrival,
            inherit_closed_to_departure, inherit_stop_sell, inherit_min_stay_arrival, inherit_min_stay_through,
            inherit_max_stay, inherit_max_sell, inherit_max_availability, inherit_availability_offset, property_id,
            room_type_id, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23, $24, $25, $26)";
    execute!(
        tx,
        bind_fields!(sqlx::query(SQL).bind(kept.id), &kept.plan).bind(kept.property).bind(kept.room_type).bind(now)
    )
    .map(drop)
}

/// Writes all fields of a rate plan.
pub async fn update(tx: &mut Tx, id: RatePlanId, plan: &RatePlan) -> sqlx::Result<()> {
    const SQL: &str = "
        update rate_plans set
            title = $2, sort_title = $3, parent_rate_plan_id = $4, currency = $5, sell_mode = $6, rate_mode = $7,
            meal_type = $8, options = $9, primary_occupancy = $10, auto_rate_settings = $11, children_fee = $12,
            infant_fee = $13, inherit_rate = $14, inherit_closed_to_arrival = $15, inherit_closed_to_departure = $16,
            inherit_stop_sell = $17, inherit_min_stay_arrival = $18, inherit_min_stay_through = $19,
            inherit_max_stay = $20, inherit_max_sell = $21, inherit_max_availability = $22,
            inherit_availability_offset = $23, version = $24
        where id = $1";
    execute!(tx, bind_fields!(sqlx::query(SQL).bind(id), plan).bind(rand::random::<i64>())).map(drop)
}
