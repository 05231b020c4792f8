//! Inspects a database before it is used. Nothing is written, so that another program's database is left untouched.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::db::migrations;

/// The first bytes of every SQLite file.
const HEADER: &[u8; 16] = b"SQLite format 3\0";

/// How long to wait for a writer that has locked the file.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// The content of a database that may be used.
pub enum Found {
    /// There is no database, or it has no tables.
    Nothing,
    Ours(Ours),
}

/// A database of Latchkey, of any version.
pub struct Ours {
    /// Versions of the applied migrations.
    pub applied: Vec<i64>,
    /// `latchkey demo` created its data.
    pub is_demo: bool,
    pub has_users: bool,
}

/// The message for the host that a database belongs to another program.
pub fn foreign(place: &str, names: &[String]) -> String {
    format!(
        "The database {place} contains data of another program ({}), so Latchkey leaves it alone. Name a database of \
         its own with --data-dir or --database-url (LATCHKEY_DATA_DIR, DATABASE_URL).",
        names.join(", ")
    )
}

/// Inspects a SQLite file, which need not exist.
///
/// # Errors
/// A sentence for the host if it cannot be read or is not ours.
pub fn inspect_file(file: &Path) -> Result<Found, String> {
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
    inspect(file).map_err(|error| explain(&error))?.map_err(|names| foreign(&place, &names))
}

/// The first bytes; fewer if the file is shorter.
fn read_start(file: &Path) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(file)?.take(HEADER.len() as u64).read_to_end(&mut start)?;
    Ok(start)
}

/// The inner error has names of tables, if the database is another program's.
fn inspect(file: &Path) -> rusqlite::Result<Result<Found, Vec<String>>> {
    let connection =
        Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // By default the last connection writes the log into the file when it closes.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, has_log(file))?;
    connection.busy_timeout(LOCK_TIMEOUT)?;
    // One snapshot: another process may be creating the schema.
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
