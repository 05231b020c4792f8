//! The database of one test. `LATCHKEY_TEST_DATABASE` names it:
//!
//! | value | database |
//! |---|---|
//! | unset | SQLite, in the data folder |
//! | `postgres://…` | a new database on that server, which the role may make there |
//!
//! `LATCHKEY_TEST_COLLATION` (`C`, the default, or `icu`) is the collation of
//! a PostgreSQL database: the answers must be the same under both.

#[expect(clippy::disallowed_types, reason = "the names of databases and tables cannot be bound")]
use sqlx::AssertSqlSafe;
use sqlx::{Connection, Executor, PgConnection, Row};
use url::Url;
use uuid::Uuid;

/// A database that is gone when the last user of it is dropped.
pub enum Database {
    Sqlite,
    Postgres { admin: Url, name: String },
}

impl Database {
    /// A fresh, empty database of the kind that the environment asks for.
    pub async fn create() -> Self {
        let Ok(admin) = std::env::var("LATCHKEY_TEST_DATABASE") else {
            return Self::Sqlite;
        };
        Self::create_on(&admin).await
    }

    /// A fresh, empty database on this PostgreSQL.
    pub async fn create_on(admin: &str) -> Self {
        let admin = Url::parse(admin).expect("LATCHKEY_TEST_DATABASE is a URL");
        let name = format!("latchkey_test_{}", Uuid::now_v7().simple());
        let collation = match std::env::var("LATCHKEY_TEST_COLLATION").as_deref() {
            Err(_) | Ok("C") => "locale 'C'",
            Ok("icu") => "locale_provider icu icu_locale 'en-US' locale 'C'",
            Ok(other) => panic!("LATCHKEY_TEST_COLLATION is C or icu, not {other}"),
        };
        run(&admin, format!("create database {name} template template0 encoding 'UTF8' {collation}"))
            .await
            .expect("a database for this test can be made");
        Self::Postgres { admin, name }
    }

    /// Its address, where the server needs to be told one.
    pub fn url(&self) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres { admin, name } => {
                let mut url = admin.clone();
                url.set_path(name);
                Some(url.into())
            }
        }
    }

    /// Every row of every table as text, where no file shows it to the test.
    pub fn contents(&self) -> Option<String> {
        let url = self.url()?;
        let read = in_a_runtime_of_its_own(async move {
            let mut connection = PgConnection::connect(&url).await?;
            // Bytes are shown as the characters they are.
            connection.execute("set bytea_output = 'escape'").await?;
            let tables = "select tablename from pg_tables where schemaname = 'public'";
            let mut contents = String::new();
            for table in connection.fetch_all(tables).await? {
                let table: String = table.try_get(0)?;
                let rows = format!("select t::text from public.\"{table}\" t");
                for row in connection.fetch_all(AssertSqlSafe(rows)).await? {
                    contents += &format!("{table} {}\n", row.try_get::<String, _>(0)?);
                }
            }
            connection.close().await?;
            Ok(contents)
        });
        Some(read.expect("the tables can be read"))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Self::Postgres { admin, name } = self else {
            return;
        };
        let (admin, sql) = (admin.clone(), format!("drop database {name} with (force)"));
        let dropped = in_a_runtime_of_its_own(async move { run(&admin, sql).await });
        if dropped.is_err() && !std::thread::panicking() {
            panic!("the database {name} could not be dropped: {dropped:?}");
        }
    }
}

/// Waits where nothing can be awaited: a runtime cannot wait inside another
/// one, and that of the test is still there when its values are dropped.
fn in_a_runtime_of_its_own<T: Send + 'static>(
    work: impl Future<Output = sqlx::Result<T>> + Send + 'static,
) -> sqlx::Result<T> {
    let thread = std::thread::spawn(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
    });
    thread.join().expect("the work does not panic")
}

async fn run(admin: &Url, sql: String) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(admin.as_str()).await?;
    connection.execute(AssertSqlSafe(sql)).await?;
    connection.close().await
}
