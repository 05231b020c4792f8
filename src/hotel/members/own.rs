//! The groups of a user, and what others gave them: for the page "Your access".

use crate::{
    base::{
        clock::Moment,
        ids::{GroupId, UserId},
    },
    db::{Bind, Statement, Tx, impl_from_row},
    hotel::members::{MemberOf, store},
};

/// A group of a user.
pub struct OwnGroup {
    pub id: GroupId,
    pub title: String,
    /// `owner` or `user`.
    pub role: String,
    pub since: Moment,
    /// The email address of whoever gave it; `None` for the host, and for deleted users.
    pub given_by: Option<String>,
    pub properties: i64,
}

impl_from_row!(OwnGroup { id, title, role, since, given_by, properties });

/// Groups of a user by title, from `offset` on.
pub async fn groups(tx: &mut Tx, user: UserId, limit: i64, offset: i64) -> sqlx::Result<Vec<OwnGroup>> {
    const SQL: &str = "
        select g.id, g.title, gu.role, gu.created_at as since,
            (select b.email from users b where b.id = gu.given_by) as given_by,
            (select count(*) from group_properties gp where gp.group_id = g.id) as properties
        from group_users gu join groups g on g.id = gu.group_id
        where gu.user_id = $1 order by g.sort_title, g.id limit $2 offset $3";
    Statement::new(SQL, vec![user.into(), Bind::Whole(limit), Bind::Whole(offset)]).fetch_all(tx).await
}

/// The number of a user's groups.
pub async fn count_groups(tx: &mut Tx, user: UserId) -> sqlx::Result<i64> {
    const SQL: &str = "select count(*) from group_users where user_id = $1";
    Statement::new(SQL, vec![user.into()]).fetch_value(tx).await
}

/// The position of a group among those of a user, by title, from 0.
pub async fn place_of_group(tx: &mut Tx, user: UserId, group: GroupId) -> sqlx::Result<i64> {
    const SQL: &str = "
        select count(*) from group_users gu join groups g on g.id = gu.group_id
        join groups o on o.id = $2
        where gu.user_id = $1
            and (g.sort_title < o.sort_title or (g.sort_title = o.sort_title and g.id < o.id))";
    Statement::new(SQL, vec![user.into(), group.into()]).fetch_value(tx).await
}

/// Somebody who gave a user access that the user still has.
pub struct Given {
    pub id: UserId,
    pub email: String,
    pub name: Option<String>,
    pub groups: i64,
    pub properties: i64,
}

impl_from_row!(Given { id, email, name, groups, properties });

/// Everybody who gave a user access, by email address.
pub async fn givers(tx: &mut Tx, user: UserId) -> sqlx::Result<Vec<Given>> {
    const SQL: &str = "
        select u.id, u.email, u.name, given.groups, given.properties from (
            select given_by, cast(sum(of_groups) as bigint) as groups,
                cast(sum(of_properties) as bigint) as properties
            from (
                select given_by, 1 as of_groups, 0 as of_properties from group_users where user_id = $1
                union all
                select given_by, 0, 1 from property_users where user_id = $1) links
            where given_by is not null and given_by <> $1
            group by given_by) given
        join users u on u.id = given.given_by
        order by u.email_key collate \"C\"";
    Statement::new(SQL, vec![user.into()]).fetch_all(tx).await
}

/// Titles of what an inviter gave a user and the user cannot leave, because nobody else owns it.
pub async fn staying(tx: &mut Tx, inviter: UserId, user: UserId) -> sqlx::Result<Vec<String>> {
    const GROUP: &str = "select title from groups where id = $1";
    const PROPERTY: &str = "select title from properties where id = $1";
    let mut titles = Vec::new();
    for (of, sql) in [(MemberOf::Group, GROUP), (MemberOf::Property, PROPERTY)] {
        for parent in store::given_by(tx, of, inviter, user).await? {
            if store::is_last_owner(tx, of, parent, user).await? {
                titles.append(&mut Statement::new(sql, vec![Bind::Id(parent)]).fetch_values(tx).await?);
            }
        }
    }
    Ok(titles)
}
