//! Groups in the database.

use super::Group;
use crate::{
    clock::Moment,
    db::{Tx, folded, on, row, run},
    http::{
        auth::Caller,
        error::Result,
        listing::{Bind, Compared, Filterable, Listing, Orderable, Select},
        query::Query,
    },
    ids::{GroupId, GroupUserId, PropertyId, UserId},
};

row!(Group { id, title });

/// What the list of groups can be filtered and ordered by.
const LISTING: Listing = Listing {
    filters: &[
        Filterable { name: "id", sql: "g.id {}", kind: Compared::Id },
        Filterable { name: "title", sql: "g.title {}", kind: Compared::Text },
    ],
    orders: &[
        Orderable { name: "id", sql: "g.id" },
        Orderable { name: "title", sql: "g.sort_title" },
        Orderable { name: "inserted_at", sql: "g.created_at" },
    ],
    default_order: "g.sort_title",
    id: "g.id",
};

/// A group of a property.
pub struct GroupOf {
    pub property_id: PropertyId,
    pub id: GroupId,
    pub title: String,
}

row!(GroupOf { property_id, id, title });

/// A property of a group.
pub struct PropertyOf {
    pub group_id: GroupId,
    pub id: PropertyId,
    pub title: String,
}

row!(PropertyOf { group_id, id, title });

fn select(columns: &str, caller: &Caller) -> Select {
    let sql = format!("select {columns} from group_users gu join groups g on g.id = gu.group_id where gu.user_id = $1");
    Select::new(sql, vec![Bind::Id(caller.user.0)])
}

/// The caller's groups: all, or one page where pages are asked for; and how many there are.
pub async fn list(tx: &mut Tx, caller: &Caller, query: &Query) -> Result<(Vec<Group>, i64)> {
    let mut rows = select("g.id, g.title", caller);
    rows.filter(&LISTING, query)?;
    rows.order(&LISTING, query)?;
    if !query.is_paged() {
        let groups: Vec<Group> = rows.all(tx).await?;
        let total = i64::try_from(groups.len()).unwrap_or(i64::MAX);
        return Ok((groups, total));
    }
    let mut count = select("count(*)", caller);
    count.filter(&LISTING, query)?;
    rows.page(query.paging());
    Ok((rows.all(tx).await?, count.count(tx).await?))
}

/// One of the caller's groups.
pub async fn by_id(tx: &mut Tx, caller: &Caller, id: GroupId) -> sqlx::Result<Option<Group>> {
    let mut rows = select("g.id, g.title", caller);
    let name = rows.bind(Bind::Id(id.0));
    rows.push(&format!(" and g.id = {name}"));
    Ok(rows.all(tx).await?.pop())
}

/// The groups of these properties that the caller sees.
pub async fn of_properties(tx: &mut Tx, caller: &Caller, properties: &[PropertyId]) -> sqlx::Result<Vec<GroupOf>> {
    const SQL: &str = "
        select gp.property_id, g.id, g.title
        from group_properties gp
        join group_users gu on gu.group_id = gp.group_id and gu.user_id = $1
        join groups g on g.id = gp.group_id
        where gp.property_id in (";
    if properties.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = Select::new(SQL, vec![Bind::Id(caller.user.0)]);
    let names = rows.bind_all(properties.iter().map(|id| Bind::Id(id.0)));
    rows.push(&names);
    rows.push(") order by g.sort_title, g.id");
    rows.all(tx).await
}

/// The properties in these groups that exist for the caller.
pub async fn properties_of(tx: &mut Tx, caller: &Caller, groups: &[GroupId]) -> sqlx::Result<Vec<PropertyOf>> {
    const SQL: &str = "
        select gp.group_id, p.id, p.title
        from group_properties gp
        join properties p on p.id = gp.property_id
        where ($1 is null or p.id in (select property_id from api_key_properties where key_id = $1))
            and gp.group_id in (";
    let mut found = Vec::new();
    // Both databases limit the values of one query; the list of groups has no pages of its own.
    for groups in groups.chunks(1000) {
        let mut rows = Select::new(SQL, vec![Bind::MaybeId(caller.limit().map(|key| key.0))]);
        let names = rows.bind_all(groups.iter().map(|id| Bind::Id(id.0)));
        rows.push(&names);
        rows.push(") order by p.sort_title, p.id");
        found.append(&mut rows.all(tx).await?);
    }
    Ok(found)
}

/// Keeps one of the caller's groups from going away before this transaction ends. False where it is not there.
pub async fn hold(tx: &mut Tx, caller: &Caller, id: GroupId) -> sqlx::Result<bool> {
    const SQL: &str = "
        update groups set id = id
        where id = $1 and id in (select group_id from group_users where user_id = $2)";
    run!(tx, sqlx::query(SQL).bind(id).bind(caller.user)).map(|rows| rows == 1)
}

/// As [`hold`], the group that new properties go to: the default group as long as it exists, else the oldest.
pub async fn hold_default(tx: &mut Tx, caller: &Caller) -> sqlx::Result<Option<GroupId>> {
    const SQL: &str = "
        select g.id from group_users gu
        join groups g on g.id = gu.group_id
        join users u on u.id = gu.user_id
        where gu.user_id = $1
        order by case when g.id = u.default_group_id then 0 else 1 end, g.created_at, g.id
        limit 1";
    let found: Option<GroupId> = on!(tx, conn => sqlx::query_scalar(SQL).bind(caller.user).fetch_optional(conn).await)?;
    match found {
        Some(group) => Ok(hold(tx, caller, group).await?.then_some(group)),
        None => Ok(None),
    }
}

/// Adds a group; the user becomes its owner.
pub async fn insert(tx: &mut Tx, group: &Group, owner: UserId, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "insert into groups (id, title, sort_title, created_at) values ($1, $2, $3, $4)";
    const OWNER: &str = "
        insert into group_users (id, group_id, user_id, role, created_at) values ($1, $2, $3, 'owner', $4)";
    run!(tx, sqlx::query(SQL).bind(group.id).bind(&group.title).bind(folded(&group.title).into_bytes()).bind(now))?;
    run!(tx, sqlx::query(OWNER).bind(GroupUserId::new()).bind(group.id).bind(owner).bind(now)).map(drop)
}
