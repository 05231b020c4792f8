//! The outbox, as it is worked off: mails that are due, leases, and what became of them.

use chrono::Duration;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    base::{
        clock::Moment,
        ids::UserId,
        secret::{self, Digest},
    },
    db::{Bind, Statement, Tx, execute, impl_from_row},
    record::outbox::MailKind,
};

/// How long a process may take to send a mail, before another one tries.
const LEASE: Duration = Duration::minutes(2);

/// Pauses between attempts; the last one is repeated.
const PAUSES: [Duration; 8] = [
    Duration::seconds(30),
    Duration::minutes(2),
    Duration::minutes(10),
    Duration::minutes(30),
    Duration::hours(1),
    Duration::hours(2),
    Duration::hours(4),
    Duration::hours(6),
];

/// How long sent mails and those that were given up are listed.
const LISTED_FOR: Duration = Duration::days(30);

/// A mail that this process has leased.
pub struct Leased {
    pub id: Uuid,
    pub kind: Option<MailKind>,
    pub user: Option<UserId>,
    pub to: String,
    pub data: Value,
    pub created_at: Moment,
    /// With the attempt that begins now.
    pub tries: i64,
    lease: Digest,
}

/// A row of the outbox.
pub struct Row {
    pub id: Uuid,
    pub kind: String,
    pub user_id: Option<Uuid>,
    pub to_address: String,
    pub data: String,
    pub created_at: Moment,
    pub next_try_at: Moment,
    pub tries: i64,
    pub sent_at: Option<Moment>,
    pub given_up_at: Option<Moment>,
    pub last_error: Option<String>,
}

impl_from_row!(Row {
    id,
    kind,
    user_id,
    to_address,
    data,
    created_at,
    next_try_at,
    tries,
    sent_at,
    given_up_at,
    last_error
});

macro_rules! select_mails {
    ($which:literal) => {
        concat!(
            "select id, kind, user_id, to_address, data, created_at, next_try_at, tries, sent_at, given_up_at, last_error
             from outbox ",
            $which
        )
    };
}

/// What may be sent in the present minute, by all processes together.
struct Room {
    /// Mails of any kind.
    all: i64,
    /// Mails that strangers can ask for.
    strangers: i64,
}

struct Sent {
    kind: String,
    mails: i64,
}

impl_from_row!(Sent { kind, mails });

async fn room(tx: &mut Tx, per_minute: i64, now: Moment) -> sqlx::Result<Room> {
    const SQL: &str = "
        select kind, count(*) as mails from outbox
        where sent_at > $1 and sent_at <= $2 or sent_at is null and given_up_at is null and leased_until > $2
        group by kind";
    let binds = vec![Bind::Moment(now - Duration::minutes(1)), now.into()];
    let sent: Vec<Sent> = Statement::new(SQL, binds).fetch_all(tx).await?;
    let is_strangers = |sent: &&Sent| MailKind::from_name(&sent.kind).is_some_and(MailKind::is_asked_for_by_strangers);
    let count = |sent: i64, most: i64| (most - sent).max(0);
    Ok(Room {
        all: count(sent.iter().map(|sent| sent.mails).sum(), per_minute),
        strangers: count(sent.iter().filter(is_strangers).map(|sent| sent.mails).sum(), (per_minute / 2).max(1)),
    })
}

/// Mails that are due and that nobody sends at this moment, the oldest first. A time further ahead than any pause or lease is
/// of a clock that was ahead.
pub async fn due(tx: &mut Tx, per_minute: i64, now: Moment) -> sqlx::Result<Vec<Uuid>> {
    const SQL: &str = "
        select id from outbox
        where sent_at is null and given_up_at is null and (next_try_at <= $1 or next_try_at > $2)
            and (leased_until is null or leased_until <= $1 or leased_until > $3)";
    let room = room(tx, per_minute, now).await?;
    if room.all == 0 {
        return Ok(Vec::new());
    }
    let binds = vec![now.into(), Bind::Moment(now + Duration::hours(7)), Bind::Moment(now + LEASE * 2)];
    let mut due = Statement::new(SQL, binds);
    let strangers: Vec<&str> =
        MailKind::ALL.iter().filter(|kind| kind.is_asked_for_by_strangers()).map(|kind| kind.name()).collect();
    let names = due.bind_texts(tx.is_postgres(), &strangers);
    // Each of them alone may take all that is left.
    let limit = due.bind(Bind::Whole(room.all.min(20)));
    if room.strangers == 0 {
        due.push(&format!(" and kind not in {names}"));
    } else {
        let most = due.bind(Bind::Whole(room.strangers));
        due.push(&format!(
            " and (kind not in {names} or id in (
                select o.id from outbox o
                where o.sent_at is null and o.given_up_at is null and (o.next_try_at <= $1 or o.next_try_at > $2)
                    and o.kind in {names}
                order by o.next_try_at, o.id limit {most}))"
        ));
    }
    due.push(&format!(" order by next_try_at, id limit {limit}"));
    due.fetch_values(tx).await
}

/// Leases a mail to this process. `None` if another one has, or it was sent.
pub async fn lease(tx: &mut Tx, id: Uuid, now: Moment) -> sqlx::Result<Option<Leased>> {
    const SQL: &str = "
        update outbox set leased_until = $2, lease = $3, tries = tries + 1
        where id = $1 and sent_at is null and given_up_at is null
            and (leased_until is null or leased_until <= $4 or leased_until > $5)";
    let lease = Digest::of(&secret::random());
    if execute!(tx, SQL, id, now + LEASE, lease.clone(), now, now + LEASE * 2)? == 0 {
        return Ok(None);
    }
    Ok(by_id(tx, id).await?.map(|row| Leased {
        id,
        kind: MailKind::from_name(&row.kind),
        user: row.user_id.map(UserId),
        to: row.to_address,
        data: serde_json::from_str(&row.data).unwrap_or_default(),
        created_at: row.created_at,
        tries: row.tries,
        lease,
    }))
}

/// Ends all leases: of a process that was killed, where no other one sends mail.
pub async fn end_leases(tx: &mut Tx) -> sqlx::Result<()> {
    execute!(tx, "update outbox set leased_until = null, lease = null where leased_until is not null").map(drop)
}

impl Leased {
    /// The name of its kind.
    pub fn name(&self) -> &'static str {
        self.kind.map_or("unknown", MailKind::name)
    }

    /// The address turned out to have this account, or the mail to be of another kind.
    pub async fn resolve(&mut self, tx: &mut Tx, kind: MailKind, user: Option<UserId>) -> sqlx::Result<()> {
        (self.kind, self.user) = (Some(kind), user);
        const SQL: &str = "update outbox set kind = $2, user_id = $3 where id = $1";
        execute!(tx, SQL, self.id, kind.name(), user.map(|user| user.0)).map(drop)
    }

    /// Removes the mail: there is nobody to whom it could be sent.
    pub async fn remove(&self, tx: &mut Tx) -> sqlx::Result<()> {
        execute!(tx, "delete from outbox where id = $1", self.id).map(drop)
    }

    /// The server has taken it on.
    pub async fn sent(&self, tx: &mut Tx, now: Moment) -> sqlx::Result<()> {
        const SQL: &str = "
            update outbox set sent_at = $3, leased_until = null, lease = null, last_error = null
            where id = $1 and lease = $2";
        execute!(tx, SQL, self.id, self.lease.clone(), now).map(drop)
    }

    /// It was not sent, and is tried again, unless that would come too late: a link that somebody waits for is asked for
    /// again after an hour, other mails are given up after three days. False if it is given up.
    pub async fn try_again(&self, tx: &mut Tx, reason: &str, now: Moment) -> sqlx::Result<bool> {
        const SQL: &str = "
            update outbox set next_try_at = $3, last_error = $4, leased_until = null, lease = null
            where id = $1 and lease = $2";
        let pause = usize::try_from(self.tries - 1).ok().and_then(|tries| PAUSES.get(tries));
        let next = now + *pause.unwrap_or(&PAUSES[PAUSES.len() - 1]);
        let longest = match self.kind {
            Some(kind) if kind.is_asked_for_by_strangers() => Duration::hours(1),
            Some(MailKind::Test) => Duration::zero(),
            _ => Duration::days(3),
        };
        if next - self.created_at > longest {
            self.give_up(tx, reason, now).await?;
            return Ok(false);
        }
        execute!(tx, SQL, self.id, self.lease.clone(), next, reason)?;
        Ok(true)
    }

    /// It will not be sent.
    pub async fn give_up(&self, tx: &mut Tx, reason: &str, now: Moment) -> sqlx::Result<()> {
        const SQL: &str = "
            update outbox set given_up_at = $3, last_error = $4, leased_until = null, lease = null
            where id = $1 and lease = $2";
        execute!(tx, SQL, self.id, self.lease.clone(), now, reason).map(drop)
    }
}

/// Gives a mail up that a fault of the program keeps from being sent.
pub async fn give_up(tx: &mut Tx, id: Uuid, reason: &str, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "
        update outbox set given_up_at = $2, last_error = $3, leased_until = null, lease = null
        where id = $1 and sent_at is null";
    execute!(tx, SQL, id, now, reason).map(drop)
}

/// The mails that were written last, the newest first.
pub async fn latest(tx: &mut Tx, most: i64) -> sqlx::Result<Vec<Row>> {
    const SQL: &str = select_mails!("order by created_at desc, id desc limit $1");
    Statement::new(SQL, vec![Bind::Whole(most)]).fetch_all(tx).await
}

pub async fn by_id(tx: &mut Tx, id: Uuid) -> sqlx::Result<Option<Row>> {
    const SQL: &str = select_mails!("where id = $1");
    Statement::new(SQL, vec![Bind::Id(id)]).fetch_optional(tx).await
}

/// Tries a mail again at once that waits or was given up, as if it had been written now. False if there is none, or it was
/// sent.
pub async fn retry(tx: &mut Tx, id: Uuid, now: Moment) -> sqlx::Result<bool> {
    const SQL: &str = "
        update outbox set created_at = $2, next_try_at = $2, tries = 0, given_up_at = null
        where id = $1 and sent_at is null";
    execute!(tx, SQL, id, now).map(|rows| rows == 1)
}

/// Deletes up to so many mails that were sent or given up long ago.
pub async fn delete_old(tx: &mut Tx, now: Moment, most: i64) -> sqlx::Result<u64> {
    const SQL: &str = "
        delete from outbox where id in (
            select id from outbox where created_at < $1 and (sent_at is not null or given_up_at is not null) limit $2)";
    execute!(tx, SQL, now - LISTED_FOR, most)
}
