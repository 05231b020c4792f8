//! API keys in the database.

use super::{ApiKey, By, KeyDigest, last_use::LastUse};
use crate::{
    clock::Moment,
    db::{Tx, folded, on, row, run},
    ids::{ApiKeyId, UserId},
    secret::Digest,
    subscriptions::Subscription,
};

row!(ApiKey {
    id,
    title,
    tail,
    created_at,
    last_used_at,
    last_used_address,
    last_used_client,
    withdrawn_at,
    withdrawn_by
});

/// The order of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The newest first.
    Created,
    TitleUp,
    TitleDown,
}

/// All keys of a user, withdrawn ones too.
pub async fn of_user(tx: &mut Tx, user: UserId, order: Order) -> sqlx::Result<Vec<ApiKey>> {
    macro_rules! ordered {
        ($order:literal) => {
            concat!(
                "select id, title, tail, created_at, last_used_at, last_used_address, last_used_client,
                    withdrawn_at, withdrawn_by
                 from api_keys where user_id = $1 order by ",
                $order
            )
        };
    }
    let sql = match order {
        Order::Created => ordered!("created_at desc, id desc"),
        Order::TitleUp => ordered!("sort_title, id"),
        Order::TitleDown => ordered!("sort_title desc, id"),
    };
    on!(tx, conn => sqlx::query_as(sql).bind(user).fetch_all(conn).await)
}

/// One key of a user.
pub async fn by_id(tx: &mut Tx, user: UserId, id: ApiKeyId) -> sqlx::Result<Option<ApiKey>> {
    const SQL: &str = "
        select id, title, tail, created_at, last_used_at, last_used_address, last_used_client,
            withdrawn_at, withdrawn_by
        from api_keys where id = $1 and user_id = $2";
    on!(tx, conn => sqlx::query_as(SQL).bind(id).bind(user).fetch_optional(conn).await)
}

/// The key that a form made.
pub async fn by_form(tx: &mut Tx, user: UserId, form: &Digest) -> sqlx::Result<Option<ApiKey>> {
    const SQL: &str = "
        select id, title, tail, created_at, last_used_at, last_used_address, last_used_client,
            withdrawn_at, withdrawn_by
        from api_keys where form_digest = $1 and user_id = $2";
    on!(tx, conn => sqlx::query_as(SQL).bind(form).bind(user).fetch_optional(conn).await)
}

/// Keys of a user that are not withdrawn.
pub async fn count_active(tx: &mut Tx, user: UserId) -> sqlx::Result<i64> {
    const SQL: &str = "select count(*) from api_keys where user_id = $1 and withdrawn_at is null";
    on!(tx, conn => sqlx::query_scalar(SQL).bind(user).fetch_one(conn).await)
}

/// A key about to be kept.
pub struct NewKey<'a> {
    pub id: ApiKeyId,
    pub user: UserId,
    pub title: &'a str,
    pub digest: KeyDigest,
    pub tail: &'a str,
    pub form: &'a Digest,
}

/// Keeps a new key with all powers of its user.
pub async fn insert(tx: &mut Tx, key: &NewKey<'_>, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "
        insert into api_keys
            (id, user_id, title, sort_title, digest, tail, form_digest, all_properties, read_only, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, true, false, $8)";
    run!(
        tx,
        sqlx::query(SQL)
            .bind(key.id)
            .bind(key.user)
            .bind(key.title)
            .bind(folded(key.title).into_bytes())
            .bind(&key.digest)
            .bind(key.tail)
            .bind(key.form)
            .bind(now)
    )
    .map(drop)
}

/// Withdraws a key, for good. False where it does not exist or was withdrawn before.
pub async fn withdraw(tx: &mut Tx, id: ApiKeyId, by: By, now: Moment) -> sqlx::Result<bool> {
    const SQL: &str = "
        update api_keys set withdrawn_at = $2, withdrawn_by = $3 where id = $1 and withdrawn_at is null";
    run!(tx, sqlx::query(SQL).bind(id).bind(now).bind(by.name())).map(|rows| rows == 1)
}

/// Withdraws every key of a user.
pub async fn withdraw_all(tx: &mut Tx, user: UserId, by: By, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "
        update api_keys set withdrawn_at = $2, withdrawn_by = $3 where user_id = $1 and withdrawn_at is null";
    run!(tx, sqlx::query(SQL).bind(user).bind(now).bind(by.name())).map(drop)
}

/// What a request with a key needs to know of it and of its user.
pub struct Holder {
    pub key: ApiKeyId,
    pub user: UserId,
    pub all_properties: bool,
    pub read_only: bool,
    pub expires_at: Option<Moment>,
    pub withdrawn_at: Option<Moment>,
    pub last_used_at: Option<Moment>,
    pub deactivated_at: Option<Moment>,
    pub subscription: Option<Subscription>,
}

row!(Holder, row => Holder {
    key: row.try_get("id")?,
    user: row.try_get("user_id")?,
    all_properties: row.try_get("all_properties")?,
    read_only: row.try_get("read_only")?,
    expires_at: row.try_get("expires_at")?,
    withdrawn_at: row.try_get("withdrawn_at")?,
    last_used_at: row.try_get("last_used_at")?,
    deactivated_at: row.try_get("deactivated_at")?,
    subscription: Subscription::from_joined_row(row.try_get("state")?, row.try_get("period_ends_at")?)?,
});

/// The holder of a key: one look-up a request.
pub async fn holder(tx: &mut Tx, digest: &KeyDigest) -> sqlx::Result<Option<Holder>> {
    const SQL: &str = "
        select k.id, k.user_id, k.all_properties, k.read_only, k.expires_at, k.withdrawn_at, k.last_used_at,
            u.deactivated_at, s.state, s.period_ends_at
        from api_keys k
        join users u on u.id = k.user_id
        left join subscriptions s on s.user_id = k.user_id
        where k.digest = $1";
    on!(tx, conn => sqlx::query_as(SQL).bind(digest).fetch_optional(conn).await)
}

/// Notes the last use, unless a later one is noted already. Touches nothing else, so that a check under way cannot
/// bring a withdrawn key back.
pub async fn note_use(tx: &mut Tx, key: ApiKeyId, used: &LastUse) -> sqlx::Result<()> {
    const SQL: &str = "
        update api_keys set last_used_at = $2, last_used_address = $3, last_used_client = $4
        where id = $1 and (last_used_at is null or last_used_at < $2)";
    run!(tx, sqlx::query(SQL).bind(key).bind(used.at).bind(&used.address).bind(&used.client)).map(drop)
}
