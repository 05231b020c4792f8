//! Sign-ins with the right password that wait for the second factor: a row for ten minutes, behind a cookie.

use actix_web::{HttpRequest, HttpResponse, cookie::time};
use chrono::Duration;
use url::Url;

use crate::{
    base::{
        clock::Moment,
        error::{Error, Result},
        ids::UserId,
        secret::{self, Digest},
    },
    db::{Bind, Statement, Tx, execute, impl_from_row},
    record::{
        activity::{self, Entry, Kind},
        origin::Origin,
    },
    web::cookies,
};

/// How long a sign-in waits.
const WAITS: Duration = Duration::minutes(10);

/// How long after the password the code may take before the sign-in is recorded as left half-way.
const HALF_WAY: Duration = Duration::minutes(5);

/// Maximum number of waiting sign-ins per user.
const MOST: i64 = 20;

/// The id of a waiting sign-in, the value of its cookie: a secret, so it has no `Debug`.
pub struct PendingCookie(String);

impl PendingCookie {
    pub fn sent(request: &HttpRequest, base_url: &Url) -> Option<Self> {
        let cookie = request.cookie(&cookies::name(cookies::PENDING, base_url))?;
        Some(PendingCookie(cookie.value().to_owned())).filter(|cookie| !cookie.0.is_empty())
    }

    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }

    /// Sends the cookie with a response.
    ///
    /// # Errors
    /// `Internal` if it cannot be written.
    pub fn attach(self, base_url: &Url, response: &mut HttpResponse) -> Result<()> {
        set(base_url, response, self.0, time::Duration::seconds(WAITS.num_seconds()))
    }
}

/// Removes the cookie from the browser.
///
/// # Errors
/// `Internal` if it cannot be written.
pub fn remove_cookie(base_url: &Url, response: &mut HttpResponse) -> Result<()> {
    set(base_url, response, String::new(), time::Duration::ZERO)
}

fn set(base_url: &Url, response: &mut HttpResponse, value: String, age: time::Duration) -> Result<()> {
    let cookie = cookies::cookie(cookies::PENDING, base_url, value).max_age(age).finish();
    response.add_cookie(&cookie).map_err(|error| Error::Internal(format!("could not write a cookie: {error}")))
}

/// Stores a sign-in whose password was right: `verified` is its hash. `None` if it is not the user's hash any more, or the
/// user is deactivated. The caller has locked the user.
pub async fn begin(
    tx: &mut Tx,
    user: UserId,
    verified: &str,
    origin: &Origin,
    now: Moment,
) -> sqlx::Result<Option<PendingCookie>> {
    const DELETE_OLDEST: &str = "
        delete from pending_sign_ins where user_id = $1 and digest not in (
            select digest from pending_sign_ins where user_id = $1 order by created_at desc, digest limit $2)";
    const SQL: &str = "
        insert into pending_sign_ins
            (digest, user_id, password_digest, address, client, created_at, expires_at, told)
        select $1, id, $2, $3, $4, $5, $6, $7 from users where id = $8 and password_hash = $9 and deactivated_at is null";
    let cookie = PendingCookie(secret::random());
    let (address, client) = (origin.address_text(), &origin.client);
    let (digest, password) = (cookie.digest(), Digest::of(verified));
    if execute!(tx, SQL, digest, password, address, client, now, now + WAITS, false, user, verified)? == 0 {
        return Ok(None);
    }
    execute!(tx, DELETE_OLDEST, user, MOST)?;
    Ok(Some(cookie))
}

/// A waiting sign-in.
pub struct Pending {
    pub user_id: UserId,
    password_digest: Vec<u8>,
    password_hash: Option<String>,
    pub knows_browser: bool,
}

impl_from_row!(Pending { user_id, password_digest, password_hash, knows_browser });

impl Pending {
    /// The password hash that was verified, if it is still the user's.
    pub fn verified(&self) -> Option<&str> {
        self.password_hash.as_deref().filter(|hash| Digest::of(hash).0 == self.password_digest)
    }
}

/// A sign-in that still waits, of a user who is active and has a second factor. `browser` is the digest of the cookie of
/// the browser that asks.
pub async fn find(
    tx: &mut Tx,
    digest: &Digest,
    browser: Option<&Digest>,
    now: Moment,
) -> sqlx::Result<Option<Pending>> {
    const SQL: &str = "
        select p.user_id, p.password_digest, u.password_hash,
            exists (select 1 from browsers b where b.user_id = p.user_id and b.digest = $2) as knows_browser
        from pending_sign_ins p
        join users u on u.id = p.user_id
        join totp t on t.user_id = p.user_id and t.confirmed_at is not null
        where p.digest = $1 and p.expires_at > $3 and u.deactivated_at is null";
    let browser = browser.map_or_else(Vec::new, |Digest(bytes)| bytes.clone());
    let binds = vec![digest.clone().into(), Bind::Bytes(browser), Bind::Moment(now)];
    let found: Option<Pending> = Statement::new(SQL, binds).fetch_optional(tx).await?;
    Ok(found.filter(|pending| pending.verified().is_some()))
}

/// A sign-in that was left half-way.
pub struct Left {
    digest: Vec<u8>,
    user_id: UserId,
    address: Option<String>,
    client: Option<String>,
}

impl_from_row!(Left { digest, user_id, address, client });

/// Sign-ins that have waited for five minutes, and of which nothing is recorded yet: somebody knows the password.
pub async fn left_half_way(tx: &mut Tx, now: Moment) -> sqlx::Result<Vec<Left>> {
    const SQL: &str = "
        select digest, user_id, address, client from pending_sign_ins
        where not told and created_at < $1 order by created_at limit 100";
    Statement::new(SQL, vec![Bind::Moment(now - HALF_WAY)]).fetch_all(tx).await
}

/// Records one of them, once.
pub async fn record(tx: &mut Tx, left: &Left, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "update pending_sign_ins set told = $2 where digest = $1 and not told";
    if execute!(tx, SQL, &left.digest, true)? == 0 {
        return Ok(());
    }
    let address = left.address.as_deref().and_then(|address| address.parse().ok());
    let origin = Origin { address, client: left.client.clone(), request: None };
    activity::put(tx, &Entry::own(left.user_id, Kind::SignInHalf, &origin).by_nobody(), now).await
}

/// Ends a waiting sign-in. False if it has ended.
pub async fn end(tx: &mut Tx, digest: &Digest) -> sqlx::Result<bool> {
    execute!(tx, "delete from pending_sign_ins where digest = $1", digest).map(|rows| rows == 1)
}

/// Deletes up to so many that have ended and are recorded, or ended long ago.
pub async fn delete_expired(tx: &mut Tx, now: Moment, most: i64) -> sqlx::Result<u64> {
    const SQL: &str = "
        delete from pending_sign_ins where digest in (
            select digest from pending_sign_ins where expires_at <= $1 and (told or expires_at <= $2) limit $3)";
    execute!(tx, SQL, now, now - Duration::days(1), most)
}

/// Ends all waiting sign-ins of a user.
pub async fn end_all(tx: &mut Tx, user: UserId) -> sqlx::Result<()> {
    execute!(tx, "delete from pending_sign_ins where user_id = $1", user).map(drop)
}
