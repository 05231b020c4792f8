//! Creating a key, and replacing one whose text was lost.

use serde_json::json;

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
    record::{activity::Kind, by::Change, origin::Origin},
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

/// A submitted form that creates a key.
pub struct Submission<'a> {
    pub caller: &'a Caller,
    /// The digest of the form's random token: if the same form is sent again, it creates nothing.
    pub form: &'a Digest,
    pub origin: &'a Origin,
    pub at: Moment,
}

/// Creates a key for a user.
///
/// # Errors
/// `BadRequest` if another user's form had this token; `Full` at the daily quota of new keys.
pub async fn create(
    db: &Db,
    settings: &Settings,
    sent: &Submission<'_>,
    title: &str,
    access: &KeyAccess,
) -> Result<Creation> {
    let Submission { caller, form, at, .. } = *sent;
    let mut tx = db.write().await?;
    users::store::lock_user(&mut tx, caller.user).await?;
    if let Some(key) = store::by_form(&mut tx, caller.user, form).await? {
        return repeated(tx, key).await;
    }
    if let Some(problem) = access_form::problem(&mut tx, caller, access).await? {
        return Ok(Creation::Invalid(problem));
    }
    let creation = insert(&mut tx, settings, sent, title, access).await?;
    if let Creation::Created(id, _) = &creation {
        let details = json!({ "title": title });
        let change = Change { kind: Kind::KeyCreated, subject: id.0, concerns: None, details };
        caller.by(sent.origin).put(&mut tx, change, at).await?;
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
    sent: &Submission<'_>,
    old: &ApiKey,
    access: &KeyAccess,
) -> Result<Creation> {
    let Submission { caller, form, at, .. } = *sent;
    let mut tx = db.write().await?;
    users::store::lock_user(&mut tx, caller.user).await?;
    if let Some(key) = store::by_form(&mut tx, caller.user, form).await? {
        // This response may come before that to the first submission, and says that the old key is withdrawn, too.
        tx.revoke_cached_access().await?;
        return repeated(tx, key).await;
    }
    store::mark_withdrawn(&mut tx, old.id, WithdrawnBy::Owner, at).await?;
    let creation = insert(&mut tx, settings, sent, &old.title, access).await?;
    if let Creation::Created(id, _) = &creation {
        let details = json!({ "title": old.title, "old_id": old.id, "old_title": old.title });
        let change = Change { kind: Kind::KeyRotated, subject: id.0, concerns: None, details };
        caller.by(sent.origin).put(&mut tx, change, at).await?;
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
    sent: &Submission<'_>,
    title: &str,
    access: &KeyAccess,
) -> Result<Creation> {
    let Submission { caller, form, at, .. } = *sent;
    let user = caller.user;
    if store::count_active(tx, user).await? >= settings.max_keys {
        return Ok(Creation::LimitReached);
    }
    quotas::new_key(tx, user, at).await?;
    let key = PlainKey::generate(&settings.key_prefix);
    let id = ApiKeyId::new();
    let new = store::NewKey { id, user, title, digest: key.digest(), tail: key.tail(), form, access };
    match store::insert(tx, &new, at).await {
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
