//! Mails before a key expires: 30, 7 and 1 days before, each once for an end. A key that lives shorter than twice that time
//! gets none of that kind.

use chrono::Duration;
use serde_json::json;

use crate::{
    base::{
        clock::Moment,
        ids::{ApiKeyId, UserId},
    },
    db::{Db, Statement, execute, impl_from_row},
    record::outbox::{self, MailKind, Repeat},
};

/// Days before the end, the earliest first.
const DAYS: [i64; 3] = [30, 7, 1];

struct Ending {
    id: ApiKeyId,
    user_id: UserId,
    title: String,
    created_at: Moment,
    expires_at: Moment,
    told_until: i64,
}

impl_from_row!(Ending { id, user_id, title, created_at, expires_at, told_until });

impl Ending {
    /// The mail that is due, as its days before the end; `None` if none is, or a later one was written already.
    fn due(&self, now: Moment) -> Option<i64> {
        let (left, life) = (self.expires_at - now, self.expires_at - self.created_at);
        let is_due = |days: &&i64| left <= Duration::days(**days) && life >= Duration::days(**days * 2);
        let days = DAYS.iter().rev().find(is_due).copied()?;
        (self.told_until == 0 || days < self.told_until).then_some(days)
    }
}

/// Writes the mails that are due. That one was written is stored with it, so several processes may do so at once.
///
/// # Errors
/// If the database fails. What was done before stays done.
pub async fn write(db: &Db, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "
        select id, user_id, title, created_at, expires_at, told_until from api_keys
        where expires_at is not null and expires_at > $1 and expires_at <= $2 and withdrawn_at is null
            and not expiry_recorded and replaced_by is null
        order by expires_at";
    const MARK: &str = "
        update api_keys set told_until = $2
        where id = $1 and expires_at = $3 and withdrawn_at is null and (told_until = 0 or told_until > $2)";
    let binds = vec![now.into(), (now + Duration::days(DAYS[0])).into()];
    let found: Vec<Ending> = Statement::new(SQL, binds).fetch_all(&mut db.read_latest().await?).await?;
    for key in found {
        let Some(days) = key.due(now) else { continue };
        let mut tx = db.write().await?;
        if execute!(&mut tx, MARK, key.id, days, key.expires_at)? == 0 {
            continue;
        }
        let once = Repeat::Once(format!("expires:{}:{days}:{}", key.id, key.expires_at.timestamp()));
        let data = json!({ "at": now, "details": { "title": key.title, "expires_at": key.expires_at } });
        outbox::notify(&mut tx, key.user_id, MailKind::KeyExpiresSoon, &data, &once, now).await?;
        tx.commit().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_due_30_7_and_1_days_before_the_end_of_a_life_that_is_long_enough() {
        let now = "2026-03-01T12:00:00Z".parse::<Moment>().expect("a moment");
        let due = |left: i64, life: i64, told_until| {
            let expires_at = now + Duration::hours(left);
            let created_at = expires_at - Duration::days(life);
            let title = String::new();
            Ending { id: ApiKeyId::new(), user_id: UserId::new(), title, created_at, expires_at, told_until }.due(now)
        };
        let day = 24;
        for (left, life, told_until, expected) in [
            (31 * day, 365, 0, None),
            (30 * day, 365, 0, Some(30)),
            (10 * day, 365, 0, Some(30)),
            (10 * day, 365, 30, None),
            (7 * day, 365, 30, Some(7)),
            (7 * day, 365, 7, None),
            (day, 365, 7, Some(1)),
            (1, 365, 1, None),
            // A life of 30 days: the first mail is that of seven days before.
            (29 * day, 30, 0, None),
            (7 * day, 30, 0, Some(7)),
            (12, 1, 0, None),
        ] {
            assert_eq!(due(left, life, told_until), expected, "{left} hours of {life} days, {told_until}");
        }
    }
}
