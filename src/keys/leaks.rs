//! The leak box: whoever finds keys hands them in, without an account, and they are withdrawn. Nobody learns which of
//! them work: the hashes are stored first, the response is the same after the same time, and a background task does the
//! rest (docs/architecture.md, "The leak box tells nothing").

use std::{net::IpAddr, sync::Arc, time::Duration};

use actix_web::rt;
use serde_json::json;
use tokio::{
    sync::{Notify, Semaphore},
    time::{Instant, timeout, timeout_at},
};
use uuid::Uuid;

use crate::{
    base::{
        clock::{self, Moment},
        error::RateLimited,
        ids::{ApiKeyId, UserId},
    },
    db::{Bind, Db, Statement, Tx, execute, impl_from_row},
    keys::{KeyDigest, Withdrawal, foreign, scan, store},
    people::users,
    record::{
        activity::{Actor, Kind},
        by::{By, Change},
        origin::Origin,
    },
    web::{client_ip, window_limit::WindowLimit},
};

/// Texts per minute and address.
const PER_MINUTE: u32 = 10;

/// The same for all clients behind a proxy that is not in `LATCHKEY_TRUSTED_PROXIES`.
const PER_PROXY: u32 = 1_000;

/// Keys of one text that are withdrawn.
const MOST_KEYS: usize = 100;

/// Texts that are stored at once; others wait. A flood of them must not take every connection to the database.
const AT_ONCE: usize = 4;

/// How often each process looks for what another one has left, on PostgreSQL.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long to wait after a failure.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Keys that one query looks up.
const STEP: usize = 128;

/// The length of a digest in bytes.
const DIGEST: usize = 32;

/// The leak box of this process.
pub struct LeakBox {
    addresses: WindowLimit,
    proxies: WindowLimit,
    storing: Arc<Semaphore>,
    more: Arc<Notify>,
}

impl Default for LeakBox {
    fn default() -> Self {
        LeakBox {
            addresses: WindowLimit::new(PER_MINUTE),
            proxies: WindowLimit::new(PER_PROXY),
            storing: Arc::new(Semaphore::new(AT_ONCE)),
            more: Arc::default(),
        }
    }
}

/// The hashes of the keys in a text; where keys were imported, which may have any form, also of other words.
pub fn digests_in(text: &[u8], has_imported: bool) -> Vec<KeyDigest> {
    let mut digests: Vec<KeyDigest> = scan::keys_in(text, MOST_KEYS).iter().map(|key| key.digest()).collect();
    if has_imported {
        digests.extend(foreign::digests_in(text));
    }
    digests
}

impl LeakBox {
    /// Counts a text of a client.
    ///
    /// # Errors
    /// If it is one too many.
    pub fn count(&self, address: Option<IpAddr>, is_proxy: bool) -> Result<(), RateLimited> {
        let limit = if is_proxy { &self.proxies } else { &self.addresses };
        limit.take(address.map_or(0, client_ip::network))
    }

    /// Stores what was found in a text, perhaps nothing, until `end`. False if that fails or takes longer; it may be
    /// stored nevertheless.
    pub async fn store(&self, db: &Db, digests: Vec<KeyDigest>, request: Option<Uuid>, end: Instant) -> bool {
        let storing = insert_until(db.clone(), self.storing.clone(), self.more.clone(), digests, request, end);
        // To its end, even if the client goes away.
        match timeout_at(end, rt::spawn(storing)).await {
            Ok(Ok(Ok(stored))) => stored,
            Ok(Ok(Err(error))) => {
                log::warn!("found keys could not be stored: {error}");
                false
            }
            Ok(Err(_)) | Err(_) => false,
        }
    }

    /// Withdraws what was found, until the process ends: also what was stored before it started, and on PostgreSQL what
    /// another process has left.
    pub async fn keep_withdrawing(&self, db: &Db, has_others: bool) {
        loop {
            match withdraw_found(db).await {
                Ok(true) => {}
                Ok(false) if has_others => drop(timeout(LOOK_EVERY, self.more.notified()).await),
                Ok(false) => self.more.notified().await,
                Err(error) => {
                    log::warn!("found keys could not be withdrawn: {error}");
                    rt::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    }
}

/// Stores what was found in a text, unless others keep it from beginning until `end`.
async fn insert_until(
    db: Db,
    storing: Arc<Semaphore>,
    more: Arc<Notify>,
    digests: Vec<KeyDigest>,
    request: Option<Uuid>,
    end: Instant,
) -> sqlx::Result<bool> {
    let Ok(Ok(_permit)) = timeout_at(end, storing.acquire()).await else { return Ok(false) };
    let mut tx = db.write().await?;
    insert(&mut tx, &digests, request, clock::now()).await?;
    tx.commit().await?;
    more.notify_one();
    Ok(true)
}

async fn insert(tx: &mut Tx, digests: &[KeyDigest], request: Option<Uuid>, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "insert into found_keys (id, digests, request_id, received_at) values ($1, $2, $3, $4)";
    let digests: Vec<u8> = digests.iter().flat_map(|digest| digest.0.iter().copied()).collect();
    execute!(tx, SQL, Uuid::now_v7(), digests, request.map(|id| id.to_string()), now).map(drop)
}

/// What was found in one text.
struct Found {
    id: Uuid,
    digests: Vec<u8>,
    request_id: Option<String>,
}

impl_from_row!(Found { id, digests, request_id });

/// A key that is not withdrawn.
#[derive(Clone)]
struct Leaked {
    id: ApiKeyId,
    user_id: UserId,
    title: String,
    tail: String,
}

impl_from_row!(Leaked { id, user_id, title, tail });

/// Withdraws the keys of the text that was stored first. False if there is none.
async fn withdraw_found(db: &Db) -> sqlx::Result<bool> {
    const NEXT: &str = "select id, digests, request_id from found_keys order by id limit 1";
    let next = Statement::new(NEXT, Vec::new()).fetch_optional(&mut db.read_latest().await?).await?;
    let Some(Found { id, digests, request_id }) = next else { return sqlx::Result::Ok(false) };
    let now = clock::now();
    let origin = Origin { request: request_id.and_then(|id| id.parse().ok()), ..Origin::default() };
    let mut tx = db.write().await?;
    let mut withdrawn = Vec::new();
    for key in leaked(&mut tx, &digests).await? {
        if store::mark_withdrawn(&mut tx, key.id, Withdrawal::LeakBox, now).await? {
            withdrawn.push(key.id);
            let details = json!({ "title": key.title, "tail": key.tail });
            let by = By { actor: Actor::Finder, account: None, origin: &origin };
            let change = Change { kind: Kind::KeyLeaked, subject: key.id.0, concerns: Some(key.user_id), details };
            by.put(&mut tx, change, now).await?;
        }
    }
    execute!(&mut tx, "delete from found_keys where id = $1", id)?;
    if !withdrawn.is_empty() {
        // Comes last: every change that revokes access waits for this one row.
        tx.revoke_cached_access().await?;
    }
    tx.commit().await?;
    withdrawn.iter().for_each(|key| log::info!("leak box: withdrawn key={key}"));
    Ok(true)
}

/// The keys with these digests that are not withdrawn, also those that are suspended or have expired. Their users are
/// locked, in order.
async fn leaked(tx: &mut Tx, digests: &[u8]) -> sqlx::Result<Vec<Leaked>> {
    let mut keys = Vec::new();
    let digests: Vec<&[u8]> = digests.chunks_exact(DIGEST).collect();
    for step in digests.chunks(STEP) {
        let mut select =
            Statement::new("select id, user_id, title, tail from api_keys where withdrawn_at is null", Vec::new());
        let step = select.bind_all(step.iter().map(|digest| Bind::Bytes(digest.to_vec())));
        select.push(&format!(" and digest in ({step}) order by id"));
        keys.extend(select.fetch_all::<Leaked>(tx).await?);
    }
    let mut owners: Vec<UserId> = keys.iter().map(|key| key.user_id).collect();
    owners.sort_unstable();
    owners.dedup();
    for owner in owners {
        users::store::lock_user(tx, owner).await?;
    }
    keys.sort_unstable_by_key(|key| key.id);
    Ok(keys)
}
