//! When a key was last used: noted in memory, and written in batches by a background task, at most once a minute per
//! key.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use crate::{
    base::{
        clock::{self, Moment},
        ids::ApiKeyId,
    },
    db::Db,
    keys::{
        store,
        used::{LastUse, Written},
    },
};

/// Uses to be written. Cheap to clone.
#[derive(Clone, Default)]
pub struct LastUses {
    waiting: Arc<Mutex<HashMap<ApiKeyId, LastUse>>>,
    more: Arc<Notify>,
    /// Locked while a batch is written, so that the last batch of a process is written after the current one.
    writing: Arc<tokio::sync::Mutex<()>>,
}

impl LastUses {
    /// Notes a use if the last one is older than a minute.
    pub fn note(&self, key: ApiKeyId, last: &Written, used: impl FnOnce() -> LastUse, now: Moment) {
        if !last.is_old(now) {
            return;
        }
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_insert_with(used);
        self.more.notify_one();
    }

    /// Writes batches until the process ends; while one is written, the next one is collected. The first use of a key
    /// is written at once, so that its owner sees it.
    pub async fn keep_writing(self, db: Db) {
        loop {
            self.more.notified().await;
            if self.write(&db).await.is_err() {
                actix_web::rt::time::sleep(Duration::from_secs(1)).await;
                self.more.notify_one();
            }
        }
    }

    /// Writes the uses noted so far. Those that could not be written stay noted.
    pub async fn write(&self, db: &Db) -> sqlx::Result<()> {
        let _alone = self.writing.lock().await;
        let batch = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if batch.is_empty() {
            return Ok(());
        }
        let written = write(db, &batch).await;
        if let Err(error) = &written {
            log::warn!("the last-used times of {} keys could not be saved: {error}", batch.len());
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            for (key, used) in batch {
                waiting.entry(key).or_insert(used);
            }
        }
        written
    }
}

/// Writes one key per transaction: while it waits for a row, it must not lock one for which a withdrawal waits.
async fn write(db: &Db, batch: &HashMap<ApiKeyId, LastUse>) -> sqlx::Result<()> {
    for (key, used) in batch {
        let mut tx = db.write().await?;
        store::note_use(&mut tx, *key, used, clock::now()).await?;
        tx.commit().await?;
    }
    Ok(())
}
