//! Changing a key's title, its end and the addresses from which it may be used.

use ipnet::IpNet;
use serde_json::json;

use crate::{
    base::{clock::Moment, error::Result, ids::ApiKeyId},
    db::{Db, Tx, execute, folded},
    keys::{ApiKey, addresses, state::State, store, withdraw::to_its_end},
    people::users,
    record::{
        activity::Kind,
        by::{By, Change},
        origin::Origin,
    },
};

/// What of a key is to be changed; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    pub title: Option<String>,
    pub expires_at: Option<Option<Moment>>,
    pub allowed: Option<Option<Box<[IpNet]>>>,
}

/// Who edits a key.
pub enum Editor {
    /// Its user, who may let it do more only shortly after a confirmation, and have no more active keys than `max_keys`.
    Owner { is_confirmed: bool, max_keys: i64, origin: Origin },
    /// The host, by a command.
    Host,
}

/// The result of an edit.
pub enum Edited {
    Saved,
    /// It lets the key do more: the user must first confirm who they are.
    MustConfirm,
    /// The key has expired, and would be one more than the user may have.
    LimitReached,
    /// The key cannot be changed: a sentence that says why.
    Fixed(&'static str),
    NotFound,
}

impl ApiKey {
    /// Why the key cannot be edited.
    pub fn is_fixed(&self) -> Option<&'static str> {
        if self.withdrawn_at.is_some() {
            Some("This API key has been withdrawn and cannot be changed.")
        } else if self.replaced_by.is_some() {
            Some("This API key has been replaced and cannot be changed. Edit the new one, or end this one now.")
        } else {
            None
        }
    }
}

/// Edits a key. A change of the end or of the addresses holds on every process before this returns.
pub async fn edit(db: &Db, key: ApiKeyId, edit: Edit, editor: Editor, now: Moment) -> Result<Edited> {
    let db = db.clone();
    to_its_end(async move { run(&db, key, edit, editor, now).await }).await
}

async fn run(db: &Db, id: ApiKeyId, edit: Edit, editor: Editor, now: Moment) -> sqlx::Result<Edited> {
    let mut tx = db.write().await?;
    let Some(named) = store::named(&mut tx, id).await? else { return Ok(Edited::NotFound) };
    users::store::lock_user(&mut tx, named.user).await?;
    let Some(old) = store::by_id(&mut tx, named.user, id).await? else { return Ok(Edited::NotFound) };
    if let Some(reason) = old.is_fixed() {
        return Ok(Edited::Fixed(reason));
    }
    let title = edit.title.filter(|title| *title != old.title);
    let expires_at = edit.expires_at.filter(|end| *end != old.expires_at);
    let allowed = edit.allowed.filter(|allowed| *allowed != old.allowed);
    if let Editor::Owner { is_confirmed, max_keys, .. } = editor {
        let is_wider = expires_at.is_some_and(|end| is_later(end, old.expires_at))
            || allowed.as_ref().is_some_and(|new| !addresses::is_narrower(new.as_deref(), old.allowed.as_deref()));
        if is_wider && !is_confirmed {
            return Ok(Edited::MustConfirm);
        }
        let comes_back = matches!(old.state(now), State::Expired(_)) && expires_at.is_some();
        if comes_back && store::count_active(&mut tx, named.user, now).await? >= max_keys {
            return Ok(Edited::LimitReached);
        }
    }
    let mut changed = Vec::new();
    if let Some(title) = &title {
        changed.push(("title", set_title(&mut tx, id, title).await?));
    }
    if let Some(end) = expires_at {
        changed.push(("expires_at", set_end(&mut tx, id, end).await?));
    }
    if let Some(allowed) = &allowed {
        changed.push(("allowed_addresses", set_allowed(&mut tx, id, allowed.as_deref()).await?));
    }
    if changed.iter().any(|(_, rows)| *rows == 0) {
        // A withdrawal does not wait for the lock.
        return Ok(Edited::Fixed("This API key has been withdrawn and cannot be changed."));
    }
    if changed.is_empty() {
        return Ok(Edited::Saved);
    }
    let details = json!({
        "title": title.as_ref().unwrap_or(&old.title),
        "old_title": old.title,
        "expires_at": expires_at.unwrap_or(old.expires_at),
        "old_expires_at": old.expires_at,
        "allowed_addresses": allowed.as_ref().unwrap_or(&old.allowed).as_deref().map(addresses::shown),
        "old_allowed_addresses": old.allowed.as_deref().map(addresses::shown),
        "changed": changed.iter().map(|(field, _)| *field).collect::<Vec<_>>(),
    });
    let change = Change { kind: Kind::KeyEdited, subject: id.0, concerns: Some(named.user), details };
    match &editor {
        Editor::Owner { origin, .. } => By::person(named.user, origin).put(&mut tx, change, now).await?,
        Editor::Host => By::command(&Origin::default()).put(&mut tx, change, now).await?,
    }
    if expires_at.is_some() || allowed.is_some() {
        // Also if the key may do more: what is cached of it has the old end and the old addresses. It comes last: every
        // change that revokes access waits for this one row.
        tx.revoke_cached_access().await?;
    }
    tx.commit().await?;
    Ok(Edited::Saved)
}

fn is_later(new: Option<Moment>, old: Option<Moment>) -> bool {
    match (new, old) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(new), Some(old)) => new > old,
    }
}

async fn set_title(tx: &mut Tx, id: ApiKeyId, title: &str) -> sqlx::Result<u64> {
    const SQL: &str = "
        update api_keys set title = $2, sort_title = $3 where id = $1 and withdrawn_at is null";
    execute!(tx, SQL, id, title, folded(title).into_bytes())
}

async fn set_end(tx: &mut Tx, id: ApiKeyId, end: Option<Moment>) -> sqlx::Result<u64> {
    const SQL: &str = "
        update api_keys set expires_at = $2, told_until = 0, expiry_recorded = false
        where id = $1 and withdrawn_at is null";
    execute!(tx, SQL, id, end)
}

async fn set_allowed(tx: &mut Tx, id: ApiKeyId, allowed: Option<&[IpNet]>) -> sqlx::Result<u64> {
    const SQL: &str = "update api_keys set allowed_addresses = $2 where id = $1 and withdrawn_at is null";
    execute!(tx, SQL, id, allowed.map(addresses::stored))
}
