//! A PostgreSQL of the benchmark's own, durable as its makers ship it, beside the load.

use std::{
    io,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::machine;

pub struct Cluster {
    folder: TempDir,
    port: u16,
}

impl Cluster {
    pub fn start() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("latchkey-speed-").tempdir_in("/var/tmp")?;
        // PostgreSQL refuses to run as root.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777))?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let cluster = Cluster { folder, port };
        let data = cluster.data();
        let data = data.to_string_lossy();
        let args =
            ["--pgdata", &data, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C"];
        run("initdb", &args)?;
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c max_connections=200",
            cluster.folder.path().display()
        );
        let log = cluster.folder.path().join("log");
        run("pg_ctl", &["--pgdata", &data, "--wait", "--log", &log.to_string_lossy(), "--options", &options, "start"])?;
        Ok(cluster)
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.data();
        if let Err(error) =
            run("pg_ctl", &["--pgdata", &data.to_string_lossy(), "--mode", "immediate", "--wait", "stop"])
        {
            eprintln!("PostgreSQL did not stop: {error}");
        }
    }
}

/// Runs a program of the newest PostgreSQL that is installed, as a user who is not root.
fn run(program: &str, args: &[&str]) -> io::Result<()> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")?.filter_map(Result::ok).map(|entry| entry.path());
    let newest = versions.max_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    let program = newest.ok_or_else(|| io::Error::other("PostgreSQL is not installed"))?.join("bin").join(program);
    let mut command = match is_root() {
        true => {
            let mut command = machine::on_core(machine::LOAD, Path::new("runuser"));
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        }
        false => machine::on_core(machine::LOAD, &program),
    };
    let done = command.args(args).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    if done.success() { Ok(()) } else { Err(io::Error::other(format!("{command:?}: {done}"))) }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}
