//! Keys that end by the clock: the record of activity tells of it once, whichever process sees it first, and also of ends
//! that came while no process ran.

use chrono::Duration;
use serde_json::json;

use crate::{
    base::{
        clock::Moment,
        ids::{ApiKeyId, UserId},
    },
    db::{Bind, Db, Statement, Tx, execute, impl_from_row},
    record::{
        activity::{self, Actor, Entry, Kind},
        origin::Origin,
    },
};

/// Keys that are looked up at a time.
const STEP: i64 = 100;

/// How long a replaced key must be silent before it ends, if it ends when it is no longer used.
const SILENT: Duration = Duration::hours(24);

struct Ending {
    id: ApiKeyId,
    user: UserId,
    title: String,
    expires_at: Moment,
    replaced_by: Option<ApiKeyId>,
}

impl_from_row!(Ending, row => Ending {
    id: row.try_get("id")?,
    user: row.try_get("user_id")?,
    title: row.try_get("title")?,
    expires_at: row.try_get("expires_at")?,
    replaced_by: row.try_get("replaced_by")?,
});

/// Ends replaced keys that are no longer used, and records which keys have expired.
///
/// # Errors
/// If the database fails. What was done before stays done.
pub async fn end_and_record(db: &Db, now: Moment) -> sqlx::Result<()> {
    loop {
        let mut tx = db.read_latest().await?;
        let silent = silent(&mut tx, now).await?;
        drop(tx);
        for key in &silent {
            end(db, key, now).await?;
        }
        if silent.len() < usize::try_from(STEP).unwrap_or(usize::MAX) {
            break;
        }
    }
    loop {
        let mut tx = db.read_latest().await?;
        let expired = expired(&mut tx, now).await?;
        drop(tx);
        for key in &expired {
            record(db, key, now).await?;
        }
        if expired.len() < usize::try_from(STEP).unwrap_or(usize::MAX) {
            return Ok(());
        }
    }
}

/// Replaced keys that end when they are no longer used, and are not: the new one has been used, the old one has not for a
/// day.
async fn silent(tx: &mut Tx, now: Moment) -> sqlx::Result<Vec<Ending>> {
    const SQL: &str = "
        select k.id, k.user_id, k.title, k.expires_at, k.replaced_by
        from api_keys k join api_keys n on n.id = k.replaced_by
        where k.ends_when_unused and k.withdrawn_at is null and k.expires_at > $1 and n.last_used_at is not null
            and (k.last_used_at is null or k.last_used_at <= $2)
        limit $3";
    let binds = vec![now.into(), Bind::Moment(now - SILENT), Bind::Whole(STEP)];
    Statement::new(SQL, binds).fetch_all(tx).await
}

/// Ends a silent key now, unless it was used or withdrawn since it was looked up.
async fn end(db: &Db, key: &Ending, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "
        update api_keys set expires_at = $2, ends_when_unused = false, expiry_recorded = true
        where id = $1 and ends_when_unused and withdrawn_at is null and expires_at > $2
            and (last_used_at is null or last_used_at <= $3)";
    let mut tx = db.write().await?;
    if execute!(&mut tx, SQL, key.id, now, now - SILENT)? == 1 {
        put(&mut tx, key, now, now).await?;
        tx.revoke_cached_access().await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Keys whose end is not recorded yet.
async fn expired(tx: &mut Tx, now: Moment) -> sqlx::Result<Vec<Ending>> {
    const SQL: &str = "
        select id, user_id, title, expires_at, replaced_by from api_keys
        where expires_at is not null and expires_at <= $1 and withdrawn_at is null and not expiry_recorded
        order by expires_at limit $2";
    Statement::new(SQL, vec![now.into(), Bind::Whole(STEP)]).fetch_all(tx).await
}

/// Records the end of a key, unless another process has, or the key has got another end.
async fn record(db: &Db, key: &Ending, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "
        update api_keys set ends_when_unused = false, expiry_recorded = true
        where id = $1 and expires_at <= $2 and withdrawn_at is null and not expiry_recorded";
    let mut tx = db.write().await?;
    if execute!(&mut tx, SQL, key.id, now)? == 1 {
        put(&mut tx, key, key.expires_at, now).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn put(tx: &mut Tx, key: &Ending, ended: Moment, now: Moment) -> sqlx::Result<()> {
    let origin = Origin::default();
    let entry = Entry {
        user: key.user,
        actor: Actor::Clock,
        kind: Kind::KeyExpired,
        subject: Some(key.id.0),
        origin: &origin,
        details: json!({ "title": key.title, "expires_at": ended, "replaced_by": key.replaced_by }),
    };
    activity::put(tx, &entry, now).await
}
