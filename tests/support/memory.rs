//! How much memory a server has taken, as Linux tells.

use crate::server::Server;

/// What one request may add at most, in KiB (CONTRIBUTING.md, Speed).
pub const MOST_MORE: u64 = 64 * 1024;

/// The most memory that was resident so far, in KiB.
pub fn peak(server: &Server) -> u64 {
    value(server.process(), "VmHWM:")
}

fn value(process: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("the server runs");
    let line = status.lines().find(|line| line.starts_with(name)).expect("a line");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

/// Asserts that a server has taken no more than one request may, since its peak was this.
#[track_caller]
pub fn has_grown_little(server: &Server, since: u64, what: &str) {
    let more = peak(server).saturating_sub(since);
    assert!(more <= MOST_MORE, "{what}: {more} KiB more");
}
