//! What a caller sees and may do: the one place where roles, groups and the limits of keys meet. Every query on what
//! belongs to a property or a group is built on these, so what is not the caller's is not found.

pub mod caller;
pub mod quotas;
pub mod signed_in;

use crate::{
    access::caller::Caller,
    base::{
        error::{Error, Result},
        ids::{GroupId, PropertyId},
    },
    db::{Bind, Statement, Tx, execute, impl_from_row},
};

/// The ids of the caller's properties. `$1` is the user, `$2` the key that limits the reach, or null.
///
/// `limit 1` hides from PostgreSQL which user it is: it would read all links of all people where one has many of them.
const VISIBLE_IDS: &str = "
    select property_id from (
        select pu.property_id from (select id from users where id = $1 limit 1) me
        join property_users pu on pu.user_id = me.id
        union
        select gp.property_id from (select id from users where id = $1 limit 1) me
        join group_users gu on gu.user_id = me.id
        join group_properties gp on gp.group_id = gu.group_id) reached
    where $2 is null or property_id in (select property_id from api_key_properties where key_id = $2)";

/// True for a property `p` that the caller sees. For one known id this looks at its links alone.
const VISIBLE: &str = "
    (exists (select 1 from property_users pu where pu.property_id = p.id and pu.user_id = $1)
        or exists (select 1 from group_properties gp join group_users gu on gu.group_id = gp.group_id
            where gp.property_id = p.id and gu.user_id = $1))
    and ($2 is null or exists (
        select 1 from api_key_properties kp where kp.key_id = $2 and kp.property_id = p.id))";

/// True where the caller owns a property `p`, directly or through a group.
const OWNED: &str = "
    (exists (select 1 from property_users pu where pu.property_id = p.id and pu.user_id = $1 and pu.role = 'owner')
        or exists (select 1 from group_properties gp join group_users gu on gu.group_id = gp.group_id
            where gp.property_id = p.id and gu.user_id = $1 and gu.role = 'owner'))";

fn binds(caller: &Caller) -> Vec<Bind> {
    vec![Bind::Id(caller.user.0), Bind::MaybeId(caller.limit().map(|key| key.0))]
}

/// Rows of `table`, such as `room_types rt`, that belong to the caller's properties by `on`, such as
/// `rt.property_id = mine.property_id`. Conditions follow with `and`.
///
/// The properties come first and lead to their rows by an index, on both databases: left to themselves, planners would
/// read a whole table, other people's rows too, where one user has a good part of it.
pub fn visible_rows(tx: &Tx, columns: &str, table: &str, on: &str, caller: &Caller) -> Statement {
    let alias = table.rsplit(' ').next().unwrap_or(table);
    let rows = match tx.is_postgres() {
        // `offset 0` keeps the inner query as it stands.
        true => format!("cross join lateral (select * from {table} where {on} offset 0) {alias}"),
        false => format!("cross join {table} on {on}"),
    };
    Statement::new(format!("select {columns} from ({VISIBLE_IDS}) mine {rows} where true"), binds(caller))
}

/// The same, with rows that belong to the caller's user and no property.
pub fn visible_or_own_rows(tx: &Tx, columns: &str, table: &str, caller: &Caller) -> Statement {
    let alias = table.rsplit(' ').next().unwrap_or(table);
    let of_properties = visible_rows(tx, "x.*", &table.replace(alias, "x"), "x.property_id = mine.property_id", caller);
    let sql = format!(
        "select {columns} from ({} union all select {alias}.* from {table}
        where {alias}.user_id = $1 and $2 is null) {alias} where true",
        of_properties.text()
    );
    Statement::new(sql, binds(caller))
}

/// A statement on rows `r`, which belong to a property that the caller sees, or to the caller's user and no property.
pub fn seen_or_own(statement: &str, caller: &Caller) -> Statement {
    let sql = format!(
        "{statement} left join properties p on p.id = r.property_id
        where (r.user_id = $1 and $2 is null or p.id is not null and {VISIBLE})"
    );
    Statement::new(sql, binds(caller))
}

/// A statement on properties `p` that the caller sees, without its `where`; conditions that name one follow with `and`.
pub fn seen(statement: &str, caller: &Caller) -> Statement {
    Statement::new(format!("{statement} where {VISIBLE}"), binds(caller))
}

/// What a person may do with a property or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Also invites, changes and withdraws users, and deletes.
    Owner,
    User,
}

impl Role {
    /// Refuses what owners alone may do.
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

/// The caller's role on a property, the widest of all ways to it. `None` where it does not exist for the caller.
pub async fn property_role(tx: &mut Tx, caller: &Caller, id: PropertyId) -> sqlx::Result<Option<Role>> {
    let mut select = seen(&format!("select {OWNED} as owns from properties p"), caller);
    select.and("p.id", Bind::Id(id.0));
    role(tx, select).await
}

/// As [`property_role`], and writes that hang on the same property wait until this transaction ends. What is a
/// stranger's is not touched. (SQLite has one writer at a time anyway, and would write the row, with all its texts.)
pub async fn lock_visible_property(tx: &mut Tx, caller: &Caller, id: PropertyId) -> sqlx::Result<Option<Role>> {
    if tx.is_postgres() {
        let mut hold = seen("update properties as p set created_at = p.created_at", caller);
        hold.and("p.id", Bind::Id(id.0));
        hold.execute(tx).await?;
    }
    property_role(tx, caller, id).await
}

/// Makes writes that rest on the same property wait until this transaction ends.
pub async fn lock_property(tx: &mut Tx, id: PropertyId) -> sqlx::Result<()> {
    const SQL: &str = "update properties set created_at = created_at where id = $1";
    match tx.is_postgres() {
        true => execute!(tx, sqlx::query(SQL).bind(id)).map(drop),
        false => Ok(()),
    }
}

/// Makes writes that rest on the same group wait until this transaction ends.
pub async fn lock_group(tx: &mut Tx, id: GroupId) -> sqlx::Result<()> {
    const SQL: &str = "update groups set created_at = created_at where id = $1";
    match tx.is_postgres() {
        true => execute!(tx, sqlx::query(SQL).bind(id)).map(drop),
        false => Ok(()),
    }
}

/// The caller's role in a group. A limited key sees all groups of its user.
pub async fn group_role(tx: &mut Tx, caller: &Caller, id: GroupId) -> sqlx::Result<Option<Role>> {
    const SQL: &str = "select role = 'owner' as owns from group_users where user_id = $1 and group_id = $2";
    role(tx, Statement::new(SQL, vec![Bind::Id(caller.user.0), Bind::Id(id.0)])).await
}

/// As [`group_role`], and writes that hang on the same group wait until this transaction ends.
pub async fn lock_visible_group(tx: &mut Tx, caller: &Caller, id: GroupId) -> sqlx::Result<Option<Role>> {
    const SQL: &str = "
        update groups set created_at = created_at
        where id = $1 and id in (select group_id from group_users where user_id = $2)";
    if tx.is_postgres() {
        execute!(tx, sqlx::query(SQL).bind(id).bind(caller.user))?;
    }
    group_role(tx, caller, id).await
}

/// True where a property has an owner, directly or through a group, whoever that is.
pub async fn has_owner(tx: &mut Tx, id: PropertyId) -> sqlx::Result<bool> {
    const SQL: &str = "
        select count(*) from (
            select user_id from property_users where property_id = $1 and role = 'owner'
            union all
            select gu.user_id from group_properties gp join group_users gu on gu.group_id = gp.group_id
            where gp.property_id = $1 and gu.role = 'owner') owners";
    Ok(Statement::new(SQL, vec![id.into()]).fetch_value::<i64>(tx).await? > 0)
}
