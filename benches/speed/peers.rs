//! The same list from other programs, each as its documentation says (`benches/peers`).

use std::{
    fs::File,
    io,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::{
    load::{Request, Script},
    machine,
    program::Program,
    rows::PROPERTIES,
};

/// Each a program in the folder, and what the table calls it.
const PEERS: [(&str, &str); 3] = [
    ("fastapi", "FastAPI with SQLAlchemy"),
    ("fastify", "Fastify with better-sqlite3, key checked by hand"),
    ("better_auth", "Fastify with Better Auth's API keys"),
];

/// A program that serves the same list, and what it is asked.
pub struct Peer {
    pub name: &'static str,
    pub server: Program,
    pub scripts: Vec<Script>,
    _folder: TempDir,
}

/// Installs and starts them, each with the properties of this answer.
pub fn start(list: &Path) -> io::Result<Vec<Peer>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let installed = Command::new(root.join("benches/peers/install")).stdin(Stdio::null()).status()?;
    if !installed.success() {
        return Err(io::Error::other("the peers could not be installed"));
    }
    PEERS.into_iter().map(|(program, name)| one(&root.join("target/bench/peers").join(program), name, list)).collect()
}

fn one(program: &Path, name: &'static str, list: &Path) -> io::Result<Peer> {
    let folder = tempfile::Builder::new().prefix("peer-").tempdir_in(PathBuf::from(env!("CARGO_TARGET_TMPDIR")))?;
    let address: SocketAddr = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut command = machine::on_core(machine::SERVER, program);
    command.args(["--port", &address.port().to_string()]);
    command.arg("--data").arg(folder.path()).arg("--properties").arg(list);
    command.stderr(File::create(folder.path().join("log"))?);
    let (child, key) = machine::start(command, "ready ")?;
    let scripts = vec![vec![Request::get(PROPERTIES, &key)]; 16];
    Ok(Peer { name, server: Program::at(address, child), scripts, _folder: folder })
}
