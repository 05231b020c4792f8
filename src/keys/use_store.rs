//! Uses and refusals of keys in the database.

use chrono::{DurationRound, TimeDelta};
use serde_json::json;

use crate::{
    base::{
        clock::Moment,
        ids::{ApiKeyId, UserId},
    },
    db::{Bind, Db, Statement, Tx, execute, impl_from_row},
    keys::{
        refused::Reason,
        tally::{Counted, MOST_PLACES},
    },
    people::users,
    record::{
        activity::{self, Actor, Entry, Kind},
        origin::Origin,
    },
};

/// How long counts of days are kept.
const KEPT: TimeDelta = TimeDelta::days(90);

/// For so long after a withdrawal, programs are being switched over, and their attempts alarm nobody.
const SWITCHING: TimeDelta = TimeDelta::hours(1);

/// Adds what was counted since the last time. Rows are locked in the same order by everybody: key, day, places.
pub async fn add(tx: &mut Tx, key: ApiKeyId, counted: &Counted, now: Moment) -> sqlx::Result<()> {
    const REFUSED: &str = "
        update api_keys set
            refused_count = $2 + case when $7 and coalesce(last_refused_reason, '') <> $6 then 0 else refused_count end,
            last_refused_at = $3, last_refused_address = $4, last_refused_client = $5, last_refused_reason = $6
        where id = $1";
    const DAY: &str = "
        insert into key_days (key_id, day, uses, refused) select id, $2, $3, $4 from api_keys where id = $1
        on conflict (key_id, day) do update
            set uses = key_days.uses + excluded.uses, refused = key_days.refused + excluded.refused";
    const PLACE: &str = "
        insert into key_places (key_id, address, client, first_at, last_at, uses, refused)
        select id, $2, $3, $4, $5, $6, $7 from api_keys where id = $1
        on conflict (key_id, address) do update
            set client = excluded.client, last_at = excluded.last_at, uses = key_places.uses + excluded.uses,
                refused = key_places.refused + excluded.refused";
    const FORGET: &str = "
        delete from key_places where key_id = $1 and address not in (
            select address from key_places where key_id = $1 order by last_at desc, address limit $2)";
    if counted.is_empty() {
        return Ok(());
    }
    let (uses, refused) = (whole(counted.uses), whole(counted.refused));
    if let Some((at, reason)) = counted.last_refusal.filter(|_| refused > 0) {
        let (address, client) = match counted.last_refused_from() {
            Some((address, place)) => (Some(address.to_string()), place.client.clone()),
            None => (None, None),
        };
        execute!(tx, REFUSED, key, refused, at, address, client, reason.name(), reason.counts_anew())?;
    }
    execute!(tx, DAY, key, day(now), uses, refused)?;
    for (address, place) in &counted.places {
        let (uses, refused) = (whole(place.uses), whole(place.refused));
        let address = address.to_string();
        execute!(tx, PLACE, key, address, &place.client, place.first_at, place.last_at, uses, refused)?;
    }
    if !counted.places.is_empty() {
        execute!(tx, FORGET, key, i64::try_from(MOST_PLACES).unwrap_or(i64::MAX))?;
    }
    Ok(())
}

/// A withdrawn key that is still tried.
struct Tried {
    user_id: UserId,
    title: String,
    tail: String,
    withdrawn_at: Moment,
    refused_count: i64,
}

impl_from_row!(Tried { user_id, title, tail, withdrawn_at, refused_count });

/// Writes into the record of activity that a withdrawn key is still tried: once per key, and not for an hour after the
/// withdrawal. In a transaction that locks the account first, as all do that change a key of it.
pub async fn tell_of_withdrawn(db: &Db, key: ApiKeyId, counted: &Counted) -> sqlx::Result<()> {
    const FIND: &str = "
        select user_id, title, tail, withdrawn_at, refused_count from api_keys
        where id = $1 and withdrawn_at <= $2 and withdrawn_use_told_at is null";
    const MARK: &str = "
        update api_keys set withdrawn_use_told_at = $2 where id = $1 and withdrawn_use_told_at is null";
    let Some((at, Reason::Withdrawn)) = counted.last_refusal else { return Ok(()) };
    let find = || Statement::new(FIND, vec![key.into(), Bind::Moment(at - SWITCHING)]);
    let Some(tried) = find().fetch_optional::<Tried>(&mut db.read_latest().await?).await? else { return Ok(()) };
    let mut tx = db.write().await?;
    users::store::lock_user(&mut tx, tried.user_id).await?;
    // Another process may have done it meanwhile.
    if execute!(&mut tx, MARK, key, at)? != 1 {
        return Ok(());
    }
    let from = counted.last_refused_from();
    let origin = Origin {
        address: from.map(|(address, _)| *address),
        client: from.and_then(|(_, place)| place.client.clone()),
        request: None,
    };
    let withdrawn_at = tried.withdrawn_at.to_rfc3339();
    let details = json!({
        "title": tried.title, "tail": tried.tail, "withdrawn_at": withdrawn_at, "count": tried.refused_count,
    });
    let entry = Entry {
        user: tried.user_id,
        actor: Actor::Key(key),
        kind: Kind::WithdrawnKeyUsed,
        subject: Some(key.0),
        origin: &origin,
        details,
    };
    activity::put(&mut tx, &entry, at).await?;
    tx.commit().await
}

/// Deletes up to so many counts of days that are not kept any longer.
pub async fn delete_old_days(tx: &mut Tx, now: Moment, most: i64) -> sqlx::Result<u64> {
    const SQL: &str = "
        delete from key_days where (key_id, day) in (select key_id, day from key_days where day < $1 limit $2)";
    execute!(tx, SQL, day(now - KEPT), most)
}

/// A day of a key.
pub struct Day {
    /// Its beginning, at midnight UTC.
    pub day: Moment,
    pub uses: i64,
    pub refused: i64,
}

impl_from_row!(Day { day, uses, refused });

/// The days on which a key was used or refused, the newest first.
pub async fn days(tx: &mut Tx, key: ApiKeyId, now: Moment) -> sqlx::Result<Vec<Day>> {
    const SQL: &str = "select day, uses, refused from key_days where key_id = $1 and day > $2 order by day desc";
    Statement::new(SQL, vec![key.into(), Bind::Moment(day(now - KEPT))]).fetch_all(tx).await
}

/// An address from which a key was used or refused.
pub struct StoredPlace {
    pub address: String,
    pub client: Option<String>,
    pub first_at: Moment,
    pub last_at: Moment,
    pub uses: i64,
    pub refused: i64,
}

impl_from_row!(StoredPlace { address, client, first_at, last_at, uses, refused });

/// The addresses from which a key was used or refused, the last one first.
pub async fn places(tx: &mut Tx, key: ApiKeyId) -> sqlx::Result<Vec<StoredPlace>> {
    const SQL: &str = "
        select address, client, first_at, last_at, uses, refused from key_places where key_id = $1
        order by last_at desc, address";
    Statement::new(SQL, vec![key.into()]).fetch_all(tx).await
}

/// The last refusal of a key, and how many there were.
pub struct Refusals {
    pub id: ApiKeyId,
    pub count: i64,
    pub at: Moment,
    pub address: Option<String>,
    pub client: Option<String>,
    pub reason: Option<String>,
}

impl_from_row!(Refusals { id, count, at, address, client, reason });

/// Those of these keys that were ever refused.
pub async fn refusals(tx: &mut Tx, keys: &[ApiKeyId]) -> sqlx::Result<Vec<Refusals>> {
    const SQL: &str = "
        select id, refused_count as count, last_refused_at as at, last_refused_address as address,
            last_refused_client as client, last_refused_reason as reason
        from api_keys where last_refused_at is not null and id in ";
    let mut rows = Statement::new(SQL, vec![]);
    let ids = rows.bind_ids(tx.is_postgres(), keys.iter().map(|key| key.0));
    rows.push(&ids);
    rows.fetch_all(tx).await
}

/// The beginning of the day, in UTC.
pub fn day(at: Moment) -> Moment {
    at.duration_trunc(TimeDelta::days(1)).unwrap_or(at)
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
