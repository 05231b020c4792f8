//! People in the database.

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

/// What is needed to judge a sign-in.
pub struct Credentials {
    pub id: UserId,
    pub password_hash: Option<String>,
    pub deactivated_at: Option<Moment>,
}

impl_from_row!(Credentials { id, password_hash, deactivated_at });

/// A person with the subscription, as each page view asks for them.
pub struct Account {
    pub user: User,
    pub subscription: Option<Subscription>,
}

impl_from_row!(Account, row => Account {
    user: User::from_row(row)?,
    subscription: Subscription::from_joined_row(row.try_get("state")?, row.try_get("period_ends_at")?)?,
});

/// A person as the host lists them; without a password, one who was invited and has not used the link yet.
pub struct Listed {
    pub user: User,
    pub has_password: bool,
}

impl_from_row!(Listed, row => Listed { user: User::from_row(row)?, has_password: row.try_get("has_password")? });

pub async fn by_id(tx: &mut Tx, id: UserId) -> sqlx::Result<Option<Account>> {
    const SQL: &str = "
        select u.id, u.email, u.name, u.time_zone, u.deactivated_at, s.state, s.period_ends_at
        from users u left join subscriptions s on s.user_id = u.id
        where u.id = $1";
    Statement::new(SQL, vec![id.into()]).fetch_optional(tx).await
}

pub async fn by_email(tx: &mut Tx, email: &Email) -> sqlx::Result<Option<User>> {
    const SQL: &str = "select id, email, name, time_zone, deactivated_at from users where email_key = $1";
    Statement::new(SQL, vec![Bind::Text(email.key.clone())]).fetch_optional(tx).await
}

/// Everyone, by address.
pub async fn all(tx: &mut Tx) -> sqlx::Result<Vec<Listed>> {
    const SQL: &str = "
        select id, email, name, time_zone, deactivated_at, password_hash is not null as has_password
        from users order by email_key collate \"C\"";
    Statement::new(SQL, Vec::new()).fetch_all(tx).await
}

/// Whether there is anybody.
pub async fn any(tx: &mut Tx) -> sqlx::Result<bool> {
    Statement::new("select exists (select 1 from users)", Vec::new()).fetch_value(tx).await
}

pub async fn credentials(tx: &mut Tx, email: &Email) -> sqlx::Result<Option<Credentials>> {
    const SQL: &str = "select id, password_hash, deactivated_at from users where email_key = $1";
    Statement::new(SQL, vec![Bind::Text(email.key.clone())]).fetch_optional(tx).await
}

pub async fn password_hash(tx: &mut Tx, id: UserId) -> sqlx::Result<Option<String>> {
    const SQL: &str = "select password_hash from users where id = $1";
    Statement::new(SQL, vec![id.into()]).fetch_value(tx).await
}

/// Adds a person. False where somebody has the address already.
pub async fn insert(
    tx: &mut Tx,
    user: &User,
    email: &Email,
    password_hash: Option<&str>,
    now: Moment,
) -> sqlx::Result<bool> {
    const SQL: &str = "
        insert into users (id, email, email_key, name, time_zone, password_hash, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (email_key) do nothing";
    execute!(
        tx,
        sqlx::query(SQL)
            .bind(user.id)
            .bind(&email.text)
            .bind(&email.key)
            .bind(&user.name)
            .bind(&user.time_zone)
            .bind(password_hash)
            .bind(now)
    )
    .map(|rows| rows == 1)
}

pub async fn set_default_group(tx: &mut Tx, id: UserId, group: GroupId) -> sqlx::Result<()> {
    const SQL: &str = "update users set default_group_id = $2 where id = $1";
    execute!(tx, sqlx::query(SQL).bind(id).bind(group)).map(drop)
}

pub async fn set_profile(tx: &mut Tx, id: UserId, name: Option<&str>, time_zone: &str) -> sqlx::Result<()> {
    const SQL: &str = "update users set name = $2, time_zone = $3 where id = $1";
    execute!(tx, sqlx::query(SQL).bind(id).bind(name).bind(time_zone)).map(drop)
}

pub async fn set_name(tx: &mut Tx, id: UserId, name: Option<&str>) -> sqlx::Result<()> {
    const SQL: &str = "update users set name = $2 where id = $1";
    execute!(tx, sqlx::query(SQL).bind(id).bind(name)).map(drop)
}

pub async fn set_password(tx: &mut Tx, id: UserId, hash: &str) -> sqlx::Result<()> {
    const SQL: &str = "update users set password_hash = $2 where id = $1";
    execute!(tx, sqlx::query(SQL).bind(id).bind(hash)).map(drop)
}

/// Replaces a password hash by another. False where it has changed meanwhile: a reset beats a change under way.
pub async fn replace_password(tx: &mut Tx, id: UserId, old: &str, new: &str) -> sqlx::Result<bool> {
    const SQL: &str = "
        update users set password_hash = $3 where id = $1 and password_hash = $2 and deactivated_at is null";
    execute!(tx, sqlx::query(SQL).bind(id).bind(old).bind(new)).map(|rows| rows == 1)
}

/// Deactivates, or with `None` activates.
pub async fn set_deactivated(tx: &mut Tx, id: UserId, at: Option<Moment>) -> sqlx::Result<()> {
    const SQL: &str = "update users set deactivated_at = $2 where id = $1";
    execute!(tx, sqlx::query(SQL).bind(id).bind(at))?;
    tx.revoke_cached_access().await
}

/// Deletes a person, with sessions, links, keys and subscription. What they have access to is taken from them before.
pub async fn delete(tx: &mut Tx, id: UserId) -> sqlx::Result<()> {
    execute!(tx, sqlx::query("delete from users where id = $1").bind(id)).map(drop)
}

/// Makes writes whose rule hangs on this user queue behind each other. SQLite has one writer at a time anyway, and would
/// look at all that refers to the user.
pub async fn lock_user(tx: &mut Tx, id: UserId) -> sqlx::Result<()> {
    const SQL: &str = "select id from users where id = $1 for no key update";
    if tx.is_postgres() {
        Statement::new(SQL, vec![id.into()]).fetch_values::<UserId>(tx).await?;
    }
    Ok(())
}

/// Keeps a one-use link; those made before for the same person stop working.
pub async fn insert_link(
    tx: &mut Tx,
    user: UserId,
    digest: &Digest,
    now: Moment,
    expires_at: Moment,
) -> sqlx::Result<()> {
    const FORGET: &str = "delete from user_links where user_id = $1";
    const SQL: &str = "insert into user_links (digest, user_id, created_at, expires_at) values ($1, $2, $3, $4)";
    execute!(tx, sqlx::query(FORGET).bind(user))?;
    execute!(tx, sqlx::query(SQL).bind(digest).bind(user).bind(now).bind(expires_at)).map(drop)
}

/// The person a link is for, while it is good.
pub async fn by_link(tx: &mut Tx, digest: &Digest, now: Moment) -> sqlx::Result<Option<User>> {
    const SQL: &str = "
        select u.id, u.email, u.name, u.time_zone, u.deactivated_at
        from user_links l join users u on u.id = l.user_id
        where l.digest = $1 and l.used_at is null and l.expires_at > $2 and u.deactivated_at is null";
    Statement::new(SQL, vec![digest.clone().into(), Bind::Moment(now)]).fetch_optional(tx).await
}

/// Uses a link up. False where it was used or has expired meanwhile.
pub async fn use_link(tx: &mut Tx, digest: &Digest, now: Moment) -> sqlx::Result<bool> {
    const SQL: &str = "update user_links set used_at = $2 where digest = $1 and used_at is null and expires_at > $2";
    execute!(tx, sqlx::query(SQL).bind(digest).bind(now)).map(|rows| rows == 1)
}
