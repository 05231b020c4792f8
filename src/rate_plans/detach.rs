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
    let mut priced = HashMap::new();
    for kept in &plans {
        if going.contains(&kept.id) || !kept.plan.parent_rate_plan_id.is_some_and(|parent| going.contains(&parent)) {
            continue;
        }
        let mut plan = kept.plan.clone();
        price(&by_id, kept, &mut priced);
        for (option, Occupancy { rate, .. }) in plan.options.iter_mut().zip(priced.get(&kept.id).into_iter().flatten())
        {
            option.rate = *rate;
        }
        plan.parent_rate_plan_id = None;
        plan.rate_mode = "manual".to_owned();
        plan.inherit = Inherit::default();
        store::update(tx, kept.id, &plan).await?;
    }
    Ok(())
}

/// Adds the options of a plan and of its ancestors with the prices that follow, each plan's once: many plans may derive
/// from the same ones. What they are derived by is left out. Parents never lead in a circle.
fn price(by_id: &HashMap<RatePlanId, &Kept>, kept: &Kept, priced: &mut HashMap<RatePlanId, Vec<Occupancy>>) {
    let mut line = Vec::new();
    let mut next = Some(kept);
    while let Some(kept) = next.filter(|kept| !priced.contains_key(&kept.id)) {
        line.push(kept);
        next = kept.plan.parent_rate_plan_id.and_then(|id| by_id.get(&id).copied());
    }
    for Kept { id, plan, .. } in line.into_iter().rev() {
        let parent = plan.parent_rate_plan_id.and_then(|id| priced.get(&id));
        let prices = derive::in_effect(plan, parent.map(Vec::as_slice));
        let options = plan.options.iter().zip(prices).map(|(option, rate)| Occupancy {
            rate,
            occupancy: option.occupancy,
            is_primary: option.is_primary,
            derived_option: None,
        });
        priced.insert(*id, options.collect());
    }
}
