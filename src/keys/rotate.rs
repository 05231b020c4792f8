//! Rotation: a new key with the title, the access and the addresses of an old one, which goes on working for a while.

use chrono::Duration;
use serde_json::json;

use crate::{
    base::{
        clock::Moment,
        error::{Error, Result},
        ids::ApiKeyId,
        settings::Settings,
    },
    db::{Db, Tx, execute},
    keys::{
        ApiKey, PlainKey, Withdrawal, access_form,
        create::{self, Creation, Submission, Wanted},
        expiry::Choice,
        life::KeyLife,
        state::State,
        store,
    },
    people::users,
    record::{activity::Kind, by::Change},
};

/// For how long both keys work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    Now,
    Hour,
    Day,
    Week,
    /// Until the new key has been used and the old one has been silent for a day; 30 days at most.
    Unused,
}

impl Overlap {
    pub const ALL: [Overlap; 5] = [Overlap::Now, Overlap::Hour, Overlap::Day, Overlap::Week, Overlap::Unused];

    /// As the form sends it.
    pub fn name(self) -> &'static str {
        match self {
            Overlap::Now => "now",
            Overlap::Hour => "1h",
            Overlap::Day => "24h",
            Overlap::Week => "7d",
            Overlap::Unused => "unused",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Overlap::ALL.into_iter().find(|overlap| overlap.name() == name)
    }

    pub fn label(self) -> &'static str {
        match self {
            Overlap::Now => "Not at all: it stops now",
            Overlap::Hour => "For 1 hour",
            Overlap::Day => "For 24 hours",
            Overlap::Week => "For 7 days",
            Overlap::Unused => "Until it is no longer used",
        }
    }

    fn length(self) -> Duration {
        match self {
            Overlap::Now => Duration::zero(),
            Overlap::Hour => Duration::hours(1),
            Overlap::Day => Duration::hours(24),
            Overlap::Week => Duration::days(7),
            Overlap::Unused => Duration::days(30),
        }
    }
}

/// The overlap as a form shows it.
pub struct OverlapField {
    pub choices: Vec<Choice>,
    pub problem: Option<String>,
}

impl OverlapField {
    pub fn new(chosen: &str, problem: Option<String>) -> Self {
        let choices = Overlap::ALL.into_iter().map(|choice| Choice {
            value: choice.name().to_owned(),
            label: choice.label().to_owned(),
            is_chosen: choice.name() == chosen,
        });
        OverlapField { choices: choices.collect(), problem }
    }
}

/// The result of a rotation.
pub enum Rotation {
    Rotated {
        new: ApiKeyId,
        /// Its text is shown once.
        key: PlainKey,
        title: String,
        /// How long the old key still works; `None` if it does not.
        old_until: Option<Moment>,
    },
    /// The same form has rotated it before, into this key.
    Repeated(Box<ApiKey>),
    /// The key cannot be rotated: a sentence that says why.
    Refused(&'static str),
}

/// Why a key cannot be rotated.
pub fn refusal(key: &ApiKey, now: Moment) -> Option<&'static str> {
    match key.state(now) {
        _ if key.replaced_by.is_some() => Some("This API key has already been rotated."),
        State::Withdrawn => Some("This API key has been withdrawn. Create a new one."),
        State::Expired(_) => Some("This API key has expired. Give it another end, or create a new one."),
        State::Active | State::ExpiresSoon(_) | State::Replaced { .. } => None,
    }
}

/// Rotates a key, in one transaction. The new key ends at `expires_at`. It has no access to properties that its user has
/// lost since.
///
/// # Errors
/// `NotFound` if the user has no such key; otherwise as [`create::create`].
pub async fn rotate(
    db: &Db,
    settings: &Settings,
    sent: &Submission<'_>,
    old: ApiKeyId,
    overlap: Overlap,
    expires_at: Option<Moment>,
) -> Result<Rotation> {
    let Submission { caller, form, at, .. } = *sent;
    let mut tx = db.write().await?;
    users::store::lock_user(&mut tx, caller.user).await?;
    if let Some(key) = store::by_form(&mut tx, caller.user, form).await? {
        // This response may come before that to the first submission, and says what became of the old key, too.
        tx.revoke_cached_access().await?;
        tx.commit().await?;
        return Ok(Rotation::Repeated(Box::new(key)));
    }
    let old = store::by_id(&mut tx, caller.user, old).await?.ok_or(Error::NotFound)?;
    if let Some(reason) = refusal(&old, at) {
        // On SQLite the other rotation may be in an open group commit, and not be durable yet.
        tx.commit().await?;
        return Ok(Rotation::Refused(reason));
    }
    let access = access_form::of_key(&mut tx, &old).await?;
    let life = KeyLife { expires_at, allowed: old.allowed.clone() };
    let wanted = Wanted { title: &old.title, access: &access, life: &life };
    let Creation::Created(new, key) = create::insert(&mut tx, settings, sent, &wanted).await? else {
        return Err(Error::bad_request("A property of this key has just been deleted. Reload the form and try again."));
    };
    let end = at + overlap.length();
    let end = old.expires_at.map_or(end, |present| present.min(end));
    let is_replaced = match overlap {
        Overlap::Now => {
            set_replaced(&mut tx, old.id, new, old.expires_at, false).await?
                && store::mark_withdrawn(&mut tx, old.id, Withdrawal::Rotation, at).await?
        }
        _ => set_replaced(&mut tx, old.id, new, Some(end), overlap == Overlap::Unused).await?,
    };
    if !is_replaced {
        // A withdrawal does not wait for the lock.
        return Ok(Rotation::Refused("This API key has been withdrawn. Create a new one."));
    }
    let details = json!({
        "title": old.title, "overlap": overlap.name(), "ends_at": end, "expires_at": expires_at, "old_id": old.id,
        "old_title": old.title,
    });
    let change = Change { kind: Kind::KeyRotated, subject: new.0, concerns: None, details };
    caller.by(sent.origin).put(&mut tx, change, at).await?;
    // Comes last: every change that revokes access waits for this one row.
    tx.revoke_cached_access().await?;
    tx.commit().await?;
    let old_until = (overlap != Overlap::Now).then_some(end);
    Ok(Rotation::Rotated { new, key, title: old.title, old_until })
}

/// Marks a key as replaced. False if it was withdrawn or replaced meanwhile.
async fn set_replaced(
    tx: &mut Tx,
    old: ApiKeyId,
    new: ApiKeyId,
    end: Option<Moment>,
    when_unused: bool,
) -> sqlx::Result<bool> {
    const SQL: &str = "
        update api_keys set replaced_by = $2, expires_at = $3, ends_when_unused = $4
        where id = $1 and withdrawn_at is null and replaced_by is null";
    Ok(execute!(tx, SQL, old, new, end, when_unused)? == 1)
}
