//! The people, keys and properties that the load meets, put into the database beside the program.

use std::io;

use rand::RngExt;
use rusqlite::Connection as SqliteConnection;
use sha2::{Digest, Sha256};
#[expect(clippy::disallowed_types, reason = "a benchmark fills tables by the thousand")]
use sqlx::AssertSqlSafe;
use sqlx::{Connection, Executor, PgConnection};
use uuid::Uuid;

use crate::program::Host;

/// Rows of one statement.
const AT_ONCE: usize = 500;

/// A user with a subscription and a group, and an API key of theirs.
#[derive(Clone)]
pub struct Person {
    pub user: Uuid,
    pub group: Uuid,
    pub key: String,
}

/// A connection beside the program's.
pub enum Seeds {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Seeds {
    pub async fn into(host: &Host) -> io::Result<Self> {
        match &host.postgres {
            Some(cluster) => PgConnection::connect(&cluster.url()).await.map(Self::Postgres).map_err(io::Error::other),
            None => {
                let connection = SqliteConnection::open(host.file()).map_err(io::Error::other)?;
                connection.busy_timeout(std::time::Duration::from_secs(60)).map_err(io::Error::other)?;
                Ok(Self::Sqlite(connection))
            }
        }
    }

    pub async fn run(&mut self, sql: String) -> io::Result<()> {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(&sql).map_err(io::Error::other),
            Self::Postgres(connection) => {
                connection.execute(AssertSqlSafe(sql)).await.map(drop).map_err(io::Error::other)
            }
        }
    }

    fn bytes(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Sqlite(_) => format!("x'{hex}'"),
            Self::Postgres(_) => format!("'\\x{hex}'::bytea"),
        }
    }

    fn id(&self, id: Uuid) -> String {
        match self {
            Self::Sqlite(_) => self.bytes(id.as_bytes()),
            Self::Postgres(_) => format!("'{id}'::uuid"),
        }
    }

    async fn insert(&mut self, into: &str, rows: &[String]) -> io::Result<()> {
        for rows in rows.chunks(AT_ONCE) {
            self.run(format!("insert into {into} values {}", rows.join(", "))).await?;
        }
        Ok(())
    }

    /// Users with all that the API asks of them, and a key each.
    pub async fn people(&mut self, count: usize) -> io::Result<Vec<Person>> {
        let people: Vec<Person> =
            (0..count).map(|_| Person { user: Uuid::now_v7(), group: Uuid::now_v7(), key: key() }).collect();
        let (mut groups, mut users, mut subscriptions, mut links) = (vec![], vec![], vec![], vec![]);
        let mut totals = vec![];
        for Person { user, group, .. } in &people {
            let (id, group) = (self.id(*user), self.id(*group));
            let title = self.bytes(b"user group");
            groups.push(format!("({group}, 'User Group', {title}, {NOW})"));
            users.push(format!("({id}, '{user}@load.example', '{user}@load.example', 'UTC', {group}, {NOW})"));
            totals.push(format!("({id}, 0)"));
            subscriptions.push(format!("({id}, 'active', {NOW})"));
            links.push(format!("({}, {group}, {id}, 'owner', {NOW})", self.id(Uuid::now_v7())));
        }
        self.run("begin".to_owned()).await?;
        self.insert("groups (id, title, sort_title, created_at)", &groups).await?;
        self.insert("users (id, email, email_key, time_zone, default_group_id, created_at)", &users).await?;
        self.insert("subscriptions (user_id, state, updated_at)", &subscriptions).await?;
        self.insert("group_users (id, group_id, user_id, role, created_at)", &links).await?;
        self.insert("property_totals (user_id, total)", &totals).await?;
        self.keys(people.iter().map(|person| (person.user, person.key.as_str()))).await?;
        self.run("commit".to_owned()).await?;
        Ok(people)
    }

    /// Keys of users that are there.
    pub async fn keys(&mut self, keys: impl Iterator<Item = (Uuid, &str)>) -> io::Result<()> {
        let rows: Vec<String> = keys
            .map(|(user, key)| {
                let (id, user) = (self.id(Uuid::now_v7()), self.id(user));
                let (digest, form) = (self.bytes(&Sha256::digest(key)), self.bytes(&Sha256::digest(&key[3..])));
                let tail = &key[key.len() - 6..];
                format!("({id}, {user}, 'Load', {form}, {digest}, '{tail}', {form}, true, false, true, {NOW}, {NOW})")
            })
            .collect();
        const COLUMNS: &str = "api_keys (id, user_id, title, sort_title, digest, tail, form_digest, all_properties,
            read_only, manage_users, created_at, last_used_at)";
        self.insert(COLUMNS, &rows).await
    }

    /// Keys of a user, none of which was used so far.
    pub async fn unused_keys(&mut self, user: Uuid, keys: &[String]) -> io::Result<()> {
        let user_id = self.id(user);
        self.keys(keys.iter().map(|key| (user, key.as_str()))).await?;
        self.run(format!("update api_keys set last_used_at = null where user_id = {user_id} and title = 'Load'")).await
    }

    /// Makes people users of a group.
    pub async fn join(&mut self, people: &[Person], group: Uuid) -> io::Result<()> {
        let group = self.id(group);
        let link = |person: &Person| {
            format!("({}, {group}, {}, 'user', {NOW})", self.id(Uuid::now_v7()), self.id(person.user))
        };
        let links: Vec<String> = people.iter().map(link).collect();
        self.run("begin".to_owned()).await?;
        self.insert("group_users (id, group_id, user_id, role, created_at)", &links).await?;
        self.run(format!("{} and total = 0; commit", totals_of(&group))).await
    }

    /// Copies of the first property, in a group.
    pub async fn copies(&mut self, count: usize, group: Uuid) -> io::Result<()> {
        const COLUMNS: &str = "title, sort_title, is_active, currency, email, phone, zip_code, country, state, city,
            address, longitude, latitude, timezone, property_type, logo_url, autoupdate_on_confirmation,
            autoupdate_on_modification, autoupdate_on_cancellation, min_stay_type, min_price, max_price, state_length,
            description, important_information, created_at, facilities, search, sort_city, version";
        let group = self.id(group);
        let (id, numbers) = match self {
            Self::Sqlite(_) => (
                "randomblob(16)",
                format!(
                    "(with recursive n(n) as (select 1 union all select n + 1 from n where n < {count}) select n from n)"
                ),
            ),
            Self::Postgres(_) => ("gen_random_uuid()", format!("generate_series(1, {count})")),
        };
        self.run("begin; create temporary table copies (id uuid primary key)".to_owned()).await?;
        self.run(format!("insert into copies select {id} from {numbers} n")).await?;
        self.run(format!(
            "insert into properties (id, {COLUMNS}) select c.id, {COLUMNS} from copies c
             cross join (select * from properties order by id limit 1) p"
        ))
        .await?;
        self.run(format!(
            "insert into group_properties (group_id, property_id, sort_title, is_home, created_at)
             select {group}, p.id, p.sort_title, true, {NOW} from copies c join properties p on p.id = c.id"
        ))
        .await?;
        self.run(totals_of(&group)).await?;
        self.run("drop table copies; commit".to_owned()).await
    }
}

/// Counts the properties of the users of a group, who have no other group with properties.
fn totals_of(group: &str) -> String {
    format!(
        "update property_totals set total = (select count(*) from group_properties where group_id = {group})
         where user_id in (select user_id from group_users where group_id = {group})"
    )
}

const NOW: &str = "'2026-01-01T00:00:00+00:00'";

/// A key as the program makes them: `lk_`, 43 characters of base62, 6 more of the CRC32 of all before.
pub fn key() -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digit = |value: u32| char::from(DIGITS[value as usize]);
    let mut rng = rand::rng();
    let body: String = "lk_".chars().chain((0..43).map(|_| digit(rng.random_range(0..62)))).collect();
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut sum = [0; 6];
    for place in sum.iter_mut().rev() {
        *place = rest % 62;
        rest /= 62;
    }
    body + &sum.map(digit).into_iter().collect::<String>()
}
