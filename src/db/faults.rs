//! Classifies errors of the database.

use rusqlite::ErrorCode;

/// True if the database, not the request, is at fault, and may work again soon.
pub fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(refusal) => match refusal.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
            // Connection, resources, operator intervention, read-only, idle for too long, I/O (PostgreSQL, appendix A).
            Some(pg) => {
                ["08", "53", "57", "58", "25006", "25P03", "40"].iter().any(|class| pg.code().starts_with(class))
            }
            // BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN; the low byte is the primary code.
            None => refusal
                .code()
                .and_then(|code| code.parse::<u32>().ok())
                .is_some_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14)),
        },
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
    matches!(error, sqlx::Error::Database(refusal) if refusal.is_unique_violation())
}

/// True for a violated foreign key: what the write refers to has been deleted.
pub fn is_gone(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(refusal) if refusal.is_foreign_key_violation())
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
