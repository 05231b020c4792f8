//! What was made with a key and still exists: the access that it gave, and the properties that it put into groups. Whoever
//! finds a key in wrong hands needs to know.

use crate::{
    access::OWNED,
    base::ids::{ApiKeyId, GroupId, MemberId, PropertyId, UserId},
    db::{Bind, Statement, Tx, impl_from_row},
};

/// Maximum number of rows that a page lists.
const MOST: i64 = 50;

/// What was made with a key.
#[derive(Default)]
pub struct Made {
    /// The newest first, at most [`MOST`].
    pub rows: Vec<MadeRow>,
    /// How many more there are.
    pub more: i64,
}

/// A link of a person to a property or a group, or a property in a group.
pub struct MadeRow {
    /// The person and the role, unless it is a property in a group.
    pub email: Option<String>,
    pub role: Option<String>,
    pub property: Option<String>,
    pub group: Option<String>,
    /// The page where the user can end it.
    pub ending: Option<String>,
}

impl_from_row!(MadeRow, row => {
    let (link, group): (Option<MemberId>, Option<GroupId>) = (row.try_get("link")?, row.try_get("group_id")?);
    let property = row.try_get::<Option<PropertyId>>("property_id")?.filter(|_| row.try_get("can_end").unwrap_or(false));
    MadeRow {
        email: row.try_get("email")?,
        role: row.try_get("role")?,
        property: row.try_get("property")?,
        group: row.try_get("group_title")?,
        ending: property.and_then(|property| match (link, group) {
            (Some(link), _) => Some(format!("/properties/{property}/people/{link}/remove")),
            (None, Some(group)) => Some(format!("/properties/{property}/people/groups/{group}/take_out")),
            (None, None) => None,
        }),
    }
});

/// The rows of which [`of_key`] reads the first. `$1` is the user of the key, `$2` the key. The links with which a property
/// or a group begins are its creator's own, and not listed.
///
/// Access to a group is ended on the page of any of its properties.
fn rows() -> String {
    format!(
        "select pu.id as link, u.email, pu.role, p.title as property, cast(null as text) as group_title,
            p.id as property_id, cast(null as uuid) as group_id, pu.created_at, {OWNED} as can_end
        from property_users pu join users u on u.id = pu.user_id join properties p on p.id = pu.property_id
        where pu.given_by_key = $2 and pu.user_id <> $1
        union all
        select l.id, u.email, l.role, null, g.title,
            (select h.property_id from group_properties h where h.group_id = g.id order by h.property_id limit 1), g.id,
            l.created_at,
            exists (select 1 from group_users o where o.group_id = g.id and o.user_id = $1 and o.role = 'owner')
        from group_users l join users u on u.id = l.user_id join groups g on g.id = l.group_id
        where l.given_by_key = $2 and l.user_id <> $1
        union all
        select cast(null as uuid), null, null, p.title, g.title, p.id, g.id, l.created_at, {OWNED}
        from group_properties l join properties p on p.id = l.property_id join groups g on g.id = l.group_id
        where l.given_by_key = $2 and not l.is_home"
    )
}

/// What was made with a key of this user.
pub async fn of_key(tx: &mut Tx, user: UserId, key: ApiKeyId) -> sqlx::Result<Made> {
    let rows = rows();
    let binds = || vec![user.into(), key.into()];
    let mut newest = Statement::new(format!("select * from ({rows}) made order by created_at desc"), binds());
    let most = newest.bind(Bind::Whole(MOST));
    newest.push(&format!(" limit {most}"));
    let rows_found: Vec<MadeRow> = newest.fetch_all(tx).await?;
    let found = i64::try_from(rows_found.len()).unwrap_or(i64::MAX);
    let more = match found < MOST {
        true => 0,
        false => {
            let count = Statement::new(format!("select count(*) from ({rows}) made"), binds());
            count.fetch_value::<i64>(tx).await?.saturating_sub(found)
        }
    };
    Ok(Made { rows: rows_found, more })
}
