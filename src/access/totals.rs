//! How many properties each user can see, so that no list need count them. Whatever changes the ways to a property, or
//! who is in a group, records it in a [`TotalChanges`], and ends with its `commit`. Why concurrent transactions neither
//! lose nor repeat a change is in docs/architecture.md ("Lists of large accounts").

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use uuid::Uuid;

use crate::{
    access::{self, caller::Caller},
    base::ids::{GroupId, PropertyId, UserId},
    db::{Bind, Statement, Tx, execute, impl_from_row},
};

/// Number of advisory locks that groups share, so that no transaction takes more of them.
const GROUP_LOCKS: u8 = 64;

/// The total of a user: one row, 0 for a user who has just been deleted.
pub fn of(user: UserId) -> Statement {
    Statement::new("select coalesce(max(total), 0) from property_totals where user_id = $1", vec![user.into()])
}

/// Begins the total of a new user.
pub async fn begin(tx: &mut Tx, user: UserId) -> sqlx::Result<()> {
    const SQL: &str = "insert into property_totals (user_id, total) values ($1, 0)";
    execute!(tx, SQL, user).map(drop)
}

/// What a transaction changes in the totals.
#[derive(Default)]
#[must_use = "totals change when it is committed"]
pub struct TotalChanges {
    /// Properties to which ways begin or end, with the ways before the first change.
    properties: BTreeMap<PropertyId, Ways>,
    /// Users who joined or left groups. They are counted anew, which is rare.
    members: BTreeSet<UserId>,
    /// Those groups.
    joined: BTreeSet<GroupId>,
    deleted: BTreeSet<UserId>,
}

/// The ways to a property: groups, and users with a link of their own.
#[derive(Clone, Default)]
struct Ways {
    groups: BTreeSet<GroupId>,
    users: BTreeSet<UserId>,
}

struct Way {
    id: Uuid,
    is_group: bool,
}

impl_from_row!(Way { id, is_group });

struct Member {
    group_id: GroupId,
    user_id: UserId,
}

impl_from_row!(Member { group_id, user_id });

impl Ways {
    async fn read(tx: &mut Tx, property: PropertyId) -> sqlx::Result<Self> {
        const SQL: &str = "
            select group_id as id, true as is_group from group_properties where property_id = $1
            union all
            select user_id, false from property_users where property_id = $1";
        let mut ways = Ways::default();
        for Way { id, is_group } in Statement::new(SQL, vec![property.into()]).fetch_all(tx).await? {
            match is_group {
                true => drop(ways.groups.insert(GroupId(id))),
                false => drop(ways.users.insert(UserId(id))),
            }
        }
        Ok(ways)
    }

    /// Everybody who has one of these ways.
    fn people(&self, members: &BTreeMap<GroupId, Vec<UserId>>) -> BTreeSet<UserId> {
        let through = self.groups.iter().filter_map(|group| members.get(group)).flatten();
        self.users.iter().chain(through).copied().collect()
    }
}

impl TotalChanges {
    /// Called before a way to a property begins or ends. The property is locked.
    pub async fn property(&mut self, tx: &mut Tx, id: PropertyId) -> sqlx::Result<()> {
        if let Entry::Vacant(entry) = self.properties.entry(id) {
            entry.insert(Ways::read(tx, id).await?);
        }
        Ok(())
    }

    /// Called for a new property, to which there was no way. Its group is locked.
    pub fn created(&mut self, id: PropertyId) {
        self.properties.insert(id, Ways::default());
    }

    /// Called for a user who joins or leaves a group with properties. The group is locked.
    pub fn member(&mut self, user: UserId, group: GroupId) {
        self.members.insert(user);
        self.joined.insert(group);
    }

    /// Called for a user who is deleted, and has no ways any more.
    pub fn deleted(&mut self, user: UserId) {
        self.deleted.insert(user);
    }

    /// Writes the totals and commits: they are locked last, and in the order of users, so that there is no deadlock.
    pub async fn commit(self, mut tx: Tx) -> sqlx::Result<()> {
        self.write(&mut tx).await?;
        tx.commit().await
    }

    async fn write(self, tx: &mut Tx) -> sqlx::Result<()> {
        let mut changed: Vec<(Ways, Ways)> = Vec::new();
        for (property, before) in &self.properties {
            changed.push((before.clone(), Ways::read(tx, *property).await?));
        }
        let groups: BTreeSet<GroupId> =
            changed.iter().flat_map(|(before, after)| before.groups.union(&after.groups)).copied().collect();
        self.lock_groups(tx, &changed).await?;
        let members = members(tx, &groups).await?;
        let mut differences: BTreeMap<UserId, i64> = BTreeMap::new();
        for (before, after) in &changed {
            for (ways, difference) in [(before, -1), (after, 1)] {
                for user in ways.people(&members) {
                    *differences.entry(user).or_default() += difference;
                }
            }
        }
        differences.retain(|user, difference| {
            *difference != 0 && !self.members.contains(user) && !self.deleted.contains(user)
        });
        let locked: BTreeSet<UserId> = self.members.iter().chain(&self.deleted).copied().collect();
        if !locked.is_empty() || differences.len() > 1 {
            lock(tx, locked.iter().chain(differences.keys()).copied().collect()).await?;
        }
        for user in self.members.difference(&self.deleted) {
            recount(tx, *user).await?;
        }
        for user in &self.deleted {
            execute!(tx, "delete from property_totals where user_id = $1", user)?;
        }
        add(tx, differences).await
    }

    /// Locks on PostgreSQL, in the order of their numbers, the locks of all groups whose members and properties are
    /// counted together: alone where members change, else shared. Rows of groups would not do, since they come before
    /// properties, and which groups hold a property is known only when it is locked.
    async fn lock_groups(&self, tx: &mut Tx, changed: &[(Ways, Ways)]) -> sqlx::Result<()> {
        const ALONE: &str = "select cast(pg_advisory_xact_lock(1818326115, cast($1 as integer)) as text)";
        const SHARED: &str = "select cast(pg_advisory_xact_lock_shared(1818326115, cast($1 as integer)) as text)";
        if !tx.is_postgres() {
            return Ok(());
        }
        let number = |group: &GroupId| group.0.as_bytes()[15] % GROUP_LOCKS;
        // Nobody else can join the locked group of a new property.
        let known = changed.iter().filter(|(before, _)| !before.groups.is_empty());
        let shared = known.flat_map(|(before, after)| before.groups.union(&after.groups)).map(number);
        let mut locks: BTreeMap<u8, &str> = shared.map(|number| (number, SHARED)).collect();
        locks.extend(self.joined.iter().map(|group| (number(group), ALONE)));
        for (number, sql) in locks {
            Statement::new(sql, vec![Bind::Whole(number.into())]).fetch_values::<String>(tx).await?;
        }
        Ok(())
    }
}

/// The users of groups.
async fn members(tx: &mut Tx, groups: &BTreeSet<GroupId>) -> sqlx::Result<BTreeMap<GroupId, Vec<UserId>>> {
    let mut members: BTreeMap<GroupId, Vec<UserId>> = BTreeMap::new();
    if groups.is_empty() {
        return Ok(members);
    }
    let mut rows = Statement::new("select group_id, user_id from group_users where group_id in (", Vec::new());
    let names = rows.bind_all(groups.iter().map(|group| Bind::Id(group.0)));
    rows.push(&format!("{names})"));
    for Member { group_id, user_id } in rows.fetch_all(tx).await? {
        members.entry(group_id).or_default().push(user_id);
    }
    Ok(members)
}

/// Locks the totals of users, in their order. (SQLite has one writer at a time anyway.)
async fn lock(tx: &mut Tx, users: BTreeSet<UserId>) -> sqlx::Result<()> {
    if !tx.is_postgres() {
        return Ok(());
    }
    let mut rows = Statement::new("select user_id from property_totals where user_id in ", Vec::new());
    let names = rows.bind_ids(true, users.iter().map(|user| user.0));
    rows.push(&format!("{names} order by user_id for no key update"));
    rows.fetch_values::<UserId>(tx).await.map(drop)
}

/// Counts the properties of a user. The total is locked before, so that this sees what others have committed.
async fn recount(tx: &mut Tx, user: UserId) -> sqlx::Result<()> {
    const SQL: &str = "update property_totals set total = $2 where user_id = $1";
    let total: i64 = access::count_visible(&Caller::person(user)).fetch_value(tx).await?;
    execute!(tx, SQL, user, total).map(drop)
}

async fn add(tx: &mut Tx, differences: BTreeMap<UserId, i64>) -> sqlx::Result<()> {
    let mut users: BTreeMap<i64, Vec<UserId>> = BTreeMap::new();
    for (user, difference) in differences {
        users.entry(difference).or_default().push(user);
    }
    for (difference, users) in users {
        let mut update = Statement::new(
            "update property_totals set total = total + $1 where user_id in ",
            vec![Bind::Whole(difference)],
        );
        let names = update.bind_ids(tx.is_postgres(), users.iter().map(|user| user.0));
        update.push(&names);
        update.execute(tx).await?;
    }
    Ok(())
}
