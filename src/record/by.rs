//! Who changes something, and the entries of the accounts that the change concerns.

use serde_json::Value;
use uuid::Uuid;

use crate::{
    base::{clock::Moment, ids::UserId},
    db::Tx,
    record::{
        activity::{self, Actor, Entry, Kind},
        origin::Origin,
    },
};

/// Who changes something, and from where.
#[derive(Clone, Copy)]
pub struct By<'a> {
    pub actor: Actor,
    /// The account of the person or of the key; `None` for the host.
    pub account: Option<UserId>,
    pub origin: &'a Origin,
}

/// A change as its entries tell it.
pub struct Change {
    pub kind: Kind,
    /// The key, property or person that it is about.
    pub subject: Uuid,
    /// The account that it concerns, if that is not the actor's own.
    pub concerns: Option<UserId>,
    /// See [`Entry::details`].
    pub details: Value,
}

impl<'a> By<'a> {
    /// A person with a session.
    pub fn person(user: UserId, origin: &'a Origin) -> Self {
        By { actor: Actor::Person(Some(user)), account: Some(user), origin }
    }

    /// Whoever runs this site.
    pub fn command(origin: &'a Origin) -> Self {
        By { actor: Actor::Command, account: None, origin }
    }

    /// Records a change: one entry for the actor's account and one for the other account that it concerns.
    pub async fn put(self, tx: &mut Tx, change: Change, now: Moment) -> sqlx::Result<()> {
        let Change { kind, subject, concerns, details } = change;
        let By { actor, account, origin } = self;
        if let Some(user) = account {
            let details = details.clone();
            activity::put(tx, &Entry { user, actor, kind, subject: Some(subject), origin, details }, now).await?;
        }
        let Some(user) = concerns.filter(|user| Some(*user) != account) else { return Ok(()) };
        // Where somebody works is not for the people whose access they change.
        let origin = &Origin { request: origin.request, ..Origin::default() };
        activity::put(tx, &Entry { user, actor, kind, subject: Some(subject), origin, details }, now).await
    }
}
