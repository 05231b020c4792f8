//! Reading the record: by account, kind and time, the newest first.

use chrono::TimeDelta;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    base::{clock::Moment, ids::UserId},
    db::{Bind, Statement, Tx, impl_from_row},
    record::activity::{Kind, first_id},
};

/// Which entries.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// The account that they concern.
    pub user: Option<UserId>,
    pub kind: Option<Kind>,
    pub from: Option<Moment>,
    /// They happened before this.
    pub before: Option<Moment>,
}

/// An entry with what is known of whoever did it.
pub struct Recorded {
    pub id: Uuid,
    pub at: Moment,
    /// Of the account that it concerns; `None` once it is deleted.
    pub email: Option<String>,
    /// See [`Actor::word`](crate::record::activity::Actor::word).
    pub actor: String,
    pub actor_id: Option<Uuid>,
    /// The person, or the user of the key.
    pub actor_email: Option<String>,
    /// The user of the key.
    pub key_user: Option<UserId>,
    pub key_title: Option<String>,
    /// The name of a [`Kind`].
    pub kind: String,
    pub subject_id: Option<Uuid>,
    pub address: Option<String>,
    pub client: Option<String>,
    pub count: i64,
    pub details: Value,
}

impl_from_row!(Recorded, row => Recorded {
    id: row.try_get("id")?,
    at: row.try_get("at")?,
    email: row.try_get("email")?,
    actor: row.try_get("actor")?,
    actor_id: row.try_get("actor_id")?,
    actor_email: row.try_get("actor_email")?,
    key_user: row.try_get("key_user")?,
    key_title: row.try_get("key_title")?,
    kind: row.try_get("kind")?,
    subject_id: row.try_get("subject_id")?,
    address: row.try_get("address")?,
    client: row.try_get("client")?,
    count: row.try_get("count")?,
    details: row.try_get::<Option<String>>("details")?
        .map(|text| serde_json::from_str(&text).map_err(|error| sqlx::Error::Decode(error.into())))
        .transpose()?
        .unwrap_or_default(),
});

impl Recorded {
    /// A text of the details, such as `title`.
    pub fn detail(&self, name: &str) -> Option<&str> {
        self.details.get(name).and_then(Value::as_str)
    }

    /// The name of what it is about: the title of a key or property, or the email address of a person.
    pub fn subject(&self) -> &str {
        let is_placement = matches!(Kind::from_name(&self.kind), Some(Kind::PropertyPlaced | Kind::PropertyTakenOut));
        let named = if is_placement { self.detail("property") } else { None };
        named
            .or_else(|| self.detail("title"))
            .or_else(|| self.detail("email"))
            .or(self.email.as_deref())
            .unwrap_or_default()
    }
}

/// The next entries, the newest first: at most `limit`, after the entry `after`, leaving out the first `offset`.
pub async fn read(
    tx: &mut Tx,
    filter: &Filter,
    after: Option<Uuid>,
    limit: i64,
    offset: i64,
) -> sqlx::Result<Vec<Recorded>> {
    const ENTRIES: &str = "
        select a.id, a.at, u.email, a.actor, a.actor_id, coalesce(p.email, ku.email) as actor_email,
            k.user_id as key_user, k.title as key_title, a.kind, a.subject_id, a.address, a.client, a.count, a.details
        from activity a
        left join users u on u.id = a.user_id
        left join users p on p.id = a.actor_id
        left join api_keys k on k.id = a.actor_id
        left join users ku on ku.id = k.user_id
        where true";
    let mut rows = filtered(ENTRIES, filter);
    if let Some(after) = after {
        let after = rows.bind(Bind::Id(after));
        rows.push(&format!(" and a.id < {after}"));
    }
    let (limit, offset) = (rows.bind(Bind::Whole(limit)), rows.bind(Bind::Whole(offset)));
    rows.push(&format!(" order by a.id desc limit {limit} offset {offset}"));
    rows.fetch_all(tx).await
}

/// How many entries there are, counted up to `most`.
pub async fn count(tx: &mut Tx, filter: &Filter, most: i64) -> sqlx::Result<i64> {
    let mut rows = filtered("select count(*) from (select 1 from activity a where true", filter);
    let most = rows.bind(Bind::Whole(most));
    rows.push(&format!(" limit {most}) counted"));
    rows.fetch_value(tx).await
}

/// Completes a statement on entries `a`. Times are looked up by ids, which begin with the moment at which an entry was
/// written: never before the change, and soon after it.
fn filtered(statement: &'static str, filter: &Filter) -> Statement {
    let mut rows = Statement::new(statement, Vec::new());
    let Filter { user, kind, from, before } = *filter;
    if let Some(user) = user {
        // Hides the user from PostgreSQL's planner: for one with many entries it would read those of all users.
        let user = rows.bind(user.into());
        rows.push(&format!(" and a.user_id = (select me.id from users me where me.id = {user} limit 1)"));
    }
    if let Some(kind) = kind {
        // Not looked up by the index of kinds, which has the entries of all users.
        let column = if user.is_some() { "a.kind || ''" } else { "a.kind" };
        rows.and(column, kind.name().into());
    }
    if let Some(from) = from {
        let (id, from) = (rows.bind(Bind::Id(first_id(from))), rows.bind(from.into()));
        rows.push(&format!(" and a.id >= {id} and a.at >= {from}"));
    }
    if let Some(before) = before {
        let last = before.checked_add_signed(TimeDelta::hours(1)).unwrap_or(before);
        let (id, before) = (rows.bind(Bind::Id(first_id(last))), rows.bind(before.into()));
        rows.push(&format!(" and a.id < {id} and a.at < {before}"));
    }
    rows
}
