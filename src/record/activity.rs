//! The record of what happened to an account: who did what, when and from where. An entry is written in the transaction
//! of the change that it tells of, so that there is no change without one.

use chrono::{DurationRound, TimeDelta};
use uuid::{NoContext, Timestamp, Uuid};

pub use crate::record::entry::{Actor, Entry, Kind};
use crate::{
    base::{clock::Moment, ids::UserId},
    db::{Bind, Statement, Tx, execute, impl_from_row},
    record::{notices, origin::Origin},
};

/// Writes an entry, and the mail that tells its user of it, if there is one for its kind.
pub async fn put(tx: &mut Tx, entry: &Entry<'_>, now: Moment) -> sqlx::Result<()> {
    insert(tx, entry, 1, now).await?;
    notices::put(tx, entry, now).await
}

/// Entries of failed attempts of one kind that an account gets within an hour; further ones are counted by the last of
/// them, from whatever address.
const MOST_FAILURES: usize = 50;

/// Counts a failed attempt of this kind: one entry for each account, address and hour.
pub async fn count_failure(tx: &mut Tx, user: UserId, kind: Kind, origin: &Origin, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "
        select id, count, address from activity where user_id = $1 and id >= $2 and kind = $3 order by id desc limit $4";
    let hour = now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now);
    let most = i64::try_from(MOST_FAILURES).unwrap_or(i64::MAX);
    let binds = vec![user.into(), Bind::Id(first_id(hour)), Bind::Text(kind.name().to_owned()), Bind::Whole(most)];
    let found: Vec<Failures> = Statement::new(SQL, binds).fetch_all(tx).await?;
    let address = origin.address_text();
    let of_address = found.iter().find(|failures| failures.address == address);
    let mut count = 1;
    // Another transaction may count the same one at this moment.
    if let Some(Failures { id, count: before, .. }) =
        of_address.or(found.first().filter(|_| found.len() >= MOST_FAILURES))
        && execute!(tx, "delete from activity where id = $1", *id)? == 1
    {
        count += before;
    }
    let entry = Entry::own(user, kind, origin).by_nobody();
    insert(tx, &entry, count, now).await
}

struct Failures {
    id: Uuid,
    count: i64,
    address: Option<String>,
}

impl_from_row!(Failures { id, count, address });

async fn insert(tx: &mut Tx, entry: &Entry<'_>, count: i64, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "
        insert into activity
            (id, at, user_id, actor, actor_id, kind, subject_id, address, client, request_id, count, details)
        select $1, $2, u.id, $4, $5, $6, $7, $8, $9, $10, $11, $12 from users u where u.id = $3";
    // An account that is being deleted gets no entry, and fails nobody's change.
    const LOCKED: &str = " for key share";
    let Entry { user, actor, kind, subject, origin, details } = entry;
    let details = (!details.is_null()).then(|| details.to_string());
    let binds = vec![
        Uuid::now_v7().into(),
        now.into(),
        (*user).into(),
        actor.word().into(),
        actor.id().into(),
        kind.name().into(),
        (*subject).into(),
        origin.address_text().into(),
        (&origin.client).into(),
        origin.request.map(|id| id.to_string()).into(),
        count.into(),
        details.into(),
    ];
    let mut insert = Statement::new(SQL, binds);
    if tx.is_postgres() {
        insert.push(LOCKED);
    }
    insert.execute(tx).await.map(drop)
}

/// Deletes entries that were written before a moment, the oldest first and at most `most`, and returns how many.
pub async fn delete_before(tx: &mut Tx, end: Moment, most: i64) -> sqlx::Result<u64> {
    const SQL: &str = "
        delete from activity where id in (select a.id from activity a where a.id < $1 order by a.id limit $2)";
    execute!(tx, SQL, first_id(end), most)
}

/// The least id that an entry of this moment or a later one can have.
pub fn first_id(at: Moment) -> Uuid {
    let (seconds, nanos) = (u64::try_from(at.timestamp()).unwrap_or_default(), at.timestamp_subsec_nanos());
    let mut bytes = Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, nanos)).into_bytes();
    bytes[6] = 0x70;
    bytes[7] = 0;
    bytes[8] = 0x80;
    bytes[9..].fill(0);
    Uuid::from_bytes(bytes)
}
