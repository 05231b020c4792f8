//! Sessions in the database, for actix-session. The cookie carries a random id, the table its SHA-256.

use std::collections::HashMap;

use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_web::cookie::time;
use chrono::Duration;

use crate::{
    base::{
        clock::{self, Moment},
        ids::UserId,
        secret::{self, Digest},
    },
    db::{Bind, Db, Statement, Tx, execute, impl_from_row},
    people::{
        sessions::{NOTICE, USER, VERIFIED},
        users,
    },
};

/// An expiry is written at most this often; also the tolerated difference of clocks.
const STEP: Duration = Duration::minutes(1);

/// Sessions, for actix-session's middleware.
pub struct Sessions {
    pub db: Db,
    /// The idle timeout.
    pub idle: Duration,
    /// The maximum lifetime.
    pub absolute: Duration,
}

type State = HashMap<String, String>;

/// A row of a session.
struct StoredSession {
    user_id: UserId,
    expires_at: Moment,
    created_at: Moment,
    notice: Option<String>,
}

impl_from_row!(StoredSession { user_id, expires_at, created_at, notice });

impl SessionStore for Sessions {
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        let found = self.user(&Digest::of(key.as_ref())).await.map_err(|error| LoadError::Other(error.into()))?;
        Ok(found.map(|(user, notice)| {
            let notice = notice.map(|notice| (NOTICE.to_owned(), notice));
            State::from_iter([(USER.to_owned(), format!("\"{user}\""))].into_iter().chain(notice))
        }))
    }

    async fn save(&self, state: State, _: &time::Duration) -> Result<SessionKey, SaveError> {
        let user = state.get(USER).and_then(|user| user.trim_matches('"').parse::<UserId>().ok());
        let user = user.ok_or_else(|| SaveError::Serialization(sqlx::Error::RowNotFound.into()))?;
        let verified = state.get(VERIFIED).and_then(|hash| serde_json::from_str::<String>(hash).ok());
        let id = secret::random();
        self.begin(user, &verified.unwrap_or_default(), &Digest::of(&id), state.get(NOTICE))
            .await
            .map_err(|error| SaveError::Other(error.into()))?;
        SessionKey::try_from(id).map_err(|error| SaveError::Other(error.into()))
    }

    /// Only the notice of a session changes: another user gets a new session. No row is inserted here, which would undo
    /// a concurrent sign-out. An error is only logged, since the request itself is done.
    async fn update(&self, key: SessionKey, state: State, _: &time::Duration) -> Result<SessionKey, UpdateError> {
        if let Err(error) = self.set_notice(&Digest::of(key.as_ref()), state.get(NOTICE)).await {
            log::warn!("could not store the notice of a session: {error}");
        }
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

impl Sessions {
    async fn end(&self, digest: &Digest) -> sqlx::Result<()> {
        const SQL: &str = "delete from sessions where digest = $1";
        let mut tx = self.db.write().await?;
        execute!(&mut tx, SQL, digest)?;
        tx.commit().await
    }

    async fn set_notice(&self, digest: &Digest, notice: Option<&String>) -> sqlx::Result<()> {
        const SQL: &str = "update sessions set notice = $2 where digest = $1";
        let mut tx = self.db.write().await?;
        execute!(&mut tx, SQL, digest, notice)?;
        tx.commit().await
    }

    /// The user and the notice of a session that has not expired; extends its expiry.
    async fn user(&self, digest: &Digest) -> sqlx::Result<Option<(UserId, Option<String>)>> {
        const SQL: &str = "
            select user_id, expires_at, created_at, notice from sessions
            where digest = $1 and expires_at > $2 and created_at > $3";
        let now = clock::now();
        let mut tx = self.db.read_latest().await?;
        let binds = vec![digest.clone().into(), Bind::Moment(now), Bind::Moment(now - self.absolute)];
        let found = Statement::new(SQL, binds).fetch_optional(&mut tx).await?;
        drop(tx);
        let Some(StoredSession { user_id: user, expires_at, created_at, notice }) = found else { return Ok(None) };
        // The clock was ahead when the session began, so it would last longer than its lifetime.
        if created_at > now + STEP {
            self.end(digest).await?;
            return Ok(None);
        }
        let wanted = (now + self.idle).min(created_at + self.absolute);
        // If the expiry cannot be extended now, the session is still valid.
        if wanted - expires_at > STEP.min(self.idle / 2)
            && let Err(error) = self.extend(digest, wanted).await
        {
            log::warn!("could not extend a session: {error}");
        }
        Ok(Some((user, notice)))
    }

    async fn extend(&self, digest: &Digest, expires_at: Moment) -> sqlx::Result<()> {
        const SQL: &str = "update sessions set expires_at = $2 where digest = $1";
        let mut tx = self.db.write().await?;
        execute!(&mut tx, SQL, digest, expires_at)?;
        tx.commit().await
    }

    /// Stores a new session, and deletes expired ones. The user is locked, so that a change that ends all sessions
    /// comes either before it, and is seen, or after it, and ends this one too.
    async fn begin(&self, user: UserId, verified: &str, digest: &Digest, notice: Option<&String>) -> sqlx::Result<()> {
        const DELETE_EXPIRED: &str = "delete from sessions where expires_at <= $1";
        // At most a hundred sessions per user are kept.
        const DELETE_OLDEST: &str = "
            delete from sessions where user_id = $1 and digest not in (
                select digest from sessions where user_id = $1 order by created_at desc, digest limit 100)";
        const SQL: &str = "
            insert into sessions (digest, user_id, created_at, expires_at, notice)
            select $1, id, $3, $4, $6 from users where id = $2 and password_hash = $5 and deactivated_at is null";
        let now = clock::now();
        let mut tx = self.db.write().await?;
        execute!(&mut tx, DELETE_EXPIRED, now)?;
        users::store::lock_user(&mut tx, user).await?;
        let end = now + self.idle.min(self.absolute);
        let inserted = execute!(&mut tx, SQL, digest, user, now, end, verified, notice)?;
        if inserted == 0 {
            return Err(sqlx::Error::RowNotFound);
        }
        execute!(&mut tx, DELETE_OLDEST, user)?;
        tx.commit().await
    }
}

/// Ends every session of a user.
pub async fn end_all(tx: &mut Tx, user: UserId) -> sqlx::Result<()> {
    const SQL: &str = "delete from sessions where user_id = $1";
    execute!(tx, SQL, user).map(drop)
}
