//! The database of one test. `LATCHKEY_TEST_DATABASE` names it:
//!
//! | value | database |
//! |---|---|
//! | unset | SQLite, in the data folder |
//! | `postgres://…` | a new database on that server, which the role may make there |
//!
//! `LATCHKEY_TEST_COLLATION` (`C`, the default, or `icu`) is the collation of
//! a PostgreSQL database: the answers must be the same under both.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

#[expect(clippy::disallowed_types, reason = "the names of databases and tables cannot be bound")]
use sqlx::AssertSqlSafe;
use sqlx::{Connection, Executor, PgConnection, Row};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use url::Url;
use uuid::Uuid;

use crate::command::finish;
use crate::derived;
use crate::people::{DESK, DESK_PASSWORD};
use crate::program::bare_latchkey;

/// What a database has before its test begins. Copies are made of a template, since hundreds of tests begin alike.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Contents {
    /// The newest schema, on PostgreSQL; on SQLite the server is as fast.
    #[default]
    Schema,
    /// A subscribed user as well.
    Desk,
}

/// The templates that this run has seen, on either database.
static TEMPLATES: [OnceCell<String>; 2] = [OnceCell::const_new(), OnceCell::const_new()];

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

    /// The same, with contents. One of SQLite goes into `data_dir`.
    pub async fn create_with(contents: Contents, data_dir: &Path) -> Self {
        let cell = &TEMPLATES[contents as usize];
        let Some(admin) = admin() else {
            if contents == Contents::Desk {
                let template = cell.get_or_init(async || file_template()).await;
                std::fs::create_dir(data_dir).expect("a data folder");
                std::fs::set_permissions(data_dir, PermissionsExt::from_mode(0o700)).expect("its mode");
                std::fs::copy(template, data_dir.join("latchkey.db")).expect("a copy of the template");
            }
            return Self::Sqlite;
        };
        let admin = Url::parse(&admin).expect("LATCHKEY_TEST_DATABASE is a URL");
        let template = cell.get_or_init(async || template(&admin, contents).await).await;
        let name = new_name();
        run(&admin, format!("create database {name} template {template} strategy file_copy"))
            .await
            .expect("a copy of the template");
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

    /// What is stored in two places, and differs; see `derived.rs`. One of SQLite is in `data_dir`.
    pub fn wrong(&self, data_dir: &Path) -> Vec<String> {
        let file = data_dir.join("latchkey.db");
        match self.url() {
            Some(url) => in_a_runtime_of_its_own(async move { derived::wrong_on_postgres(&url).await })
                .expect("the tables can be counted"),
            None if file.exists() => derived::wrong_on_sqlite(&file).expect("the tables can be counted"),
            None => Vec::new(),
        }
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

/// True if tests run on PostgreSQL.
pub fn is_postgres() -> bool {
    admin().is_some()
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

/// Tells one build of the program from another: a template stays for the next run of the same.
fn build() -> String {
    let built = std::fs::metadata(env!("CARGO_BIN_EXE_latchkey")).and_then(|file| file.modified()).expect("latchkey");
    format!("{:x}", built.duration_since(UNIX_EPOCH).expect("a time after 1970").as_nanos())
}

/// The name of the template on this server.
async fn template(admin: &Url, contents: Contents) -> String {
    let kind = if contents == Contents::Desk { "desk" } else { "schema" };
    let all = format!("latchkey_template_{kind}_{}_", collation().to_lowercase());
    let name = format!("{all}{}", build());
    let mut connection = PgConnection::connect(admin.as_str()).await.expect("the server of LATCHKEY_TEST_DATABASE");
    let exists = "select exists (select 1 from pg_database where datname = $1)";
    let exists: bool = sqlx::query_scalar(exists).bind(&name).fetch_one(&mut connection).await.expect("an answer");
    if !exists {
        let others = "select datname from pg_database where starts_with(datname, $1)";
        let others: Vec<String> =
            sqlx::query_scalar(others).bind(&all).fetch_all(&mut connection).await.expect("names");
        for other in others {
            let _ = connection.execute(AssertSqlSafe(format!("drop database {other}"))).await;
        }
        let new = new_name();
        create_empty(admin, &new).await;
        fill(contents, |command| command.env("DATABASE_URL", address(admin, &new)));
        // Another run may have been faster.
        if run(admin, format!("alter database {new} rename to {name}")).await.is_err() {
            run(admin, format!("drop database {new}")).await.expect("it is dropped");
        }
    }
    drop(connection.close().await);
    name
}

/// The file of SQLite with a subscribed user.
fn file_template() -> String {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("desk-{}.db", build()));
    if !file.exists() {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        fill(Contents::Desk, |command| command.env("LATCHKEY_DATA_DIR", folder.path()));
        std::fs::rename(folder.path().join("latchkey.db"), &file).expect("the template");
    }
    file.to_string_lossy().into_owned()
}

/// Runs the commands that a host would.
fn fill(contents: Contents, at: impl Fn(&mut Command) -> &mut Command) {
    let run = |args: &[&str], stdin: &str| {
        let mut command = bare_latchkey();
        at(&mut command).args(args);
        finish(command, stdin).ok();
    };
    run(&["migrate"], "");
    if contents == Contents::Desk {
        run(&["user", "add", DESK], DESK_PASSWORD);
        run(&["subscription", "activate", DESK], "");
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
