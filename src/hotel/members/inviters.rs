//! Whose invitations users do not accept (docs/contract/README.md, section 15, 107).

use chrono::Duration;

use crate::{
    base::{
        clock::Moment,
        error::{Error, Result},
        ids::UserId,
    },
    db::{Bind, Statement, Tx, execute, impl_from_row},
};

/// New ways that one user may give another in 24 hours.
const WAYS_A_DAY: i64 = 20;

/// Counts a new way that an inviter gives a user. The caller has locked the user.
///
/// # Errors
/// `Forbidden` if the user does not accept invitations from the inviter, or has been given too many in 24 hours.
pub async fn count_way(tx: &mut Tx, inviter: UserId, user: UserId, now: Moment) -> Result<()> {
    const COUNT: &str = "
        insert into ways_given (inviter_id, user_id, since, ways) values ($1, $2, $3, 1)
        on conflict (inviter_id, user_id) do update set
            ways = case when ways_given.since <= $4 or ways_given.since > $3 then 1 else ways_given.ways + 1 end,
            since = case when ways_given.since <= $4 or ways_given.since > $3 then $3 else ways_given.since end";
    const WAYS: &str = "select ways from ways_given where inviter_id = $1 and user_id = $2";
    if inviter == user {
        return Ok(());
    }
    let refused = Err(Error::Forbidden(Some("the user does not take invitations from you")));
    if is_refused(tx, user, inviter).await? {
        return refused;
    }
    let day_ago = now - Duration::days(1);
    execute!(tx, COUNT, inviter, user, now, day_ago)?;
    match Statement::new(WAYS, vec![inviter.into(), user.into()]).fetch_value::<i64>(tx).await? {
        ..=WAYS_A_DAY => Ok(()),
        _ => refused,
    }
}

async fn is_refused(tx: &mut Tx, user: UserId, inviter: UserId) -> sqlx::Result<bool> {
    const SQL: &str = "select count(*) from refused_inviters where user_id = $1 and inviter_id = $2";
    Ok(Statement::new(SQL, vec![user.into(), inviter.into()]).fetch_value::<i64>(tx).await? > 0)
}

/// An inviter whose invitations a user does not accept.
pub struct Inviter {
    pub id: UserId,
    pub email: String,
    pub name: Option<String>,
    pub since: Moment,
}

impl_from_row!(Inviter { id, email, name, since });

/// All inviters whose invitations a user does not accept, by email address.
pub async fn refused_by(tx: &mut Tx, user: UserId) -> sqlx::Result<Vec<Inviter>> {
    const SQL: &str = "
        select u.id, u.email, u.name, r.created_at as since
        from refused_inviters r join users u on u.id = r.inviter_id
        where r.user_id = $1 order by u.email_key collate \"C\"";
    Statement::new(SQL, vec![user.into()]).fetch_all(tx).await
}

/// Refuses future invitations from this inviter.
pub async fn refuse(tx: &mut Tx, user: UserId, inviter: UserId, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "
        insert into refused_inviters (user_id, inviter_id, created_at) values ($1, $2, $3)
        on conflict (user_id, inviter_id) do nothing";
    execute!(tx, SQL, user, inviter, now).map(drop)
}

/// Accepts invitations from this inviter again. False if they were not refused.
pub async fn allow(tx: &mut Tx, user: UserId, inviter: UserId) -> sqlx::Result<bool> {
    const SQL: &str = "delete from refused_inviters where user_id = $1 and inviter_id = $2";
    let binds = vec![Bind::Id(user.0), Bind::Id(inviter.0)];
    Ok(Statement::new(SQL, binds).execute(tx).await? > 0)
}
