//! Which properties a caller reaches, in which version, and through which groups: all that a request must ask the
//! database for when what they look like is kept (`resource/render_cache.rs`).

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    access::{caller::Caller, totals},
    base::{
        error::Result,
        ids::{GroupId, PropertyId},
    },
    db::{Bind, Statement, Tx, folded, impl_from_row},
    hotel::{
        groups::{self, store::GroupOf},
        properties::Property,
    },
    resource::{json::Meta, list, query::Query, store},
};

/// Rows that lead to a small account's properties. Its list is put in order here, which needs no temporary tables.
const SMALL: usize = 200;

/// Groups at most of which the pages of a large account are merged.
const MOST_MERGED: usize = 50;

/// Rows at most that are read to merge a page; a later one is left to the database, which needs less memory.
const MOST_READ: i64 = 10_000;

/// A property that the caller reaches.
pub struct Hit {
    pub id: PropertyId,
    /// The newest.
    pub version: i64,
    /// Those that the caller sees, by title.
    pub groups: Vec<GroupOf>,
    /// True where other groups hold it too: an owner sees these as well, which takes another query.
    pub in_others: bool,
}

/// A row of what leads to properties.
struct Way {
    /// A property's, or a group's.
    id: Uuid,
    version: i64,
    sort_title: Vec<u8>,
    /// The group through which this leads to a property; `None` where it leads there directly.
    through: Option<GroupId>,
    /// Of a group: that of properties is not needed.
    title: Option<String>,
    /// Of a property: how many groups hold it. Of a group, where all properties are asked for: the user's total.
    count: i64,
}

impl_from_row!(Way, row => Way {
    id: row.at(0)?,
    version: row.at(1)?,
    sort_title: row.at(2)?,
    through: row.at(3)?,
    title: row.at(4)?,
    count: row.at(5)?,
});

/// The groups of a user, `$1`, and their ways to all properties, or to one, through a group and directly. Tables stand
/// in the order in which they lead there, each by an index; of the properties the index `properties_by_version` tells
/// all that is asked.
macro_rules! links {
    ($begin:literal, $total:expr, $groups:expr, $through_group:expr, $directly:expr, $end:literal) => {
        concat!(
            $begin,
            "select g.id, cast(0 as bigint) as version, g.sort_title, cast(null as uuid) as through, g.title, ",
            $total,
            " ",
            $groups,
            $end,
            " union all ",
            $begin,
            "select p.id, p.version, p.sort_title, gp.group_id, null, p.group_count ",
            $through_group,
            $end,
            " union all ",
            $begin,
            "select p.id, p.version, p.sort_title, null, null, p.group_count ",
            $directly,
            $end
        )
    };
}

/// At most one more than `SMALL`, as SQLite and as PostgreSQL must be asked for them. PostgreSQL chooses how to read each
/// part as if all of it were wanted, and may read the whole table, unless the part itself is limited.
macro_rules! limited {
    ($total:literal, $groups:literal, $through_group:literal, $directly:literal) => {
        [
            concat!(links!("", $total, $groups, $through_group, $directly, ""), " limit 201"),
            concat!(links!("(", $total, $groups, $through_group, $directly, " limit 201)"), " limit 201"),
        ]
    };
}

/// Of a large account only the groups, with its total: reading 201 of its ways would be in vain.
const ALL: [&str; 2] = limited!(
    "(select coalesce(max(total), 0) from property_totals where user_id = $1)",
    "from group_users gu cross join groups g where gu.user_id = $1 and g.id = gu.group_id",
    "from property_totals t cross join group_users gu cross join group_properties gp cross join properties p
     where t.user_id = $1 and t.total <= 200 and gu.user_id = $1 and gp.group_id = gu.group_id and p.id = gp.property_id",
    "from property_totals t cross join property_users pu cross join properties p
     where t.user_id = $1 and t.total <= 200 and pu.user_id = $1 and p.id = pu.property_id"
);

/// Those to which a key, `$2`, is limited.
const CHOSEN: [&str; 2] = limited!(
    "cast(0 as bigint)",
    "from group_users gu cross join groups g where gu.user_id = $1 and g.id = gu.group_id",
    "from api_key_properties kp cross join group_properties gp cross join group_users gu cross join properties p
     where kp.key_id = $2 and gp.property_id = kp.property_id and gu.group_id = gp.group_id and gu.user_id = $1
        and p.id = kp.property_id",
    "from api_key_properties kp cross join property_users pu cross join properties p
     where kp.key_id = $2 and pu.property_id = kp.property_id and pu.user_id = $1 and p.id = kp.property_id"
);

/// One, `$2`.
const ONE: &str = links!(
    "",
    "cast(0 as bigint)",
    "from group_properties gp cross join group_users gu cross join groups g
     where gp.property_id = $2 and gu.group_id = gp.group_id and gu.user_id = $1 and g.id = gp.group_id",
    "from group_properties gp cross join group_users gu cross join properties p
     where gp.property_id = $2 and gu.group_id = gp.group_id and gu.user_id = $1 and p.id = gp.property_id",
    "from property_users pu cross join properties p
     where pu.property_id = $2 and pu.user_id = $1 and p.id = pu.property_id",
    ""
);

/// One, `$2`, of those to which a key, `$3`, is limited.
const ONE_CHOSEN: &str = links!(
    "",
    "cast(0 as bigint)",
    "from group_properties gp cross join group_users gu cross join groups g
     where gp.property_id = $2 and gu.group_id = gp.group_id and gu.user_id = $1 and g.id = gp.group_id",
    "from api_key_properties kp cross join group_properties gp cross join group_users gu cross join properties p
     where kp.key_id = $3 and kp.property_id = $2 and gp.property_id = kp.property_id and gu.group_id = gp.group_id
        and gu.user_id = $1 and p.id = kp.property_id",
    "from api_key_properties kp cross join property_users pu cross join properties p
     where kp.key_id = $3 and kp.property_id = $2 and pu.property_id = kp.property_id and pu.user_id = $1
        and p.id = kp.property_id",
    ""
);

/// One page of the caller's properties.
pub async fn page(tx: &mut Tx, caller: &Caller, query: &Query) -> Result<(Vec<Hit>, Meta)> {
    if let Some((mut found, meta)) = small_page(tx, caller, query).await? {
        with_other_groups(tx, caller, &mut found).await?;
        return Ok((found, meta));
    }
    let (rows, meta) = match large_page(tx, caller, query).await? {
        Some(page) => page,
        None => {
            let listed = |columns| match query.only("title") {
                Some(title) if caller.limit().is_none() => titled(columns, caller, title),
                _ => store::listed::<Property>(tx, columns, caller),
            };
            let count = match query.filters.is_empty() && caller.limit().is_none() {
                true => totals::of(caller.user),
                false => listed("count(*)"),
            };
            let rows = listed("p.id, p.version");
            list::page(tx, &store::listing::<Property>(), query, rows, count).await?
        }
    };
    let found = |Version { id, version }| Hit { id, version, groups: Vec::new(), in_others: true };
    let mut found: Vec<Hit> = rows.into_iter().map(found).collect();
    with_other_groups(tx, caller, &mut found).await?;
    Ok((found, meta))
}

/// Asks for the groups of properties that are in others than those found; in the same transaction.
pub async fn with_other_groups(tx: &mut Tx, caller: &Caller, found: &mut [Hit]) -> sqlx::Result<()> {
    let ids: Vec<PropertyId> = found.iter().filter(|found| found.in_others).map(|found| found.id).collect();
    let mut groups: HashMap<PropertyId, Vec<GroupOf>> = HashMap::new();
    for group in groups::store::of_properties(tx, caller, &ids).await? {
        groups.entry(group.property_id).or_default().push(group);
    }
    for found in found.iter_mut().filter(|found| found.in_others) {
        found.groups = groups.remove(&found.id).unwrap_or_default();
        found.in_others = false;
    }
    Ok(())
}

/// The same by a single query, which needs no transaction, but for what is `in_others`. `None` where one is not enough.
pub async fn small_page(tx: &mut Tx, caller: &Caller, query: &Query) -> Result<Option<(Vec<Hit>, Meta)>> {
    if !query.is_plain() {
        return Ok(None);
    }
    let Some(all) = small(tx, caller).await? else { return Ok(None) };
    let (paging, total) = (query.paging(), all.len());
    let offset = usize::try_from(paging.offset()).unwrap_or(usize::MAX);
    let limit = usize::try_from(paging.limit).unwrap_or(usize::MAX);
    let page = all.into_iter().skip(offset).take(limit).collect();
    Ok(Some((page, Meta::new(paging, i64::try_from(total).unwrap_or(i64::MAX)))))
}

/// The caller's properties that may have this title: an index of the links has their sort keys.
fn titled(columns: &str, caller: &Caller, title: &str) -> Statement {
    let sql = format!(
        "select {columns} from (
            select property_id from property_users where user_id = $1 and sort_title = $2
            union
            select gp.property_id from group_users gu
            join group_properties gp on gp.group_id = gu.group_id and gp.sort_title = $2
            where gu.user_id = $1) mine
        join properties p on p.id = mine.property_id where true"
    );
    Statement::new(sql, vec![Bind::Id(caller.user.0), Bind::Bytes(folded(title).into_bytes())])
}

struct Version {
    id: PropertyId,
    version: i64,
}

impl_from_row!(Version { id, version });

/// A property as the index of a link has it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Titled {
    sort_title: Vec<u8>,
    id: PropertyId,
}

impl_from_row!(Titled { sort_title, id });

/// One page of all properties of a large account, by title: the first of each group and of the links to properties, which
/// indexes have in this order, merged. `None` where this is not what is asked for.
async fn large_page(tx: &mut Tx, caller: &Caller, query: &Query) -> Result<Option<(Vec<Version>, Meta)>> {
    const GROUPS: &str = "select group_id from group_users where user_id = $1 limit 51";
    const OF_GROUP: &str = "
        select sort_title, property_id as id from group_properties where group_id = $1
        order by sort_title, property_id limit $2";
    const DIRECTLY: &str = "
        select sort_title, property_id as id from property_users where user_id = $1
        order by sort_title, property_id limit $2";
    let (paging, user) = (query.paging(), Bind::Id(caller.user.0));
    if !query.is_plain() || caller.limit().is_some() {
        return Ok(None);
    }
    let groups: Vec<Uuid> = Statement::new(GROUPS, vec![user.clone()]).fetch_values(tx).await?;
    // Each property is there once for each way, but once in each of these.
    let first = paging.offset().saturating_add(paging.limit);
    if groups.len() > MOST_MERGED || first > MOST_READ / i64::try_from(groups.len() + 1).unwrap_or(i64::MAX) {
        return Ok(None);
    }
    let first = Bind::Whole(first);
    let mut found: Vec<Titled> = Statement::new(DIRECTLY, vec![user, first.clone()]).fetch_all(tx).await?;
    for group in groups {
        found.append(&mut Statement::new(OF_GROUP, vec![Bind::Id(group), first.clone()]).fetch_all(tx).await?);
    }
    found.sort_unstable();
    found.dedup();
    let offset = usize::try_from(paging.offset()).unwrap_or(usize::MAX);
    let limit = usize::try_from(paging.limit).unwrap_or(usize::MAX);
    let page: Vec<PropertyId> = found.into_iter().skip(offset).take(limit).map(|found| found.id).collect();
    let versions = versions(tx, &page).await?;
    let rows = page.into_iter().filter_map(|id| versions.get(&id).map(|version| Version { id, version: *version }));
    let total = totals::of(caller.user).fetch_value(tx).await?;
    Ok(Some((rows.collect(), Meta::new(paging, total))))
}

async fn versions(tx: &mut Tx, ids: &[PropertyId]) -> sqlx::Result<HashMap<PropertyId, i64>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut select = Statement::new("select p.id, p.version from properties p where p.id in (", Vec::new());
    let names = select.bind_all(ids.iter().map(|id| Bind::Id(id.0)));
    select.push(&names);
    select.push(")");
    let found: Vec<Version> = select.fetch_all(tx).await?;
    Ok(found.into_iter().map(|Version { id, version }| (id, version)).collect())
}

/// All properties of a small account, by title. `None` for a larger one.
async fn small(tx: &mut Tx, caller: &Caller) -> sqlx::Result<Option<Vec<Hit>>> {
    let (user, engine) = (Bind::Id(caller.user.0), usize::from(tx.is_postgres()));
    let select = match caller.limit() {
        None => Statement::new(ALL[engine], vec![user]),
        Some(key) => Statement::new(CHOSEN[engine], vec![user, Bind::Id(key.0)]),
    };
    let links: Vec<Way> = select.fetch_all(tx).await?;
    let total = match links.iter().find(|link| link.title.is_some()) {
        Some(group) => group.count,
        // Without a group, as some are who left theirs.
        None if links.is_empty() && caller.limit().is_none() => totals::of(caller.user).fetch_value(tx).await?,
        None => 0,
    };
    let is_small = links.len() <= SMALL && usize::try_from(total).is_ok_and(|total| total <= SMALL);
    Ok(is_small.then(|| joined(links)))
}

/// One of the caller's properties; see `in_others`.
pub async fn by_id(tx: &mut Tx, caller: &Caller, id: PropertyId) -> sqlx::Result<Option<Hit>> {
    let (user, id) = (Bind::Id(caller.user.0), Bind::Id(id.0));
    let select = match caller.limit() {
        None => Statement::new(ONE, vec![user, id]),
        Some(key) => Statement::new(ONE_CHOSEN, vec![user, id, Bind::Id(key.0)]),
    };
    Ok(joined(select.fetch_all(tx).await?).pop())
}

/// Each property once, by title, equal ones by id; its groups likewise.
fn joined(links: Vec<Way>) -> Vec<Hit> {
    let (mut groups, mut ways): (Vec<Way>, Vec<Way>) = links.into_iter().partition(|link| link.title.is_some());
    let by_title = |a: &Way, b: &Way| (&a.sort_title, a.id).cmp(&(&b.sort_title, b.id));
    groups.sort_unstable_by(by_title);
    ways.sort_unstable_by(by_title);
    let found = ways.chunk_by(|a, b| a.id == b.id).map(|ways| {
        let id = PropertyId(ways[0].id);
        let leads_there = |group: &&Way| ways.iter().any(|way| way.through == Some(GroupId(group.id)));
        let of = |group: &Way| GroupOf {
            property_id: id,
            id: GroupId(group.id),
            title: group.title.clone().unwrap_or_default(),
        };
        let groups: Vec<GroupOf> = groups.iter().filter(leads_there).map(of).collect();
        let in_others = usize::try_from(ways[0].count) != Ok(groups.len());
        Hit { id, version: ways[0].version, groups, in_others }
    });
    found.collect()
}
