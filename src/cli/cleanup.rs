//! Deletes what is kept for a limited time: when a server starts, and every hour, in short transactions.

use std::time::Duration;

use actix_web::{rt, web::Data};
use chrono::TimeDelta;

use crate::{
    base::clock,
    db::{Db, Tx},
    delivery::queue,
    keys::use_store,
    people::{
        sessions::{self, browser, kept_forms, pending},
        throttle,
        users::{addresses, links},
    },
    record::activity,
    web::state::AppState,
};

const EVERY: Duration = Duration::from_secs(60 * 60);

/// Maximum number of rows that one transaction deletes.
const STEP: i64 = 1_000;

/// Cleans up until the process ends. Several processes on one database may do so at once.
pub async fn keep_cleaning(state: Data<AppState>) {
    loop {
        if let Err(error) = clean(&state).await {
            log::warn!("old entries could not be deleted: {error}");
        }
        rt::time::sleep(EVERY).await;
    }
}

async fn clean(state: &AppState) -> sqlx::Result<()> {
    let (db, now) = (&state.db, clock::now());
    let end = now - TimeDelta::days(state.settings.activity_days.into());
    in_steps(db, "the record of activity", async |tx| activity::delete_before(tx, end, STEP).await).await?;
    in_steps(db, "failed attempts", async |tx| throttle::store::delete_forgotten(tx, now, STEP).await).await?;
    in_steps(db, "the uses of keys", async |tx| use_store::delete_old_days(tx, now, STEP).await).await?;
    in_steps(db, "kept forms", async |tx| kept_forms::delete_expired(tx, now, STEP).await).await?;
    in_steps(db, "sessions", async |tx| sessions::store::delete_expired(tx, now, STEP).await).await?;
    in_steps(db, "waiting sign-ins", async |tx| pending::delete_expired(tx, now, STEP).await).await?;
    in_steps(db, "one-time links", async |tx| links::delete_expired(tx, now, STEP).await).await?;
    in_steps(db, "former addresses", async |tx| addresses::delete_free(tx, now, STEP).await).await?;
    in_steps(db, "mails", async |tx| queue::delete_old(tx, now, STEP).await).await?;
    in_steps(db, "browsers", async |tx| browser::delete_forgotten(tx, now, STEP).await).await
}

/// Deletes up to [`STEP`] rows per transaction until there are fewer.
async fn in_steps(db: &Db, what: &str, mut delete: impl AsyncFnMut(&mut Tx) -> sqlx::Result<u64>) -> sqlx::Result<()> {
    let mut all = 0;
    loop {
        let mut tx = db.write().await?;
        let deleted = delete(&mut tx).await?;
        tx.commit().await?;
        all += deleted;
        if deleted < STEP.unsigned_abs() {
            break;
        }
        // Other writers have their turn.
        rt::time::sleep(Duration::from_millis(20)).await;
    }
    if all > 0 {
        log::info!("deleted old rows of {what}: {all}");
    }
    Ok(())
}
