//! The program under test, as Cargo has built it.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long a start or a command may take: a loaded machine is slow.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Hundreds of tests sign somebody in, with a hash that costs little. Those of the hash itself take this away again.
pub const HASH_MEMORY: &str = "LATCHKEY_ARGON2_MEMORY_KIB";

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

/// Sends a signal to a process, which must be there.
pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &process.to_string()]).status().expect("kill runs");
    assert!(sent.success(), "the process was gone already");
}
