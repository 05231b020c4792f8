//! Latchkey, started as its hosts start it, and what it is compared with.

use std::{
    fs::File,
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{machine, postgres::Cluster};

/// The release build of the program.
const LATCHKEY: &str = env!("CARGO_BIN_EXE_latchkey");

/// A running server.
pub struct Program {
    pub address: SocketAddr,
    child: Child,
}

impl Program {
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A program of ours that prints its address when it serves.
    pub fn start(command: Command, beginning: &str) -> io::Result<Self> {
        let (child, rest) = machine::start(command, beginning)?;
        let mut program = Program { address: ([127, 0, 0, 1], 0).into(), child };
        program.address = rest.trim_start_matches("http://").parse().map_err(io::Error::other)?;
        Ok(program)
    }

    /// A program that listens at an address it was told.
    pub fn at(address: SocketAddr, child: Child) -> Self {
        Program { address, child }
    }

    /// The handler that does nothing but send these bytes.
    pub fn bare(body: &Path) -> io::Result<Self> {
        let mut command = machine::on_core(machine::SERVER, &std::env::current_exe()?);
        command.args(["--bare".as_ref(), body.as_os_str()]);
        Self::start(command, "bare is serving ")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A host of Latchkey: a data folder or a PostgreSQL database, and settings that never stand in the load's way.
pub struct Host {
    pub folder: TempDir,
    /// `None` for SQLite.
    pub postgres: Option<Cluster>,
}

impl Host {
    /// On the disk that `target` is on: one in memory would sync for nothing.
    pub fn new(on_postgres: bool) -> io::Result<Self> {
        let below = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let folder = tempfile::Builder::new().prefix("speed-").tempdir_in(below)?;
        let postgres = on_postgres.then(Cluster::start).transpose()?;
        Ok(Host { folder, postgres })
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("data/latchkey.db")
    }

    fn command(&self, mut command: Command, args: &[&str]) -> io::Result<Command> {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LATCHKEY_") {
                command.env_remove(name);
            }
        }
        // Counted, and never reached: the load comes from one address, and mostly with one key.
        for limit in ["LATCHKEY_REQUESTS_PER_KEY", "LATCHKEY_REQUESTS_PER_ADDRESS"] {
            command.env(limit, "10000000");
        }
        // A fast machine creates more in a row than an account may have.
        command.env("LATCHKEY_MAX_PROPERTIES", "0");
        command.args(args).arg("--data-dir").arg(self.folder.path().join("data")).env_remove("RUST_LOG");
        match &self.postgres {
            Some(cluster) => command.env("DATABASE_URL", cluster.url()),
            None => command.env_remove("DATABASE_URL"),
        };
        // The log goes where a service manager would put it.
        let log = File::options().create(true).append(true).open(self.folder.path().join("log"))?;
        command.stderr(log);
        Ok(command)
    }

    /// Starts a server on its core; it and how long it took to be ready.
    pub fn serve(&self) -> io::Result<(Program, Duration)> {
        let began = Instant::now();
        let on_core = machine::on_core(machine::SERVER, Path::new(LATCHKEY));
        let program =
            Program::start(self.command(on_core, &["serve", "--listen", "127.0.0.1:0"])?, "Latchkey is serving ")?;
        Ok((program, began.elapsed()))
    }

    /// Runs a command of the program to its end.
    pub fn run(&self, args: &[&str], stdin: &str) -> io::Result<()> {
        let mut child =
            self.command(Command::new(LATCHKEY), args)?.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        child.stdin.take().ok_or_else(|| io::Error::other("no input"))?.write_all(stdin.as_bytes())?;
        let ended = child.wait()?;
        if ended.success() { Ok(()) } else { Err(io::Error::other(format!("latchkey {args:?}: {ended}"))) }
    }
}
