//! Second factors in the database.

use crate::{
    base::{clock::Moment, ids::UserId, secret::Digest, secret_keys::SecretKeys},
    db::{Bind, Statement, Tx, execute, impl_from_row},
    people::{second_factor::totp::SharedSecret, throttle},
};

/// The secret of a user's authenticator app, encrypted.
pub struct StoredTotp {
    pub user_id: UserId,
    pub key_id: String,
    pub sealed: Vec<u8>,
    pub created_at: Moment,
    /// `None` until the first right code was entered.
    pub confirmed_at: Option<Moment>,
}

impl_from_row!(StoredTotp { user_id, key_id, sealed, created_at, confirmed_at });

macro_rules! select_totp {
    ($rest:literal) => {
        concat!("select user_id, key_id, sealed, created_at, confirmed_at from totp ", $rest)
    };
}

/// Where a user's secret belongs, for encryption: it cannot be moved to another user.
pub fn place(user: UserId) -> String {
    format!("totp {user}")
}

/// The secret, decrypted. If that fails, the log says why.
pub fn secret(keys: &SecretKeys, stored: &StoredTotp) -> Option<SharedSecret> {
    match keys.open(&stored.key_id, &place(stored.user_id), &stored.sealed) {
        Ok(bytes) => Some(SharedSecret::from_bytes(bytes)),
        Err(why) => {
            log::error!("cannot decrypt the secret for the one-time codes of user={}: {why}", stored.user_id);
            None
        }
    }
}

pub async fn totp(tx: &mut Tx, user: UserId) -> sqlx::Result<Option<StoredTotp>> {
    Statement::new(select_totp!("where user_id = $1"), vec![user.into()]).fetch_optional(tx).await
}

/// True if the user has turned it on.
pub async fn is_on(tx: &mut Tx, user: UserId) -> sqlx::Result<bool> {
    const SQL: &str = "select exists (select 1 from totp where user_id = $1 and confirmed_at is not null)";
    Statement::new(SQL, vec![user.into()]).fetch_value(tx).await
}

/// Stores a secret that is not confirmed yet, in place of another such one. False if the user has turned it on.
pub async fn insert(tx: &mut Tx, user: UserId, key: &str, sealed: &[u8], now: Moment) -> sqlx::Result<bool> {
    const DELETE: &str = "delete from totp where user_id = $1 and confirmed_at is null";
    const SQL: &str = "
        insert into totp (user_id, key_id, sealed, last_step, created_at) values ($1, $2, $3, $4, $5)
        on conflict (user_id) do nothing";
    execute!(tx, DELETE, user)?;
    execute!(tx, SQL, user, key, sealed, 0_i64, now).map(|rows| rows == 1)
}

/// Turns it on with the step of the first right code. False if it is on, or the secret was replaced.
pub async fn confirm(tx: &mut Tx, user: UserId, sealed: &[u8], step: i64, now: Moment) -> sqlx::Result<bool> {
    const SQL: &str = "
        update totp set confirmed_at = $4, last_step = $3
        where user_id = $1 and sealed = $2 and confirmed_at is null";
    execute!(tx, SQL, user, sealed, step, now).map(|rows| rows == 1)
}

/// Uses the code of a step. False if it, or a later one, has been used.
pub async fn use_step(tx: &mut Tx, user: UserId, step: i64) -> sqlx::Result<bool> {
    const SQL: &str = "
        update totp set last_step = $2 where user_id = $1 and last_step < $2 and confirmed_at is not null";
    execute!(tx, SQL, user, step).map(|rows| rows == 1)
}

/// Uses a recovery code. False if the user has none like it that is unused.
pub async fn use_recovery_code(tx: &mut Tx, user: UserId, code: &Digest, now: Moment) -> sqlx::Result<bool> {
    const SQL: &str = "
        update recovery_codes set used_at = $3
        where digest = $1 and user_id = $2 and used_at is null
            and exists (select 1 from totp where user_id = $2 and confirmed_at is not null)";
    execute!(tx, SQL, code, user, now).map(|rows| rows == 1)
}

/// Stores new recovery codes; earlier ones stop working.
pub async fn replace_recovery_codes(tx: &mut Tx, user: UserId, codes: &[Digest]) -> sqlx::Result<()> {
    execute!(tx, "delete from recovery_codes where user_id = $1", user)?;
    for code in codes {
        execute!(tx, "insert into recovery_codes (digest, user_id) values ($1, $2)", code, user)?;
    }
    Ok(())
}

/// Unused recovery codes.
pub async fn recovery_codes_left(tx: &mut Tx, user: UserId) -> sqlx::Result<i64> {
    const SQL: &str = "select count(*) from recovery_codes where user_id = $1 and used_at is null";
    Statement::new(SQL, vec![user.into()]).fetch_value(tx).await
}

/// Turns it off, with all recovery codes and counters of wrong codes. False if it was off.
pub async fn remove(tx: &mut Tx, user: UserId) -> sqlx::Result<bool> {
    throttle::store::clear_codes(tx, user).await?;
    execute!(tx, "delete from recovery_codes where user_id = $1", user)?;
    const SQL: &str = "delete from totp where user_id = $1";
    execute!(tx, SQL, user).map(|rows| rows == 1)
}

/// The ids of the keys with which secrets are encrypted, each with their number.
pub async fn keys_in_use(tx: &mut Tx) -> sqlx::Result<Vec<(String, i64)>> {
    const SQL: &str = "select key_id, count(*) as secrets from totp group by key_id order by key_id";
    let keys: Vec<KeyInUse> = Statement::new(SQL, Vec::new()).fetch_all(tx).await?;
    Ok(keys.into_iter().map(|key| (key.key_id, key.secrets)).collect())
}

struct KeyInUse {
    key_id: String,
    secrets: i64,
}

impl_from_row!(KeyInUse { key_id, secrets });

/// Some secrets of users after this one, by user.
pub async fn after(tx: &mut Tx, user: UserId, most: i64) -> sqlx::Result<Vec<StoredTotp>> {
    const SQL: &str = select_totp!("where user_id > $1 order by user_id limit $2");
    Statement::new(SQL, vec![user.into(), Bind::Whole(most)]).fetch_all(tx).await
}

/// Replaces an encrypted secret by the same one, encrypted with another key, unless it has changed.
pub async fn reseal(tx: &mut Tx, old: &StoredTotp, key: &str, sealed: &[u8]) -> sqlx::Result<()> {
    const SQL: &str = "update totp set key_id = $3, sealed = $4 where user_id = $1 and sealed = $2";
    execute!(tx, SQL, old.user_id, &old.sealed, key, sealed).map(drop)
}
