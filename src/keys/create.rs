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
    keys::{ApiKey, PlainKey, WithdrawnBy, access_form, scope::KeyAccess, store},
    people::users,
};

/// The result of creating a key.
pub enum Creation {
    /// The new key; its text is shown once.
    Created(ApiKeyId, PlainKey),
    /// The same form has created this key before.
    Repeated(ApiKey),
    /// The user has as many active keys as allowed (`LATCHKEY_MAX_KEYS`).
    LimitReached,
    /// The access is invalid: the error message for the form.
    Invalid(String),
}

/// Creates a key for a user. `form` is the digest of a random token: if the same form is sent again, it creates
/// nothing.
///
/// # Errors
/// `BadRequest` if another user's form had this token; `Full` at the daily quota of new keys.
pub async fn create(
    db: &Db,
    settings: &Settings,
    caller: &Caller,
    title: &str,
    access: &KeyAccess,
    form: &Digest,
    now: Moment,
) -> Result<Creation> {
    let mut tx = db.write().await?;
    users::store::lock_user(&mut tx, caller.user).await?;
    if let Some(key) = store::by_form(&mut tx, caller.user, form).await? {
        return repeated(tx, key).await;
    }
    if let Some(problem) = access_form::problem(&mut tx, caller, access).await? {
        return Ok(Creation::Invalid(problem));
    }
    let creation = insert(&mut tx, settings, caller, title, access, form, now).await?;
    if let Creation::Created(..) = creation {
        tx.commit().await?;
    }
    Ok(creation)
}

/// Withdraws a key and creates another with its title and its access (`access_form::of_key`), in one transaction. The
/// new key has no access to properties that its user has lost since.
///
/// # Errors
/// As [`create`].
pub async fn replace(
    db: &Db,
    settings: &Settings,
    caller: &Caller,
    old: &ApiKey,
    access: &KeyAccess,
    form: &Digest,
    now: Moment,
) -> Result<Creation> {
    let mut tx = db.write().await?;
    users::store::lock_user(&mut tx, caller.user).await?;
    if let Some(key) = store::by_form(&mut tx, caller.user, form).await? {
        // This response may come before that to the first submission, and says that the old key is withdrawn, too.
        tx.revoke_cached_access().await?;
        return repeated(tx, key).await;
    }
    store::mark_withdrawn(&mut tx, old.id, WithdrawnBy::Owner, now).await?;
    let creation = insert(&mut tx, settings, caller, &old.title, access, form, now).await?;
    if let Creation::Created(..) = creation {
        // Comes last: every change that revokes access waits for this one row.
        tx.revoke_cached_access().await?;
        tx.commit().await?;
    }
    Ok(creation)
}

async fn repeated(tx: Tx, key: ApiKey) -> Result<Creation> {
    // On SQLite the key may be in an open group commit, and not be durable yet.
    tx.commit().await?;
    Ok(Creation::Repeated(key))
}

async fn insert(
    tx: &mut Tx,
    settings: &Settings,
    caller: &Caller,
    title: &str,
    access: &KeyAccess,
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
    let new = store::NewKey { id, user, title, digest: key.digest(), tail: key.tail(), form, access };
    match store::insert(tx, &new, now).await {
        Err(error) if db::is_taken(&error) => return Err(Error::bad_request("Reload the form and submit it again.")),
        // Deleted since it was checked.
        Err(error) if db::is_gone(&error) => {
            let problem = "One of the selected properties has just been deleted. Select again.";
            return Ok(Creation::Invalid(problem.to_owned()));
        }
        other => other?,
    }
    Ok(Creation::Created(id, key))
}
