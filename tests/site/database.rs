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
use std::hash::{DefaultHasher, Hash, Hasher};
use tokio::sync::OnceCell;
use url::Url;
use uuid::Uuid;

use crate::app::bare_latchkey;

/// A database with the newest schema, of which copies are made.
static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// A database that is gone when the last user of it is dropped.
pub enum Database {
    Sqlite,
    Postgres { admin: Url, name: String },
}

impl Database {
    /// A fresh, empty database of the kind that the environment asks for.
    pub async fn create() -> Self {
        match admin() {
            None => Self::Sqlite,
            Some(admin) => Self::create_on(&admin).await,
        }
    }

    /// The same, with the newest schema where that saves time.
    pub async fn create_for_server() -> Self {
        let Some(admin) = admin() else { return Self::Sqlite };
        let admin = Url::parse(&admin).expect("LATCHKEY_TEST_DATABASE is a URL");
        let template = TEMPLATE.get_or_init(async || template(&admin).await).await;
        let name = new_name();
        run(&admin, format!("create database {name} template {template}")).await.expect("a copy of the template");
        Self::Postgres { admin, name }
    }

    /// A fresh, empty database on this PostgreSQL.
    pub async fn create_on(admin: &str) -> Self {
        let admin = Url::parse(admin).expect("LATCHKEY_TEST_DATABASE is a URL");
        let name = new_name();
        create_empty(&admin, &name).await;
        Self::Postgres { admin, name }
    }

    /// Its address, where the server needs to be told one.
    pub fn url(&self) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres { admin, name } => Some(address(admin, name)),
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

fn admin() -> Option<String> {
    std::env::var("LATCHKEY_TEST_DATABASE").ok()
}

fn collation() -> String {
    std::env::var("LATCHKEY_TEST_COLLATION").unwrap_or_else(|_| "C".to_owned())
}

fn new_name() -> String {
    format!("latchkey_test_{}", Uuid::now_v7().simple())
}

fn address(admin: &Url, name: &str) -> String {
    let mut url = admin.clone();
    url.set_path(name);
    url.into()
}

async fn create_empty(admin: &Url, name: &str) {
    let collation = match collation().as_str() {
        "C" => "locale 'C'",
        "icu" => "locale_provider icu icu_locale 'en-US' locale 'C'",
        other => panic!("LATCHKEY_TEST_COLLATION is C or icu, not {other}"),
    };
    run(admin, format!("create database {name} template template0 encoding 'UTF8' {collation}"))
        .await
        .expect("a database for this test can be made");
}

/// The name of the template, which stays on the server for the next run. Another one is made when a migration changes.
async fn template(admin: &Url) -> String {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).expect("the migrations");
    let mut migrations: Vec<_> = folder.map(|file| file.expect("a migration").path()).collect();
    migrations.sort();
    let mut hasher = DefaultHasher::new();
    for file in migrations {
        std::fs::read(file).expect("a migration").hash(&mut hasher);
    }
    let name = format!("latchkey_template_{}_{:016x}", collation().to_lowercase(), hasher.finish());
    let mut connection = PgConnection::connect(admin.as_str()).await.expect("the server of LATCHKEY_TEST_DATABASE");
    let exists = "select exists (select 1 from pg_database where datname = $1)";
    let exists: bool = sqlx::query_scalar(exists).bind(&name).fetch_one(&mut connection).await.expect("an answer");
    drop(connection.close().await);
    if !exists {
        let new = new_name();
        create_empty(admin, &new).await;
        let migrated = bare_latchkey().args(["migrate", "--database-url", &address(admin, &new)]).output();
        let migrated = migrated.expect("latchkey runs");
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
        // Another run may have been faster.
        if run(admin, format!("alter database {new} rename to {name}")).await.is_err() {
            run(admin, format!("drop database {new}")).await.expect("it is dropped");
        }
    }
    name
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
