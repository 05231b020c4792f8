//! Creating a key, and replacing one whose text was lost.

use crate::{
    access::{caller::Caller, quotas},
    base::{
        clock::Moment,
        error::{Error, Result},
        ids::ApiKeyId,
        secret::Digest,
        settings::Settings,
    },
    db::{self, Db, Tx},
    keys::{ApiKey, PlainKey, WithdrawnBy, limits, scope::Limits, store},
    people::users,
};

/// What became of a request for a key.
pub enum Creation {
    /// The new key; its text is shown once.
    Created(ApiKeyId, PlainKey),
    /// The same form has created this key before.
    Repeated(ApiKey),
    /// The user has as many active keys as allowed (`LATCHKEY_MAX_KEYS`).
    LimitReached,
    /// The limits are invalid: the message for the form.
    Invalid(String),
}

/// Creates a key for a user. `form` is the digest of a random token: the same form sent again creates nothing.
///
/// # Errors
/// `BadRequest` when another user's form had this token; `Full` at the quota of new keys a day.
pub async fn create(
    db: &Db,
    settings: &Settings,
    caller: &Caller,
    title: &str,
    limits: &Limits,
    form: &Digest,
    now: Moment,
) -> Result<Creation> {
    let mut tx = db.write().await?;
    users::store::lock_user(&mut tx, caller.user).await?;
    if let Some(key) = store::by_form(&mut tx, caller.user, form).await? {
        return repeated(tx, key).await;
    }
    if let Some(problem) = limits::refusal(&mut tx, caller, limits).await? {
        return Ok(Creation::Invalid(problem));
    }
    let creation = insert(&mut tx, settings, caller, title, limits, form, now).await?;
    if let Creation::Created(..) = creation {
        tx.commit().await?;
    }
    Ok(creation)
}

/// Withdraws a key and creates another with its title and its limits (`limits::of_key`), in one transaction. What its
/// user has lost since stays out of reach all the same.
///
/// # Errors
/// As [`create`].
pub async fn replace(
    db: &Db,
    settings: &Settings,
    caller: &Caller,
    old: &ApiKey,
    limits: &Limits,
    form: &Digest,
    now: Moment,
) -> Result<Creation> {
    let mut tx = db.write().await?;
    users::store::lock_user(&mut tx, caller.user).await?;
    if let Some(key) = store::by_form(&mut tx, caller.user, form).await? {
        // This response may come before that to the form's first sending, and also says that the old key is withdrawn.
        tx.revoke_cached_access().await?;
        return repeated(tx, key).await;
    }
    store::mark_withdrawn(&mut tx, old.id, WithdrawnBy::Owner, now).await?;
    let creation = insert(&mut tx, settings, caller, &old.title, limits, form, now).await?;
    if let Creation::Created(..) = creation {
        // Comes last: every change that revokes access waits for this one row.
        tx.revoke_cached_access().await?;
        tx.commit().await?;
    }
    Ok(creation)
}

async fn repeated(tx: Tx, key: ApiKey) -> Result<Creation> {
    // On SQLite the key may stand in the transaction that is open, and not be durable yet.
    tx.commit().await?;
    Ok(Creation::Repeated(key))
}

async fn insert(
    tx: &mut Tx,
    settings: &Settings,
    caller: &Caller,
    title: &str,
    limits: &Limits,
    form: &Digest,
    now: Moment,
) -> Result<Creation> {
    let user = caller.user;
    if store::count_active(tx, user).await? >= settings.max_keys {
        return Ok(Creation::LimitReached);
    }
    quotas::new_key(tx, user, now).await?;
    let key = PlainKey::generate(&settings.key_prefix);
    let id = ApiKeyId::new();
    let new = store::NewKey { id, user, title, digest: key.digest(), tail: key.tail(), form, limits };
    match store::insert(tx, &new, now).await {
        Err(error) if db::is_taken(&error) => return Err(Error::bad_request("Reload the form and submit it again.")),
        // Deleted between the look at it and this.
        Err(error) if db::is_gone(&error) => {
            let problem = "One of the selected properties has just been deleted. Select again.";
            return Ok(Creation::Invalid(problem.to_owned()));
        }
        other => other?,
    }
    Ok(Creation::Created(id, key))
}
