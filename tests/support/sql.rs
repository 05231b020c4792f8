//! A look into the database behind the program's back, and changes of it.

use std::time::Duration;

use rusqlite::Connection as SqliteConnection;
#[expect(clippy::disallowed_types, reason = "tests name databases and tables")]
use sqlx::AssertSqlSafe;
use sqlx::{Connection, Executor, PgConnection};

use crate::host::Host;
use crate::program::PATIENCE;

/// How long servers trust what they remember.
pub const TRUST: Duration = Duration::from_millis(250);

impl Host {
    /// Sets a column of all rows of a table to so many seconds from now, and returns how many rows there are.
    pub async fn set_moment(&self, table: &str, column: &str, seconds: i64) -> u64 {
        self.set_moment_where(table, column, seconds, "1 = 1").await
    }

    /// The same of the rows that meet a condition.
    pub async fn set_moment_where(&self, table: &str, column: &str, seconds: i64, condition: &str) -> u64 {
        let moment = match self.database_url() {
            Some(_) => format!("now() + interval '{seconds} seconds'"),
            // As the program writes it.
            None => format!("strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '{seconds} seconds')"),
        };
        self.sql(&format!("update {table} set {column} = {moment} where {condition}")).await
    }

    /// The number of rows of a table.
    pub async fn count(&self, table: &str) -> u64 {
        self.texts(&format!("select cast(count(*) as text) from {table}")).await[0].parse().expect("a number")
    }

    /// Runs a statement; how many rows it changed.
    pub async fn sql(&self, sql: &str) -> u64 {
        match self.database_url() {
            Some(url) => {
                let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL");
                let safe = AssertSqlSafe(sql.to_owned());
                sqlx::query(safe).execute(&mut connection).await.expect(sql).rows_affected()
            }
            None => self.sqlite().await.execute(sql, []).expect(sql).try_into().expect("a number"),
        }
    }

    /// Runs several statements.
    pub async fn sql_batch(&self, sql: &str) {
        let Some(url) = self.database_url() else { return self.sqlite().await.execute_batch(sql).expect(sql) };
        let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL");
        connection.execute(AssertSqlSafe(sql.to_owned())).await.expect(sql);
        connection.close().await.expect("it ends");
    }

    /// Makes a SQLite file as another program does.
    pub fn make_sqlite(&self, sql: &str) {
        let file = self.data_dir().join("latchkey.db");
        SqliteConnection::open(file).expect("a file").execute_batch(sql).expect(sql);
    }

    /// Changes by SQL what callers may do, as a process beside the server does it: what is remembered of them is void,
    /// and the change holds when servers must have learnt of it.
    pub async fn take_away(&self, sql: &str) -> u64 {
        let rows = self.sql(sql).await;
        self.sql("update auth_epoch set epoch = epoch + 1").await;
        actix_web::rt::time::sleep(TRUST).await;
        rows
    }

    /// Copies of the only property, each in its group and with its users: `Item 1`, `Item 2`…
    pub async fn copy_property(&self, count: usize) {
        const COLUMNS: &str = "is_active, currency, property_type, autoupdate_on_confirmation,
            autoupdate_on_modification, autoupdate_on_cancellation, min_stay_type, state_length, created_at, version";
        let (numbers, id, sort_title) = match self.database_url() {
            Some(_) => (
                format!("with n as (select n from generate_series(1, {count}) n)"),
                "cast(lpad(to_hex(n + 4096), 32, '0') as uuid)",
                "convert_to('item ' || n, 'UTF8')",
            ),
            None => (
                format!("with recursive n(n) as (select 1 union all select n + 1 from n where n < {count})"),
                "unhex(printf('%032x', n + 4096))",
                "cast('item ' || n as blob)",
            ),
        };
        for (table, columns, values, of) in [
            (
                "properties",
                format!("id, title, sort_title, {COLUMNS}"),
                format!("{id}, 'Item ' || n, {sort_title}, {COLUMNS}"),
                "title not like 'Item %'",
            ),
            (
                "group_properties",
                "property_id, sort_title, group_id, is_home, created_at".to_owned(),
                format!("{id}, {sort_title}, group_id, is_home, created_at"),
                "true",
            ),
            (
                "property_users",
                "id, property_id, sort_title, user_id, role, created_at".to_owned(),
                format!("{id}, {id}, {sort_title}, user_id, role, created_at"),
                "true",
            ),
        ] {
            let sql = format!("insert into {table} ({columns}) {numbers} select {values} from n, {table} where {of}");
            assert_eq!(self.sql(&sql).await, count as u64);
        }
        self.count_totals().await;
    }

    /// Counts the properties of all users, after a test has given or taken access by SQL.
    pub async fn count_totals(&self) {
        self.sql(
            "update property_totals set total = (
                select count(*) from (
                    select pu.property_id from property_users pu where pu.user_id = property_totals.user_id
                    union
                    select gp.property_id from group_users gu join group_properties gp on gp.group_id = gu.group_id
                    where gu.user_id = property_totals.user_id) visible)",
        )
        .await;
    }

    /// Keeps everybody from writing to the table of keys, until it is released.
    pub async fn hold_keys(&self) -> Held {
        self.hold("lock table api_keys in exclusive mode").await
    }

    /// Holds what this statement takes, until it is released; on SQLite the whole file.
    pub async fn hold(&self, sql: &str) -> Held {
        match self.database_url() {
            Some(url) => {
                let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL");
                connection.execute(AssertSqlSafe(format!("begin; {sql}"))).await.expect(sql);
                Held::Postgres(connection)
            }
            None => {
                let connection = self.sqlite().await;
                connection.execute_batch("begin immediate").expect("the file");
                Held::Sqlite(connection)
            }
        }
    }

    /// An id as SQL.
    pub fn literal(&self, id: &str) -> String {
        match self.database_url() {
            Some(_) => format!("'{id}'"),
            None => format!("x'{}'", id.replace('-', "")),
        }
    }

    /// One column of texts.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        match self.database_url() {
            Some(url) => {
                let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL");
                let safe = AssertSqlSafe(sql.to_owned());
                sqlx::query_scalar(safe).fetch_all(&mut connection).await.expect(sql)
            }
            None => {
                let connection = self.sqlite().await;
                let mut rows = connection.prepare(sql).expect(sql);
                let texts = rows.query_map([], |row| row.get(0)).expect(sql);
                texts.collect::<Result<_, _>>().expect(sql)
            }
        }
    }

    async fn sqlite(&self) -> SqliteConnection {
        // A test that looks again and again lets its other tasks run.
        actix_web::rt::task::yield_now().await;
        let connection = SqliteConnection::open(self.data_dir().join("latchkey.db")).expect("the database file");
        connection.busy_timeout(PATIENCE).expect("a setting");
        connection
    }
}

/// A transaction that stands in others' way.
pub enum Held {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Held {
    pub async fn release(self) {
        match self {
            Self::Sqlite(connection) => connection.close().expect("it ends"),
            Self::Postgres(connection) => connection.close().await.expect("it ends"),
        }
    }
}
