//! What a caller can see and do: the one place where roles, groups and limits of keys are combined. Every query on
//! properties, groups and what belongs to them is built on these, so what the caller cannot see is not found.

pub mod caller;
pub mod quotas;
pub mod signed_in;
pub mod totals;

use serde::{Deserialize, Serialize};

use crate::{
    access::caller::Caller,
    base::{
        error::{Error, Result},
        ids::{GroupId, PropertyId},
    },
    db::{Bind, Statement, Tx, execute, impl_from_row},
};

/// The ids of the caller's properties. `$1` is the user, `$2` the key that limits the scope, or null.
///
/// `limit 1` hides the user from PostgreSQL's planner: for one with many links it would read the links of all users.
const VISIBLE_IDS: &str = "
    select property_id from (
        select pu.property_id from (select id from users where id = $1 limit 1) me
        join property_users pu on pu.user_id = me.id
        union
        select gp.property_id from (select id from users where id = $1 limit 1) me
        join group_users gu on gu.user_id = me.id
        join group_properties gp on gp.group_id = gu.group_id) reached
    where $2 is null or property_id in (select property_id from api_key_properties where key_id = $2)";

/// True for a property `p` that the caller can see. For one known id this reads only its links.
const VISIBLE: &str = "
    (exists (select 1 from property_users pu where pu.property_id = p.id and pu.user_id = $1)
        or exists (select 1 from group_properties gp join group_users gu on gu.group_id = gp.group_id
            where gp.property_id = p.id and gu.user_id = $1))
    and ($2 is null or exists (
        select 1 from api_key_properties kp where kp.key_id = $2 and kp.property_id = p.id))";

/// True if the user `$1` owns a property `p`, directly or through a group.
pub const OWNED: &str = "
    (exists (select 1 from property_users pu where pu.property_id = p.id and pu.user_id = $1 and pu.role = 'owner')
        or exists (select 1 from group_properties gp join group_users gu on gu.group_id = gp.group_id
            where gp.property_id = p.id and gu.user_id = $1 and gu.role = 'owner'))";

fn binds(caller: &Caller) -> Vec<Bind> {
    vec![Bind::Id(caller.user.0), Bind::MaybeId(caller.limit().map(|key| key.0))]
}

/// Rows of `table`, such as `room_types rt`, that belong to the caller's properties by `on`, such as
/// `rt.property_id = mine.property_id`. Conditions follow with `and`.
///
/// On both databases the properties come first, and their rows are found by an index: otherwise the planner would scan
/// the whole table, including rows of others, if one user has a large part of it.
pub fn visible_rows(tx: &Tx, columns: &str, table: &str, on: &str, caller: &Caller) -> Statement {
    let alias = table.rsplit(' ').next().unwrap_or(table);
    let rows = match tx.is_postgres() {
        // `offset 0` keeps the planner from flattening the inner query.
        true => format!("cross join lateral (select * from {table} where {on} offset 0) {alias}"),
        false => format!("cross join {table} on {on}"),
    };
    Statement::new(format!("select {columns} from ({VISIBLE_IDS}) mine {rows} where true"), binds(caller))
}

/// The same of rows `r` of a table, with those that belong to the caller's user and no property.
pub fn visible_or_own_rows(tx: &Tx, columns: &str, table: &str, caller: &Caller) -> Statement {
    let of_properties = visible_rows(tx, "r.*", &format!("{table} r"), "r.property_id = mine.property_id", caller);
    let sql = format!(
        "select {columns} from ({} union all select r.* from {table} r where r.user_id = $1 and $2 is null) r
        where true",
        of_properties.text()
    );
    Statement::new(sql, binds(caller))
}

/// How many properties the caller has.
pub fn count_visible(caller: &Caller) -> Statement {
    Statement::new(format!("select count(*) from ({VISIBLE_IDS}) mine"), binds(caller))
}

/// A statement on rows `r`, which belong to a property that the caller sees, or to the caller's user and no property.
pub fn seen_or_own(statement: &str, caller: &Caller) -> Statement {
    let sql = format!(
        "{statement} left join properties p on p.id = r.property_id
        where (r.user_id = $1 and $2 is null or p.id is not null and {VISIBLE})"
    );
    Statement::new(sql, binds(caller))
}

/// Completes a statement on properties `p`, without its `where`, so that it finds those that the caller can see.
/// Further conditions follow with `and`.
pub fn seen(statement: &str, caller: &Caller) -> Statement {
    Statement::new(format!("{statement} where {VISIBLE}"), binds(caller))
}

/// What a person may do with a property or a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May also invite, change and withdraw users, and delete.
    Owner,
    #[default]
    User,
}

impl Role {
    /// All words, in the order of the variants.
    pub const WORDS: &[&str] = &["owner", "user"];

    /// As the API and the database call it.
    pub fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// # Errors
    /// `Forbidden` unless the role is owner.
    pub fn must_own(self) -> Result<()> {
        if self == Role::Owner { Ok(()) } else { Err(Error::Forbidden(None)) }
    }
}

struct Owns {
    owns: bool,
}

impl_from_row!(Owns { owns });

async fn role(tx: &mut Tx, select: Statement) -> sqlx::Result<Option<Role>> {
    let found: Option<Owns> = select.fetch_all(tx).await?.pop();
    Ok(found.map(|found| if found.owns { Role::Owner } else { Role::User }))
}

/// The caller's role on a property, the widest of all ways to it. `None` if the caller cannot see it.
pub async fn property_role(tx: &mut Tx, caller: &Caller, id: PropertyId) -> sqlx::Result<Option<Role>> {
    let mut select = seen(&format!("select {OWNED} as owns from properties p"), caller);
    select.and("p.id", Bind::Id(id.0));
    role(tx, select).await
}

/// As [`property_role`], and locks the property until the transaction ends, if the caller can see it. (SQLite has one
/// writer at a time anyway, and would write the whole row.)
pub async fn lock_visible_property(tx: &mut Tx, caller: &Caller, id: PropertyId) -> sqlx::Result<Option<Role>> {
    if tx.is_postgres() {
        let mut lock = seen("update properties as p set created_at = p.created_at", caller);
        lock.and("p.id", Bind::Id(id.0));
        lock.execute(tx).await?;
    }
    property_role(tx, caller, id).await
}

/// Locks a property until the transaction ends, for writes that depend on it.
pub async fn lock_property(tx: &mut Tx, id: PropertyId) -> sqlx::Result<()> {
    const SQL: &str = "update properties set created_at = created_at where id = $1";
    match tx.is_postgres() {
        true => execute!(tx, SQL, id).map(drop),
        false => Ok(()),
    }
}

/// Locks a group until the transaction ends, for writes that depend on it.
pub async fn lock_group(tx: &mut Tx, id: GroupId) -> sqlx::Result<()> {
    const SQL: &str = "update groups set created_at = created_at where id = $1";
    match tx.is_postgres() {
        true => execute!(tx, SQL, id).map(drop),
        false => Ok(()),
    }
}

/// The caller's role in a group. A limited key sees all groups of its user.
pub async fn group_role(tx: &mut Tx, caller: &Caller, id: GroupId) -> sqlx::Result<Option<Role>> {
    const SQL: &str = "select role = 'owner' as owns from group_users where user_id = $1 and group_id = $2";
    role(tx, Statement::new(SQL, vec![Bind::Id(caller.user.0), Bind::Id(id.0)])).await
}

/// As [`group_role`], and locks the group until the transaction ends, if the caller is in it.
pub async fn lock_visible_group(tx: &mut Tx, caller: &Caller, id: GroupId) -> sqlx::Result<Option<Role>> {
    const SQL: &str = "
        update groups set created_at = created_at
        where id = $1 and id in (select group_id from group_users where user_id = $2)";
    if tx.is_postgres() {
        execute!(tx, SQL, id, caller.user)?;
    }
    group_role(tx, caller, id).await
}

/// True if a property has any owner, directly or through a group.
pub async fn has_owner(tx: &mut Tx, id: PropertyId) -> sqlx::Result<bool> {
    const SQL: &str = "
        select count(*) from (
            select user_id from property_users where property_id = $1 and role = 'owner'
            union all
            select gu.user_id from group_properties gp join group_users gu on gu.group_id = gp.group_id
            where gp.property_id = $1 and gu.role = 'owner') owners";
    Ok(Statement::new(SQL, vec![id.into()]).fetch_value::<i64>(tx).await? > 0)
}
