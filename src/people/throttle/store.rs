//! Counters of failed attempts in the database, shared by all processes.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use chrono::Duration;

use crate::{
    base::{clock::Moment, ids::UserId, logging::OnceAMinute},
    db::{Bind, Db, Statement, Tx, execute, impl_from_row},
    people::throttle::{Closed, Closing, FORGOTTEN_AFTER, MOST_IN_A_ROW, Subject},
};

/// Counters beyond which strangers at addresses without an account share one: otherwise anybody could fill the table.
const MOST_COUNTERS: i64 = 100_000;

/// The shared counter.
const UNKNOWN_ACCOUNTS: &str = "account:unknown";

/// A counter as it is stored.
struct Counter {
    failures: i64,
    began_at: Moment,
    last_at: Moment,
    closed_until: Option<Moment>,
}

impl_from_row!(Counter { failures, began_at, last_at, closed_until });

impl Counter {
    const SQL: &str = "select failures, began_at, last_at, closed_until from attempts where subject = $1";

    /// As it counts now. An account's is forgotten a day after the last failure, an address's counts the failures of a day:
    /// people make some on every day. A closing that is more than a day ahead is of a clock that was set back since.
    fn at(self, subject: &Subject, now: Moment) -> Self {
        let closes_for_good = subject.closing(self.failures, now) == Closing::UntilReset;
        let since = if subject.is_cleared_by_success() { self.last_at } else { self.began_at };
        let closed_until = self.closed_until.map(|until| until.min(now + FORGOTTEN_AFTER));
        match !closes_for_good && now - since >= subject.counted_for() {
            true => Counter { failures: 0, began_at: now, last_at: now, closed_until },
            false => Counter { closed_until, ..self },
        }
    }

    fn closed(&self, subject: &Subject, now: Moment) -> Option<Closed> {
        match self.closed_until {
            _ if subject.closing(self.failures, now) == Closing::UntilReset => Some(Closed { until: None }),
            Some(until) if until > now => Some(Closed { until: Some(until) }),
            _ => None,
        }
    }
}

/// An attempt that counts as failed until it succeeds.
#[must_use = "an attempt that succeeded must be given back"]
pub struct Ticket(Vec<Reserved>);

struct Reserved {
    subject: Subject,
    name: String,
    /// With this attempt.
    failures: i64,
    began_at: Moment,
    /// Before this attempt.
    closed_until: Option<Moment>,
}

/// Counts an attempt as failed for all of these subjects, unless one of them is closed: then for none.
///
/// # Errors
/// If the database is unavailable: then nothing is counted.
pub async fn reserve(db: &Db, subjects: Vec<Subject>, now: Moment) -> sqlx::Result<Result<Ticket, Closed>> {
    let shares = are_too_many(db).await?;
    let mut named: Vec<(String, Subject)> = subjects
        .into_iter()
        .map(|subject| match &subject {
            Subject::Account(_, None) if shares => (UNKNOWN_ACCOUNTS.to_owned(), subject),
            _ => (subject.name(), subject),
        })
        .collect();
    // Every transaction locks them in the same order.
    named.sort_by(|(a, _), (b, _)| a.cmp(b));
    // What is closed is refused without a write, unless its end must be corrected.
    let mut tx = db.read_latest().await?;
    let mut closed = None;
    for (name, subject) in &named {
        if let Some(counter) = find(&mut tx, name).await? {
            let is_stale = counter.closed_until.is_some_and(|until| until > now + FORGOTTEN_AFTER);
            match counter.at(subject, now).closed(subject, now) {
                Some(found) if !is_stale => closed = closed.max_by_end(Some(found)),
                _ => {}
            }
        }
    }
    drop(tx);
    match closed {
        Some(closed) => Ok(Err(closed)),
        None => count(db, named, now).await,
    }
}

/// The closing that lasts longer.
trait MaxByEnd {
    fn max_by_end(self, other: Self) -> Self;
}

impl MaxByEnd for Option<Closed> {
    fn max_by_end(self, other: Self) -> Self {
        match (self, other) {
            (Some(Closed { until: Some(a) }), Some(Closed { until: Some(b) })) => {
                Some(Closed { until: Some(a.max(b)) })
            }
            (Some(_), Some(_)) => Some(Closed { until: None }),
            (one, other) => one.or(other),
        }
    }
}

async fn count(db: &Db, named: Vec<(String, Subject)>, now: Moment) -> sqlx::Result<Result<Ticket, Closed>> {
    // The row of a counter that exists is locked.
    const INSERT: &str = "
        insert into attempts (subject, user_id, failures, began_at, last_at) values ($1, $2, 0, $3, $3)
        on conflict (subject) do update set failures = attempts.failures";
    let mut tx = db.write().await?;
    let (mut reserved, mut closed, mut corrected) = (Vec::new(), None, false);
    for (name, subject) in named {
        execute!(&mut tx, INSERT, &name, subject.user().map(uuid::Uuid::from), now)?;
        let stored = find(&mut tx, &name).await?.ok_or(sqlx::Error::RowNotFound)?;
        let is_stale = stored.closed_until.is_some_and(|until| until > now + FORGOTTEN_AFTER);
        let counter = stored.at(&subject, now);
        if let Some(found) = counter.closed(&subject, now) {
            closed = closed.max_by_end(Some(found));
            if is_stale {
                execute!(&mut tx, "update attempts set closed_until = $2 where subject = $1", &name, found.until)?;
                corrected = true;
            }
            continue;
        }
        let mut failures = counter.failures + 1;
        // What many share is never closed for good.
        if name == UNKNOWN_ACCOUNTS {
            failures = failures.min(MOST_IN_A_ROW - 1);
        }
        let Counter { began_at, closed_until, .. } = counter;
        reserved.push(Reserved { subject, name, failures, began_at, closed_until });
    }
    if let Some(closed) = closed {
        if corrected {
            tx.commit().await?;
        }
        return Ok(Err(closed));
    }
    for Reserved { subject, name, failures, began_at, closed_until } in &reserved {
        let until = match subject.closing(*failures, now) {
            Closing::For(time) => Some(now + time),
            Closing::Open | Closing::UntilReset => *closed_until,
        };
        const SQL: &str = "
            update attempts set failures = $2, began_at = $3, last_at = $4, closed_until = $5 where subject = $1";
        execute!(&mut tx, SQL, name, *failures, *began_at, now, until)?;
    }
    tx.commit().await?;
    Ok(Ok(Ticket(reserved)))
}

async fn find(tx: &mut Tx, name: &str) -> sqlx::Result<Option<Counter>> {
    Statement::new(Counter::SQL, vec![Bind::Text(name.to_owned())]).fetch_optional(tx).await
}

/// True if there are more counters than are kept apart; counted once a minute.
async fn are_too_many(db: &Db) -> sqlx::Result<bool> {
    static DUE: OnceAMinute = OnceAMinute::new();
    static TOO_MANY: AtomicBool = AtomicBool::new(false);
    if DUE.is_due() {
        let mut tx = db.read_latest().await?;
        let counters: i64 = Statement::new("select count(*) from attempts", Vec::new()).fetch_value(&mut tx).await?;
        TOO_MANY.store(counters > MOST_COUNTERS, Relaxed);
    }
    Ok(TOO_MANY.load(Relaxed))
}

impl Ticket {
    /// The failures of strangers at the account in a row, with this attempt; 0 for a known browser.
    pub fn failures_of_strangers(&self) -> i64 {
        let account = self.0.iter().find(|reserved| matches!(reserved.subject, Subject::Account(..)));
        account.map_or(0, |reserved| reserved.failures)
    }

    /// What was asked for counts, whatever came of it.
    pub fn keep(self) {}

    /// The attempt succeeded: clears the counters of the account and of the browser, and takes this attempt back from that
    /// of the address.
    pub async fn succeed(self, tx: &mut Tx) -> sqlx::Result<()> {
        for reserved in self.0 {
            match reserved.subject.is_cleared_by_success() {
                true => execute!(tx, "delete from attempts where subject = $1", &reserved.name).map(drop)?,
                false => reserved.give_back(tx).await?,
            }
        }
        Ok(())
    }

    /// The attempt was not checked, so it counts for nothing.
    pub async fn give_back(self, db: &Db) -> sqlx::Result<()> {
        let mut tx = db.write().await?;
        for reserved in self.0 {
            reserved.give_back(&mut tx).await?;
        }
        tx.commit().await
    }
}

impl Reserved {
    /// Takes one failure back, and what it closed, if nothing came after it.
    async fn give_back(self, tx: &mut Tx) -> sqlx::Result<()> {
        const SQL: &str = "
            update attempts
            set closed_until = case when failures = $2 then $3 else closed_until end, failures = failures - 1
            where subject = $1 and failures > 0";
        execute!(tx, SQL, &self.name, self.failures, self.closed_until).map(drop)
    }
}

/// How long counters without an account are stored at most, also those that closed for good.
const NOBODY_S: Duration = Duration::days(30);

/// Deletes up to so many counters that are forgotten.
pub async fn delete_forgotten(tx: &mut Tx, now: Moment, most: i64) -> sqlx::Result<u64> {
    const SQL: &str = "
        delete from attempts where subject in (
            select subject from attempts where last_at < $1 and (failures < $2 or user_id is null and last_at < $3)
            limit $4)";
    execute!(tx, SQL, now - FORGOTTEN_AFTER, MOST_IN_A_ROW, now - NOBODY_S, most)
}

/// Clears a counter.
pub async fn clear(tx: &mut Tx, subject: &Subject) -> sqlx::Result<()> {
    execute!(tx, "delete from attempts where subject = $1", subject.name()).map(drop)
}

/// Writes the counter of an account anew, as it is: a failed attempt at an unknown account takes as long as one at a known
/// account, where it is recorded.
pub async fn touch(tx: &mut Tx, subject: &Subject, now: Moment) -> sqlx::Result<()> {
    execute!(tx, "update attempts set last_at = $2 where subject = $1", subject.name(), now).map(drop)
}

/// Clears the counters of wrong passwords of an account, and of its browsers; not those of wrong codes, since whoever knows
/// the password could go on guessing.
pub async fn clear_passwords(tx: &mut Tx, user: UserId, email: &str) -> sqlx::Result<()> {
    const SQL: &str = "delete from attempts where (user_id = $1 and subject not like 'code:%') or subject = $2";
    execute!(tx, SQL, user, Subject::account(email, Some(user)).name()).map(drop)
}

/// Clears the counters of wrong codes of an account.
pub async fn clear_codes(tx: &mut Tx, user: UserId) -> sqlx::Result<()> {
    execute!(tx, "delete from attempts where user_id = $1 and subject like 'code:%'", user).map(drop)
}

/// Clears every counter of an account, and of its browsers.
pub async fn unlock(tx: &mut Tx, user: UserId, email: &str) -> sqlx::Result<()> {
    const SQL: &str = "delete from attempts where user_id = $1 or subject = $2";
    execute!(tx, SQL, user, Subject::account(email, Some(user)).name()).map(drop)
}
