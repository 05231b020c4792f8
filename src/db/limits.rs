//! Timeouts of the database, and the size of statement caches.

use std::time::Duration;

use tokio::time::timeout;

/// How long a request waits for a connection, and SQLite for its lock, before it is answered 503.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How long a command waits for SQLite's lock. A busy server's writers follow each other closely, so it may take a
/// while until a writer of another process gets the lock.
pub const PATIENCE_OF_COMMANDS: Duration = Duration::from_secs(60);

/// How long PostgreSQL may take for one answer.
pub const LONGEST_ANSWER: Duration = Duration::from_secs(10);

/// Prepared statements that a connection of sqlx caches. Callers cannot create any number of different texts.
pub const STATEMENTS: usize = 100;

/// Applies the timeout [`LONGEST_ANSWER`]: a broken network looks like a slow database.
pub async fn in_time<T>(answer: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(LONGEST_ANSWER, answer).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}
