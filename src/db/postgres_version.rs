//! The version of a PostgreSQL database: what a cached response is compared by, as `version.rs` has it of a SQLite file.
//!
//! It is `pg_current_snapshot()`: which transactions are over. A commit makes another one, before it is answered, and no
//! later snapshot is ever equal to one from before it, since transaction ids are not used again. (The log sequence number
//! would not do: a commit is in the log before others can see it.) Transactions of other databases of the same server
//! change it too, which costs a query and is never wrong.
//!
//! It is asked for on a connection of its own, by one question at a time. A request shares an answer only with others that
//! had arrived before the question was asked, so a version is never older than the request.
//!
//! Ids of transactions may be used again by another server, or after a server has lost commits that it had not written to
//! disk. In both cases the connections end. So a version is also one of the connections: when any is opened, all earlier
//! versions are void, and a version is given only if its connection leads to the same server as the one opened last.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use actix_web::rt;
use sqlx::{Connection, Executor, PgConnection, Row, postgres::PgConnectOptions};
use tokio::{sync::oneshot, time::timeout};

use crate::db::version::Version;

/// Longer than this nobody waits for a version: the database is asked for the response itself.
const LONGEST: Duration = Duration::from_millis(500);

/// After a failure no version is asked for so long.
const PAUSE: Duration = Duration::from_secs(1);

/// The server at the other end of a connection: when it was started, and its address.
macro_rules! server {
    () => {
        "concat_ws(' ', pg_postmaster_start_time(), inet_server_addr(), inet_server_port())"
    };
}

/// Whether the server is a standby, and which it is.
pub const SERVER: &str = concat!("select pg_is_in_recovery(), ", server!());

const SNAPSHOT: &str = concat!("select ", server!(), ", pg_current_snapshot()::text");

/// Asks for versions.
pub struct Versions {
    options: PgConnectOptions,
    opened: Opened,
    queue: Mutex<Queue>,
}

/// The connections that were opened: how many, and to which server the last one of the pool leads.
#[derive(Clone, Default)]
pub struct Opened(Arc<Mutex<(u64, String)>>);

#[derive(Default)]
struct Queue {
    /// Requests that have arrived since the last question.
    waiting: Vec<oneshot::Sender<Option<Version>>>,
    /// A task asks for those that wait.
    is_asking: bool,
    connection: Option<PgConnection>,
    /// When a question has failed.
    failed: Option<Instant>,
}

impl Opened {
    /// A connection of the pool was opened, to this server. All versions from before are void.
    pub fn add(&self, server: String) {
        let mut opened = self.lock();
        *opened = (opened.0 + 1, server);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (u64, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Versions {
    /// Of the database to which `opened` are connections.
    pub fn new(options: PgConnectOptions, opened: Opened) -> Arc<Self> {
        Arc::new(Versions { options, opened, queue: Mutex::default() })
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What every commit changes, asked for after this was called. `None` if it is not known in time.
    pub async fn version(self: &Arc<Self>) -> Option<Version> {
        let (sender, answer) = oneshot::channel();
        let asks = {
            let mut queue = self.queue();
            if queue.failed.is_some_and(|failed| failed.elapsed() < PAUSE) {
                return None;
            }
            queue.waiting.push(sender);
            !std::mem::replace(&mut queue.is_asking, true)
        };
        if asks {
            // In a task of its own: if the client goes away, others still wait.
            rt::spawn(Asking { versions: self.clone(), is_done: false }.ask_for_all());
        }
        answer.await.ok().flatten()
    }
}

/// The task that asks. However it ends, nobody waits for it any more, and the next request starts another.
struct Asking {
    versions: Arc<Versions>,
    is_done: bool,
}

impl Asking {
    async fn ask_for_all(mut self) {
        loop {
            let (waiting, connection) = {
                let mut queue = self.versions.queue();
                if queue.waiting.is_empty() {
                    (queue.is_asking, self.is_done) = (false, true);
                    return;
                }
                (std::mem::take(&mut queue.waiting), queue.connection.take())
            };
            let asked = match timeout(LONGEST, self.ask(connection)).await {
                Ok(asked) => asked.inspect_err(|error| log::debug!("no version of the database: {error}")).ok(),
                Err(_) => None,
            };
            let version = asked.and_then(|(connection, version)| {
                self.versions.queue().connection = Some(connection);
                version
            });
            if version.is_none() {
                let mut queue = self.versions.queue();
                (queue.connection, queue.failed) = (None, Some(Instant::now()));
            }
            for request in waiting {
                let _ = request.send(version);
            }
        }
    }

    async fn ask(&self, connection: Option<PgConnection>) -> sqlx::Result<(PgConnection, Option<Version>)> {
        let opened = &self.versions.opened;
        let mut connection = match connection {
            Some(connection) => connection,
            None => {
                let connection = PgConnection::connect_with(&self.versions.options).await?;
                opened.lock().0 += 1;
                connection
            }
        };
        // Before the question: it may be answered by a server whose end is then noticed by other connections first.
        let count = opened.lock().0;
        let row = connection.fetch_one(sqlx::query(SNAPSHOT)).await?;
        let (server, snapshot): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
        let mut hash = blake3::Hasher::new();
        hash.update(&count.to_ne_bytes()).update(snapshot.as_bytes());
        let version = (opened.lock().1 == server).then(|| Version::Snapshot(*hash.finalize().as_bytes()));
        Ok((connection, version))
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        let mut queue = self.versions.queue();
        queue.is_asking = false;
        queue.waiting.clear();
    }
}
