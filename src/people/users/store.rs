//! Users in the database.

use crate::{
    base::{
        clock::Moment,
        ids::{GroupId, UserId},
        secret::Digest,
    },
    db::{Bind, Statement, Tx, execute, impl_from_row},
    people::{
        subscriptions::Subscription,
        users::{Email, User},
    },
};

impl_from_row!(User { id, email, name, time_zone, deactivated_at });

/// What is needed to verify a sign-in.
pub struct Credentials {
    pub id: UserId,
    pub password_hash: Option<String>,
    pub deactivated_at: Option<Moment>,
    /// The user has signed in from this browser before.
    pub knows_browser: bool,
}

impl_from_row!(Credentials { id, password_hash, deactivated_at, knows_browser });

/// A user with the subscription, as each page view reads them.
pub struct Account {
    pub user: User,
    pub subscription: Option<Subscription>,
    /// Two-factor authentication is on.
    pub has_second_factor: bool,
}

impl_from_row!(Account, row => Account {
    user: User::from_row(row)?,
    subscription: Subscription::from_joined_row(row.try_get("state")?, row.try_get("period_ends_at")?)?,
    has_second_factor: row.try_get("has_second_factor")?,
});

/// A user in the list of the host; without a password, one who was invited and has not used the link yet.
pub struct Listed {
    pub user: User,
    pub has_password: bool,
}

impl_from_row!(Listed, row => Listed { user: User::from_row(row)?, has_password: row.try_get("has_password")? });

pub async fn by_id(tx: &mut Tx, id: UserId) -> sqlx::Result<Option<Account>> {
    const SQL: &str = "
        select u.id, u.email, u.name, u.time_zone, u.deactivated_at, s.state, s.period_ends_at,
            exists (select 1 from totp t where t.user_id = u.id and t.confirmed_at is not null) as has_second_factor
        from users u left join subscriptions s on s.user_id = u.id
        where u.id = $1";
    Statement::new(SQL, vec![id.into()]).fetch_optional(tx).await
}

pub async fn by_email(tx: &mut Tx, email: &Email) -> sqlx::Result<Option<User>> {
    const SQL: &str = "select id, email, name, time_zone, deactivated_at from users where email_key = $1";
    Statement::new(SQL, vec![Bind::Text(email.key.clone())]).fetch_optional(tx).await
}

/// All users, by email address.
pub async fn all(tx: &mut Tx) -> sqlx::Result<Vec<Listed>> {
    const SQL: &str = "
        select id, email, name, time_zone, deactivated_at, password_hash is not null as has_password
        from users order by email_key collate \"C\"";
    Statement::new(SQL, Vec::new()).fetch_all(tx).await
}

/// True if there is any user.
pub async fn any(tx: &mut Tx) -> sqlx::Result<bool> {
    Statement::new("select exists (select 1 from users)", Vec::new()).fetch_value(tx).await
}

/// `browser` is the digest of the cookie of the browser that asks.
pub async fn credentials(tx: &mut Tx, email: &Email, browser: Option<&Digest>) -> sqlx::Result<Option<Credentials>> {
    const SQL: &str = "
        select id, password_hash, deactivated_at,
            exists (select 1 from browsers b where b.user_id = users.id and b.digest = $2) as knows_browser
        from users where email_key = $1";
    let browser = browser.map_or_else(Vec::new, |Digest(bytes)| bytes.clone());
    Statement::new(SQL, vec![Bind::Text(email.key.clone()), Bind::Bytes(browser)]).fetch_optional(tx).await
}

pub async fn password_hash(tx: &mut Tx, id: UserId) -> sqlx::Result<Option<String>> {
    const SQL: &str = "select password_hash from users where id = $1";
    Statement::new(SQL, vec![id.into()]).fetch_value(tx).await
}

/// Adds a user. False if the address is taken, or was another user's until lately.
pub async fn insert(
    tx: &mut Tx,
    user: &User,
    email: &Email,
    password_hash: Option<&str>,
    now: Moment,
) -> sqlx::Result<bool> {
    const SQL: &str = "
        insert into users (id, email, email_key, name, time_zone, password_hash, created_at)
        select $1, $2, $3, $4, $5, $6, $7
        where not exists (select 1 from former_emails f where f.email_key = $3 and f.free_at > $7)
        on conflict (email_key) do nothing";
    execute!(tx, SQL, user.id, &email.text, &email.key, &user.name, &user.time_zone, password_hash, now)
        .map(|rows| rows == 1)
}

pub async fn set_default_group(tx: &mut Tx, id: UserId, group: GroupId) -> sqlx::Result<()> {
    const SQL: &str = "update users set default_group_id = $2 where id = $1";
    execute!(tx, SQL, id, group).map(drop)
}

pub async fn set_profile(tx: &mut Tx, id: UserId, name: Option<&str>, time_zone: &str) -> sqlx::Result<()> {
    const SQL: &str = "update users set name = $2, time_zone = $3 where id = $1";
    execute!(tx, SQL, id, name, time_zone).map(drop)
}

pub async fn set_name(tx: &mut Tx, id: UserId, name: Option<&str>) -> sqlx::Result<()> {
    const SQL: &str = "update users set name = $2 where id = $1";
    execute!(tx, SQL, id, name).map(drop)
}

pub async fn set_password(tx: &mut Tx, id: UserId, hash: &str) -> sqlx::Result<()> {
    const SQL: &str = "update users set password_hash = $2 where id = $1";
    execute!(tx, SQL, id, hash).map(drop)
}

/// Replaces a password hash. False if it is no longer `old`: a reset wins over a concurrent change.
pub async fn replace_password(tx: &mut Tx, id: UserId, old: &str, new: &str) -> sqlx::Result<bool> {
    const SQL: &str = "
        update users set password_hash = $3 where id = $1 and password_hash = $2 and deactivated_at is null";
    execute!(tx, SQL, id, old, new).map(|rows| rows == 1)
}

/// Deactivates a user, or with `None` activates.
pub async fn set_deactivated(tx: &mut Tx, id: UserId, at: Option<Moment>) -> sqlx::Result<()> {
    const SQL: &str = "update users set deactivated_at = $2 where id = $1";
    execute!(tx, SQL, id, at)?;
    tx.revoke_cached_access().await
}

/// Deletes a user, with sessions, links, keys and subscription. The caller has ended their access to properties and
/// groups before.
pub async fn delete(tx: &mut Tx, id: UserId) -> sqlx::Result<()> {
    execute!(tx, "delete from users where id = $1", id).map(drop)
}

/// Locks a user until the transaction ends, for writes that depend on it. (SQLite has one writer at a time anyway.)
pub async fn lock_user(tx: &mut Tx, id: UserId) -> sqlx::Result<()> {
    const SQL: &str = "select id from users where id = $1 for no key update";
    if tx.is_postgres() {
        Statement::new(SQL, vec![id.into()]).fetch_values::<UserId>(tx).await?;
    }
    Ok(())
}
