//! Browser sessions: rows in the database, behind a cookie with a random id.

pub mod notice;
pub mod pages;
pub mod store;

use actix_session::Session;

use crate::base::{
    error::{Error, Result},
    ids::UserId,
};

/// Who has signed in.
const USER: &str = "user";

/// What the next page says.
const NOTICE: &str = "notice";

/// The password hash that was verified, on the way to the store only: a password reset in between ends a sign-in under
/// way.
const VERIFIED: &str = "verified";

/// Who is signed in.
pub fn user(session: &Session) -> Option<UserId> {
    session.get(USER).ok().flatten()
}

/// Signs a person in, under a new session id (OWASP, session fixation), while the password hash is still this one.
pub fn begin(session: &Session, user: UserId, verified: &str) -> Result<()> {
    session.renew();
    session
        .insert(USER, user)
        .and_then(|()| session.insert(VERIFIED, verified))
        .map_err(|error| Error::Internal(format!("the session could not be begun: {error}")))
}
