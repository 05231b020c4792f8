//! Sessions for actix-session's middleware: the cookie carries a random id, the table its SHA-256. Handlers begin and end
//! sessions in their own transactions (`store.rs`); the middleware reads them, and sends cookies.

use std::collections::HashMap;

use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_web::cookie::time;

use crate::{
    base::{clock, secret::Digest},
    db::Db,
    people::sessions::{
        CURRENT, Current, NEW_ID, NOTICE,
        store::{self, Lifetime, STEP, Stored},
    },
};

/// Sessions, for the middleware.
pub struct Sessions {
    pub db: Db,
    pub lifetime: Lifetime,
}

type State = HashMap<String, String>;

impl SessionStore for Sessions {
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        let found = self.find(&Digest::of(key.as_ref())).await.map_err(|error| LoadError::Other(error.into()))?;
        let Some(Stored { user_id, id, confirmed_at, browser_digest, notice, .. }) = found else { return Ok(None) };
        let current = Current { user: user_id, id, confirmed_at, browser: browser_digest };
        let current = serde_json::to_string(&current).map_err(|error| LoadError::Deserialization(error.into()))?;
        let notice = notice.map(|notice| (NOTICE.to_owned(), notice));
        Ok(Some(State::from_iter([(CURRENT.to_owned(), current)].into_iter().chain(notice))))
    }

    /// The row of a new session is stored already. Without one there is nothing to remember, as a notice for nobody.
    async fn save(&self, state: State, _: &time::Duration) -> Result<SessionKey, SaveError> {
        let key = new_id(&state).ok_or_else(|| SaveError::Serialization(sqlx::Error::RowNotFound.into()))?;
        if state.contains_key(NOTICE) {
            self.set_notice(&key, &state).await;
        }
        Ok(key)
    }

    /// A new id is stored already, so that no row is inserted here, which would undo a concurrent sign-out.
    async fn update(&self, key: SessionKey, state: State, _: &time::Duration) -> Result<SessionKey, UpdateError> {
        let key = new_id(&state).unwrap_or(key);
        self.set_notice(&key, &state).await;
        Ok(key)
    }

    /// Not needed: the expiry is extended when the session is read.
    async fn update_ttl(&self, _: &SessionKey, _: &time::Duration) -> Result<(), anyhow::Error> {
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        Ok(self.end(&Digest::of(key.as_ref())).await?)
    }
}

/// The new id of a session, if it has one.
fn new_id(state: &State) -> Option<SessionKey> {
    serde_json::from_str::<String>(state.get(NEW_ID)?).ok()?.try_into().ok()
}

impl Sessions {
    /// An error is only logged, since the request itself is done.
    async fn set_notice(&self, key: &SessionKey, state: &State) {
        let stored = async {
            let mut tx = self.db.write().await?;
            store::set_notice(&mut tx, &Digest::of(key.as_ref()), state.get(NOTICE)).await?;
            tx.commit().await
        };
        if let Err(error) = stored.await {
            log::warn!("could not store the notice of a session: {error}");
        }
    }

    async fn end(&self, digest: &Digest) -> sqlx::Result<()> {
        let mut tx = self.db.write().await?;
        store::end_by_digest(&mut tx, digest).await?;
        tx.commit().await
    }

    /// A session that has not expired; extends its expiry, and notes that it was seen.
    async fn find(&self, digest: &Digest) -> sqlx::Result<Option<Stored>> {
        let (now, lifetime) = (clock::now(), &self.lifetime);
        let mut tx = self.db.read_latest().await?;
        let found = store::by_digest(&mut tx, digest, lifetime, now).await?;
        drop(tx);
        let Some(found) = found else { return Ok(None) };
        // The clock was ahead when the session began, so it would last longer than its lifetime.
        if found.created_at > now + STEP {
            self.end(digest).await?;
            return Ok(None);
        }
        let wanted = (now + lifetime.idle).min(found.created_at + lifetime.absolute);
        let is_due =
            wanted - found.expires_at > STEP.min(lifetime.idle / 2) || (now - found.last_seen_at).abs() >= STEP;
        // If this cannot be written now, the session is still valid.
        if is_due && let Err(error) = self.extend(digest, wanted).await {
            log::warn!("could not extend a session: {error}");
        }
        Ok(Some(found))
    }

    async fn extend(&self, digest: &Digest, expires_at: clock::Moment) -> sqlx::Result<()> {
        let mut tx = self.db.write().await?;
        store::extend(&mut tx, digest, expires_at, clock::now()).await?;
        tx.commit().await
    }
}
