//! Changing the email address of an account. The old one is nobody else's for a week, in which its reader can take the change
//! back.

use chrono::Duration;

use crate::{
    base::{clock::Moment, ids::UserId},
    db::{Bind, Statement, Tx, execute, impl_from_row},
    people::users::{Email, User},
};

/// For how long an old address stays the user's. A mail with the link that takes the change back may be on its way for some
/// days before its own week begins.
const KEPT_FOR: Duration = Duration::days(10);

/// True if the address is, or lately was, that of another user.
pub async fn is_taken(tx: &mut Tx, email: &Email, by_others_than: UserId, now: Moment) -> sqlx::Result<bool> {
    const SQL: &str = "
        select exists (select 1 from users where email_key = $1 and id <> $2)
            or exists (select 1 from former_emails where email_key = $1 and user_id <> $2 and free_at > $3)";
    let binds = vec![Bind::Text(email.key.clone()), by_others_than.into(), now.into()];
    Statement::new(SQL, binds).fetch_value(tx).await
}

/// Changes the address of a user, whom the caller has locked. False if it is taken.
///
/// # Errors
/// A unique violation if somebody else takes the address at the same time.
pub async fn change(tx: &mut Tx, user: &User, new: &Email, now: Moment) -> sqlx::Result<bool> {
    const KEEP: &str = "
        insert into former_emails (email_key, user_id, email, changed_at, free_at)
        select email_key, id, email, $2, $3 from users where id = $1
        on conflict (email_key) do update
        set user_id = excluded.user_id, email = excluded.email, changed_at = excluded.changed_at,
            free_at = excluded.free_at";
    if is_taken(tx, new, user.id, now).await? {
        return Ok(false);
    }
    execute!(tx, KEEP, user.id, now, now + KEPT_FOR)?;
    set(tx, user.id, new).await?;
    execute!(tx, "delete from former_emails where email_key = $1", &new.key)?;
    Ok(true)
}

async fn set(tx: &mut Tx, user: UserId, email: &Email) -> sqlx::Result<()> {
    execute!(tx, "update users set email = $2, email_key = $3 where id = $1", user, &email.text, &email.key).map(drop)
}

/// Takes the change from an old address back, and every later one. False if it was taken back before, or is too old.
pub async fn undo(tx: &mut Tx, user: UserId, old: &Email, now: Moment) -> sqlx::Result<bool> {
    const LATER: &str = "delete from former_emails where user_id = $1 and changed_at >= $2";
    let Some(since) = changed_at(tx, user, old, now).await? else { return Ok(false) };
    // Whoever changed the address twice could take the second change back otherwise.
    execute!(tx, LATER, user, since)?;
    set(tx, user, old).await?;
    Ok(true)
}

/// When the user's address was changed from this one, if that can still be taken back.
pub async fn changed_at(tx: &mut Tx, user: UserId, old: &Email, now: Moment) -> sqlx::Result<Option<Moment>> {
    const SQL: &str = "select changed_at from former_emails where email_key = $1 and user_id = $2 and free_at > $3";
    let binds = vec![Bind::Text(old.key.clone()), user.into(), now.into()];
    let found: Option<Former> = Statement::new(SQL, binds).fetch_optional(tx).await?;
    Ok(found.map(|former| former.changed_at))
}

struct Former {
    changed_at: Moment,
}

impl_from_row!(Former { changed_at });

/// Deletes up to so many old addresses that are free again.
pub async fn delete_free(tx: &mut Tx, now: Moment, most: i64) -> sqlx::Result<u64> {
    const SQL: &str = "
        delete from former_emails where email_key in (select email_key from former_emails where free_at <= $1 limit $2)";
    execute!(tx, SQL, now, most)
}
