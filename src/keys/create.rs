//! Creating a key.

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
    keys::{ApiKey, PlainKey, access_form, addresses, life::KeyLife, scope::KeyAccess, store},
    people::users,
    record::{activity::Kind, by::Change, origin::Origin},
};

/// The result of creating a key.
pub enum Creation {
    /// The new key; its text is shown once.
    Created(ApiKeyId, PlainKey),
    /// The same form has created this key before.
    Repeated(Box<ApiKey>),
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

/// The key that a form asks for.
pub struct Wanted<'a> {
    pub title: &'a str,
    pub access: &'a KeyAccess,
    pub life: &'a KeyLife,
}

/// Creates a key for a user.
///
/// # Errors
/// `BadRequest` if another user's form had this token; `Full` at the daily quota of new keys.
pub async fn create(db: &Db, settings: &Settings, sent: &Submission<'_>, wanted: &Wanted<'_>) -> Result<Creation> {
    let Submission { caller, form, at, .. } = *sent;
    let mut tx = db.write().await?;
    users::store::lock_user(&mut tx, caller.user).await?;
    if let Some(key) = store::by_form(&mut tx, caller.user, form).await? {
        // On SQLite the key may be in an open group commit, and not be durable yet.
        tx.commit().await?;
        return Ok(Creation::Repeated(Box::new(key)));
    }
    if let Some(problem) = access_form::problem(&mut tx, caller, wanted.access).await? {
        return Ok(Creation::Invalid(problem));
    }
    if store::count_active(&mut tx, caller.user, at).await? >= settings.max_keys {
        return Ok(Creation::LimitReached);
    }
    let creation = insert(&mut tx, settings, sent, wanted).await?;
    if let Creation::Created(id, _) = &creation {
        let details = json!({
            "title": wanted.title,
            "expires_at": wanted.life.expires_at,
            "allowed_addresses": wanted.life.allowed.as_deref().map(addresses::shown),
        });
        let change = Change { kind: Kind::KeyCreated, subject: id.0, concerns: None, details };
        caller.by(sent.origin).put(&mut tx, change, at).await?;
        tx.commit().await?;
    }
    Ok(creation)
}

/// Stores a new key, without asking how many there are.
pub(super) async fn insert(
    tx: &mut Tx,
    settings: &Settings,
    sent: &Submission<'_>,
    wanted: &Wanted<'_>,
) -> Result<Creation> {
    let Submission { caller, form, at, .. } = *sent;
    let Wanted { title, access, life } = *wanted;
    let user = caller.user;
    quotas::new_key(tx, user, at).await?;
    let key = PlainKey::generate(&settings.key_prefix);
    let id = ApiKeyId::new();
    let new = store::NewKey { id, user, title, digest: key.digest(), tail: key.tail(), form, access, life };
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
