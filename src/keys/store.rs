//! API keys in the database.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use actix_web::http::header::HeaderValue;
use chrono::{Duration, SecondsFormat};
use ipnet::IpNet;

use crate::{
    access::caller::Caller,
    base::{
        clock::Moment,
        ids::{ApiKeyId, PropertyId, UserId},
        secret::Digest,
    },
    db::{Bind, Statement, Tx, execute, folded, impl_from_row},
    hotel::properties,
    keys::{
        ApiKey, KeyDigest, Withdrawal, addresses,
        life::KeyLife,
        scope::{KeyAccess, KeyScope, SelectedProperties},
        tally::Tally,
        used::{LastUse, Written},
    },
    people::subscriptions::Subscription,
};

/// Tolerated difference between the clocks of two machines.
const CLOCKS_APART: Duration = Duration::minutes(1);

/// Maximum number of property titles that a list shows per key.
const MOST_TITLES: i64 = 20;

impl_from_row!(ApiKey, row => ApiKey {
    id: row.try_get("id")?,
    title: row.try_get("title")?,
    tail: row.try_get("tail")?,
    scope: if row.try_get("all_properties")? { KeyScope::All } else { KeyScope::Selected(SelectedProperties::default()) },
    read_only: row.try_get("read_only")?,
    manage_users: row.try_get("manage_users")?,
    created_at: row.try_get("created_at")?,
    imported: row.try_get("imported")?,
    last_used_at: row.try_get("last_used_at")?,
    last_used_address: row.try_get("last_used_address")?,
    last_used_client: row.try_get("last_used_client")?,
    withdrawn_at: row.try_get("withdrawn_at")?,
    withdrawn_by: row.try_get("withdrawn_by")?,
    withdrawn_how: row.try_get("withdrawn_how")?,
    expires_at: row.try_get("expires_at")?,
    allowed: addresses::parse_stored(row.try_get("allowed_addresses")?)?,
    replaced_by: row.try_get("replaced_by")?,
    ends_when_unused: row.try_get("ends_when_unused")?,
});

macro_rules! select_keys {
    ($which:literal) => {
        concat!(
            "select id, title, tail, all_properties, read_only, manage_users, created_at, last_used_at, last_used_address,
                last_used_client, withdrawn_at, withdrawn_by, withdrawn_how, expires_at, allowed_addresses, replaced_by,
                ends_when_unused, imported
             from api_keys where ",
            $which
        )
    };
}

/// All keys of a user, including withdrawn ones, the newest first.
pub async fn of_user(tx: &mut Tx, user: UserId) -> sqlx::Result<Vec<ApiKey>> {
    const SQL: &str = select_keys!("user_id = $1 order by created_at desc, id desc");
    let keys = Statement::new(SQL, vec![user.into()]).fetch_all(tx).await?;
    with_properties(tx, user, keys).await
}

/// Those of a user's keys that have one of these ids, in any order.
pub async fn among(tx: &mut Tx, user: UserId, ids: &[ApiKeyId]) -> sqlx::Result<Vec<ApiKey>> {
    const SQL: &str = select_keys!("user_id = $1 and id in ");
    let mut keys = Statement::new(SQL, vec![user.into()]);
    let ids = keys.bind_ids(tx.is_postgres(), ids.iter().map(|id| id.0));
    keys.push(&ids);
    let keys = keys.fetch_all(tx).await?;
    with_properties(tx, user, keys).await
}

/// One key of a user.
pub async fn by_id(tx: &mut Tx, user: UserId, id: ApiKeyId) -> sqlx::Result<Option<ApiKey>> {
    const SQL: &str = select_keys!("id = $1 and user_id = $2");
    let key = Statement::new(SQL, vec![id.into(), user.into()]).fetch_all(tx).await?;
    Ok(with_properties(tx, user, key).await?.pop())
}

/// The key that a form created.
pub async fn by_form(tx: &mut Tx, user: UserId, form: &Digest) -> sqlx::Result<Option<ApiKey>> {
    const SQL: &str = select_keys!("form_digest = $1 and user_id = $2");
    let key = Statement::new(SQL, vec![form.clone().into(), user.into()]).fetch_all(tx).await?;
    Ok(with_properties(tx, user, key).await?.pop())
}

/// Adds the selected properties of limited keys.
async fn with_properties(tx: &mut Tx, user: UserId, mut keys: Vec<ApiKey>) -> sqlx::Result<Vec<ApiKey>> {
    if keys.iter().all(|key| matches!(key.scope, KeyScope::All)) {
        return Ok(keys);
    }
    let found = properties::search::of_keys(tx, &Caller::person(user), MOST_TITLES).await?;
    let mut selected: HashMap<ApiKeyId, SelectedProperties> = HashMap::new();
    for property in found {
        let of_key = selected.entry(property.key_id).or_default();
        of_key.count = property.total;
        of_key.titles.push(property.title);
    }
    for key in &mut keys {
        if let KeyScope::Selected(of_key) = &mut key.scope {
            *of_key = selected.remove(&key.id).unwrap_or_default();
        }
    }
    Ok(keys)
}

/// All properties to which a key is limited, including those to which its user has no access any more.
pub async fn properties_of(tx: &mut Tx, key: ApiKeyId) -> sqlx::Result<Vec<PropertyId>> {
    const SQL: &str = "select property_id from api_key_properties where key_id = $1 order by property_id";
    Statement::new(SQL, vec![key.into()]).fetch_values(tx).await
}

/// The number of a user's keys that count towards the limit: neither withdrawn nor expired, and of a key that is being
/// rotated only the new one.
pub async fn count_active(tx: &mut Tx, user: UserId, now: Moment) -> sqlx::Result<i64> {
    const SQL: &str = "
        select count(*) from api_keys
        where user_id = $1 and withdrawn_at is null and replaced_by is null and (expires_at is null or expires_at > $2)";
    Statement::new(SQL, vec![user.into(), now.into()]).fetch_value(tx).await
}

/// The number of a user's keys that work, also beside the one that replaces them.
pub async fn count_working(tx: &mut Tx, user: UserId, now: Moment) -> sqlx::Result<i64> {
    const SQL: &str = "
        select count(*) from api_keys
        where user_id = $1 and withdrawn_at is null and (expires_at is null or expires_at > $2)";
    Statement::new(SQL, vec![user.into(), now.into()]).fetch_value(tx).await
}

/// A key about to be stored.
pub struct NewKey<'a> {
    pub id: ApiKeyId,
    pub user: UserId,
    pub title: &'a str,
    pub digest: KeyDigest,
    pub tail: &'a str,
    pub form: &'a Digest,
    pub access: &'a KeyAccess,
    pub life: &'a KeyLife,
}

/// Stores a new key with its access.
pub async fn insert(tx: &mut Tx, key: &NewKey<'_>, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "
        insert into api_keys
            (id, user_id, title, sort_title, digest, tail, form_digest, all_properties, read_only, manage_users,
            created_at, expires_at, allowed_addresses)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    const LIMIT: &str = "
        insert into api_key_properties (key_id, property_id) select $1, p.id from properties p where p.id in ";
    execute!(
        tx,
        SQL,
        key.id,
        key.user,
        key.title,
        folded(key.title).into_bytes(),
        &key.digest,
        key.tail,
        key.form,
        key.access.properties.is_none(),
        key.access.read_only,
        key.access.manage_users,
        now,
        key.life.expires_at,
        key.life.allowed.as_deref().map(addresses::stored)
    )?;
    match key.access.properties.as_deref() {
        None | Some([]) => Ok(()),
        Some(properties) => {
            let mut limit = Statement::new(LIMIT, vec![Bind::Id(key.id.0)]);
            let ids = limit.bind_ids(tx.is_postgres(), properties.iter().map(|id| id.0));
            limit.push(&ids);
            limit.execute(tx).await.map(drop)
        }
    }
}

/// A key's user and title.
pub struct Named {
    pub user: UserId,
    pub title: String,
}

impl_from_row!(Named, row => Named { user: row.try_get("user_id")?, title: row.try_get("title")? });

/// The user and the title of a key.
pub async fn named(tx: &mut Tx, id: ApiKeyId) -> sqlx::Result<Option<Named>> {
    const SQL: &str = "select user_id, title from api_keys where id = $1";
    Statement::new(SQL, vec![id.into()]).fetch_optional(tx).await
}

/// Withdraws a key permanently. False if it does not exist or was already withdrawn. The caller revokes cached access at
/// the end of the transaction.
pub async fn mark_withdrawn(tx: &mut Tx, id: ApiKeyId, how: Withdrawal, now: Moment) -> sqlx::Result<bool> {
    const SQL: &str = "
        update api_keys set withdrawn_at = $2, withdrawn_by = $3, withdrawn_how = $4
        where id = $1 and withdrawn_at is null";
    Ok(execute!(tx, SQL, id, now, how.by(), how.name())? == 1)
}

/// Withdraws every key of a user, as [`mark_withdrawn`], also those that have expired, and returns how many it were.
pub async fn mark_all_withdrawn(tx: &mut Tx, user: UserId, how: Withdrawal, now: Moment) -> sqlx::Result<u64> {
    const SQL: &str = "
        update api_keys set withdrawn_at = $2, withdrawn_by = $3, withdrawn_how = $4
        where user_id = $1 and withdrawn_at is null";
    execute!(tx, SQL, user, now, how.by(), how.name())
}

/// What is needed to admit a request with a key.
pub struct Credential {
    pub key: ApiKeyId,
    pub user: UserId,
    pub all_properties: bool,
    pub read_only: bool,
    pub manage_users: bool,
    pub expires_at: Option<Moment>,
    /// The end as a header says it: written once, not for each response.
    pub end_header: Option<HeaderValue>,
    /// From where it may be used; `None` for anywhere.
    pub allowed: Option<Box<[IpNet]>>,
    pub withdrawn_at: Option<Moment>,
    pub last_use: Written,
    /// The counts of the key; see `KeyUses::tally`.
    pub tally: OnceLock<Arc<Tally>>,
    pub deactivated_at: Option<Moment>,
    pub subscription: Option<Subscription>,
    /// The same for the end of the subscription.
    subscription_header: OnceLock<Option<HeaderValue>>,
}

impl Credential {
    /// When the subscription ends, as a header says it.
    pub fn subscription_header(&self, grace: Duration) -> Option<HeaderValue> {
        let header = || self.subscription.and_then(|subscription| subscription.ends_at(grace)).and_then(header_of);
        self.subscription_header.get_or_init(header).clone()
    }
}

fn header_of(end: Moment) -> Option<HeaderValue> {
    HeaderValue::from_str(&end.to_rfc3339_opts(SecondsFormat::Secs, true)).ok()
}

impl_from_row!(Credential, row => {
    let expires_at: Option<Moment> = row.try_get("expires_at")?;
    Credential {
    key: row.try_get("id")?,
    user: row.try_get("user_id")?,
    all_properties: row.try_get("all_properties")?,
    read_only: row.try_get("read_only")?,
    manage_users: row.try_get("manage_users")?,
    expires_at,
    end_header: expires_at.and_then(header_of),
    allowed: addresses::parse_stored(row.try_get("allowed_addresses")?)?,
    withdrawn_at: row.try_get("withdrawn_at")?,
    last_use: Written::new(row.try_get("last_used_at")?),
    tally: OnceLock::new(),
    deactivated_at: row.try_get("deactivated_at")?,
    subscription: Subscription::from_joined_row(row.try_get("state")?, row.try_get("period_ends_at")?)?,
    subscription_header: OnceLock::new(),
}});

/// The credential of a key.
pub async fn credential(tx: &mut Tx, digest: &KeyDigest) -> sqlx::Result<Option<Credential>> {
    const SQL: &str = "
        select k.id, k.user_id, k.all_properties, k.read_only, k.manage_users, k.expires_at, k.allowed_addresses,
            k.withdrawn_at, k.last_used_at, u.deactivated_at, s.state, s.period_ends_at
        from api_keys k
        join users u on u.id = k.user_id
        left join subscriptions s on s.user_id = k.user_id
        where k.digest = $1";
    Statement::new(SQL, vec![digest.clone().into()]).fetch_optional(tx).await
}

/// Whether any key was imported.
pub async fn has_imported(tx: &mut Tx) -> sqlx::Result<bool> {
    Statement::new("select exists (select 1 from api_keys where imported)", Vec::new()).fetch_value(tx).await
}

/// Stores the last use unless a later one is stored; a stored time in the future is overwritten (the clock was set
/// back). Writes no other column, so that it cannot undo a concurrent withdrawal.
pub async fn note_use(tx: &mut Tx, key: ApiKeyId, used: &LastUse, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "
        update api_keys set last_used_at = $2, last_used_address = $3, last_used_client = $4
        where id = $1 and (last_used_at is null or last_used_at < $2 or last_used_at > $5)";
    let to_come = now + CLOCKS_APART;
    execute!(tx, SQL, key, used.at, &used.address, &used.client, to_come).map(drop)
}
