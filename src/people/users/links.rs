//! One-time links, which are mailed or printed for the host. GET shows the page behind a link as often as it is asked for,
//! since mail scanners open links; only a POST uses it up.

use chrono::Duration;
use serde::Deserialize;

use crate::{
    base::{
        clock::Moment,
        ids::UserId,
        secret::{self, Digest},
    },
    db::{Bind, Statement, Tx, execute, impl_from_row},
    people::users::User,
};

/// Tolerated difference between the clocks of two machines. A link whose beginning is further ahead is of a clock that was
/// ahead, so that it would last too long.
const CLOCKS_APART: Duration = Duration::minutes(1);

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An invited user sets name and password.
    Welcome,
    /// A user who has forgotten the password sets another.
    Reset,
    /// A user confirms a new email address.
    EmailChange,
    /// A user takes back the old email address.
    EmailUndo,
    /// Somebody without an account creates one.
    SignUp,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Purpose::Welcome => "welcome",
            Purpose::Reset => "reset",
            Purpose::EmailChange => "email_change",
            Purpose::EmailUndo => "email_undo",
            Purpose::SignUp => "sign_up",
        }
    }

    /// How long a link is valid, counted from when it is made.
    pub fn lifetime(self) -> Duration {
        match self {
            Purpose::Welcome | Purpose::EmailUndo => Duration::days(7),
            Purpose::Reset => Duration::minutes(30),
            Purpose::EmailChange | Purpose::SignUp => Duration::hours(24),
        }
    }

    /// The path of a link.
    pub fn path(self, LinkToken(token): &LinkToken) -> String {
        match self {
            Purpose::Welcome => format!("/welcome/{token}"),
            Purpose::Reset => format!("/reset_password/{token}"),
            Purpose::EmailChange => format!("/email/{token}"),
            Purpose::EmailUndo => format!("/email/undo/{token}"),
            Purpose::SignUp => format!("/sign_up/{token}"),
        }
    }
}

/// The secret part of a link's path, so it has no `Debug`. The database has its digest alone.
#[derive(Deserialize)]
pub struct LinkToken(String);

impl LinkToken {
    pub fn new() -> Self {
        LinkToken(secret::random())
    }

    fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }
}

/// A link about to be stored.
pub struct NewLink<'a> {
    pub purpose: Purpose,
    /// `None` for a sign-up.
    pub user: Option<UserId>,
    /// The address that a sign-up or a change is about.
    pub email: Option<&'a str>,
}

/// Stores a link, and returns its token and when it expires.
pub async fn insert(tx: &mut Tx, link: &NewLink<'_>, now: Moment) -> sqlx::Result<(LinkToken, Moment)> {
    const SQL: &str = "
        insert into user_links (digest, user_id, purpose, email, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)";
    let (token, end) = (LinkToken::new(), now + link.purpose.lifetime());
    let user = link.user.map(|user| user.0);
    execute!(tx, SQL, token.digest(), user, link.purpose.name(), link.email.map(str::to_owned), now, end)?;
    Ok((token, end))
}

/// Whom a link belongs to.
pub struct Link {
    pub user: User,
    /// The address that a change is about.
    pub email: Option<String>,
    pub has_password: bool,
    /// Two-factor authentication is on.
    pub has_second_factor: bool,
}

impl_from_row!(Link, row => Link {
    user: User::from_row(row)?,
    email: row.try_get("link_email")?,
    has_password: row.try_get("has_password")?,
    has_second_factor: row.try_get("has_second_factor")?,
});

/// A link of a user that has neither expired nor been used.
pub async fn find(tx: &mut Tx, purpose: Purpose, token: &LinkToken, now: Moment) -> sqlx::Result<Option<Link>> {
    const SQL: &str = "
        select u.id, u.email, u.name, u.time_zone, u.deactivated_at, l.email as link_email,
            u.password_hash is not null as has_password,
            exists (select 1 from totp t where t.user_id = u.id and t.confirmed_at is not null) as has_second_factor
        from user_links l join users u on u.id = l.user_id
        where l.digest = $1 and l.purpose = $2 and l.expires_at > $3 and l.created_at <= $4 and u.deactivated_at is null";
    Statement::new(SQL, binds(purpose, token, now)).fetch_optional(tx).await
}

/// The address of a link for a sign-up that has neither expired nor been used.
pub async fn sign_up_address(tx: &mut Tx, token: &LinkToken, now: Moment) -> sqlx::Result<Option<String>> {
    const SQL: &str = "
        select email from user_links where digest = $1 and purpose = $2 and expires_at > $3 and created_at <= $4";
    Ok(Statement::new(SQL, binds(Purpose::SignUp, token, now)).fetch_values(tx).await?.pop())
}

/// Uses a link up. False if it has been used or has expired.
pub async fn use_up(tx: &mut Tx, purpose: Purpose, token: &LinkToken, now: Moment) -> sqlx::Result<bool> {
    const SQL: &str = "
        delete from user_links where digest = $1 and purpose = $2 and expires_at > $3 and created_at <= $4";
    Ok(Statement::new(SQL, binds(purpose, token, now)).execute(tx).await? == 1)
}

fn binds(purpose: Purpose, token: &LinkToken, now: Moment) -> Vec<Bind> {
    vec![token.digest().into(), purpose.name().into(), now.into(), (now + CLOCKS_APART).into()]
}

/// Ends the links of a user that are for one of these purposes.
pub async fn end(tx: &mut Tx, user: UserId, purposes: &[Purpose]) -> sqlx::Result<()> {
    for purpose in purposes {
        execute!(tx, "delete from user_links where user_id = $1 and purpose = $2", user, purpose.name())?;
    }
    Ok(())
}

/// Ends all links of an address that signs up.
pub async fn end_sign_ups(tx: &mut Tx, email: &str) -> sqlx::Result<()> {
    execute!(tx, "delete from user_links where purpose = 'sign_up' and email = $1", email).map(drop)
}

/// Deletes up to so many links that have expired.
pub async fn delete_expired(tx: &mut Tx, now: Moment, most: i64) -> sqlx::Result<u64> {
    const SQL: &str =
        "delete from user_links where digest in (select digest from user_links where expires_at <= $1 limit $2)";
    execute!(tx, SQL, now, most)
}
