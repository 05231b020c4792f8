//! The program under test, started as its hosts start it.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tempfile::TempDir;

use crate::browser::Browser;
use crate::client::Client;
use crate::database::{Contents, Database};
use crate::raw;
use crate::response::Response;
use crate::secrets::Secrets;
use crate::wire::Wire;

/// How long a start or a command may take: a loaded machine is slow.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Hundreds of tests sign somebody in, with a hash that costs little. Those of the hash itself take this away again.
pub const HASH_MEMORY: &str = "LATCHKEY_ARGON2_MEMORY_KIB";

/// A running server with a data folder and a database of its own.
///
/// When it is dropped, the server is ended, and neither its log nor a file of
/// its data folder nor a table may contain a key, a password or a session.
pub struct TestApp {
    pub base_url: String,
    pub secrets: Secrets,
    address: Option<SocketAddr>,
    server: Option<Child>,
    options: Options,
    database: Arc<Database>,
    data_dir: PathBuf,
    folder: TempDir,
}

/// What a server is started with, beyond what every test needs.
#[derive(Clone, Default)]
pub struct Options {
    args: Vec<String>,
    env: Vec<(String, String)>,
    public_url: Option<String>,
    wire: Option<Arc<Wire>>,
    shared: Option<Shared>,
    contents: Contents,
}

/// What a second server has in common with the first.
#[derive(Clone)]
struct Shared {
    database: Arc<Database>,
    secrets: Secrets,
    data_dir: PathBuf,
}

impl Options {
    /// One more argument of `latchkey serve`.
    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// One more variable of its environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Behind a proxy that is known by this URL. Clients of the test go on
    /// asking the server itself, as the proxy does.
    pub fn public_url(mut self, url: &str) -> Self {
        self.public_url = Some(url.to_owned());
        self
    }

    /// With its PostgreSQL at the other end of this wire.
    pub fn over(mut self, wire: &Arc<Wire>) -> Self {
        self.wire = Some(wire.clone());
        self
    }

    /// On the database of a server that runs already: one more copy where that
    /// is PostgreSQL, and what must be refused where it is an SQLite file.
    pub fn beside(mut self, other: &TestApp) -> Self {
        self.shared = Some(Shared {
            database: other.database.clone(),
            secrets: other.secrets.clone(),
            data_dir: other.data_dir.clone(),
        });
        self
    }

    /// With what this template has.
    pub fn contents(mut self, contents: Contents) -> Self {
        self.contents = contents;
        self
    }

    /// Starts the server and waits until it serves.
    pub async fn start(self) -> TestApp {
        let mut app = self.prepare().await;
        if let Err(log) = app.serve() {
            panic!("no server: {log}");
        }
        app
    }

    /// Starts a server that must refuse to serve; what it said of that.
    pub async fn start_refused(self) -> String {
        let mut app = self.prepare().await;
        match app.serve() {
            Ok(()) => panic!("the server should have refused these settings"),
            Err(log) => log,
        }
    }

    async fn prepare(self) -> TestApp {
        let folder = TempDir::new().expect("a temporary folder");
        let own = folder.path().join("data");
        let (database, secrets, data_dir) = match &self.shared {
            Some(shared) => {
                let on_sqlite = shared.database.url().is_none();
                let data_dir = if on_sqlite { &shared.data_dir } else { &own };
                let (database, secrets) = (shared.database.clone(), shared.secrets.clone());
                (database, secrets, data_dir.clone())
            }
            None => {
                let database = Arc::new(Database::create_with(self.contents, &own).await);
                (database, Secrets::default(), own)
            }
        };
        TestApp {
            base_url: String::new(),
            secrets,
            address: None,
            server: None,
            options: self,
            database,
            data_dir,
            folder,
        }
    }
}

impl TestApp {
    /// A server with its default settings.
    pub async fn start() -> Self {
        Self::options().start().await
    }

    /// A server with settings of the test's own: `TestApp::options().arg(…).start()`.
    pub fn options() -> Options {
        Options::default()
    }

    /// Whether this run of the tests is on PostgreSQL.
    pub fn on_postgres(&self) -> bool {
        self.database.url().is_some()
    }

    /// The data folder of the server.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.log_file()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The address at which the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address.expect("the server runs")
    }

    /// A program that nobody has given anything.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.base_url, &self.secrets, reqwest::Client::builder())
    }

    /// A program that sends this key.
    pub fn with_key(&self, key: &str) -> Client {
        self.anonymous().always("user-api-key", key)
    }

    /// A browser that has not signed in.
    pub fn browser(&self) -> Browser {
        Browser::new(&self.base_url, &self.secrets)
    }

    /// Sends bytes over a connection of their own and reads one answer.
    pub fn raw(&self, request: &[u8]) -> Response {
        raw::exchange(self.address(), request)
    }

    /// Runs `latchkey` with these arguments on the data of this server.
    pub fn command(&self, args: &[&str], stdin: Option<&str>) -> Output {
        let mut command = self.latchkey();
        command
            .args(args)
            .env("LATCHKEY_DATA_DIR", &self.data_dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .stdin(Stdio::piped());
        let mut child = command.spawn().expect("latchkey runs");
        // A command that asks for nothing may be gone before it is told.
        let _ = child.stdin.take().unwrap().write_all(stdin.unwrap_or_default().as_bytes());
        let (id, (sender, receiver)) = (child.id(), mpsc::channel());
        std::thread::spawn(move || sender.send(child.wait_with_output()));
        match receiver.recv_timeout(PATIENCE) {
            Ok(output) => output.expect("latchkey ends"),
            Err(_) => {
                signal(id, "KILL");
                panic!("latchkey {args:?} did not end")
            }
        }
    }

    /// The same, for a command that must succeed; what it printed.
    pub fn command_ok(&self, args: &[&str], stdin: Option<&str>) -> String {
        let output = self.command(args, stdin);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "latchkey {args:?}: {}\n{printed}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        printed
    }

    /// Ends the server at once, as a power cut does.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// Asks the server to end, as a service manager does, and waits for it.
    pub fn terminate(&mut self) -> ExitStatus {
        let mut server = self.server.take().expect("the server runs");
        signal(server.id(), "TERM");
        server.wait().expect("the server ends")
    }

    /// Starts the server again on the same data, at another address:
    /// clients made before go on asking at the old one.
    pub fn restart(&mut self) {
        self.kill();
        if let Err(log) = self.serve() {
            panic!("no server: {log}");
        }
    }

    /// Starts the server; what it logged, when it does not serve.
    fn serve(&mut self) -> Result<(), String> {
        let log = File::options().create(true).append(true).open(self.log_file()).expect("a log file");
        let port = self.options.public_url.as_ref().map_or(0, |_| free_port());
        let mut command = self.latchkey();
        command
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .arg("--data-dir")
            .arg(&self.data_dir)
            .args(&self.options.args)
            .envs(self.options.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        if let Some(url) = &self.options.public_url {
            command.args(["--base-url", url]);
        }
        let mut server = command.spawn().expect("latchkey runs");
        let (sender, receiver) = mpsc::channel();
        let lines = BufReader::new(server.stdout.take().unwrap()).lines();
        // Read to the end: a server whose standard output is full would stand still.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(url) = line.strip_prefix("Latchkey is serving ") {
                    let _ = sender.send(url.trim().trim_end_matches('/').to_owned());
                }
            }
        });
        let printed = match receiver.recv_timeout(PATIENCE) {
            Ok(url) => url,
            Err(error) => {
                let _ = server.kill();
                let ended = server.wait();
                return Err(format!("{error}, {ended:?}\n{}", self.log()));
            }
        };
        self.server = Some(server);
        self.base_url = match &self.options.public_url {
            None => printed,
            Some(url) => {
                assert_eq!(&printed, url.trim_end_matches('/'));
                format!("http://127.0.0.1:{port}")
            }
        };
        let address = self.base_url.strip_prefix("http://");
        let address = address.and_then(|address| address.parse().ok());
        self.address = Some(address.unwrap_or_else(|| panic!("no address: {}", self.base_url)));
        Ok(())
    }

    /// The program, on the database of this server.
    fn latchkey(&self) -> Command {
        let mut command = bare_latchkey();
        if let Some(url) = self.database.url() {
            let over_wire = self.options.wire.as_ref().map(|wire| wire.url(&url));
            command.env("DATABASE_URL", over_wire.unwrap_or(url));
        }
        command.current_dir(self.folder.path());
        command
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("log of {}:\n{}", self.base_url, self.log());
        } else {
            self.secrets.assert_absent("the log", self.log().as_bytes());
            self.secrets.assert_absent_in_folder(&self.data_dir);
            if let Some(contents) = self.database.contents() {
                self.secrets.assert_absent("the database", contents.as_bytes());
            }
        }
    }
}

fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &process.to_string()]).status().expect("kill runs");
    assert!(sent.success(), "the process was gone already");
}

/// The program without any settings but that of a cheap hash.
pub fn bare_latchkey() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LATCHKEY_") {
            command.env_remove(name);
        }
    }
    command.env_remove("DATABASE_URL").env_remove("RUST_LOG").stdin(Stdio::null());
    command.env(HASH_MEMORY, "1024");
    command
}

/// A port below those that the system gives to connections: one of those could take it before its server does.
pub fn free_port() -> u16 {
    let mut ports = std::iter::repeat_with(|| rand::random_range(10_000..20_000));
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}
