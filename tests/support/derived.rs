//! What the database has twice, so that it need not be computed for each request: whatever a test has done, it is as if
//! it were computed now.

use std::path::Path;

#[expect(clippy::disallowed_types, reason = "tests look into tables")]
use sqlx::AssertSqlSafe;
use sqlx::{Connection, PgConnection};

use crate::program::PATIENCE;

/// What must not be found, and where.
const WRONG: &[(&str, &str)] = &[
    (
        "users with a wrong property_totals.total",
        "users u left join property_totals t on t.user_id = u.id
        where t.total is null or t.total <> (
            select count(*) from (
                select pu.property_id from property_users pu where pu.user_id = u.id
                union
                select gp.property_id from group_users gu join group_properties gp on gp.group_id = gu.group_id
                where gu.user_id = u.id) visible)",
    ),
    ("property_totals of nobody", "property_totals t where not exists (select 1 from users u where u.id = t.user_id)"),
    (
        "properties with a wrong group_count",
        "properties p where p.group_count <> (
            select count(*) from group_properties gp where gp.property_id = p.id)",
    ),
    (
        "properties without one home",
        "properties p where 1 <> (
            select count(*) from group_properties gp where gp.property_id = p.id and gp.is_home)",
    ),
    (
        "property_users with an old sort_title",
        "property_users l join properties p on p.id = l.property_id where l.sort_title <> p.sort_title",
    ),
    (
        "group_properties with an old sort_title",
        "group_properties l join properties p on p.id = l.property_id where l.sort_title <> p.sort_title",
    ),
    (
        "keys that manage users, but are limited or read only",
        "api_keys where manage_users and (read_only or not all_properties)",
    ),
    (
        "selected properties of keys that are not limited",
        "api_key_properties kp join api_keys k on k.id = kp.key_id where k.all_properties",
    ),
    (
        "photos in the same place",
        "(select count(*) as photos from photos group by property_id, room_type_id, position) places where photos > 1",
    ),
];

/// The newest of the tables, which a test of older versions does not have.
const NEWEST: &str = "property_totals";

/// The names of what is wrong in a PostgreSQL database, with how many rows there are.
pub async fn wrong_on_postgres(url: &str) -> sqlx::Result<Vec<String>> {
    let mut connection = PgConnection::connect(url).await?;
    let mut wrong = Vec::new();
    let is_there = "select to_regclass('public.' || $1) is not null";
    if sqlx::query_scalar(is_there).bind(NEWEST).fetch_one(&mut connection).await? {
        for (name, rows) in WRONG {
            let count = AssertSqlSafe(format!("select count(*) from {rows}"));
            let count: i64 = sqlx::query_scalar(count).fetch_one(&mut connection).await?;
            wrong.extend((count > 0).then(|| format!("{count} {name}")));
        }
    }
    connection.close().await?;
    Ok(wrong)
}

/// The same of a SQLite file.
pub fn wrong_on_sqlite(file: &Path) -> rusqlite::Result<Vec<String>> {
    let connection = rusqlite::Connection::open(file)?;
    connection.busy_timeout(PATIENCE)?;
    let mut wrong = Vec::new();
    let is_there = "select exists (select 1 from sqlite_master where name = ?)";
    if connection.query_row(is_there, [NEWEST], |row| row.get(0))? {
        for (name, rows) in WRONG {
            let count: i64 = connection.query_row(&format!("select count(*) from {rows}"), [], |row| row.get(0))?;
            wrong.extend((count > 0).then(|| format!("{count} {name}")));
        }
    }
    Ok(wrong)
}
