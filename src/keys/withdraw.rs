//! Withdrawing keys: permanent, and answered only when no process admits them any more (`db/revocation.rs`).

use actix_web::rt;
use serde_json::json;

use crate::{
    base::{
        clock::Moment,
        error::{Error, Result},
        ids::{ApiKeyId, UserId},
    },
    db::Db,
    keys::{Withdrawal, store},
    record::{
        activity::{Actor, Kind},
        by::{By, Change},
        origin::Origin,
    },
};

/// Withdraws a key. False if it does not exist or was already withdrawn.
pub async fn withdraw(db: &Db, key: ApiKeyId, how: Withdrawal, origin: Origin, now: Moment) -> Result<bool> {
    let db = db.clone();
    to_its_end(async move {
        let mut tx = db.write().await?;
        let withdrawn = store::mark_withdrawn(&mut tx, key, how, now).await?;
        if withdrawn && let Some(found) = store::named(&mut tx, key).await? {
            let details = json!({ "title": found.title, "how": how.name() });
            let change = Change { kind: Kind::KeyWithdrawn, subject: key.0, concerns: Some(found.user), details };
            recorded_by(how, found.user, &origin).put(&mut tx, change, now).await?;
        }
        // Even if it was already withdrawn: this caller may be answered first. It comes last: every change that revokes
        // access waits for this one row.
        tx.revoke_cached_access().await?;
        tx.commit().await?;
        Ok(withdrawn)
    })
    .await
}

/// Withdraws every key of a user.
pub async fn withdraw_all(db: &Db, user: UserId, how: Withdrawal, origin: Origin, now: Moment) -> Result<()> {
    let db = db.clone();
    to_its_end(async move {
        let mut tx = db.write().await?;
        let withdrawn = store::mark_all_withdrawn(&mut tx, user, how, now).await?;
        if withdrawn > 0 {
            let details = json!({ "count": withdrawn });
            let change = Change { kind: Kind::KeysWithdrawn, subject: user.0, concerns: Some(user), details };
            recorded_by(how, user, &origin).put(&mut tx, change, now).await?;
        }
        tx.revoke_cached_access().await?;
        tx.commit().await
    })
    .await
}

fn recorded_by(how: Withdrawal, owner: UserId, origin: &Origin) -> By<'_> {
    match how {
        Withdrawal::Page | Withdrawal::All | Withdrawal::Rotation => By::person(owner, origin),
        Withdrawal::Command => By::command(origin),
        Withdrawal::LeakBox => By { actor: Actor::Finder, account: None, origin },
    }
}

/// Runs a change to its end even if the client goes away meanwhile (which drops the handler).
pub(super) async fn to_its_end<T: 'static>(change: impl Future<Output = sqlx::Result<T>> + 'static) -> Result<T> {
    rt::spawn(change)
        .await
        .map_err(|error| Error::Internal(format!("a change was cut short: {error}")))?
        .map_err(Error::from)
}
