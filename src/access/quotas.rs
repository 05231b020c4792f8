//! Quotas (docs/contract/README.md, section 11). The caller locks the user, property or group for which it counts, so
//! that two concurrent creates are never both the last one.

use std::borrow::Cow;

use crate::{
    base::{
        clock::Moment,
        error::{Error, Result},
        ids::{GroupId, PropertyId, UserId},
    },
    db::{Bind, Statement, Tx},
};

/// Groups that a property may be in: every response with the property lists them.
const GROUPS_OF_PROPERTY: i64 = 100;

/// Property users of a property, and group users of a group.
const MEMBERS: i64 = 1_000;

/// New accounts by one user's invitations in 24 hours.
const NEW_USERS_A_DAY: i64 = 100;

/// API keys that a user may create in 24 hours.
const NEW_KEYS_A_DAY: i64 = 1_000;

/// What a quota counts.
#[derive(Clone, Copy)]
enum Counted {
    Properties,
    Groups,
    GroupsOfProperty,
    UsersOfProperty,
    UsersOfGroup,
}

impl Counted {
    /// Counts by an index, up to the limit `$2`.
    fn sql(self) -> &'static str {
        macro_rules! count {
            ($from:literal) => {
                concat!("select count(*) from (select 1 from ", $from, " limit $2) counted")
            };
        }
        match self {
            Counted::Properties => count!("properties where made_by = $1"),
            Counted::Groups => count!("group_users where user_id = $1 and role = 'owner'"),
            Counted::GroupsOfProperty => count!("group_properties where property_id = $1"),
            Counted::UsersOfProperty => count!("property_users where property_id = $1"),
            Counted::UsersOfGroup => count!("group_users where group_id = $1"),
        }
    }

    /// Who has them, and their noun in singular and plural.
    fn nouns(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Counted::Properties => ("account", "property", "properties"),
            Counted::Groups => ("account", "group", "groups"),
            Counted::GroupsOfProperty => ("property", "group", "groups"),
            Counted::UsersOfProperty => ("property", "user", "users"),
            Counted::UsersOfGroup => ("group", "user", "users"),
        }
    }
}

/// # Errors
/// `Full` if the quota is used up; 0 means no limit.
async fn check(tx: &mut Tx, counted: Counted, of: Bind, max: i64) -> Result<()> {
    count(tx, counted.sql(), of, max, counted.nouns()).await
}

/// The same by a query that counts up to `$2` of `$1`; `nouns` as [`Counted::nouns`].
async fn count(
    tx: &mut Tx,
    sql: impl Into<Cow<'static, str>>,
    of: Bind,
    max: i64,
    (whose, one, many): (&str, &str, &str),
) -> Result<()> {
    if max == 0 {
        return Ok(());
    }
    let found: i64 = Statement::new(sql, vec![of, Bind::Whole(max)]).fetch_value(tx).await?;
    if found < max {
        return Ok(());
    }
    let what = if max == 1 { one } else { many };
    Err(Error::Full(format!("the {whose} has {max} {what}, the most there may be")))
}

/// Checks how many properties a user has created; those created by others do not count.
pub async fn property(tx: &mut Tx, user: UserId, max: i64) -> Result<()> {
    check(tx, Counted::Properties, user.into(), max).await
}

/// Checks how many groups a user owns.
pub async fn group(tx: &mut Tx, user: UserId, max: i64) -> Result<()> {
    check(tx, Counted::Groups, user.into(), max).await
}

/// Whose resources are counted.
#[derive(Clone, Copy)]
pub enum Of {
    Property(PropertyId),
    User(UserId),
}

/// Checks how many resources of a table, each called `noun`, a property or a user has.
pub async fn resource(tx: &mut Tx, table: &str, noun: &str, of: Of, max: i64) -> Result<()> {
    let (whose, column, id) = match of {
        Of::Property(id) => ("property", "property_id", id.into()),
        Of::User(id) => ("account", "user_id", id.into()),
    };
    let sql = format!("select count(*) from (select 1 from {table} where {column} = $1 limit $2) counted");
    count(tx, sql, id, max, (whose, noun, &table.replace('_', " "))).await
}

/// Checks how many groups a property is in.
pub async fn group_of_property(tx: &mut Tx, property: PropertyId) -> Result<()> {
    check(tx, Counted::GroupsOfProperty, property.into(), GROUPS_OF_PROPERTY).await
}

/// Checks how many property users a property has.
pub async fn user_of_property(tx: &mut Tx, property: PropertyId) -> Result<()> {
    check(tx, Counted::UsersOfProperty, property.into(), MEMBERS).await
}

/// Checks how many group users a group has.
pub async fn user_of_group(tx: &mut Tx, group: GroupId) -> Result<()> {
    check(tx, Counted::UsersOfGroup, group.into(), MEMBERS).await
}

/// Checks how many accounts a user's invitations have created in 24 hours.
pub async fn new_user(tx: &mut Tx, inviter: UserId, now: Moment) -> Result<()> {
    const SQL: &str = "select count(*) from users where invited_by = $1 and created_at > $2";
    let since = Bind::Moment(now - chrono::Duration::days(1));
    let found: i64 = Statement::new(SQL, vec![inviter.into(), since]).fetch_value(tx).await?;
    if found < NEW_USERS_A_DAY {
        return Ok(());
    }
    Err(Error::Full(format!("the account has invited {NEW_USERS_A_DAY} new users in 24 hours, the most there may be")))
}

/// Checks how many keys a user has created in 24 hours, including withdrawn ones.
pub async fn new_key(tx: &mut Tx, user: UserId, now: Moment) -> Result<()> {
    const SQL: &str = "select count(*) from api_keys where user_id = $1 and created_at > $2";
    let since = Bind::Moment(now - chrono::Duration::days(1));
    let found: i64 = Statement::new(SQL, vec![user.into(), since]).fetch_value(tx).await?;
    if found < NEW_KEYS_A_DAY {
        return Ok(());
    }
    Err(Error::Full(format!("the account has made {NEW_KEYS_A_DAY} API keys in 24 hours, the most there may be")))
}
