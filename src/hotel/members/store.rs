//! Property users and group users in the database.

use std::borrow::Cow;

use uuid::Uuid;

use crate::{
    access::{self, caller::Caller},
    base::{
        clock::Moment,
        error::Result,
        ids::{MemberId, PropertyId, UserId},
    },
    db::{Bind, Statement, Tx, execute, impl_from_row},
    hotel::{
        groups::placements::Giver,
        members::{Member, MemberOf},
    },
    resource::{
        json::Meta,
        list::{self, Compared, Filterable, Listing, Orderable},
        query::Query,
    },
};

impl_from_row!(Member { id, parent, user_id, role, overrides, email, name });

/// The columns of a link `m` to a property or a group.
fn columns(of: MemberOf) -> String {
    format!(
        "m.id, m.{} as parent, m.user_id, m.role, m.overrides,
        (select u.email from users u where u.id = m.user_id) as email,
        (select u.name from users u where u.id = m.user_id) as name",
        of.parent_field()
    )
}

fn table(of: MemberOf) -> &'static str {
    match of {
        MemberOf::Property => "property_users",
        MemberOf::Group => "group_users",
    }
}

const USER: Filterable = Filterable { name: "user_id", sql: Cow::Borrowed("m.user_id {}"), kind: Compared::Id };
const ROLE: Filterable = Filterable { name: "role", sql: Cow::Borrowed("m.role {}"), kind: Compared::Text };
const CREATION: &str = "m.created_at";

static OF_PROPERTIES: Listing = Listing {
    filters: Cow::Borrowed(&[
        Filterable { name: "property_id", sql: Cow::Borrowed("m.property_id {}"), kind: Compared::Id },
        USER,
        ROLE,
    ]),
    orders: Cow::Borrowed(&[
        Orderable { name: "id", sql: Cow::Borrowed("m.id") },
        Orderable { name: "property_id", sql: Cow::Borrowed("m.property_id") },
        Orderable { name: "user_id", sql: Cow::Borrowed("m.user_id") },
        Orderable { name: "role", sql: Cow::Borrowed("m.role collate \"C\"") },
        Orderable { name: "inserted_at", sql: Cow::Borrowed(CREATION) },
    ]),
    default_order: Cow::Borrowed(CREATION),
    id: Cow::Borrowed("m.id"),
};

static OF_GROUPS: Listing = Listing {
    filters: Cow::Borrowed(&[
        Filterable { name: "group_id", sql: Cow::Borrowed("m.group_id {}"), kind: Compared::Id },
        USER,
        ROLE,
    ]),
    orders: Cow::Borrowed(&[
        Orderable { name: "id", sql: Cow::Borrowed("m.id") },
        Orderable { name: "group_id", sql: Cow::Borrowed("m.group_id") },
        Orderable { name: "user_id", sql: Cow::Borrowed("m.user_id") },
        Orderable { name: "role", sql: Cow::Borrowed("m.role collate \"C\"") },
        Orderable { name: "inserted_at", sql: Cow::Borrowed(CREATION) },
    ]),
    default_order: Cow::Borrowed(CREATION),
    id: Cow::Borrowed("m.id"),
};

/// What the list can be filtered and ordered by.
pub fn listing(of: MemberOf) -> &'static Listing {
    match of {
        MemberOf::Property => &OF_PROPERTIES,
        MemberOf::Group => &OF_GROUPS,
    }
}

fn select(tx: &Tx, of: MemberOf, columns: &str, caller: &Caller) -> Statement {
    match of {
        MemberOf::Property => {
            access::visible_rows(tx, columns, "property_users m", "m.property_id = mine.property_id", caller)
        }
        MemberOf::Group => {
            let sql = format!(
                "select {columns} from group_users mine join group_users m on m.group_id = mine.group_id
                where mine.user_id = $1"
            );
            Statement::new(sql, vec![Bind::Id(caller.user.0)])
        }
    }
}

/// The ids of the users of all properties, or groups, that the caller sees: of all, or of one page where pages are asked
/// for.
pub async fn list(tx: &mut Tx, of: MemberOf, caller: &Caller, query: &Query) -> Result<(Vec<Uuid>, Option<Meta>)> {
    let rows = select(tx, of, "m.id", caller);
    let count = select(tx, of, "count(*)", caller);
    list::ids(tx, listing(of), query, rows, count).await
}

/// Those of these links that the caller sees.
pub async fn by_ids(tx: &mut Tx, of: MemberOf, caller: &Caller, ids: &[Uuid]) -> sqlx::Result<Vec<Member>> {
    let columns = columns(of);
    let mut rows = match of {
        MemberOf::Property => access::seen(
            &format!("select {columns} from property_users m join properties p on p.id = m.property_id"),
            caller,
        ),
        MemberOf::Group => Statement::new(
            format!(
                "select {columns} from group_users m
                join group_users mine on mine.group_id = m.group_id and mine.user_id = $1 where true"
            ),
            vec![Bind::Id(caller.user.0)],
        ),
    };
    let names = rows.bind_all(ids.iter().map(|id| Bind::Id(*id)));
    rows.push(&format!(" and m.id in ({names})"));
    rows.fetch_all(tx).await
}

/// A link, whoever's it is: the caller's role on its parent says whether it exists for the caller.
pub async fn by_id(tx: &mut Tx, of: MemberOf, id: MemberId) -> sqlx::Result<Option<Member>> {
    let sql = format!("select {} from {} m where m.id = $1", columns(of), table(of));
    Ok(Statement::new(sql, vec![Bind::Id(id.0)]).fetch_all(tx).await?.pop())
}

/// True where a user is linked to this property or group itself.
pub async fn is_member(tx: &mut Tx, of: MemberOf, parent: Uuid, user: UserId) -> sqlx::Result<bool> {
    let sql = format!("select count(*) from {} where {} = $1 and user_id = $2", table(of), of.parent_field());
    Ok(Statement::new(sql, vec![Bind::Id(parent), Bind::Id(user.0)]).fetch_value::<i64>(tx).await? > 0)
}

/// A user's own link to a property or a group.
pub async fn of_user(tx: &mut Tx, of: MemberOf, parent: Uuid, user: UserId) -> sqlx::Result<Option<Member>> {
    let sql =
        format!("select {} from {} m where m.{} = $1 and m.user_id = $2", columns(of), table(of), of.parent_field());
    Ok(Statement::new(sql, vec![Bind::Id(parent), Bind::Id(user.0)]).fetch_all(tx).await?.pop())
}

/// Who gave a user their own link to a property or a group.
pub async fn giver(tx: &mut Tx, of: MemberOf, parent: Uuid, user: UserId) -> sqlx::Result<Option<UserId>> {
    let (table, column) = (table(of), of.parent_field());
    let sql = format!("select given_by from {table} where {column} = $1 and user_id = $2 and given_by is not null");
    Ok(Statement::new(sql, vec![Bind::Id(parent), user.into()]).fetch_values(tx).await?.pop())
}

/// The properties or groups to which a user has a link of this kind that an inviter gave, by id.
pub async fn given_by(tx: &mut Tx, of: MemberOf, inviter: UserId, user: UserId) -> sqlx::Result<Vec<Uuid>> {
    let (table, parent) = (table(of), of.parent_field());
    let sql = format!("select {parent} from {table} where given_by = $1 and user_id = $2 order by {parent}");
    Statement::new(sql, vec![inviter.into(), user.into()]).fetch_values(tx).await
}

/// The properties or groups to which a user has a link of this kind, by id.
pub async fn parents_of(tx: &mut Tx, of: MemberOf, user: UserId) -> sqlx::Result<Vec<Uuid>> {
    let (table, parent) = (table(of), of.parent_field());
    let sql = format!("select {parent} from {table} where user_id = $1 order by {parent}");
    Statement::new(sql, vec![user.into()]).fetch_values(tx).await
}

/// Links a user.
pub async fn insert(tx: &mut Tx, of: MemberOf, member: &Member, giver: Giver, now: Moment) -> sqlx::Result<()> {
    const PROPERTY: &str = "
        insert into property_users (
            id, property_id, user_id, role, overrides, given_by, given_by_key, created_at, sort_title)
        select $1, $2, $3, $4, $5, $6, $7, $8, p.sort_title from properties p where p.id = $2";
    const GROUP: &str = "
        insert into group_users (id, group_id, user_id, role, overrides, given_by, given_by_key, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    let sql = match of {
        MemberOf::Property => PROPERTY,
        MemberOf::Group => GROUP,
    };
    execute!(
        tx,
        sqlx::query(sql)
            .bind(member.id)
            .bind(member.parent)
            .bind(member.user_id)
            .bind(&member.role)
            .bind(&member.overrides)
            .bind(giver.user)
            .bind(giver.key)
            .bind(now)
    )
    .map(drop)
}

/// Writes role and overrides.
pub async fn update(tx: &mut Tx, of: MemberOf, member: &Member) -> sqlx::Result<()> {
    let sql = match of {
        MemberOf::Property => "update property_users set role = $2, overrides = $3 where id = $1",
        MemberOf::Group => "update group_users set role = $2, overrides = $3 where id = $1",
    };
    execute!(tx, sqlx::query(sql).bind(member.id).bind(&member.role).bind(&member.overrides)).map(drop)
}

/// Ends a link.
pub async fn delete(tx: &mut Tx, of: MemberOf, id: MemberId) -> sqlx::Result<()> {
    let sql = match of {
        MemberOf::Property => "delete from property_users where id = $1",
        MemberOf::Group => "delete from group_users where id = $1",
    };
    execute!(tx, sqlx::query(sql).bind(id)).map(drop)
}

/// True where a property, directly or through a group, or a group has an owner.
pub async fn has_owner(tx: &mut Tx, of: MemberOf, parent: Uuid) -> sqlx::Result<bool> {
    const OF_GROUP: &str = "select count(*) from group_users where group_id = $1 and role = 'owner'";
    match of {
        MemberOf::Property => access::has_owner(tx, PropertyId(parent)).await,
        MemberOf::Group => Ok(Statement::new(OF_GROUP, vec![Bind::Id(parent)]).fetch_value::<i64>(tx).await? > 0),
    }
}

/// True where a user owns a group, or a property directly, that nobody else owns by any way.
pub async fn is_last_owner(tx: &mut Tx, of: MemberOf, parent: Uuid, user: UserId) -> sqlx::Result<bool> {
    const OF_PROPERTY: &str = "
        select count(*) from (
            select user_id from property_users where property_id = $1 and role = 'owner' and user_id <> $2
            union all
            select gu.user_id from group_properties gp join group_users gu on gu.group_id = gp.group_id
            where gp.property_id = $1 and gu.role = 'owner') others";
    const OF_GROUP: &str = "select count(*) from group_users where group_id = $1 and role = 'owner' and user_id <> $2";
    let sql = match of {
        MemberOf::Property => OF_PROPERTY,
        MemberOf::Group => OF_GROUP,
    };
    Ok(Statement::new(sql, vec![Bind::Id(parent), user.into()]).fetch_value::<i64>(tx).await? == 0)
}
