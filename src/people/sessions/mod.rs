//! Browser sessions: rows in the database, behind a cookie with a random id.

pub mod browser; // browsers that have been signed in before
pub mod cookie_store; // for the middleware
pub mod kept_forms; // what was entered before a sign-in
pub mod notice; // what the next page says once
pub mod pages; // sign-in and sign-out
pub mod pending; // sign-ins that wait for the second factor
pub mod second_step; // the second factor at a sign-in
pub mod store; // SQL
pub mod verification; // the password of a signed-in user, asked for again

use actix_session::Session;
use chrono::Duration;
use serde::{Deserialize, Serialize};

use crate::{
    base::{
        clock::Moment,
        error::{Error, Result},
        ids::{SessionId, UserId},
        secret::Digest,
        settings::Settings,
    },
    db::Tx,
    people::{
        sessions::{
            browser::BrowserCookie,
            store::{Lifetime, SessionToken},
        },
        throttle,
        users::User,
    },
    record::{
        activity::{self, Entry, Kind},
        origin::Origin,
    },
};

/// The key of the [`Current`] session in the middleware's state.
const CURRENT: &str = "current";

/// The key of the notice for the next page.
const NOTICE: &str = "notice";

/// The key of the new id of a session, which the middleware sends as its cookie.
const NEW_ID: &str = "new_id";

/// How long after a sign-in or a confirmation a user need not prove again who they are.
const CONFIRMED_FOR: Duration = Duration::minutes(10);

/// The session of a request.
#[derive(Clone, Serialize, Deserialize)]
pub struct Current {
    pub user: UserId,
    pub id: SessionId,
    /// When the user last proved who they are.
    confirmed_at: Moment,
    /// The digest of the browser's cookie.
    browser: Option<Vec<u8>>,
}

impl Current {
    /// True if the user proved who they are within the last ten minutes. A time to come is of a clock that was ahead.
    pub fn is_confirmed(&self, now: Moment) -> bool {
        self.confirmed_at <= now + store::STEP && now - self.confirmed_at < CONFIRMED_FOR
    }

    /// By what guesses within this session are counted.
    pub fn counter(&self) -> Digest {
        Digest::of(&self.id.to_string())
    }

    /// The digest of the cookie by which the browser is known again.
    pub fn browser(&self) -> Option<Digest> {
        self.browser.clone().map(Digest)
    }
}

/// The session, if the user is signed in.
pub fn current(session: &Session) -> Option<Current> {
    session.get(CURRENT).ok().flatten()
}

/// The signed-in user.
pub fn user(session: &Session) -> Option<UserId> {
    current(session).map(|current| current.user)
}

/// Begins a session after a whole sign-in, remembers its browser, and records both. `verified` is the password hash that
/// was verified; `None` if it is not the user's any more, or the user is deactivated.
pub async fn begin(
    tx: &mut Tx,
    settings: &Settings,
    user: UserId,
    verified: &str,
    sent: Option<BrowserCookie>,
    origin: &Origin,
    now: Moment,
) -> sqlx::Result<Option<(SessionToken, BrowserCookie)>> {
    let (browser, is_new) = browser::remember(tx, user, sent, origin, now).await?;
    let digest = browser.digest();
    let new = store::New { user, verified, origin, browser: &digest };
    let Some((id, token)) = store::begin(tx, &new, &Lifetime::of(settings), now).await? else { return Ok(None) };
    activity::put(tx, &Entry::own(user, Kind::SignIn, origin).about(id), now).await?;
    if is_new {
        activity::put(tx, &Entry::own(user, Kind::NewBrowser, origin).about(id), now).await?;
    }
    Ok(Some((token, browser)))
}

/// Ends all sessions of a user whose password is replaced, forgets all browsers but that of the request, which it
/// remembers, and clears the counters of wrong passwords.
pub async fn start_over(
    tx: &mut Tx,
    user: &User,
    sent: Option<BrowserCookie>,
    origin: &Origin,
    now: Moment,
) -> sqlx::Result<BrowserCookie> {
    store::end_all(tx, user.id).await?;
    pending::end_all(tx, user.id).await?;
    let (browser, _) = browser::remember(tx, user.id, sent, origin, now).await?;
    browser::forget_others(tx, user.id, Some(&browser.digest())).await?;
    throttle::store::clear_passwords(tx, user.id, &user.email).await?;
    Ok(browser)
}

/// Sends the cookie of a session that has begun, in place of another one (OWASP, session fixation).
///
/// # Errors
/// `Internal` if it cannot be written.
pub fn attach(session: &Session, token: SessionToken) -> Result<()> {
    session.renew();
    change_id(session, token)
}

/// Sends the new id of the same session.
///
/// # Errors
/// `Internal` if it cannot be written.
pub fn change_id(session: &Session, SessionToken(id): SessionToken) -> Result<()> {
    session.insert(NEW_ID, id).map_err(|error| Error::Internal(format!("could not write a session: {error}")))
}
