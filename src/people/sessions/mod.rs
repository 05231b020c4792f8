//! Browser sessions: rows in the database, behind a cookie with a random id.

pub mod notice;
pub mod pages;
pub mod store;

use actix_session::Session;

use crate::base::{
    error::{Error, Result},
    ids::UserId,
};

/// The key of the signed-in user in the session.
const USER: &str = "user";

/// The key of the notice for the next page.
const NOTICE: &str = "notice";

/// The key of the password hash that was verified. Only the store reads it: a password reset in between ends the
/// sign-in.
const VERIFIED: &str = "verified";

/// The signed-in user.
pub fn user(session: &Session) -> Option<UserId> {
    session.get(USER).ok().flatten()
}

/// Signs a user in, under a new session id (OWASP, session fixation), if the password hash is still the verified one.
pub fn begin(session: &Session, user: UserId, verified: &str) -> Result<()> {
    session.renew();
    session
        .insert(USER, user)
        .and_then(|()| session.insert(VERIFIED, verified))
        .map_err(|error| Error::Internal(format!("could not start a session: {error}")))
}
