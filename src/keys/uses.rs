//! The uses of keys and their refusals: counted in memory, and written by a background task, at most once a minute per
//! key. The first use of a key is written at once, so that its owner sees it.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::{
    http::header::{self, HeaderMap, HeaderValue},
    rt::time::{interval, sleep},
};
use chrono::TimeDelta;
use tokio::{sync::Notify, time::MissedTickBehavior};

use crate::{
    base::{
        clock::{self, Moment},
        ids::ApiKeyId,
    },
    db::{self, Db},
    keys::{
        refused::Reason,
        store::{self, Credential},
        tally::{Counted, Event, Tally},
        use_store,
        used::LastUse,
    },
    people::subscriptions,
    record::origin,
};

/// How often keys are looked for whose counts are to be written.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The age of counts that are then written. A key that is used all the time is written with its last use before, once a
/// minute.
const WRITE_AFTER: TimeDelta = TimeDelta::seconds(65);

/// The uses of all keys that this process has seen. Cheap to clone.
#[derive(Clone, Default)]
pub struct KeyUses {
    tallies: Arc<Mutex<HashMap<ApiKeyId, Arc<Tally>>>>,
    /// Last uses to be written at once.
    waiting: Arc<Mutex<HashMap<ApiKeyId, LastUse>>>,
    more: Arc<Notify>,
    /// Locked while counts are written, so that the last ones of a process are written after the current ones.
    writing: Arc<tokio::sync::Mutex<()>>,
}

impl KeyUses {
    /// The counts of a key. They are shared by all credentials of it, however often those are read anew.
    pub fn tally<'a>(&self, credential: &'a Credential) -> &'a Arc<Tally> {
        credential.tally.get_or_init(|| self.tallies().entry(credential.key).or_default().clone())
    }

    /// Counts a use. It is written soon if the last one that was is older than a minute.
    pub fn used(&self, credential: &Credential, address: Option<IpAddr>, headers: &HeaderMap, now: Moment) {
        let client = || origin::client(headers);
        self.tally(credential).count(Event::Used, address, agent(headers), now, client);
        if !credential.last_use.is_old(now) {
            return;
        }
        let used = LastUse { at: now, address: address.map(|address| address.to_string()), client: client() };
        lock(&self.waiting).entry(credential.key).or_insert(used);
        self.more.notify_one();
    }

    /// Counts a request that was refused though the key is known. It is no use: neither the last use nor the rate limit
    /// knows of it.
    pub fn refused(
        &self,
        credential: &Credential,
        reason: Reason,
        address: Option<IpAddr>,
        headers: &HeaderMap,
        now: Moment,
    ) {
        let client = || origin::client(headers);
        self.tally(credential).count(Event::Refused(reason), address, agent(headers), now, client);
    }

    /// What is counted of a key and not written yet, for pages.
    pub fn unwritten(&self, key: ApiKeyId) -> Counted {
        let tally = self.tallies().get(&key).cloned();
        tally.map(|tally| tally.read()).unwrap_or_default()
    }

    /// How often counts of a key were written. A page that reads both, what is stored and what is not, has counts twice or
    /// not at all if they were written meanwhile.
    pub fn writes(&self, key: ApiKeyId) -> u64 {
        self.tallies().get(&key).map_or(0, |tally| tally.writes())
    }

    /// Writes until the process ends; while some counts are written, others are collected.
    pub async fn keep_writing(self, db: Db) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let written = tokio::select! {
                () = self.more.notified() => self.write(&db, false).await,
                _ = look.tick() => self.write(&db, true).await,
            };
            if written.is_err() {
                sleep(Duration::from_secs(1)).await;
                self.more.notify_one();
            }
        }
    }

    /// Writes all that is counted, when the process ends.
    ///
    /// # Errors
    /// If the database cannot be written to.
    pub async fn write_all(&self, db: &Db) -> sqlx::Result<()> {
        let _alone = self.writing.lock().await;
        let dirty = self.dirty(|_| true);
        self.write_these(db, dirty).await
    }

    /// Writes the last uses that wait; and on occasion the counts of keys that were not written for a minute. What could
    /// not be written stays counted.
    async fn write(&self, db: &Db, also_counts: bool) -> sqlx::Result<()> {
        let _alone = self.writing.lock().await;
        let now = clock::now();
        let dirty = if also_counts { self.dirty(|tally| tally.is_due(now - WRITE_AFTER, now)) } else { Vec::new() };
        self.write_these(db, dirty).await
    }

    /// The keys with counts that meet a condition. Forgets keys without any that no credential refers to.
    fn dirty(&self, is_due: impl Fn(&Tally) -> bool) -> Vec<ApiKeyId> {
        let mut tallies = self.tallies();
        tallies.retain(|_, tally| tally.is_dirty() || Arc::strong_count(tally) > 1);
        tallies.iter().filter(|(_, tally)| tally.is_dirty() && is_due(tally)).map(|(key, _)| *key).collect()
    }

    async fn write_these(&self, db: &Db, keys: Vec<ApiKeyId>) -> sqlx::Result<()> {
        let mut batch: HashMap<ApiKeyId, Option<LastUse>> = keys.into_iter().map(|key| (key, None)).collect();
        batch.extend(lock(&self.waiting).drain().map(|(key, used)| (key, Some(used))));
        let (all, mut failed, mut problem) = (batch.len(), 0, None);
        for (key, used) in batch {
            // After one failure the database is most probably away for the others, too.
            if problem.is_none()
                && let Err(error) = self.write_one(db, key, used.as_ref()).await
            {
                problem = Some(error);
            } else if problem.is_none() {
                continue;
            }
            failed += 1;
            if let Some(used) = used {
                lock(&self.waiting).entry(key).or_insert(used);
            }
        }
        match problem {
            None => Ok(()),
            Some(error) => {
                log::warn!("the uses of {failed} of {all} keys could not be saved: {error}");
                Err(error)
            }
        }
    }

    /// Writes one key in a transaction of its own: while it waits for a row, it must not lock one for which a withdrawal
    /// waits.
    async fn write_one(&self, db: &Db, key: ApiKeyId, used: Option<&LastUse>) -> sqlx::Result<()> {
        let now = clock::now();
        let tally = self.tallies().get(&key).cloned().unwrap_or_default();
        let counted = tally.take(now);
        let written = async {
            let mut tx = db.write().await?;
            if let Some(used) = used.cloned().or_else(|| last_use(&counted)) {
                store::note_use(&mut tx, key, &used, now).await?;
            }
            use_store::add(&mut tx, key, &counted, now).await?;
            tx.commit().await
        };
        match written.await {
            Err(error) if !db::is_gone(&error) => {
                tally.put_back(counted);
                Err(error)
            }
            // Or the key was deleted meanwhile, with its user.
            _ => {
                tally.written();
                if counted.refused == 0 { Ok(()) } else { use_store::tell_of_withdrawn(db, key, &counted).await }
            }
        }
    }

    fn tallies(&self) -> MutexGuard<'_, HashMap<ApiKeyId, Arc<Tally>>> {
        lock(&self.tallies)
    }
}

/// Why a key is not admitted, once it is known that it is not: in the order of `Credential::admit`, which checks the
/// address last.
pub fn reason(credential: &Credential, grace: TimeDelta, now: Moment) -> Reason {
    if credential.withdrawn_at.is_some() {
        Reason::Withdrawn
    } else if credential.expires_at.is_some_and(|end| end <= now) {
        Reason::Expired
    } else if credential.deactivated_at.is_some() {
        Reason::Deactivated
    } else if !subscriptions::is_active(credential.subscription.as_ref(), grace, now) {
        Reason::Subscription
    } else {
        Reason::Address
    }
}

/// What the client calls itself, as it was sent.
fn agent(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(header::USER_AGENT).map(HeaderValue::as_bytes)
}

/// The last use among the counts, if it is known where it came from.
fn last_use(counted: &Counted) -> Option<LastUse> {
    let (address, place) = counted.last_used_from()?;
    let at = counted.last_use.filter(|_| counted.uses > 0)?;
    Some(LastUse { at, address: Some(address.to_string()), client: place.client.clone() })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
