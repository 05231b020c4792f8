//! Property users and group users in the database.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    access::{self, Role, totals::TotalChanges},
    base::{
        clock::Moment,
        ids::{GroupId, MemberId, PropertyId, UserId},
    },
    db::{Bind, Statement, Tx, impl_from_row},
    hotel::{
        groups::placements::Giver,
        members::{Member, MemberOf, ParentId},
    },
    resource::{attribute::FieldValue, collection::Stored},
};

impl_from_row!(Person { id, email, name });

/// Whom a link is of.
pub struct Person {
    id: UserId,
    pub email: String,
    pub name: Option<String>,
}

/// Users by id.
pub async fn people(tx: &mut Tx, ids: impl Iterator<Item = UserId>) -> sqlx::Result<HashMap<UserId, Person>> {
    let mut ids = ids.peekable();
    if ids.peek().is_none() {
        return Ok(HashMap::new());
    }
    let mut users = Statement::new("select u.id, u.email, u.name from users u where u.id in (", Vec::new());
    let names = users.bind_all(ids.map(|id| Bind::Id(id.0)));
    users.push(&names);
    users.push(")");
    let found: Vec<Person> = users.fetch_all(tx).await?;
    Ok(found.into_iter().map(|person| (person.id, person)).collect())
}

/// A user's own link to a property or a group.
pub struct Link {
    pub id: MemberId,
    pub is_owner: bool,
}

impl_from_row!(Link { id, is_owner });

/// A user's own link to a property or a group.
pub async fn of_user(tx: &mut Tx, of: MemberOf, parent: Uuid, user: UserId) -> sqlx::Result<Option<Link>> {
    let (table, column) = (of.table(), of.field());
    let sql = format!("select id, role = 'owner' as is_owner from {table} where {column} = $1 and user_id = $2");
    Statement::new(sql, vec![Bind::Id(parent), Bind::Id(user.0)]).fetch_optional(tx).await
}

/// Who gave a user their own link to a property or a group.
pub async fn giver(tx: &mut Tx, of: MemberOf, parent: Uuid, user: UserId) -> sqlx::Result<Option<UserId>> {
    let (table, column) = (of.table(), of.field());
    let sql = format!("select given_by from {table} where {column} = $1 and user_id = $2 and given_by is not null");
    Ok(Statement::new(sql, vec![Bind::Id(parent), user.into()]).fetch_values(tx).await?.pop())
}

/// The properties or groups to which a user has a link of this kind that an inviter gave, by id.
pub async fn given_by(tx: &mut Tx, of: MemberOf, inviter: UserId, user: UserId) -> sqlx::Result<Vec<Uuid>> {
    let (table, parent) = (of.table(), of.field());
    let sql = format!("select {parent} from {table} where given_by = $1 and user_id = $2 order by {parent}");
    Statement::new(sql, vec![inviter.into(), user.into()]).fetch_values(tx).await
}

/// The properties or groups to which a user has a link of this kind, by id.
pub async fn parents_of(tx: &mut Tx, of: MemberOf, user: UserId) -> sqlx::Result<Vec<Uuid>> {
    let (table, parent) = (of.table(), of.field());
    let sql = format!("select {parent} from {table} where user_id = $1 order by {parent}");
    Statement::new(sql, vec![user.into()]).fetch_values(tx).await
}

/// Links a user. The caller has locked the user and the property or group.
pub async fn insert<P: ParentId>(
    tx: &mut Tx,
    totals: &mut TotalChanges,
    Stored { id, resource: member, .. }: &Stored<Member<P>>,
    giver: Giver,
    now: Moment,
) -> sqlx::Result<()> {
    const PROPERTY: &str = "
        insert into property_users (
            id, property_id, user_id, role, overrides, given_by, given_by_key, created_at, sort_title)
        select $1, $2, $3, $4, $5, $6, $7, $8, p.sort_title from properties p where p.id = $2";
    const GROUP: &str = "
        insert into group_users (id, group_id, user_id, role, overrides, given_by, given_by_key, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    let sql = match P::OF {
        MemberOf::Property => PROPERTY,
        MemberOf::Group => GROUP,
    };
    let parent = member.parent.clone().into();
    changed(tx, totals, P::OF, parent, member.user_id).await?;
    let mut binds = vec![Bind::Id(*id), Bind::Id(parent), member.user_id.into()];
    binds.push(Bind::Text(member.role.word().to_owned()));
    member.overrides.bind(&mut binds);
    binds.extend([Bind::MaybeId(giver.user.map(|user| user.0)), Bind::MaybeId(giver.key.map(|key| key.0))]);
    binds.push(Bind::Moment(now));
    Statement::new(sql, binds).execute(tx).await.map(drop)
}

/// A link of the user begins or ends now.
async fn changed(tx: &mut Tx, totals: &mut TotalChanges, of: MemberOf, parent: Uuid, user: UserId) -> sqlx::Result<()> {
    match of {
        MemberOf::Property => totals.property(tx, PropertyId(parent)).await,
        MemberOf::Group => {
            totals.member(user, GroupId(parent));
            Ok(())
        }
    }
}

/// Changes the role of a link.
pub async fn set_role(tx: &mut Tx, of: MemberOf, id: MemberId, role: Role) -> sqlx::Result<()> {
    let sql = format!("update {} set role = $2 where id = $1", of.table());
    Statement::new(sql, vec![Bind::Id(id.0), Bind::Text(role.word().to_owned())]).execute(tx).await.map(drop)
}

/// Ends a user's link to a property or a group. The caller has locked both.
pub async fn delete(
    tx: &mut Tx,
    totals: &mut TotalChanges,
    of: MemberOf,
    id: MemberId,
    parent: Uuid,
    user: UserId,
) -> sqlx::Result<()> {
    changed(tx, totals, of, parent, user).await?;
    let sql = format!("delete from {} where id = $1", of.table());
    Statement::new(sql, vec![Bind::Id(id.0)]).execute(tx).await.map(drop)
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
