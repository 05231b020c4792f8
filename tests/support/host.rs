//! A host's machine, worked by hand: no server yet or several at once, started with whatever a test wishes, and a look
//! into the database. Where one running server is all that is needed, `TestApp` is shorter.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

#[expect(clippy::disallowed_types, reason = "tests name databases and tables")]
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use tempfile::TempDir;
use uuid::Uuid;

use crate::app::{PATIENCE, bare_latchkey, free_port};
use crate::browser::Browser;
use crate::client::Client;
use crate::command::{Said, finish};
use crate::database::Database;
use crate::people::{Person, User};
use crate::secrets::Secrets;

/// How long servers trust what they remember.
pub const TRUST: Duration = Duration::from_millis(250);

/// A data folder and a database, both still empty.
///
/// When it is dropped, no log, no file and no table of it may contain a secret of the test.
pub struct Host {
    pub secrets: Secrets,
    database: Database,
    is_made: AtomicBool,
    logs: AtomicUsize,
    folder: TempDir,
}

impl Host {
    /// A machine on which Latchkey never ran.
    pub async fn new() -> Self {
        Self::on(Database::create().await)
    }

    /// The same, on a database of the test's own.
    pub fn on(database: Database) -> Self {
        Self {
            secrets: Secrets::default(),
            database,
            is_made: AtomicBool::new(false),
            logs: AtomicUsize::new(0),
            folder: TempDir::new().expect("a temporary folder"),
        }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The address of the database, where it is PostgreSQL.
    pub fn database_url(&self) -> Option<String> {
        self.database.url()
    }

    /// Everything that the database holds: the files of SQLite, all rows of PostgreSQL as text.
    pub fn contents(&self) -> Vec<u8> {
        if let Some(rows) = self.database.contents() {
            return rows.into_bytes();
        }
        let files = std::fs::read_dir(self.data_dir()).expect("the data folder");
        files.flat_map(|file| std::fs::read(file.expect("a file").path()).expect("its bytes")).collect()
    }

    /// The program on this machine, with nothing of the tester's own settings.
    pub fn latchkey(&self, args: &[&str]) -> Command {
        let mut command = bare_latchkey();
        command.args(args).env("LATCHKEY_DATA_DIR", self.data_dir()).current_dir(self.folder.path());
        if let Some(url) = self.database.url() {
            command.env("DATABASE_URL", url);
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Said {
        finish(self.latchkey(args), "")
    }

    /// The same, with something on its standard input.
    pub fn run_with(&self, args: &[&str], stdin: &str) -> Said {
        finish(self.latchkey(args), stdin)
    }

    /// Starts `latchkey serve` on a free port and waits until it serves.
    pub fn serve(&self, args: &[&str]) -> Server {
        let mut command = self.latchkey(&["serve", "--listen", "127.0.0.1:0"]);
        command.args(args);
        self.start(command).ready().unwrap_or_else(|log| panic!("no server: {log}"))
    }

    /// Starts one of several copies behind one name, and does not wait. Sessions are shared, as the cookie is named by the
    /// port of the base URL; clients of the test ask the copy itself, as a load balancer does.
    pub fn start_copy(&self, adjust: impl FnOnce(&mut Command)) -> Starting {
        let listen = format!("127.0.0.1:{}", free_port());
        let mut command = self.latchkey(&["serve", "--listen", &listen, "--base-url", "http://localhost:7001"]);
        adjust(&mut command);
        let mut starting = self.start(command);
        starting.0.base_url = format!("http://{listen}");
        starting
    }

    /// Starts a server and does not wait.
    pub fn start(&self, mut command: Command) -> Starting {
        let number = self.logs.fetch_add(1, Ordering::Relaxed);
        let log = self.folder.path().join(format!("server-{number}.log"));
        let file = File::create(&log).expect("a log file");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
        let mut child = command.spawn().expect("latchkey runs");
        let (sender, lines) = mpsc::channel();
        let printed = BufReader::new(child.stdout.take().expect("its output")).lines();
        std::thread::spawn(move || printed.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Starting(Server { base_url: String::new(), lines, child, log, secrets: self.secrets.clone() })
    }

    /// Makes the database, as no command but a few does by itself.
    pub fn migrate(&self) -> String {
        self.run(&["migrate"]).ok()
    }

    /// Adds a subscribed user with a good password, to a database that is made where there is none.
    pub fn add_user(&self, email: &str) -> User {
        if !self.is_made.swap(true, Ordering::Relaxed) {
            self.migrate();
        }
        let user = User { email: email.to_owned(), password: self.new_password() };
        self.run_with(&["user", "add", email], &user.password).ok();
        self.run(&["subscription", "activate", email]).ok();
        user
    }

    /// A good password that nobody has.
    pub fn new_password(&self) -> String {
        let password = format!("harbour-lantern-{}", Uuid::now_v7().simple());
        self.secrets.register("password", &password);
        password
    }

    /// Changes something behind the program's back.
    pub async fn sql(&self, sql: &str) -> u64 {
        let safe = AssertSqlSafe(sql.to_owned());
        match self.database.url() {
            Some(url) => {
                let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL");
                sqlx::query(safe).execute(&mut connection).await.expect(sql).rows_affected()
            }
            None => sqlx::query(safe).execute(&mut self.sqlite().await).await.expect(sql).rows_affected(),
        }
    }

    /// Runs several statements.
    pub async fn sql_batch(&self, sql: &str) {
        let url = self.database.url().expect("PostgreSQL");
        let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL");
        connection.execute(AssertSqlSafe(sql.to_owned())).await.expect(sql);
        connection.close().await.expect("it ends");
    }

    /// Makes a SQLite file as another program does.
    pub async fn make_sqlite(&self, sql: &str) {
        let file = self.data_dir().join("latchkey.db");
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
        let mut connection = SqliteConnection::connect_with(&options).await.expect("a file");
        connection.execute(AssertSqlSafe(sql.to_owned())).await.expect(sql);
        connection.close().await.expect("it ends");
    }

    /// Changes by SQL what callers may do, as a process beside the server does it: what is remembered of them is void,
    /// and the change holds when servers must have learnt of it.
    pub async fn take_away(&self, sql: &str) -> u64 {
        let rows = self.sql(sql).await;
        self.sql("update auth_epoch set epoch = epoch + 1").await;
        actix_web::rt::time::sleep(TRUST).await;
        rows
    }

    /// Keeps everybody from writing to the table of keys, until it is released.
    pub async fn hold_keys(&self) -> Held {
        self.hold("lock table api_keys in exclusive mode").await
    }

    /// Holds what this statement takes, until it is released; on SQLite the whole file.
    pub async fn hold(&self, sql: &str) -> Held {
        match self.database.url() {
            Some(url) => {
                let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL");
                connection.execute(AssertSqlSafe(format!("begin; {sql}"))).await.expect(sql);
                Held::Postgres(connection)
            }
            None => {
                let mut connection = self.sqlite().await;
                connection.execute("begin immediate").await.expect("the file");
                Held::Sqlite(connection)
            }
        }
    }

    /// An id as SQL.
    pub fn literal(&self, id: &str) -> String {
        match self.database.url() {
            Some(_) => format!("'{id}'"),
            None => format!("x'{}'", id.replace('-', "")),
        }
    }

    /// One column of texts.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let safe = AssertSqlSafe(sql.to_owned());
        match self.database.url() {
            Some(url) => {
                let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL");
                sqlx::query_scalar(safe).fetch_all(&mut connection).await.expect(sql)
            }
            None => sqlx::query_scalar(safe).fetch_all(&mut self.sqlite().await).await.expect(sql),
        }
    }

    async fn sqlite(&self) -> SqliteConnection {
        let file = self.data_dir().join("latchkey.db");
        let options = SqliteConnectOptions::new().filename(file).busy_timeout(PATIENCE);
        SqliteConnection::connect_with(&options).await.expect("the database file")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.secrets.assert_absent_in_folder(self.folder.path());
            if let Some(rows) = self.database.contents() {
                self.secrets.assert_absent("the database", rows.as_bytes());
            }
        }
    }
}

/// A transaction that stands in others' way.
pub enum Held {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Held {
    pub async fn release(self) {
        match self {
            Self::Sqlite(connection) => connection.close().await.expect("it ends"),
            Self::Postgres(connection) => connection.close().await.expect("it ends"),
        }
    }
}

/// A server that was just started.
pub struct Starting(Server);

impl Starting {
    /// Waits until it serves; what it said, when it ended instead.
    pub fn ready(mut self) -> Result<Server, String> {
        loop {
            match self.0.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    if let Some(url) = line.strip_prefix("Latchkey is serving ") {
                        if self.0.base_url.is_empty() {
                            self.0.base_url = url.to_owned();
                        }
                        return Ok(self.0);
                    }
                }
                Err(error) => {
                    let _ = self.0.child.kill();
                    let ended = self.0.child.wait();
                    return Err(format!("{error}, {ended:?}\n{}", self.0.log()));
                }
            }
        }
    }
}

/// A running server; it ends when it is dropped.
pub struct Server {
    pub base_url: String,
    lines: Receiver<String>,
    child: Child,
    log: PathBuf,
    secrets: Secrets,
}

impl Server {
    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The address at which it listens.
    pub fn address(&self) -> SocketAddr {
        let address = self.base_url.strip_prefix("http://").and_then(|address| address.parse().ok());
        address.unwrap_or_else(|| panic!("no address: {}", self.base_url))
    }

    /// The next line on its standard output.
    pub fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("another line")
    }

    pub fn client(&self) -> Client {
        Client::new(&self.base_url, &self.secrets, reqwest::Client::builder())
    }

    pub fn with_key(&self, key: &str) -> Client {
        self.client().always("user-api-key", key)
    }

    pub fn browser(&self) -> Browser {
        Browser::new(&self.base_url, &self.secrets)
    }

    /// A browser in which this user has signed in.
    pub async fn signed_in(&self, user: &User) -> Browser {
        let browser = self.browser();
        browser.sign_in(&user.email, &user.password).await.is(303);
        browser
    }

    /// A new user with everything that the API needs.
    pub async fn person(&self, host: &Host, email: &str) -> Person {
        let user = host.add_user(email);
        let browser = self.signed_in(&user).await;
        let key = browser.create_key("Front desk").await;
        let api = self.with_key(&key);
        Person { user, browser, key, api }
    }

    /// Asks the server to end, and waits for it.
    pub fn terminate(self) -> ExitStatus {
        self.ask_to_end();
        self.ended()
    }

    /// Asks the server to end, as a service manager does.
    pub fn ask_to_end(&self) {
        self.signal("TERM");
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().expect("kill runs");
        assert!(sent.success(), "the server was gone already");
    }

    /// Whether the server has ended, now or before this time is over.
    pub async fn has_ended_within(&mut self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        while self.child.try_wait().expect("its state").is_none() {
            if Instant::now() > end {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        true
    }

    /// Waits until the server has ended.
    pub fn ended(mut self) -> ExitStatus {
        self.child.wait().expect("the server ends")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            let end: Vec<&str> = log.lines().rev().take(60).collect();
            eprintln!("end of the log of {}:", self.base_url);
            end.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}
