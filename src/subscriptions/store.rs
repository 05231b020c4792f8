//! Subscriptions in the database.

use super::{State, Subscription};
use crate::{
    clock::Moment,
    db::{Select, Tx, row, run},
    ids::UserId,
};

row!(Subscription, row => Subscription::from_joined_row(row.try_get("state")?, row.try_get("period_ends_at")?)?
    .ok_or(sqlx::Error::RowNotFound)?);

pub async fn of_user(tx: &mut Tx, user: UserId) -> sqlx::Result<Option<Subscription>> {
    const SQL: &str = "select state, period_ends_at from subscriptions where user_id = $1";
    Select::new(SQL, vec![user.into()]).maybe(tx).await
}

pub async fn set(
    tx: &mut Tx,
    user: UserId,
    state: State,
    period_ends_at: Option<Moment>,
    now: Moment,
) -> sqlx::Result<()> {
    const SQL: &str = "
        insert into subscriptions (user_id, state, period_ends_at, updated_at) values ($1, $2, $3, $4)
        on conflict (user_id) do update
        set state = excluded.state, period_ends_at = excluded.period_ends_at, updated_at = excluded.updated_at";
    run!(tx, sqlx::query(SQL).bind(user).bind(state.name()).bind(period_ends_at).bind(now))?;
    tx.raise_epoch().await
}
