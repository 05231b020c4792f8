//! Running processes and the secret keys that they know, so that nothing is encrypted with a key that one of them lacks.

use chrono::Duration;
use uuid::Uuid;

use crate::{
    base::{clock::Moment, secret_keys::SecretKeys},
    db::{Bind, Statement, Tx, execute},
};

/// A process that was not seen for this long has ended.
const GONE_AFTER: Duration = Duration::minutes(1);

/// Notes that a process runs and which keys it knows, the one with which it encrypts first.
pub async fn announce(tx: &mut Tx, process: Uuid, keys: &SecretKeys, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "
        insert into processes (id, seen_at, secret_key_ids) values ($1, $2, $3)
        on conflict (id) do update set seen_at = excluded.seen_at, secret_key_ids = excluded.secret_key_ids";
    const DELETE_GONE: &str = "delete from processes where seen_at < $1";
    let ids: Vec<String> = keys.known().iter().map(|key| key.id.clone()).collect();
    execute!(tx, DELETE_GONE, now - Duration::hours(1))?;
    execute!(tx, SQL, process, now, ids.join(" ")).map(drop)
}

/// Notes that a process ends.
pub async fn leave(tx: &mut Tx, process: Uuid) -> sqlx::Result<()> {
    execute!(tx, "delete from processes where id = $1", process).map(drop)
}

/// The number of running processes that do not encrypt with this key.
pub async fn without_key(tx: &mut Tx, key: &str, now: Moment) -> sqlx::Result<usize> {
    const SQL: &str = "select secret_key_ids from processes where seen_at > $1";
    let known: Vec<String> = Statement::new(SQL, vec![Bind::Moment(now - GONE_AFTER)]).fetch_values(tx).await?;
    Ok(known.iter().filter(|ids| ids.split(' ').next() != Some(key)).count())
}
