//! What a database holds before anything is done to it. Nothing is written here, so that another program's database
//! stays as it is.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::db::migrations;

/// How every SQLite file begins.
const HEADER: &[u8; 16] = b"SQLite format 3\0";

/// How long a look waits for a writer that has the whole file.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is in a database that may be used.
pub enum Found {
    /// No database, or one without any table.
    Nothing,
    Ours(Ours),
}

/// A database of Latchkey, of whatever version.
pub struct Ours {
    /// Migrations that were applied.
    pub applied: Vec<i64>,
    /// `latchkey demo` made what is in it.
    pub is_demo: bool,
    pub has_users: bool,
}

/// Why a database may not be used, for people.
pub fn foreign(place: &str, names: &[String]) -> String {
    format!(
        "The database {place} contains data of another program ({}), so Latchkey leaves it alone. Name a database of \
         its own with --data-dir or --database-url (LATCHKEY_DATA_DIR, DATABASE_URL).",
        names.join(", ")
    )
}

/// Looks into a SQLite file, which need not exist.
pub fn look_at_file(file: &Path) -> Result<Found, String> {
    let place = file.display().to_string();
    let explain = |error: &dyn std::fmt::Display| format!("Cannot open the database {place}: {error}.");
    match read_start(file) {
        Ok(start) if start.is_empty() => return Ok(Found::Nothing),
        Ok(start) if start == HEADER => {}
        Ok(_) => return Err(foreign(&place, &["a file that is not an SQLite database".to_owned()])),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(format!("Cannot open the database {place}: the data folder is a file."));
        }
        Err(error) => return Err(explain(&error)),
    }
    look_into(file).map_err(|error| explain(&error))?.map_err(|names| foreign(&place, &names))
}

/// The first bytes; fewer where the file is shorter.
fn read_start(file: &Path) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(file)?.take(HEADER.len() as u64).read_to_end(&mut start)?;
    Ok(start)
}

/// The inner error names what is in another program's database.
fn look_into(file: &Path) -> rusqlite::Result<Result<Found, Vec<String>>> {
    let connection =
        Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // Whoever closes a database last writes its log into the file, which is not for a stranger to do.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, has_log(file))?;
    connection.busy_timeout(PATIENCE)?;
    // All of it at one moment: another process may be making the schema.
    connection.execute_batch("begin")?;
    const TABLES: &str = "select name from sqlite_master where name not like 'sqlite\\_%' escape '\\' order by name";
    let tables: Vec<String> = connection.prepare(TABLES)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    if tables.is_empty() {
        return Ok(Ok(Found::Nothing));
    }
    let first = || tables.iter().take(3).cloned().collect();
    let Ok(mut statement) = connection.prepare(migrations::APPLIED) else { return Ok(Err(first())) };
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get_ref(1)?.as_bytes()?.to_vec())))?
        .collect::<Result<Vec<_>, _>>();
    let Ok(rows) = rows else { return Ok(Err(first())) };
    if rows.is_empty() && tables.len() == 1 {
        return Ok(Ok(Found::Nothing));
    }
    if !migrations::is_ours(&rows) {
        return Ok(Err(first()));
    }
    let is_true = |sql| connection.query_row(sql, [], |row| row.get::<_, bool>(0));
    Ok(Ok(Found::Ours(Ours {
        applied: rows.into_iter().map(|(version, _)| version).collect(),
        is_demo: is_true(migrations::IS_DEMO)?,
        has_users: is_true(migrations::HAS_USERS)?,
    })))
}

fn has_log(file: &Path) -> bool {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    Path::new(&log).exists()
}
