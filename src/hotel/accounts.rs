//! Opening an account: a user with a first group.

use crate::{
    access::{quotas, totals},
    base::{
        clock::Moment,
        error::{Error, Result},
        ids::UserId,
    },
    db::{Tx, execute},
    hotel::{changes::Changes, groups},
    people::users::{Email, User, store},
};

/// Adds a user with a first group. `None` if the address is taken.
pub async fn open(
    tx: &mut Tx,
    email: &Email,
    name: Option<String>,
    password_hash: Option<&str>,
    now: Moment,
) -> sqlx::Result<Option<UserId>> {
    let user =
        User { id: UserId::new(), email: email.text.clone(), name, time_zone: "UTC".to_owned(), deactivated_at: None };
    if !store::insert(tx, &user, email, password_hash, now).await? {
        return Ok(None);
    }
    totals::begin(tx, user.id).await?;
    groups::store::insert_first(tx, user.id, now).await?;
    Ok(Some(user.id))
}

/// The user with this address. If it is unknown, an account is created, to which nobody can sign in before its password
/// is set with a one-time link (docs/contract/README.md, section 15, 23).
///
/// # Errors
/// `Full` at the daily quota of invited accounts; `Refused` if the address was another user's until lately.
pub async fn find_or_invite(
    tx: &mut Tx,
    changes: &mut Changes<'_>,
    email: &Email,
    inviter: UserId,
    now: Moment,
) -> Result<User> {
    const SQL: &str = "update users set invited_by = $2 where id = $1";
    if let Some(user) = store::by_email(tx, email).await? {
        return Ok(user);
    }
    // Concurrent invitations by one account wait here, so that both are counted.
    store::lock_user(tx, inviter).await?;
    quotas::new_user(tx, inviter, now).await?;
    open(tx, email, None, None, now).await?;
    let user = store::by_email(tx, email).await?;
    let user = user.ok_or(Error::Refused("This email address was another user's until lately"))?;
    execute!(tx, SQL, user.id, inviter)?;
    changes.user_added(user.id, &user.email);
    Ok(user)
}
