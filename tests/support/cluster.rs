//! A PostgreSQL of one test alone, which it may stop.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::command::{finish, is_root};
use crate::program::free_port;

/// Ends when it is dropped.
pub struct Cluster {
    programs: PathBuf,
    port: u16,
    folder: TempDir,
}

impl Cluster {
    /// A new one, empty, on a port of its own.
    pub fn start() -> Self {
        let cluster = Self::without_data();
        let data = cluster.data();
        let words = ["--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"];
        let mut initdb = cluster.as_postgres("initdb");
        initdb.args(["--pgdata", &data]).args(words);
        finish(initdb, "").ok();
        cluster.restart();
        cluster
    }

    /// Another one with the same data. This one is restarted for that.
    pub fn twin(&self) -> Self {
        let twin = Self::without_data();
        self.stop("fast");
        let copied = Command::new("cp").args(["-a", &self.data(), &twin.data()]).status();
        assert!(copied.expect("cp runs").success());
        for cluster in [self, &twin] {
            cluster.restart();
        }
        twin
    }

    fn without_data() -> Self {
        let newest = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL of Debian").filter_map(|version| {
            let path = version.ok()?.path();
            let number: u32 = path.file_name()?.to_str()?.parse().ok()?;
            Some((number, path.join("bin")))
        });
        let (_, programs) = newest.max().expect("PostgreSQL must be installed");
        let folder = TempDir::with_prefix_in("latchkey-cluster-", "/tmp").expect("a temporary folder");
        let port = free_port();
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(folder.path()).status();
            assert!(owned.expect("chown runs").success());
        }
        Self { programs, port, folder }
    }

    /// As `LATCHKEY_TEST_DATABASE` names one.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops it, its clients cut off: `fast` with a word, `immediate` without.
    pub fn stop(&self, mode: &str) {
        self.pg_ctl(&["stop", "--mode", mode]);
    }

    pub fn restart(&self) {
        let sockets = self.folder.path().display();
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={sockets} -c max_prepared_transactions=4",
            self.port
        );
        let log = format!("{sockets}/log");
        self.pg_ctl(&["start", "--log", &log, "--options", &options]);
    }

    fn pg_ctl(&self, args: &[&str]) {
        let mut pg_ctl = self.as_postgres("pg_ctl");
        pg_ctl.args(["--pgdata", &self.data(), "--wait", "--silent"]).args(args);
        // Not with `finish`: the database would keep its pipes open.
        let status = pg_ctl.stdin(std::process::Stdio::null()).status().expect("pg_ctl runs");
        assert!(status.success(), "pg_ctl {args:?}");
    }

    fn data(&self) -> String {
        self.folder.path().join("data").to_string_lossy().into_owned()
    }

    /// PostgreSQL refuses to run as root.
    fn as_postgres(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if is_root() { Command::new("runuser") } else { Command::new(&program) };
        if is_root() {
            command.args(["-u", "postgres", "--"]).arg(program);
        }
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = self.as_postgres("pg_ctl");
        stop.args(["--pgdata", &self.data(), "--mode", "immediate", "--wait", "--silent", "stop"]);
        let _ = stop.status();
    }
}
