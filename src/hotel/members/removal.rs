//! Removal by the host: all ways of a user to one property, or all access of a user (docs/contract/README.md,
//! section 15, 104 and 106).

use uuid::Uuid;

use crate::{
    access,
    base::{
        clock::{self, Moment},
        error::{Error, Result},
        ids::{GroupId, PropertyId, UserId},
    },
    db::{Statement, Tx, impl_from_row},
    hotel::{
        changes::Changes,
        groups::{
            self,
            placements::{self, Giver},
        },
        members::{MemberOf, ending, store},
        properties,
    },
    people::users,
};

/// What was done to end a user's access to a property.
pub enum Done {
    /// Their direct link to it ended.
    LinkEnded,
    /// The property was taken out of a group that they own.
    TakenOut { group: String },
    /// They were removed from a group, which contains this many properties.
    LeftGroup { group: String, properties: i64 },
    /// Nobody else owned its home group: its home is now a group of another owner.
    HomeMoved { group: String, owner: String },
}

/// A group through which a user has access to a property.
struct Way {
    group_id: GroupId,
    title: String,
    is_home: bool,
    is_owner: bool,
}

impl_from_row!(Way { group_id, title, is_home, is_owner });

/// Ends all ways of a user to a property.
///
/// # Errors
/// `NotFound` if there are none; `Refused` if nobody else owns the property.
pub async fn from_property(
    tx: &mut Tx,
    changes: &mut Changes<'_>,
    property: PropertyId,
    user: UserId,
) -> Result<Vec<Done>> {
    const WAYS: &str = "
        select gp.group_id, g.title, gp.is_home, gu.role = 'owner' as is_owner
        from group_properties gp join group_users gu on gu.group_id = gp.group_id
        join groups g on g.id = gp.group_id
        where gp.property_id = $1 and gu.user_id = $2 order by gp.group_id";
    users::store::lock_user(tx, user).await?;
    let ways: Vec<Way> = Statement::new(WAYS, vec![property.into(), user.into()]).fetch_all(tx).await?;
    for way in &ways {
        access::lock_group(tx, way.group_id).await?;
    }
    access::lock_property(tx, property).await?;
    let link = store::of_user(tx, MemberOf::Property, property.0, user).await?;
    if link.is_none() && ways.is_empty() {
        return Err(Error::NotFound);
    }
    let other = other_owner(tx, property, user).await?;
    let owns = link.as_ref().is_some_and(|link| link.is_owner) || ways.iter().any(|way| way.is_owner);
    if owns && other.is_none() {
        return Err(Error::Refused("Property must have at least one owner"));
    }
    let mut done = Vec::new();
    for way in ways {
        // It may have ended with an earlier one.
        if placements::is_home(tx, way.group_id, property).await?.is_none() {
            continue;
        }
        done.push(end_way(tx, changes, property, user, way, other.as_ref()).await?);
    }
    if let Some(link) = link {
        ending::remove(tx, changes, MemberOf::Property, link.id, property.0, user).await?;
        done.push(Done::LinkEnded);
    }
    ending::after_loss(tx, changes, MemberOf::Property, property.0, user).await?;
    Ok(done)
}

async fn end_way(
    tx: &mut Tx,
    changes: &mut Changes<'_>,
    property: PropertyId,
    user: UserId,
    way: Way,
    other: Option<&Person>,
) -> Result<Done> {
    let alone = way.is_owner && store::is_last_owner(tx, MemberOf::Group, way.group_id.0, user).await?;
    if way.is_owner && !way.is_home {
        placements::remove(tx, changes, way.group_id, property, Some(user)).await?;
        return Ok(Done::TakenOut { group: way.title });
    }
    if let (true, Some(other)) = (alone, other) {
        let group = rehome(tx, changes, property, (way.group_id, user), other, clock::now()).await?;
        return Ok(Done::HomeMoved { group, owner: other.email.clone() });
    }
    let properties = groups::store::count_properties(tx, way.group_id).await?;
    ending::leave(tx, changes, MemberOf::Group, way.group_id.0, user).await?;
    Ok(Done::LeftGroup { group: way.title, properties })
}

struct Person {
    id: UserId,
    email: String,
}

impl_from_row!(Person { id, email });

/// Another owner of a property: direct links before those through groups, the oldest first.
async fn other_owner(tx: &mut Tx, property: PropertyId, user: UserId) -> sqlx::Result<Option<Person>> {
    const SQL: &str = "
        select u.id, u.email from (
            select pu.user_id, 0 as through, pu.created_at from property_users pu
            where pu.property_id = $1 and pu.role = 'owner' and pu.user_id <> $2
            union all
            select gu.user_id, 1 as through, gu.created_at
            from group_properties gp join group_users gu on gu.group_id = gp.group_id
            where gp.property_id = $1 and gu.role = 'owner' and gu.user_id <> $2) owners
        join users u on u.id = owners.user_id
        order by owners.through, owners.created_at, u.id limit 1";
    Statement::new(SQL, vec![property.into(), user.into()]).fetch_optional(tx).await
}

/// Moves the home of a property from a group of this user to one of another owner, and returns the title of the latter.
async fn rehome(
    tx: &mut Tx,
    changes: &mut Changes<'_>,
    property: PropertyId,
    (old, user): (GroupId, UserId),
    owner: &Person,
    now: Moment,
) -> Result<String> {
    if !placements::move_home(tx, property, old, owner.id).await? {
        let group = groups::store::default_of(tx, owner.id).await?;
        let group = match group {
            Some(group) => group,
            None => groups::store::insert_first(tx, owner.id, now).await?,
        };
        placements::add(tx, changes, group, property, Giver::default(), Some(owner.id), now).await?;
        placements::move_home(tx, property, old, owner.id).await?;
    }
    placements::remove(tx, changes, old, property, Some(user)).await?;
    Ok(placements::title_of_home(tx, property).await?.unwrap_or_default())
}

/// A property with its title.
pub struct Named {
    pub id: PropertyId,
    pub title: String,
}

impl_from_row!(Named { id, title });

/// The properties that only this user owns, by title.
pub async fn sole_owned(tx: &mut Tx, user: UserId) -> sqlx::Result<Vec<Named>> {
    const SQL: &str = "
        select p.id, p.title from (
            select property_id from property_users where user_id = $1 and role = 'owner'
            union
            select gp.property_id from group_users gu join group_properties gp on gp.group_id = gu.group_id
            where gu.user_id = $1 and gu.role = 'owner') owned
        join properties p on p.id = owned.property_id
        where not exists (
                select 1 from property_users pu
                where pu.property_id = p.id and pu.role = 'owner' and pu.user_id <> $1)
            and not exists (
                select 1 from group_properties gp join group_users gu on gu.group_id = gp.group_id
                where gp.property_id = p.id and gu.role = 'owner' and gu.user_id <> $1)
        order by p.sort_title, p.id";
    Statement::new(SQL, vec![user.into()]).fetch_all(tx).await
}

/// Ends all access of a user who is to be deleted, and returns the properties that only they owned: these are left
/// without an owner, or deleted. Other properties get a home in a group of another owner; unused groups are deleted.
pub async fn from_everything(
    tx: &mut Tx,
    changes: &mut Changes<'_>,
    user: UserId,
    with_properties: bool,
) -> Result<Vec<Named>> {
    users::store::lock_user(tx, user).await?;
    let groups = store::parents_of(tx, MemberOf::Group, user).await?;
    for group in &groups {
        access::lock_group(tx, GroupId(*group)).await?;
    }
    let sole = sole_owned(tx, user).await?;
    if with_properties {
        for property in &sole {
            access::lock_property(tx, property.id).await?;
            while !properties::store::delete(tx, &mut changes.totals, property.id).await? {}
        }
    }
    for group in groups {
        leave_group(tx, changes, GroupId(group), user, &sole).await?;
    }
    for property in store::parents_of(tx, MemberOf::Property, user).await? {
        access::lock_property(tx, PropertyId(property)).await?;
        if let Some(link) = store::of_user(tx, MemberOf::Property, property, user).await? {
            ending::remove(tx, changes, MemberOf::Property, link.id, property, user).await?;
        }
        placements::end_unsupported(tx, changes, PropertyId(property)).await?;
    }
    changes.totals.deleted(user);
    Ok(sole)
}

async fn leave_group(
    tx: &mut Tx,
    changes: &mut Changes<'_>,
    group: GroupId,
    user: UserId,
    sole: &[Named],
) -> Result<()> {
    let alone = store::is_last_owner(tx, MemberOf::Group, group.0, user).await?;
    let affected = placements::affected(tx, group, user).await?;
    if alone {
        for property in placements::at_home(tx, group).await? {
            if sole.iter().all(|sole| sole.id != property)
                && let Some(other) = other_owner(tx, property, user).await?
            {
                access::lock_property(tx, property).await?;
                rehome(tx, changes, property, (group, user), &other, clock::now()).await?;
            }
        }
    }
    let link = store::of_user(tx, MemberOf::Group, group.0, user).await?;
    if let Some(link) = link {
        ending::remove(tx, changes, MemberOf::Group, link.id, group.0, user).await?;
    }
    for property in affected {
        access::lock_property(tx, property).await?;
        placements::end_unsupported(tx, changes, property).await?;
    }
    if is_unused(tx, group.0).await? {
        groups::store::delete(tx, group).await?;
    }
    Ok(())
}

async fn is_unused(tx: &mut Tx, group: Uuid) -> sqlx::Result<bool> {
    const SQL: &str = "
        select (select count(*) from group_users where group_id = $1)
            + (select count(*) from group_properties where group_id = $1)";
    Ok(Statement::new(SQL, vec![crate::db::Bind::Id(group)]).fetch_value::<i64>(tx).await? == 0)
}
