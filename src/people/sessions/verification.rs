//! Verifying the password of a user who is signed in: before a change of it, and to confirm who they are. Guesses are
//! counted for the session alone, so that whoever has stolen it cannot keep its user from signing in again.

use crate::{
    base::{clock, error::Result},
    people::{
        password::{Hasher, Password, Verdict, hash_queue::Asker},
        sessions::Current,
        throttle::{self, Closed, Subject},
        users,
    },
    record::{
        activity::{self, Kind},
        origin::Origin,
    },
    web::state::AppState,
};

/// The result of a verification.
pub enum Verified {
    /// Right; with the stored hash.
    Right(String),
    Wrong,
    /// Not checked, after too many wrong ones.
    Closed(Closed),
}

/// Verifies the password of a session's user.
///
/// # Errors
/// `Unavailable` if the queue for hashing is full.
pub async fn verify(
    state: &AppState,
    hasher: &Hasher,
    current: &Current,
    typed: Password,
    origin: &Origin,
) -> Result<Verified> {
    // Nothing was entered: that is no guess.
    if typed.is_empty() {
        return Ok(Verified::Wrong);
    }
    let mut tx = state.db.read().await?;
    let stored = users::store::password_hash(&mut tx, current.user).await?;
    drop(tx);
    let subject = Subject::Browser(current.user, current.counter());
    let ticket = match throttle::store::reserve(&state.db, vec![subject], clock::now()).await? {
        Ok(ticket) => ticket,
        Err(closed) => return Ok(Verified::Closed(closed)),
    };
    let verdict = match hasher.verify(Asker::User(current.user), typed, stored.clone()).await {
        Ok(verdict) => verdict,
        Err(error) => {
            ticket.give_back(&state.db).await?;
            return Err(error);
        }
    };
    let mut tx = state.db.write().await?;
    let verified = match verdict {
        Verdict::Wrong => {
            activity::count_failure(&mut tx, current.user, Kind::SignInFailed, origin, clock::now()).await?;
            Verified::Wrong
        }
        Verdict::Right | Verdict::RightUpgrade(_) => {
            ticket.succeed(&mut tx).await?;
            Verified::Right(stored.unwrap_or_default())
        }
    };
    tx.commit().await?;
    Ok(verified)
}
