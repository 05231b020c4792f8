//! Sessions in the database.

use chrono::Duration;

use crate::{
    base::{
        clock::Moment,
        ids::{SessionId, UserId},
        secret::{self, Digest},
        settings::Settings,
    },
    db::{Bind, Statement, Tx, execute, impl_from_row},
    people::users,
    record::origin::Origin,
};

/// Expiry and last use are written at most this often; also the tolerated difference of clocks.
pub const STEP: Duration = Duration::minutes(1);

/// Maximum number of sessions per user; a new one ends the one that was unused longest.
const MOST: i64 = 20;

/// How long sessions last.
#[derive(Clone, Copy)]
pub struct Lifetime {
    /// Without a request.
    pub idle: Duration,
    /// In any case.
    pub absolute: Duration,
}

impl Lifetime {
    pub fn of(settings: &Settings) -> Self {
        Lifetime {
            idle: Duration::minutes(settings.session_idle_minutes.into()),
            absolute: Duration::hours(settings.session_hours.into()),
        }
    }
}

/// The id of a session for its cookie: a secret, so it has no `Debug`.
pub struct SessionToken(pub String);

impl SessionToken {
    fn new() -> Self {
        SessionToken(secret::random())
    }

    fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }
}

/// A row of a session.
pub struct Stored {
    pub id: SessionId,
    pub user_id: UserId,
    pub created_at: Moment,
    pub expires_at: Moment,
    pub last_seen_at: Moment,
    pub confirmed_at: Moment,
    pub address: Option<String>,
    pub client: Option<String>,
    pub browser_digest: Option<Vec<u8>>,
    pub notice: Option<String>,
}

impl_from_row!(Stored {
    id,
    user_id,
    created_at,
    expires_at,
    last_seen_at,
    confirmed_at,
    address,
    client,
    browser_digest,
    notice
});

macro_rules! select_sessions {
    ($which:literal) => {
        concat!(
            "select id, user_id, created_at, expires_at, last_seen_at, confirmed_at, address, client, browser_digest, notice
             from sessions where ",
            $which
        )
    };
}

/// A session that has not expired.
pub async fn by_digest(tx: &mut Tx, digest: &Digest, lifetime: &Lifetime, now: Moment) -> sqlx::Result<Option<Stored>> {
    const SQL: &str = select_sessions!("digest = $1 and expires_at > $2 and created_at > $3");
    let binds = vec![digest.clone().into(), Bind::Moment(now), Bind::Moment(now - lifetime.absolute)];
    Statement::new(SQL, binds).fetch_optional(tx).await
}

/// The sessions of a user that have not expired, the last seen first.
pub async fn of_user(tx: &mut Tx, user: UserId, lifetime: &Lifetime, now: Moment) -> sqlx::Result<Vec<Stored>> {
    const SQL: &str =
        select_sessions!("user_id = $1 and expires_at > $2 and created_at > $3 order by last_seen_at desc, id desc");
    let binds = vec![user.into(), Bind::Moment(now), Bind::Moment(now - lifetime.absolute)];
    Statement::new(SQL, binds).fetch_all(tx).await
}

/// A session that is about to begin.
pub struct New<'a> {
    pub user: UserId,
    /// The password hash that was verified: a reset in between ends the sign-in.
    pub verified: &'a str,
    pub origin: &'a Origin,
    /// The digest of the browser's cookie.
    pub browser: &'a Digest,
}

/// Begins a session. `None` if the password is not the verified one any more, or the user is
/// deactivated. The user is locked, so that a change that ends all sessions comes either before it, and is seen, or after
/// it, and ends this one too.
pub async fn begin(
    tx: &mut Tx,
    new: &New<'_>,
    lifetime: &Lifetime,
    now: Moment,
) -> sqlx::Result<Option<(SessionId, SessionToken)>> {
    const DELETE_UNUSED: &str = "
        delete from sessions where user_id = $1 and digest not in (
            select digest from sessions where user_id = $1
            order by case when digest = $2 then 0 else 1 end, last_seen_at desc, digest limit $3)";
    const SQL: &str = "
        insert into sessions
            (digest, id, user_id, created_at, expires_at, last_seen_at, confirmed_at, address, client, browser_digest)
        select $1, $2, id, $3, $4, $3, $3, $5, $6, $7 from users
        where id = $8 and password_hash = $9 and deactivated_at is null";
    let New { user, verified, origin, browser } = new;
    users::store::lock_user(tx, *user).await?;
    let (id, token) = (SessionId::new(), SessionToken::new());
    let end = now + lifetime.idle.min(lifetime.absolute);
    let (address, client) = (origin.address_text(), &origin.client);
    if execute!(tx, SQL, token.digest(), id, now, end, address, client, *browser, *user, *verified)? == 0 {
        return Ok(None);
    }
    execute!(tx, DELETE_UNUSED, *user, token.digest(), MOST)?;
    Ok(Some((id, token)))
}

/// Notes that the user has just proved who they are, and changes the session's id. `None` if it has ended.
pub async fn confirm(tx: &mut Tx, id: SessionId, now: Moment) -> sqlx::Result<Option<SessionToken>> {
    const SQL: &str = "update sessions set digest = $2, confirmed_at = $3, last_seen_at = $3 where id = $1";
    let token = SessionToken::new();
    Ok((execute!(tx, SQL, id, token.digest(), now)? == 1).then_some(token))
}

pub async fn extend(tx: &mut Tx, digest: &Digest, expires_at: Moment, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "update sessions set expires_at = $2, last_seen_at = $3 where digest = $1";
    execute!(tx, SQL, digest, expires_at, now).map(drop)
}

pub async fn set_notice(tx: &mut Tx, digest: &Digest, notice: Option<&String>) -> sqlx::Result<()> {
    const SQL: &str = "update sessions set notice = $2 where digest = $1";
    execute!(tx, SQL, digest, notice).map(drop)
}

pub async fn end_by_digest(tx: &mut Tx, digest: &Digest) -> sqlx::Result<()> {
    const SQL: &str = "delete from sessions where digest = $1";
    execute!(tx, SQL, digest).map(drop)
}

/// Deletes up to so many sessions that have expired.
pub async fn delete_expired(tx: &mut Tx, now: Moment, most: i64) -> sqlx::Result<u64> {
    const SQL: &str =
        "delete from sessions where digest in (select digest from sessions where expires_at <= $1 limit $2)";
    execute!(tx, SQL, now, most)
}

/// What calls itself the client of a session of a user; `None` if there is no such session.
pub async fn client(tx: &mut Tx, user: UserId, id: SessionId) -> sqlx::Result<Option<String>> {
    const SQL: &str = "select coalesce(client, '') from sessions where user_id = $1 and id = $2";
    Ok(Statement::new(SQL, vec![user.into(), id.into()]).fetch_values(tx).await?.pop())
}

/// Ends one session of a user. False if there is none with this id.
pub async fn end(tx: &mut Tx, user: UserId, id: SessionId) -> sqlx::Result<bool> {
    const SQL: &str = "delete from sessions where user_id = $1 and id = $2";
    execute!(tx, SQL, user, id).map(|rows| rows == 1)
}

/// Ends every session of a user but one, and returns how many.
pub async fn end_others(tx: &mut Tx, user: UserId, kept: SessionId) -> sqlx::Result<u64> {
    const SQL: &str = "delete from sessions where user_id = $1 and id <> $2";
    execute!(tx, SQL, user, kept)
}

/// Ends every session of a user, and returns how many.
pub async fn end_all(tx: &mut Tx, user: UserId) -> sqlx::Result<u64> {
    const SQL: &str = "delete from sessions where user_id = $1";
    execute!(tx, SQL, user)
}
