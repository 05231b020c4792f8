//! Every way to a property: who, in which role, directly or through which group, and who gave it
//! (docs/contract/README.md, section 15, 106).

use crate::{
    base::{
        clock::Moment,
        ids::{GroupId, MemberId, PropertyId, UserId},
    },
    db::{Statement, Tx, impl_from_row},
};

/// One way of one person to a property.
pub struct Way {
    pub user: UserId,
    pub email: String,
    pub name: Option<String>,
    /// `owner` or `user`.
    pub role: String,
    /// The link of the person to the property, or to the group.
    pub link: MemberId,
    /// The group it leads through; `None` for a direct link.
    pub group: Option<GroupId>,
    pub group_title: Option<String>,
    /// True if that group is the property's home.
    pub is_home: bool,
    /// When it began: when the link was given, or the property was put into the group, whichever is later.
    pub since: Moment,
    /// The email address of whoever gave the link; `None` for the host, and for deleted users.
    pub given_by: Option<String>,
    /// The title of the API key with which it was given.
    pub given_by_key: Option<String>,
    /// The email address of whoever put the property into the group.
    pub put_by: Option<String>,
    pub put_by_key: Option<String>,
}

impl_from_row!(Way {
    user,
    email,
    name,
    role,
    link,
    group,
    group_title,
    is_home,
    since,
    given_by,
    given_by_key,
    put_by,
    put_by_key
});

const SQL: &str = "
    select pu.user_id as \"user\", u.email, u.name, pu.role, pu.id as link, cast(null as uuid) as \"group\",
        cast(null as text) as group_title, false as is_home, pu.created_at as since,
        (select b.email from users b where b.id = pu.given_by) as given_by,
        (select k.title from api_keys k where k.id = pu.given_by_key) as given_by_key,
        cast(null as text) as put_by, cast(null as text) as put_by_key, u.email_key
    from property_users pu join users u on u.id = pu.user_id
    where pu.property_id = $1
    union all
    select gu.user_id, u.email, u.name, gu.role, gu.id, g.id, g.title, gp.is_home,
        case when gu.created_at > gp.created_at then gu.created_at else gp.created_at end,
        (select b.email from users b where b.id = gu.given_by),
        (select k.title from api_keys k where k.id = gu.given_by_key),
        (select b.email from users b where b.id = gp.given_by),
        (select k.title from api_keys k where k.id = gp.given_by_key), u.email_key
    from group_properties gp
    join groups g on g.id = gp.group_id
    join group_users gu on gu.group_id = gp.group_id
    join users u on u.id = gu.user_id
    where gp.property_id = $1";

/// All ways to a property, by email address; direct ones before those through groups.
pub async fn to_property(tx: &mut Tx, property: PropertyId) -> sqlx::Result<Vec<Way>> {
    let mut ways: Vec<Way> = Statement::new(SQL, vec![property.into()]).fetch_all(tx).await?;
    ways.sort_by(|a, b| (&a.email, &a.group_title, a.group).cmp(&(&b.email, &b.group_title, b.group)));
    Ok(ways)
}
