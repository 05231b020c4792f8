//! How long a database is waited for, and what a connection keeps.

use std::time::Duration;

use tokio::time::timeout;

/// How long a request waits for a connection, and SQLite for its lock, before it is answered 503.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How long a command waits for SQLite's lock: beside a busy server, whose writers follow each other closely, it may take
/// a while until a writer of another process gets it.
pub const PATIENCE_OF_COMMANDS: Duration = Duration::from_secs(60);

/// How long PostgreSQL may take for one answer.
pub const LONGEST_ANSWER: Duration = Duration::from_secs(10);

/// Prepared statements that a connection of sqlx keeps. No text that a caller chooses makes a new one without end.
pub const STATEMENTS: usize = 100;

/// A network that has fallen silent looks like a slow database: neither is waited for without end.
pub async fn in_time<T>(answer: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(LONGEST_ANSWER, answer).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}
