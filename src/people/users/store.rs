//! People in the database.

use crate::{
    base::{
        clock::Moment,
        ids::{GroupId, UserId},
        secret::Digest,
    },
    db::{Bind, Select, Tx, row, run},
    people::{
        subscriptions::Subscription,
        users::{Email, User},
    },
};

row!(User { id, email, name, time_zone, deactivated_at });

/// What is needed to judge a sign-in.
pub struct Credentials {
    pub id: UserId,
    pub password_hash: Option<String>,
    pub deactivated_at: Option<Moment>,
}

row!(Credentials { id, password_hash, deactivated_at });

/// A person with the subscription, as each page view asks for them.
pub struct Account {
    pub user: User,
    pub subscription: Option<Subscription>,
}

row!(Account, row => Account {
    user: User::from_row(row)?,
    subscription: Subscription::from_joined_row(row.try_get("state")?, row.try_get("period_ends_at")?)?,
});

/// A person as the host lists them; without a password, one who was invited and has not used the link yet.
pub struct Listed {
    pub user: User,
    pub has_password: bool,
}

row!(Listed, row => Listed { user: User::from_row(row)?, has_password: row.try_get("has_password")? });

pub async fn by_id(tx: &mut Tx, id: UserId) -> sqlx::Result<Option<Account>> {
    const SQL: &str = "
        select u.id, u.email, u.name, u.time_zone, u.deactivated_at, s.state, s.period_ends_at
        from users u left join subscriptions s on s.user_id = u.id
        where u.id = $1";
    Select::new(SQL, vec![id.into()]).maybe(tx).await
}

pub async fn by_email(tx: &mut Tx, email: &Email) -> sqlx::Result<Option<User>> {
    const SQL: &str = "select id, email, name, time_zone, deactivated_at from users where email_key = $1";
    Select::new(SQL, vec![Bind::Text(email.key.clone())]).maybe(tx).await
}

/// Everyone, by address.
pub async fn all(tx: &mut Tx) -> sqlx::Result<Vec<Listed>> {
    const SQL: &str = "
        select id, email, name, time_zone, deactivated_at, password_hash is not null as has_password
        from users order by email_key collate \"C\"";
    Select::new(SQL, Vec::new()).all(tx).await
}

/// Whether there is anybody.
pub async fn any(tx: &mut Tx) -> sqlx::Result<bool> {
    Select::new("select exists (select 1 from users)", Vec::new()).value(tx).await
}

pub async fn credentials(tx: &mut Tx, email: &Email) -> sqlx::Result<Option<Credentials>> {
    const SQL: &str = "select id, password_hash, deactivated_at from users where email_key = $1";
    Select::new(SQL, vec![Bind::Text(email.key.clone())]).maybe(tx).await
}

pub async fn password_hash(tx: &mut Tx, id: UserId) -> sqlx::Result<Option<String>> {
    const SQL: &str = "select password_hash from users where id = $1";
    Select::new(SQL, vec![id.into()]).value(tx).await
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
    run!(
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
    run!(tx, sqlx::query(SQL).bind(id).bind(group)).map(drop)
}

pub async fn set_profile(tx: &mut Tx, id: UserId, name: Option<&str>, time_zone: &str) -> sqlx::Result<()> {
    const SQL: &str = "update users set name = $2, time_zone = $3 where id = $1";
    run!(tx, sqlx::query(SQL).bind(id).bind(name).bind(time_zone)).map(drop)
}

pub async fn set_name(tx: &mut Tx, id: UserId, name: Option<&str>) -> sqlx::Result<()> {
    const SQL: &str = "update users set name = $2 where id = $1";
    run!(tx, sqlx::query(SQL).bind(id).bind(name)).map(drop)
}

pub async fn set_password(tx: &mut Tx, id: UserId, hash: &str) -> sqlx::Result<()> {
    const SQL: &str = "update users set password_hash = $2 where id = $1";
    run!(tx, sqlx::query(SQL).bind(id).bind(hash)).map(drop)
}

/// Replaces a password hash by another. False where it has changed meanwhile: a reset beats a change under way.
pub async fn replace_password(tx: &mut Tx, id: UserId, old: &str, new: &str) -> sqlx::Result<bool> {
    const SQL: &str = "
        update users set password_hash = $3 where id = $1 and password_hash = $2 and deactivated_at is null";
    run!(tx, sqlx::query(SQL).bind(id).bind(old).bind(new)).map(|rows| rows == 1)
}

/// Deactivates, or with `None` activates.
pub async fn set_deactivated(tx: &mut Tx, id: UserId, at: Option<Moment>) -> sqlx::Result<()> {
    const SQL: &str = "update users set deactivated_at = $2 where id = $1";
    run!(tx, sqlx::query(SQL).bind(id).bind(at))?;
    tx.raise_epoch().await
}

/// Deletes a person, with sessions, links, keys and subscription. What they have access to is taken from them before.
pub async fn delete(tx: &mut Tx, id: UserId) -> sqlx::Result<()> {
    run!(tx, sqlx::query("delete from users where id = $1").bind(id)).map(drop)
}

/// Makes writes whose rule hangs on this user queue behind each other. SQLite has one writer at a time anyway, and would
/// look at all that refers to the user.
pub async fn queue_on(tx: &mut Tx, id: UserId) -> sqlx::Result<()> {
    const SQL: &str = "select id from users where id = $1 for no key update";
    if tx.is_postgres() {
        Select::new(SQL, vec![id.into()]).values::<UserId>(tx).await?;
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
    run!(tx, sqlx::query(FORGET).bind(user))?;
    run!(tx, sqlx::query(SQL).bind(digest).bind(user).bind(now).bind(expires_at)).map(drop)
}

/// The person a link is for, while it is good.
pub async fn by_link(tx: &mut Tx, digest: &Digest, now: Moment) -> sqlx::Result<Option<User>> {
    const SQL: &str = "
        select u.id, u.email, u.name, u.time_zone, u.deactivated_at
        from user_links l join users u on u.id = l.user_id
        where l.digest = $1 and l.used_at is null and l.expires_at > $2 and u.deactivated_at is null";
    Select::new(SQL, vec![digest.clone().into(), Bind::Moment(now)]).maybe(tx).await
}

/// Uses a link up. False where it was used or has expired meanwhile.
pub async fn use_link(tx: &mut Tx, digest: &Digest, now: Moment) -> sqlx::Result<bool> {
    const SQL: &str = "update user_links set used_at = $2 where digest = $1 and used_at is null and expires_at > $2";
    run!(tx, sqlx::query(SQL).bind(digest).bind(now)).map(|rows| rows == 1)
}
