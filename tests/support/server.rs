//! A running server, and one that was just started.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use crate::browser::Browser;
use crate::client::Client;
use crate::host::Host;
use crate::options::Options;
use crate::program::{PATIENCE, signal};
use crate::raw;
use crate::response::Response;

/// A running server. It ends when it is dropped.
///
/// It has all that its [`Host`] has: `server.run(…)` is a command on the same data.
pub struct Server {
    pub base_url: String,
    host: Host,
    /// What it says that its address is, where that is not `base_url`.
    public_url: Option<String>,
    command: Command,
    child: Child,
    lines: Receiver<String>,
    log: PathBuf,
}

impl Server {
    /// A server with its default settings, on a host of its own.
    pub async fn start() -> Self {
        Self::options().start().await
    }

    /// A server with settings of the test's own: `Server::options().arg(…).start()`.
    pub fn options() -> Options {
        Options::default()
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
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

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        signal(self.process(), name);
    }

    /// Asks the server to end, as a service manager does.
    pub fn ask_to_end(&self) {
        self.signal("TERM");
    }

    /// Waits until the server has ended.
    pub fn ended(&mut self) -> ExitStatus {
        self.child.wait().expect("the server ends")
    }

    /// Asks the server to end, and waits for it.
    pub fn terminate(&mut self) -> ExitStatus {
        self.ask_to_end();
        self.ended()
    }

    /// Ends the server at once, as a power cut does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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

    /// Starts the server again by the same command, which mostly gives it another port: clients made before go on
    /// asking at the old one.
    pub fn restart(&mut self) {
        self.kill();
        (self.child, self.lines) = spawn(&mut self.command);
        if let Err(log) = self.wait_until_it_serves() {
            panic!("no server: {log}");
        }
    }

    /// Waits for the line that says where it serves; what it logged, when it ended instead.
    fn wait_until_it_serves(&mut self) -> Result<(), String> {
        let printed = loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    if let Some(url) = line.strip_prefix("Latchkey is serving ") {
                        break url.trim().trim_end_matches('/').to_owned();
                    }
                }
                Err(error) => {
                    let _ = self.child.kill();
                    let ended = self.child.wait();
                    return Err(format!("{error}, {ended:?}\n{}", self.log()));
                }
            }
        };
        match &self.public_url {
            None => self.base_url = printed,
            Some(url) => assert_eq!(printed, url.trim_end_matches('/')),
        }
        self.host.has_tables();
        Ok(())
    }
}

impl Deref for Server {
    type Target = Host;

    fn deref(&self) -> &Host {
        &self.host
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let end: Vec<&str> = log.lines().rev().take(60).collect();
            eprintln!("end of the log of {}:", self.base_url);
            end.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

/// A server that was just started.
pub struct Starting(Server);

impl Starting {
    /// Starts a server by this command.
    pub fn spawn(host: &Host, mut command: Command) -> Self {
        let log = host.new_log();
        let file = File::create(&log).expect("a log file");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
        let (child, lines) = spawn(&mut command);
        let (base_url, host) = (String::new(), host.clone());
        Self(Server { base_url, host, public_url: None, command, child, lines, log })
    }

    /// Tells clients of the test to ask where it listens, not at the URL that the proxy has.
    pub fn behind_proxy(mut self, listen: &str, public_url: &str) -> Self {
        self.0.base_url = format!("http://{listen}");
        self.0.public_url = Some(public_url.to_owned());
        self
    }

    /// Waits until it serves; what it logged, when it ended instead.
    pub fn ready(mut self) -> Result<Server, String> {
        self.0.wait_until_it_serves().map(|()| self.0)
    }

    /// Waits until it serves, as it must.
    #[track_caller]
    pub fn serving(self) -> Server {
        self.ready().unwrap_or_else(|log| panic!("no server: {log}"))
    }

    /// Waits until it ends, as it must; what it logged.
    #[track_caller]
    pub fn refused(self) -> String {
        self.ready().err().expect("the server should have refused to serve")
    }
}

/// Starts a process, whose output is read to the end: one whose output is full would stand still.
fn spawn(command: &mut Command) -> (Child, Receiver<String>) {
    let mut child = command.spawn().expect("latchkey runs");
    let (sender, lines) = mpsc::channel();
    let printed = BufReader::new(child.stdout.take().expect("its output")).lines();
    std::thread::spawn(move || printed.map_while(Result::ok).try_for_each(|line| sender.send(line)));
    (child, lines)
}
