//! Browser sessions: rows in the database, behind a cookie with a random id.

pub mod pages;
pub mod store;

use actix_session::Session;

use crate::{
    http::error::{Error, Result},
    ids::UserId,
};

/// The one thing a session knows.
const USER: &str = "user";

/// Who is signed in.
pub fn user(session: &Session) -> Option<UserId> {
    session.get(USER).ok().flatten()
}

/// Signs a person in, under a new session id (OWASP, session fixation).
pub fn begin(session: &Session, user: UserId) -> Result<()> {
    session.renew();
    session.insert(USER, user).map_err(|error| Error::Internal(format!("the session could not be begun: {error}")))
}
