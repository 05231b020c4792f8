//! How much one may have (docs/contract/README.md, section 11). Whoever counts holds the row of the user, or of the property,
//! that it is counted for: two creates at once are never both the last.

use crate::{
    base::{
        clock::Moment,
        error::{Error, Result},
        ids::{GroupId, PropertyId, UserId},
    },
    db::{Bind, Statement, Tx},
};

/// Groups that a property may be in: each is named in every answer that shows the property.
const GROUPS_OF_PROPERTY: i64 = 100;

/// Users that a property, or a group, may have of its own.
const MEMBERS: i64 = 1_000;

/// Accounts that one user's invitations may make in 24 hours.
const NEW_USERS_A_DAY: i64 = 100;

/// API keys that a user may make in 24 hours.
const NEW_KEYS_A_DAY: i64 = 1_000;

/// Something of which there is a limit.
#[derive(Clone, Copy)]
enum Counted {
    Properties,
    Groups,
    RatePlans,
    GroupsOfProperty,
    UsersOfProperty,
    UsersOfGroup,
}

impl Counted {
    /// Counts by an index, and no further than to the limit, `$2`.
    fn sql(self) -> &'static str {
        macro_rules! count {
            ($from:literal) => {
                concat!("select count(*) from (select 1 from ", $from, " limit $2) counted")
            };
        }
        match self {
            Counted::Properties => count!("properties where made_by = $1"),
            Counted::Groups => count!("group_users where user_id = $1 and role = 'owner'"),
            Counted::RatePlans => count!("rate_plans where property_id = $1"),
            Counted::GroupsOfProperty => count!("group_properties where property_id = $1"),
            Counted::UsersOfProperty => count!("property_users where property_id = $1"),
            Counted::UsersOfGroup => count!("group_users where group_id = $1"),
        }
    }

    /// Whose they are, and what they are: one of them, and several.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Counted::Properties => ("account", "property", "properties"),
            Counted::Groups => ("account", "group", "groups"),
            Counted::RatePlans => ("property", "rate plan", "rate plans"),
            Counted::GroupsOfProperty => ("property", "group", "groups"),
            Counted::UsersOfProperty => ("property", "user", "users"),
            Counted::UsersOfGroup => ("group", "user", "users"),
        }
    }
}

async fn room_for_one(tx: &mut Tx, counted: Counted, of: Bind, most: i64) -> Result<()> {
    if most == 0 {
        return Ok(());
    }
    let found: i64 = Statement::new(counted.sql(), vec![of, Bind::Whole(most)]).fetch_value(tx).await?;
    if found < most {
        return Ok(());
    }
    let (whose, one, many) = counted.words();
    let what = if most == 1 { one } else { many };
    Err(Error::Full(format!("the {whose} has {most} {what}, the most there may be")))
}

/// Refuses one property more than a user may have made. Those that others made do not count.
pub async fn property(tx: &mut Tx, user: UserId, most: i64) -> Result<()> {
    room_for_one(tx, Counted::Properties, user.into(), most).await
}

/// Refuses one group more than a user may own.
pub async fn group(tx: &mut Tx, user: UserId, most: i64) -> Result<()> {
    room_for_one(tx, Counted::Groups, user.into(), most).await
}

/// Whose resources are counted.
#[derive(Clone, Copy)]
pub enum Of {
    Property(PropertyId),
    User(UserId),
}

/// Refuses one resource more than a property, or a user, may have, of those in a table.
pub async fn resource(tx: &mut Tx, table: &str, of: Of, most: i64) -> Result<()> {
    if most == 0 {
        return Ok(());
    }
    let (whose, column, id) = match of {
        Of::Property(id) => ("property", "property_id", id.into()),
        Of::User(id) => ("account", "user_id", id.into()),
    };
    let sql = format!("select count(*) from (select 1 from {table} where {column} = $1 limit $2) counted");
    let found: i64 = Statement::new(sql, vec![id, Bind::Whole(most)]).fetch_value(tx).await?;
    if found < most {
        return Ok(());
    }
    Err(Error::Full(format!("the {whose} has {most} {}, the most there may be", table.replace('_', " "))))
}

pub async fn rate_plan(tx: &mut Tx, property: PropertyId, most: i64) -> Result<()> {
    room_for_one(tx, Counted::RatePlans, property.into(), most).await
}

/// Refuses one group more than a property may be in.
pub async fn group_of_property(tx: &mut Tx, property: PropertyId) -> Result<()> {
    room_for_one(tx, Counted::GroupsOfProperty, property.into(), GROUPS_OF_PROPERTY).await
}

/// Refuses one user more than a property may have.
pub async fn user_of_property(tx: &mut Tx, property: PropertyId) -> Result<()> {
    room_for_one(tx, Counted::UsersOfProperty, property.into(), MEMBERS).await
}

/// Refuses one user more than a group may have.
pub async fn user_of_group(tx: &mut Tx, group: GroupId) -> Result<()> {
    room_for_one(tx, Counted::UsersOfGroup, group.into(), MEMBERS).await
}

/// Refuses an invitation of one more unknown address than a user may invite a day: each makes an account.
pub async fn new_user(tx: &mut Tx, inviter: UserId, now: Moment) -> Result<()> {
    const SQL: &str = "select count(*) from users where invited_by = $1 and created_at > $2";
    let since = Bind::Moment(now - chrono::Duration::days(1));
    let found: i64 = Statement::new(SQL, vec![inviter.into(), since]).fetch_value(tx).await?;
    if found < NEW_USERS_A_DAY {
        return Ok(());
    }
    Err(Error::Full(format!("the account has invited {NEW_USERS_A_DAY} new users in 24 hours, the most there may be")))
}

/// Refuses one key more than a user may make a day: those that were withdrawn are kept.
pub async fn new_key(tx: &mut Tx, user: UserId, now: Moment) -> Result<()> {
    const SQL: &str = "select count(*) from api_keys where user_id = $1 and created_at > $2";
    let since = Bind::Moment(now - chrono::Duration::days(1));
    let found: i64 = Statement::new(SQL, vec![user.into(), since]).fetch_value(tx).await?;
    if found < NEW_KEYS_A_DAY {
        return Ok(());
    }
    Err(Error::Full(format!("the account has made {NEW_KEYS_A_DAY} API keys in 24 hours, the most there may be")))
}
