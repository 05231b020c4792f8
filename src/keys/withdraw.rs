//! Withdrawing keys: permanent, and answered only when no process admits them any more (`db/revocation.rs`).

use actix_web::rt;

use crate::{
    base::{
        clock::Moment,
        error::{Error, Result},
        ids::{ApiKeyId, UserId},
    },
    db::Db,
    keys::{WithdrawnBy, store},
};

/// Withdraws a key. False if it does not exist or was already withdrawn.
pub async fn withdraw(db: &Db, key: ApiKeyId, by: WithdrawnBy, now: Moment) -> Result<bool> {
    let db = db.clone();
    to_its_end(async move {
        let mut tx = db.write().await?;
        let withdrawn = store::withdraw(&mut tx, key, by, now).await?;
        tx.commit().await?;
        Ok(withdrawn)
    })
    .await
}

/// Withdraws every key of a user.
pub async fn withdraw_all(db: &Db, user: UserId, by: WithdrawnBy, now: Moment) -> Result<()> {
    let db = db.clone();
    to_its_end(async move {
        let mut tx = db.write().await?;
        store::withdraw_all(&mut tx, user, by, now).await?;
        tx.commit().await
    })
    .await
}

/// Runs a change to its end even if the client goes away meanwhile (which drops the handler).
async fn to_its_end<T: 'static>(change: impl Future<Output = sqlx::Result<T>> + 'static) -> Result<T> {
    rt::spawn(change)
        .await
        .map_err(|error| Error::Internal(format!("a change was cut short: {error}")))?
        .map_err(Error::from)
}
