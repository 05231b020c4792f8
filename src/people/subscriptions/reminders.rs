//! Mails about subscriptions that are about to end, or have ended: one of each for every end.

use chrono::Duration;
use serde_json::json;

use crate::{
    base::{clock::Moment, ids::UserId},
    db::{Db, Statement, impl_from_row},
    people::subscriptions::{Subscription, TOLD_BEFORE},
    record::outbox::{self, MailKind, Repeat},
};

/// How long ago a subscription may have ended of which its user is still told: a server that was off for longer says nothing.
const TOLD_AFTER: Duration = Duration::days(3);

struct Ending {
    user_id: UserId,
    subscription: Option<Subscription>,
}

impl_from_row!(Ending, row => Ending {
    user_id: row.try_get("user_id")?,
    subscription: Subscription::from_joined_row(row.try_get("state")?, row.try_get("period_ends_at")?)?,
});

/// Writes the mails that are due. Several processes may do so at once.
pub async fn write(db: &Db, grace: Duration, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "
        select user_id, state, period_ends_at from subscriptions
        where period_ends_at > $1 and period_ends_at <= $2 and state <> 'expired'";
    let binds = vec![(now - grace - TOLD_AFTER).into(), (now + TOLD_BEFORE).into()];
    let found: Vec<Ending> = Statement::new(SQL, binds).fetch_all(&mut db.read_latest().await?).await?;
    for Ending { user_id, subscription } in found {
        let Some(end) = subscription.and_then(|subscription| subscription.ends_at(grace)) else { continue };
        let kind = match end - now {
            left if left > TOLD_BEFORE || left <= -TOLD_AFTER => continue,
            left if left > Duration::zero() => MailKind::SubscriptionEnding,
            _ => MailKind::SubscriptionEnded,
        };
        let once = Repeat::Once(format!("{}:{user_id}:{}", kind.name(), end.timestamp()));
        let mut tx = db.write().await?;
        outbox::notify(&mut tx, user_id, kind, &json!({ "at": now, "ends_at": end }), &once, now).await?;
        tx.commit().await?;
    }
    Ok(())
}
