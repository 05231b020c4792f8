//! Classifies errors of the database.

use rusqlite::{
    ErrorCode,
    ffi::{SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE},
};

/// True if the database, not the request, is at fault, and may work again soon.
pub fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(refusal) => {
            // Connection, resources, operator intervention, read-only, idle for too long, I/O (PostgreSQL, appendix A).
            let code = refusal.code().unwrap_or_default();
            ["08", "53", "57", "58", "25006", "25P03", "40"].iter().any(|class| code.starts_with(class))
        }
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

/// True for a violated unique constraint.
pub fn is_taken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(refusal) => refusal.is_unique_violation(),
        other => matches!(constraint(other), Some(SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY)),
    }
}

/// True for a violated foreign key: what the write refers to has been deleted.
pub fn is_gone(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(refusal) => refusal.is_foreign_key_violation(),
        other => constraint(other) == Some(SQLITE_CONSTRAINT_FOREIGNKEY),
    }
}

/// The constraint of SQLite that was violated.
fn constraint(error: &sqlx::Error) -> Option<i32> {
    let sqlx::Error::AnyDriverError(error) = error else { return None };
    let error = error.downcast_ref::<rusqlite::Error>()?.sqlite_error()?;
    Some(error.extended_code)
}

/// The message of an error, without details of the driver.
pub fn plain(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(refusal) => refusal.message().to_owned(),
        other => other.to_string(),
    }
}

/// Converts an error of rusqlite to one of sqlx, which the rest of the program uses.
pub fn from_rusqlite(error: rusqlite::Error) -> sqlx::Error {
    use ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, OperationInterrupted, OutOfMemory, ReadOnly,
        SystemIoFailure,
    };
    match error.sqlite_error_code() {
        Some(
            DatabaseBusy | DatabaseLocked | ReadOnly | SystemIoFailure | DiskFull | CannotOpen | OperationInterrupted
            | OutOfMemory,
        ) => sqlx::Error::Io(std::io::Error::other(error)),
        _ => sqlx::Error::AnyDriverError(Box::new(error)),
    }
}
