//! Which groups hold a property, and which of those placements end with the rights of the person who made them
//! (docs/contract/README.md, section 15, 104).

use crate::{
    access::{self, Role, caller::Caller},
    base::{
        clock::Moment,
        error::{Error, Result},
        ids::{ApiKeyId, GroupId, PropertyId, UserId},
    },
    db::{Bind, Statement, Tx, execute, impl_from_row},
    hotel::changes::Changes,
    record::activity::Kind,
};

/// Who made a link: a person, perhaps with one of their keys. The host's links name nobody.
#[derive(Clone, Copy, Default)]
pub struct Giver {
    pub user: Option<UserId>,
    pub key: Option<ApiKeyId>,
}

impl Giver {
    /// The caller, with the key of the request.
    pub fn of(caller: &Caller) -> Self {
        Giver { user: Some(caller.user), key: caller.key }
    }
}

/// A property in a group.
struct Placement {
    group_id: GroupId,
    is_home: bool,
    given_by: Option<UserId>,
}

impl_from_row!(Placement { group_id, is_home, given_by });

/// An owner of a group.
struct UserOf {
    group_id: GroupId,
    user_id: UserId,
}

impl_from_row!(UserOf { group_id, user_id });

/// Puts a property into a group. False where it is in there. `concerns` is an account other than the giver's in whose
/// record it is.
pub async fn add(
    tx: &mut Tx,
    changes: &mut Changes<'_>,
    group: GroupId,
    property: PropertyId,
    giver: Giver,
    concerns: Option<UserId>,
    now: Moment,
) -> sqlx::Result<bool> {
    const SQL: &str = "
        insert into group_properties (
            group_id, property_id, sort_title, is_home, given_by, given_by_key, created_at)
        select $1, p.id, p.sort_title, false, $3, $4, $5 from properties p where p.id = $2
        on conflict (group_id, property_id) do nothing";
    changes.totals.property(tx, property).await?;
    let added = execute!(tx, SQL, group, property, giver.user, giver.key, now)? == 1;
    count_groups(tx, property).await?;
    if added {
        changes.placement(tx, Kind::PropertyPlaced, group, property, concerns).await?;
    }
    Ok(added)
}

/// Takes a property out of a group. False where it is not in there. `concerns` is the other account in whose record it
/// is.
pub async fn remove(
    tx: &mut Tx,
    changes: &mut Changes<'_>,
    group: GroupId,
    property: PropertyId,
    concerns: Option<UserId>,
) -> sqlx::Result<bool> {
    const SQL: &str = "delete from group_properties where group_id = $1 and property_id = $2";
    changes.totals.property(tx, property).await?;
    let removed = execute!(tx, SQL, group, property)? == 1;
    count_groups(tx, property).await?;
    if removed {
        changes.placement(tx, Kind::PropertyTakenOut, group, property, concerns).await?;
    }
    Ok(removed)
}

async fn count_groups(tx: &mut Tx, property: PropertyId) -> sqlx::Result<()> {
    const SQL: &str = "
        update properties set
            group_count = (select count(*) from group_properties gp where gp.property_id = properties.id)
        where id = $1";
    execute!(tx, SQL, property).map(drop)
}

/// True where this group is the property's home; `None` where the property is not in it.
pub async fn is_home(tx: &mut Tx, group: GroupId, property: PropertyId) -> sqlx::Result<Option<bool>> {
    const SQL: &str = "select is_home from group_properties where group_id = $1 and property_id = $2";
    Ok(Statement::new(SQL, vec![group.into(), property.into()]).fetch_values(tx).await?.pop())
}

/// Who put a property into a group; `None` for the host.
async fn maker(tx: &mut Tx, group: GroupId, property: PropertyId) -> sqlx::Result<Option<UserId>> {
    const SQL: &str = "
        select given_by from group_properties
        where group_id = $1 and property_id = $2 and given_by is not null";
    Ok(Statement::new(SQL, vec![group.into(), property.into()]).fetch_values(tx).await?.pop())
}

/// The title of a property's home.
pub async fn title_of_home(tx: &mut Tx, property: PropertyId) -> sqlx::Result<Option<String>> {
    const SQL: &str = "
        select g.title from group_properties gp join groups g on g.id = gp.group_id
        where gp.property_id = $1 and gp.is_home";
    Ok(Statement::new(SQL, vec![property.into()]).fetch_values(tx).await?.pop())
}

/// A group that holds a property, as an owner of the property sees it.
pub struct Holding {
    pub id: GroupId,
    pub title: String,
    pub is_home: bool,
    pub since: Moment,
    /// Who put the property there, by address; `None` for the host, and for people who are gone.
    pub put_by: Option<String>,
    /// The title of the key with which it was put there.
    pub put_by_key: Option<String>,
    /// People who reach the property through it.
    pub people: i64,
}

impl_from_row!(Holding { id, title, is_home, since, put_by, put_by_key, people });

/// The groups that hold a property, its home first.
pub async fn holding(tx: &mut Tx, property: PropertyId) -> sqlx::Result<Vec<Holding>> {
    const SQL: &str = "
        select g.id, g.title, gp.is_home, gp.created_at as since,
            (select b.email from users b where b.id = gp.given_by) as put_by,
            (select k.title from api_keys k where k.id = gp.given_by_key) as put_by_key,
            (select count(*) from group_users gu where gu.group_id = gp.group_id) as people
        from group_properties gp join groups g on g.id = gp.group_id
        where gp.property_id = $1
        order by case when gp.is_home then 0 else 1 end, g.sort_title, g.id";
    Statement::new(SQL, vec![property.into()]).fetch_all(tx).await
}

/// An owner of a property takes it out of a group: of any but its home, also of one that the owner does not see
/// (docs/contract/README.md, section 15, 104).
///
/// # Errors
/// `NotFound` where the caller sees neither; `Forbidden` where the caller may not; `Refused` where the property would be
/// without a home or an owner.
pub async fn take_out(
    tx: &mut Tx,
    changes: &mut Changes<'_>,
    caller: &Caller,
    group: GroupId,
    property: PropertyId,
) -> Result<()> {
    let group_role = access::lock_visible_group(tx, caller, group).await?;
    let role = access::lock_visible_property(tx, caller, property).await?.ok_or(Error::NotFound)?;
    if group_role.is_none() && role != Role::Owner {
        return Err(Error::NotFound);
    }
    let is_home = is_home(tx, group, property).await?.ok_or(Error::NotFound)?;
    role.must_own()?;
    if is_home {
        group_role.ok_or(Error::Forbidden(None))?.must_own()?;
        if !move_home(tx, property, group, caller.user).await? {
            return Err(Error::Refused("Property must belong to at least one group"));
        }
    }
    let maker = maker(tx, group, property).await?;
    remove(tx, changes, group, property, maker).await?;
    end_unsupported(tx, changes, property).await?;
    match access::has_owner(tx, property).await? {
        true => Ok(()),
        false => Err(Error::Refused("Property must have at least one owner")),
    }
}

/// The properties whose home is this group, by id.
pub async fn at_home(tx: &mut Tx, group: GroupId) -> sqlx::Result<Vec<PropertyId>> {
    const SQL: &str = "
        select property_id from group_properties where group_id = $1 and is_home order by property_id";
    Statement::new(SQL, vec![group.into()]).fetch_values(tx).await
}

/// Makes the oldest of the other groups that hold the property, and that this user owns, its home. False where there is
/// none.
pub async fn move_home(tx: &mut Tx, property: PropertyId, home: GroupId, user: UserId) -> sqlx::Result<bool> {
    const NEXT: &str = "
        select gp.group_id from group_properties gp
        join group_users gu on gu.group_id = gp.group_id and gu.user_id = $3 and gu.role = 'owner'
        where gp.property_id = $1 and gp.group_id <> $2
        order by gp.created_at, gp.group_id limit 1";
    const LEAVE: &str = "update group_properties set is_home = false where group_id = $1 and property_id = $2";
    const ENTER: &str = "update group_properties set is_home = true where group_id = $1 and property_id = $2";
    let binds = vec![property.into(), home.into(), user.into()];
    let Some(next) = Statement::new(NEXT, binds).fetch_values::<GroupId>(tx).await?.pop() else { return Ok(false) };
    execute!(tx, LEAVE, home, property)?;
    execute!(tx, ENTER, next, property)?;
    Ok(true)
}

/// The properties of a group of which a placement may end when this user loses the group: those that the user put
/// somewhere, that are in a group which the user owns, or that others put into this one and that the user owns otherwise
/// too, and so kept in; by id. It looks at what nobody else changes while the user and the group are locked.
pub async fn affected(tx: &mut Tx, group: GroupId, user: UserId) -> sqlx::Result<Vec<PropertyId>> {
    const SQL: &str = "
        select away.property_id from (
            select gp.property_id from group_properties gp where gp.given_by = $2 and not gp.is_home
            union
            select gp.property_id from group_users gu join group_properties gp on gp.group_id = gu.group_id
            where gu.user_id = $2 and gu.role = 'owner' and not gp.is_home
            union
            select gp.property_id from group_properties gp
            where gp.group_id = $1 and not gp.is_home
                and (exists (
                    select 1 from property_users pu
                    where pu.property_id = gp.property_id and pu.user_id = $2 and pu.role = 'owner'
                    limit 1 offset 0)
                or exists (
                    select 1 from group_properties o join group_users ou on ou.group_id = o.group_id
                    where o.property_id = gp.property_id and ou.user_id = $2 and ou.role = 'owner'
                    limit 1 offset 0))) away
        where exists (
            select 1 from group_properties gp where gp.group_id = $1 and gp.property_id = away.property_id)
        order by away.property_id";
    Statement::new(SQL, vec![group.into(), user.into()]).fetch_values(tx).await
}

/// Takes a property out of the groups whose placements have lost the rights they rest on. The property is locked by
/// the caller, and whatever took a right away is written already.
pub async fn end_unsupported(tx: &mut Tx, changes: &mut Changes<'_>, property: PropertyId) -> sqlx::Result<()> {
    const PLACEMENTS: &str = "
        select group_id, is_home, given_by from group_properties where property_id = $1
        order by created_at, group_id";
    const OWNERS: &str = "select user_id from property_users where property_id = $1 and role = 'owner'";
    const GROUP_OWNERS: &str = "
        select gu.group_id, gu.user_id from group_properties gp join group_users gu on gu.group_id = gp.group_id
        where gp.property_id = $1 and gu.role = 'owner'";
    let placements: Vec<Placement> = Statement::new(PLACEMENTS, vec![property.into()]).fetch_all(tx).await?;
    if placements.iter().all(|placement| placement.is_home || placement.given_by.is_none()) {
        return Ok(());
    }
    let owners: Vec<UserId> = Statement::new(OWNERS, vec![property.into()]).fetch_values(tx).await?;
    let group_owners: Vec<UserOf> = Statement::new(GROUP_OWNERS, vec![property.into()]).fetch_all(tx).await?;
    for group in unsupported(&placements, &owners, &group_owners) {
        let placement = placements.iter().find(|placement| placement.group_id == group);
        remove(tx, changes, group, property, placement.and_then(|placement| placement.given_by)).await?;
    }
    Ok(())
}

/// The groups whose placements rest on nothing. A placement stays if it is the home, if the host made it, or if a person
/// who owns the property by a way that its maker did not make is that maker, or owns the group. What supports another
/// placement must itself stay: two people who put a property into each other's groups do not keep each other in.
fn unsupported(placements: &[Placement], owners: &[UserId], group_owners: &[UserOf]) -> Vec<GroupId> {
    let owns = |user: UserId, group: GroupId| group_owners.iter().any(|of| of.user_id == user && of.group_id == group);
    let mut stays: Vec<&Placement> = Vec::new();
    let mut rest: Vec<&Placement> = placements.iter().collect();
    loop {
        let is_owner = |user: UserId, maker: UserId| {
            owners.contains(&user)
                || stays.iter().any(|way| (way.is_home || way.given_by != Some(maker)) && owns(user, way.group_id))
        };
        let (more, left): (Vec<_>, Vec<_>) = rest.into_iter().partition(|placement| match placement.given_by {
            _ if placement.is_home => true,
            None => true,
            Some(maker) => {
                is_owner(maker, maker)
                    || group_owners.iter().any(|of| of.group_id == placement.group_id && is_owner(of.user_id, maker))
            }
        });
        rest = left;
        if more.is_empty() {
            return rest.iter().map(|placement| placement.group_id).collect();
        }
        stays.extend(more);
    }
}

/// The title key of a property where its links are ordered by it.
pub async fn set_sort_title(tx: &mut Tx, property: PropertyId, sort_title: Vec<u8>) -> sqlx::Result<()> {
    const GROUPS: &str = "update group_properties set sort_title = $2 where property_id = $1 and sort_title <> $2";
    const USERS: &str = "update property_users set sort_title = $2 where property_id = $1 and sort_title <> $2";
    let binds = || vec![property.into(), Bind::Bytes(sort_title.clone())];
    Statement::new(GROUPS, binds()).execute(tx).await?;
    Statement::new(USERS, binds()).execute(tx).await.map(drop)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn user(name: u128) -> UserId {
        UserId(Uuid::from_u128(name))
    }

    fn group(name: u128) -> GroupId {
        GroupId(Uuid::from_u128(name))
    }

    fn home(name: u128, by: u128) -> Placement {
        Placement { group_id: group(name), is_home: true, given_by: Some(user(by)) }
    }

    fn put(name: u128, by: u128) -> Placement {
        Placement { group_id: group(name), is_home: false, given_by: Some(user(by)) }
    }

    fn ends(placements: &[Placement], owners: &[u128], group_owners: &[(u128, u128)]) -> Vec<u128> {
        let owners: Vec<UserId> = owners.iter().copied().map(user).collect();
        let group_owners: Vec<UserOf> =
            group_owners.iter().map(|(g, u)| UserOf { group_id: group(*g), user_id: user(*u) }).collect();
        unsupported(placements, &owners, &group_owners).iter().map(|group| group.0.as_u128()).collect()
    }

    const ALICE: u128 = 1;
    const MALLORY: u128 = 2;
    const MATE: u128 = 3;

    #[test]
    fn a_placement_ends_with_its_makers_ownership() {
        let placements = || [home(10, ALICE), put(20, MALLORY)];
        let groups = [(10, ALICE), (20, MALLORY)];
        assert_eq!(ends(&placements(), &[ALICE, MALLORY], &groups), []);
        assert_eq!(ends(&placements(), &[ALICE], &groups), [20], "the own group is no way of its own");
        assert_eq!(ends(&placements(), &[], &[(10, ALICE), (10, MALLORY), (20, MALLORY)]), [], "the home is a way");
        assert_eq!(
            ends(&placements(), &[ALICE], &[(10, ALICE), (20, MALLORY), (20, ALICE)]),
            [],
            "an owner has it too"
        );
        assert_eq!(ends(&[home(20, MALLORY)], &[], &[(20, MALLORY)]), [], "the home never ends");
    }

    #[test]
    fn placements_do_not_support_each_other_in_a_circle() {
        let placements = [home(10, ALICE), put(20, MATE), put(30, MALLORY)];
        let groups = [(10, ALICE), (20, MALLORY), (30, MATE)];
        assert_eq!(ends(&placements, &[MALLORY], &groups), [], "one of them still has a way of another kind");
        assert_eq!(ends(&placements, &[], &groups), [20, 30]);
    }

    #[test]
    fn what_the_host_put_somewhere_stays() {
        let placements = [home(10, ALICE), Placement { group_id: group(20), is_home: false, given_by: None }];
        assert_eq!(ends(&placements, &[], &[(10, ALICE), (20, MALLORY)]), []);
    }
}
