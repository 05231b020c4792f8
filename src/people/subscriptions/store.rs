//! Subscriptions in the database.

use crate::{
    base::{clock::Moment, ids::UserId},
    db::{Statement, Tx, execute, impl_from_row},
    people::subscriptions::{State, Subscription},
};

impl_from_row!(Subscription, row => Subscription::from_joined_row(row.try_get("state")?, row.try_get("period_ends_at")?)?
    .ok_or(sqlx::Error::RowNotFound)?);

pub async fn of_user(tx: &mut Tx, user: UserId) -> sqlx::Result<Option<Subscription>> {
    const SQL: &str = "select state, period_ends_at from subscriptions where user_id = $1";
    Statement::new(SQL, vec![user.into()]).fetch_optional(tx).await
}

pub async fn set(
    tx: &mut Tx,
    user: UserId,
    state: State,
    period_ends_at: Option<Moment>,
    now: Moment,
) -> sqlx::Result<()> {
    const FIRST: &str = "
        insert into subscriptions (user_id, state, period_ends_at, updated_at) values ($1, $2, $3, $4)
        on conflict (user_id) do nothing";
    const NEXT: &str = "
        update subscriptions set state = $2, period_ends_at = $3, updated_at = $4 where user_id = $1";
    // Before the first subscription there are no keys, and so no cached credentials.
    if execute!(tx, FIRST, user, state.name(), period_ends_at, now)? == 1 {
        return Ok(());
    }
    execute!(tx, NEXT, user, state.name(), period_ends_at, now)?;
    tx.revoke_cached_access().await
}
