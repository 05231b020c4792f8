//! What rules and deletes ask of the rate plans of a property, beside the queries that all collections have.

use crate::{
    base::ids::{PropertyId, RatePlanId, RoomTypeId},
    db::{Bind, Statement, Tx, execute, impl_from_row},
    hotel::rate_plans::{plan::RatePlan, rules::Relative},
    resource::{collection::Stored, store},
};

pub fn to_json(value: &impl serde::Serialize) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// A rate plan, whoever asks.
pub async fn any_by_id(tx: &mut Tx, id: RatePlanId) -> sqlx::Result<Option<Stored<RatePlan>>> {
    let sql = format!("{} where r.id = $1", store::select::<RatePlan>());
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
    execute!(tx, SQL, id, options, rand::random::<i64>()).map(drop)
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
