//! What a server does beside requests, every few seconds or minutes.

use std::time::Duration;

use actix_web::{rt, web::Data};
use uuid::Uuid;

use crate::{
    base::{clock, secret_keys::SecretKeys},
    db::Db,
    keys::leaks::LeakBox,
    people::{second_factor::processes, sessions::pending},
    web::state::AppState,
};

/// How often sign-ins are looked for that were left half-way.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// How often a process announces itself.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(20);

/// Records sign-ins that were left half-way, until the process ends.
pub async fn keep_recording(state: Data<AppState>) {
    loop {
        if let Err(error) = record(&state.db).await {
            log::warn!("could not record sign-ins that were left half-way: {error}");
        }
        rt::time::sleep(LOOK_EVERY).await;
    }
}

async fn record(db: &Db) -> sqlx::Result<()> {
    let now = clock::now();
    let mut tx = db.read_latest().await?;
    let left = pending::left_half_way(&mut tx, now).await?;
    drop(tx);
    for left in left {
        let mut tx = db.write().await?;
        pending::record(&mut tx, &left, now).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Withdraws keys that were found, until the process ends.
pub async fn keep_withdrawing(state: Data<AppState>, leak_box: Data<LeakBox>) {
    leak_box.keep_withdrawing(&state.db, state.settings.database_url.is_some()).await;
}

/// Announces this process and the secret keys that it knows, until it ends. One that serves a SQLite file is alone.
pub async fn keep_announcing(db: Db, keys: Data<SecretKeys>, process: Uuid) {
    loop {
        if let Err(problem) = keys.reread() {
            log::warn!("{problem}");
        }
        let announced = async {
            let mut tx = db.write().await?;
            processes::announce(&mut tx, process, &keys, clock::now()).await?;
            tx.commit().await
        };
        if let Err(error) = announced.await {
            log::warn!("could not announce this process to others: {error}");
        }
        rt::time::sleep(ANNOUNCE_EVERY).await;
    }
}

/// Takes the announcement back.
pub async fn leave(db: &Db, process: Uuid) -> sqlx::Result<()> {
    let mut tx = db.write().await?;
    processes::leave(&mut tx, process).await?;
    tx.commit().await
}
