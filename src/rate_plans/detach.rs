//! Makes plans independent whose parent is about to go: their prices in effect become their own
//! (contract/rate-plans.md, "Delete").

use std::collections::{HashMap, HashSet};

use super::{
    Inherit, Occupancy, derive,
    store::{self, Kept},
};
use crate::{
    db::Tx,
    ids::{PropertyId, RatePlanId, RoomTypeId},
};

/// Before a rate plan is deleted.
pub async fn from_plan(tx: &mut Tx, property: PropertyId, plan: RatePlanId) -> sqlx::Result<()> {
    from_all(tx, property, |kept| kept.id == plan).await
}

/// Before a room type is deleted with its plans: those of other room types may derive from them.
pub async fn from_room_type(tx: &mut Tx, property: PropertyId, room_type: RoomTypeId) -> sqlx::Result<()> {
    from_all(tx, property, |kept| kept.room_type == room_type).await
}

async fn from_all(tx: &mut Tx, property: PropertyId, goes: impl Fn(&Kept) -> bool) -> sqlx::Result<()> {
    let plans = store::of_property(tx, property).await?;
    let by_id: HashMap<RatePlanId, &Kept> = plans.iter().map(|kept| (kept.id, kept)).collect();
    let going: HashSet<RatePlanId> = plans.iter().filter(|kept| goes(kept)).map(|kept| kept.id).collect();
    for kept in &plans {
        if going.contains(&kept.id) || !kept.plan.parent_rate_plan_id.is_some_and(|parent| going.contains(&parent)) {
            continue;
        }
        let mut plan = kept.plan.clone();
        plan.options = in_effect(&by_id, kept);
        plan.parent_rate_plan_id = None;
        plan.rate_mode = "manual".to_owned();
        plan.inherit = Inherit::default();
        store::update(tx, kept.id, &plan).await?;
    }
    Ok(())
}

/// The options of a plan with the prices that follow from all its ancestors. Parents never lead in a circle.
fn in_effect(by_id: &HashMap<RatePlanId, &Kept>, kept: &Kept) -> Vec<Occupancy> {
    let mut line = vec![kept];
    while let Some(parent) = line.last().and_then(|plan| plan.plan.parent_rate_plan_id).and_then(|id| by_id.get(&id)) {
        line.push(parent);
    }
    let mut options: Option<Vec<Occupancy>> = None;
    for Kept { plan, .. } in line.into_iter().rev() {
        let prices = derive::in_effect(plan, options.as_deref());
        let priced = plan.options.iter().zip(prices).map(|(option, rate)| Occupancy { rate, ..option.clone() });
        options = Some(priced.collect());
    }
    options.unwrap_or_default()
}
