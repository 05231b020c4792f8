//! Makes plans independent whose parent is about to go: their prices in effect become their own (docs/contract/rate-plans.md,
//! "Delete").
//!
//! A property may have a thousand plans with two thousand rules each. So prices are worked out in reads, each plan's once,
//! and a transaction that writes does little: it looks whether the plans are still those that were read, and makes a few
//! of them independent, or deletes a few. Other writers come in between. Those who derive go, or become independent,
//! before what they derive from: whenever this is interrupted, what is there is right, and the delete can be sent again.

use std::collections::HashMap;

use actix_web::rt::task::spawn_blocking;

use crate::{
    base::{
        error::{Error, Result},
        ids::{PropertyId, RatePlanId, RoomTypeId},
    },
    db::Tx,
    hotel::rate_plans::{
        derive,
        options::Occupancy,
        plan::{RatePlan, follows_parent},
        store::{self, Link},
    },
    resource::collection::Stored,
};

/// Transactions of one delete at most. It needs a few hundred where a property is full, and more only where others add
/// plans as fast as they are deleted.
const MOST_STEPS: usize = 5_000;

/// Repeats a step of a delete, each a transaction of its own, until one says that it was the last. What somebody else has
/// deleted between two steps is deleted.
pub async fn in_steps(mut step: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    for number in 0..MOST_STEPS {
        match step().await {
            Err(Error::NotFound) if number > 0 => return Ok(()),
            Ok(false) => {}
            done => return done.map(drop),
        }
    }
    Err(Error::Unavailable)
}

/// Plans that one read prices at most.
const PRICED_A_STEP: usize = 50;

/// Plans that one transaction makes independent at most, and the bytes of their options.
const DETACHED_A_STEP: usize = 100;
const BYTES_A_STEP: usize = 1024 * 1024;

/// Plans that one transaction deletes at most: each may have more than 100 kB.
const DELETED_A_STEP: usize = 32;

/// What is to go.
#[derive(Clone, Copy)]
pub enum Going {
    Plan(RatePlanId),
    /// All plans of a room type: those of other room types may derive from them.
    RoomType(RoomTypeId),
    /// All plans of the property.
    All,
}

impl Going {
    fn includes(self, link: &Link) -> bool {
        match self {
            Going::Plan(id) => link.id == id,
            Going::RoomType(id) => link.room_type == id,
            Going::All => true,
        }
    }
}

/// What is known from one transaction of a delete to the next.
#[derive(Default)]
pub struct Detaching {
    /// Prices in effect, and of which version of the plan.
    priced: HashMap<RatePlanId, (i64, Vec<Occupancy>)>,
    /// The options of plans that are to be made independent, as JSON.
    options: HashMap<RatePlanId, String>,
}

impl Detaching {
    /// Works out what the next [`Detaching::apply`] writes, as far as it fits into one step. The transaction only reads.
    pub async fn prepare(&mut self, tx: &mut Tx, property: PropertyId, going: Going) -> sqlx::Result<()> {
        self.options.clear();
        if matches!(going, Going::All) {
            return Ok(());
        }
        let family = store::family(tx, property).await?;
        let by_id = links(&family);
        self.forget_changed(&by_id);
        let (mut left, mut bytes) = (PRICED_A_STEP, 0);
        for child in children(&by_id, &family, going) {
            if left == 0 || self.options.len() == DETACHED_A_STEP || bytes >= BYTES_A_STEP {
                break;
            }
            let Some(mut kept) = self.price(tx, &by_id, child, &mut left).await? else { continue };
            // It has become independent by itself only where it was read in another moment.
            let Some((_, prices)) = self.priced.get(&child.id) else { continue };
            for (option, Occupancy { rate, .. }) in kept.resource.options.iter_mut().zip(prices) {
                option.rate = *rate;
            }
            let options = spawn_blocking(move || store::to_json(&*kept.resource.options)).await;
            let options = options.map_err(|_| sqlx::Error::WorkerCrashed)??;
            bytes += options.len();
            self.options.insert(child.id, options);
        }
        Ok(())
    }

    /// Makes plans independent, then deletes those that go, a few of each. True when nothing is left to do. The property
    /// must be locked.
    pub async fn apply(&mut self, tx: &mut Tx, property: PropertyId, going: Going) -> sqlx::Result<bool> {
        let family = store::family(tx, property).await?;
        let by_id = links(&family);
        if self.forget_changed(&by_id) {
            self.options.clear();
        }
        let mut left = 0;
        for child in children(&by_id, &family, going) {
            match self.options.remove(&child.id) {
                Some(options) => {
                    store::detach(tx, child.id, &options).await?;
                    self.priced.remove(&child.id);
                }
                None => left += 1,
            }
        }
        if left > 0 {
            return Ok(false);
        }
        let go = leaves_first(&family, going);
        let now = &go[..go.len().min(DELETED_A_STEP)];
        store::delete_all(tx, now).await?;
        Ok(now.len() == go.len())
    }

    /// Forgets all prices where one of the plans has changed. True where there was one.
    fn forget_changed(&mut self, by_id: &HashMap<RatePlanId, &Link>) -> bool {
        let is_same = |(id, (version, _)): (&RatePlanId, &(i64, Vec<Occupancy>))| {
            by_id.get(id).is_some_and(|link| link.version == *version)
        };
        self.priced.retain(|id, _| by_id.contains_key(id));
        let changed = !self.priced.iter().all(is_same);
        if changed {
            self.priced.clear();
        }
        changed
    }

    /// Adds the options of a plan and of its ancestors with the prices that follow, each plan's once: many plans may
    /// derive from the same ones. What they are derived by is left out. Parents never lead in a circle. The answer is the
    /// plan, or none where there is more to price than is left of this step.
    async fn price(
        &mut self,
        tx: &mut Tx,
        by_id: &HashMap<RatePlanId, &Link>,
        plan: &Link,
        left: &mut usize,
    ) -> sqlx::Result<Option<Stored<RatePlan>>> {
        let mut line = Vec::new();
        let mut next = Some(plan);
        while let Some(link) = next.filter(|link| !self.priced.contains_key(&link.id)) {
            line.push(link);
            next = link.parent.filter(|_| follows_parent(&link.rate_mode)).and_then(|id| by_id.get(&id).copied());
        }
        let mut last = None;
        for link in line.into_iter().rev() {
            if *left == 0 {
                return Ok(None);
            }
            *left -= 1;
            let Some(kept) = store::any_by_id(tx, link.id).await? else { return Ok(None) };
            let parent = link.parent.and_then(|id| self.priced.get(&id)).map(|(_, prices)| prices.clone());
            // Thousands of rules take milliseconds: not on the thread that answers others.
            let priced = spawn_blocking(move || {
                let prices = derive::in_effect(&kept.resource, parent.as_deref());
                let options = kept.resource.options.iter().zip(prices).map(|(option, rate)| Occupancy {
                    rate,
                    occupancy: option.occupancy,
                    is_primary: option.is_primary,
                    derived_option: None,
                });
                (options.collect::<Vec<_>>(), kept)
            });
            let (prices, kept) = priced.await.map_err(|_| sqlx::Error::WorkerCrashed)?;
            self.priced.insert(link.id, (link.version, prices));
            last = Some(kept);
        }
        match last {
            Some(kept) => Ok(Some(kept)),
            None => store::any_by_id(tx, plan.id).await,
        }
    }
}

fn links(family: &[Link]) -> HashMap<RatePlanId, &Link> {
    family.iter().map(|link| (link.id, link)).collect()
}

/// The plans that stay, and derive from one that goes.
fn children<'a>(
    by_id: &'a HashMap<RatePlanId, &Link>,
    family: &'a [Link],
    going: Going,
) -> impl Iterator<Item = &'a Link> {
    let goes = move |id: RatePlanId| by_id.get(&id).is_some_and(|parent| going.includes(parent));
    family.iter().filter(move |link| !going.includes(link) && link.parent.is_some_and(goes))
}

/// The plans that go, each before what it derives from.
fn leaves_first(family: &[Link], going: Going) -> Vec<RatePlanId> {
    let goes: HashMap<RatePlanId, Option<RatePlanId>> =
        family.iter().filter(|link| going.includes(link)).map(|link| (link.id, link.parent)).collect();
    let mut derived: HashMap<RatePlanId, usize> = HashMap::new();
    for parent in goes.values().flatten() {
        *derived.entry(*parent).or_default() += 1;
    }
    let mut order: Vec<RatePlanId> = goes.keys().filter(|id| !derived.contains_key(id)).copied().collect();
    let mut place = 0;
    while let Some(id) = order.get(place).copied() {
        place += 1;
        if let Some(parent) = goes.get(&id).copied().flatten()
            && goes.contains_key(&parent)
            && let Some(count) = derived.get_mut(&parent)
        {
            *count -= 1;
            if *count == 0 {
                order.push(parent);
            }
        }
    }
    order
}
