//! Groups in the database.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    access::{self, Role, caller::Caller},
    base::{
        clock::Moment,
        ids::{GroupId, MemberId, PropertyId, UserId},
    },
    db::{Bind, Statement, Tx, execute, impl_from_row},
    hotel::groups::{Group, placements::Giver},
    people::users,
    resource::{collection::Stored, store as resources},
};

/// A group of a property.
pub struct GroupOf {
    pub property_id: PropertyId,
    pub id: GroupId,
    pub title: String,
}

impl_from_row!(GroupOf { property_id, id, title });

/// A property in a group, as the group shows it.
pub struct Content {
    group_id: Uuid,
    /// By this, and by id, properties of a group are ordered.
    sort_title: Vec<u8>,
    pub id: PropertyId,
    pub title: String,
}

impl_from_row!(Content { group_id, sort_title, id, title });

/// The groups of these properties that the caller sees: an owner of a property all that hold it, others their own
/// (docs/contract/README.md, section 15, 18 and 104).
///
/// With `offset 0` PostgreSQL looks at the links of each property: else it may gather all that the user owns.
pub async fn of_properties(tx: &mut Tx, caller: &Caller, properties: &[PropertyId]) -> sqlx::Result<Vec<GroupOf>> {
    const SQL: &str = "
        select gp.property_id, g.id, g.title
        from group_properties gp
        join groups g on g.id = gp.group_id
        where (exists (select 1 from group_users gu where gu.group_id = gp.group_id and gu.user_id = $1)
                or exists (
                    select 1 from property_users pu
                    where pu.property_id = gp.property_id and pu.user_id = $1 and pu.role = 'owner'
                    limit 1 offset 0)
                or exists (
                    select 1 from group_properties o join group_users ou on ou.group_id = o.group_id
                    where o.property_id = gp.property_id and ou.user_id = $1 and ou.role = 'owner'
                    limit 1 offset 0))
            and gp.property_id in (";
    if properties.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = Statement::new(SQL, vec![Bind::Id(caller.user.0)]);
    let names = rows.bind_all(properties.iter().map(|id| Bind::Id(id.0)));
    rows.push(&names);
    rows.push(") order by g.sort_title, g.id");
    rows.fetch_all(tx).await
}

/// What [`Content`] has, of `gp`.
const CONTENT: &str = "
    select gp.group_id, gp.sort_title, gp.property_id as id,
        (select p.title from properties p where p.id = gp.property_id) as title";

/// True for `gp` where the caller is not limited to a key, `$1`, or to this property.
const CHOSEN: &str = "
    ($1 is null or gp.property_id in (select property_id from api_key_properties where key_id = $1))";

/// The properties in these groups that exist for the caller, by title, if there are at most so many.
pub async fn few_contents(
    tx: &mut Tx,
    caller: &Caller,
    groups: &[GroupId],
    most: usize,
) -> sqlx::Result<Option<HashMap<Uuid, Vec<Content>>>> {
    let mut contents: HashMap<Uuid, Vec<Content>> = HashMap::new();
    if groups.is_empty() {
        return Ok(Some(contents));
    }
    let mut rows = Statement::new(CONTENT, vec![Bind::MaybeId(caller.limit().map(|key| key.0))]);
    let limit = rows.bind(Bind::Whole(i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1)));
    // Not in order, so that a large group is not read to its end; PostgreSQL would read groups of others too, unless each
    // is limited.
    rows.push(&match tx.is_postgres() {
        true => format!(
            " from groups g cross join lateral (
                select gp.group_id, gp.sort_title, gp.property_id from group_properties gp
                where gp.group_id = g.id and {CHOSEN} order by gp.sort_title, gp.property_id limit {limit}) gp
            where true"
        ),
        false => format!(" from groups g cross join group_properties gp on gp.group_id = g.id where {CHOSEN}"),
    });
    let names = rows.bind_all(groups.iter().map(|id| Bind::Id(id.0)));
    rows.push(&format!(" and g.id in ({names}) limit {limit}"));
    let mut found: Vec<Content> = rows.fetch_all(tx).await?;
    if found.len() > most {
        return Ok(None);
    }
    found.sort_unstable_by(|a, b| (&a.sort_title, a.id).cmp(&(&b.sort_title, b.id)));
    for content in found {
        contents.entry(content.group_id).or_default().push(content);
    }
    Ok(Some(contents))
}

/// The next properties in a group that exist for the caller, by title: at most so many.
pub async fn content(
    tx: &mut Tx,
    caller: &Caller,
    group: GroupId,
    after: Option<Content>,
    most: usize,
) -> sqlx::Result<Vec<Content>> {
    let sql = format!("{CONTENT} from group_properties gp where {CHOSEN}");
    let mut rows = Statement::new(sql, vec![Bind::MaybeId(caller.limit().map(|key| key.0))]);
    rows.and("gp.group_id", group.into());
    if let Some(Content { sort_title, id, .. }) = after {
        let (title, id) = (rows.bind(Bind::Bytes(sort_title)), rows.bind(id.into()));
        rows.push(&format!(" and (gp.sort_title, gp.property_id) > ({title}, {id})"));
    }
    let limit = rows.bind(Bind::Whole(i64::try_from(most).unwrap_or(i64::MAX)));
    rows.push(&format!(" order by gp.sort_title, gp.property_id limit {limit}"));
    rows.fetch_all(tx).await
}

/// The group that a user's new properties go to: the default group as long as the user owns it, else the oldest that
/// the user owns (docs/contract/README.md, section 15, 108).
pub async fn default_of(tx: &mut Tx, user: UserId) -> sqlx::Result<Option<GroupId>> {
    const SQL: &str = "
        select g.id from group_users gu
        join groups g on g.id = gu.group_id
        join users u on u.id = gu.user_id
        where gu.user_id = $1 and gu.role = 'owner'
        order by case when g.id = u.default_group_id then 0 else 1 end, g.created_at, g.id
        limit 1";
    Ok(Statement::new(SQL, vec![user.into()]).fetch_values(tx).await?.pop())
}

/// As [`default_of`] the caller, and the group does not go away before this transaction ends.
pub async fn lock_default_group(tx: &mut Tx, caller: &Caller) -> sqlx::Result<Option<GroupId>> {
    let Some(group) = default_of(tx, caller.user).await? else { return Ok(None) };
    let role = access::lock_visible_group(tx, caller, group).await?;
    Ok(role.filter(|role| *role == Role::Owner).map(|_| group))
}

/// Gives a user the group that every account begins with.
pub async fn insert_first(tx: &mut Tx, user: UserId, now: Moment) -> sqlx::Result<GroupId> {
    let group = Group::titled(super::FIRST_TITLE);
    insert(tx, &group, user, Giver { user: Some(user), key: None }, now).await?;
    users::store::set_default_group(tx, user, GroupId(group.id)).await?;
    Ok(GroupId(group.id))
}

/// Adds a group; the user becomes its owner.
pub async fn insert(tx: &mut Tx, group: &Stored<Group>, owner: UserId, giver: Giver, now: Moment) -> sqlx::Result<()> {
    const OWNER: &str = "
        insert into group_users (id, group_id, user_id, role, given_by, given_by_key, created_at)
        values ($1, $2, $3, 'owner', $4, $5, $6)";
    resources::insert(tx, None, group, now).await?;
    execute!(tx, OWNER, MemberId::new(), group.id, owner, giver.user, giver.key, now).map(drop)
}

/// Deletes a group, with its links to users.
pub async fn delete(tx: &mut Tx, id: GroupId) -> sqlx::Result<()> {
    const USERS: &str = "delete from group_users where group_id = $1";
    execute!(tx, USERS, id)?;
    resources::delete::<Group>(tx, id.0).await
}

/// Properties in a group, whoever sees them.
pub async fn count_properties(tx: &mut Tx, id: GroupId) -> sqlx::Result<i64> {
    const SQL: &str = "select count(*) from group_properties where group_id = $1";
    Statement::new(SQL, vec![id.into()]).fetch_value(tx).await
}

/// Groups that a user owns.
pub async fn count_owned(tx: &mut Tx, user: UserId) -> sqlx::Result<i64> {
    const SQL: &str = "select count(*) from group_users where user_id = $1 and role = 'owner'";
    Statement::new(SQL, vec![user.into()]).fetch_value(tx).await
}
