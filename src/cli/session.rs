//! `latchkey user sessions` and `latchkey user unlock`: where a user is signed in, and ending refusals of attempts.

use serde_json::json;

use crate::{
    base::{clock, settings::Settings},
    cli::{Outcome, begin_change, begin_read, database_error, formatted},
    db::Db,
    people::{
        second_factor,
        sessions::{
            browser, pending,
            store::{self, Lifetime},
        },
        throttle,
        users::{self, Email},
    },
    record::{
        activity::{self, Entry, Kind},
        origin::Origin,
    },
};

/// Lists a user's sessions, or ends them all.
pub async fn sessions(settings: &Settings, db: &Db, email: &Email, ends: bool) -> Outcome {
    if ends {
        return end_all(db, email).await;
    }
    let (mut tx, user) = begin_read(db, email).await?;
    let lifetime = Lifetime::of(settings);
    let sessions = store::of_user(&mut tx, user.id, &lifetime, clock::now()).await.map_err(database_error)?;
    if sessions.is_empty() {
        println!("No sessions.");
    }
    for session in sessions {
        let (seen, began) = (formatted(session.last_seen_at), formatted(session.created_at));
        let (address, client) = (session.address.unwrap_or_default(), session.client.unwrap_or_default());
        println!("{}\tlast seen {seen}\tsigned in {began}\t{address}\t{client}", session.id);
    }
    Ok(())
}

async fn end_all(db: &Db, email: &Email) -> Outcome {
    let (mut tx, user) = begin_change(db, email).await?;
    let ended = store::end_all(&mut tx, user.id).await.map_err(database_error)?;
    browser::forget_all(&mut tx, user.id).await.map_err(database_error)?;
    pending::end_all(&mut tx, user.id).await.map_err(database_error)?;
    let origin = Origin::default();
    if ended > 0 {
        let entry = Entry::own(user.id, Kind::SessionEnded, &origin).by_command();
        let entry = entry.with(json!({ "count": ended }));
        activity::put(&mut tx, &entry, clock::now()).await.map_err(database_error)?;
    }
    tx.commit().await.map_err(database_error)?;
    log::info!("user sessions: ended {ended} user={}", user.id);
    println!("Ended {ended} {} of {}.", if ended == 1 { "session" } else { "sessions" }, user.email);
    Ok(())
}

/// Removes a user's second factor, who has lost the phone and the recovery codes, and ends all sessions.
pub async fn reset_second_factor(db: &Db, email: &Email) -> Outcome {
    let (mut tx, user) = begin_change(db, email).await?;
    users::store::lock_user(&mut tx, user.id).await.map_err(database_error)?;
    if !second_factor::store::remove(&mut tx, user.id).await.map_err(database_error)? {
        return Err(format!("Two-factor authentication of {} is off.", user.email));
    }
    store::end_all(&mut tx, user.id).await.map_err(database_error)?;
    pending::end_all(&mut tx, user.id).await.map_err(database_error)?;
    let origin = Origin::default();
    let entry = Entry::own(user.id, Kind::SecondFactorOff, &origin).by_command();
    activity::put(&mut tx, &entry, clock::now()).await.map_err(database_error)?;
    tx.commit().await.map_err(database_error)?;
    log::info!("user reset-second-factor: done user={}", user.id);
    println!("Turned off two-factor authentication of {} and ended all sessions.", user.email);
    Ok(())
}

/// Lets a user sign in again at once after too many failed attempts, from any browser.
pub async fn unlock(db: &Db, email: &Email) -> Outcome {
    let (mut tx, user) = begin_change(db, email).await?;
    throttle::store::unlock(&mut tx, user.id, &user.email).await.map_err(database_error)?;
    let origin = Origin::default();
    let entry = Entry::own(user.id, Kind::UserUnlocked, &origin).by_command();
    activity::put(&mut tx, &entry, clock::now()).await.map_err(database_error)?;
    tx.commit().await.map_err(database_error)?;
    log::info!("user unlock: done user={}", user.id);
    println!("{} can sign in again. Limits of addresses still apply.", user.email);
    Ok(())
}
