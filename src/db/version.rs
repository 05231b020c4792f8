//! The version of a SQLite file: what a cached response is compared by. Equal versions mean that no process committed
//! anything in between. (`postgres_version.rs` has that of PostgreSQL.)
//!
//! It is the header of the WAL index (`latchkey.db-shm`), read by one `pread`: two copies of 48 bytes, with a checksum.
//! SQLite itself compares them when a transaction begins, to see whether there is something new
//! (<https://www.sqlite.org/walformat.html>, section 2.1), so this is exactly as fresh. Where the file cannot be read that
//! way, the version is `pragma data_version`.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

/// Bytes of one copy of the header.
const HEADER: usize = 48;

/// Bytes of the header that its checksum covers; the checksum follows.
const SUMMED: usize = 40;

/// Where the header says that it is initialised.
const IS_INITIALISED: usize = 12;

/// A state of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The header of the WAL index.
    Header([u8; HEADER]),
    /// `pragma data_version`, a number of its connection.
    Number(i64),
    /// The hash of a snapshot of PostgreSQL.
    Snapshot([u8; 32]),
}

/// The file of the WAL index.
pub struct WalIndex(&'static File);

impl WalIndex {
    /// Opens the WAL index of a database that is open already.
    ///
    /// The file stays open while the process lives: when any descriptor of a file is closed, POSIX drops all locks of the
    /// process on it, also those that SQLite has. For the same reason nothing else may open a file of the database.
    pub fn open(database: &Path) -> io::Result<Self> {
        let mut name = database.as_os_str().to_owned();
        name.push("-shm");
        Ok(WalIndex(Box::leak(Box::new(File::open(name)?))))
    }

    /// `None` while the header is being written, or is not there.
    pub fn version(&self) -> Option<Version> {
        let mut both = [0; 2 * HEADER];
        self.0.read_exact_at(&mut both, 0).ok()?;
        header(&both).map(Version::Header)
    }
}

/// The header, if both copies of it are complete and equal.
fn header(both: &[u8; 2 * HEADER]) -> Option<[u8; HEADER]> {
    let (first, second) = both.split_at(HEADER);
    let first: [u8; HEADER] = first.try_into().ok()?;
    let is_whole = first == second && first[IS_INITIALISED] != 0 && checksum(&first[..SUMMED]) == first[SUMMED..];
    is_whole.then_some(first)
}

/// The checksum of SQLite's write-ahead log, over 32-bit words in the order of this machine.
fn checksum(bytes: &[u8]) -> [u8; 8] {
    let (mut a, mut b) = (0_u32, 0_u32);
    let mut words = bytes.chunks_exact(4).map(|word| u32::from_ne_bytes([word[0], word[1], word[2], word[3]]));
    while let (Some(even), Some(odd)) = (words.next(), words.next()) {
        a = a.wrapping_add(even).wrapping_add(b);
        b = b.wrapping_add(odd).wrapping_add(a);
    }
    let mut sum = [0; 8];
    sum[..4].copy_from_slice(&a.to_ne_bytes());
    sum[4..].copy_from_slice(&b.to_ne_bytes());
    sum
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rusqlite::Connection;

    use super::*;

    fn bytes(version: Option<Version>) -> [u8; HEADER] {
        match version {
            Some(Version::Header(bytes)) => bytes,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_commit_of_any_connection_changes_it_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("some.db");
        let (ours, others) = (Connection::open(&file).unwrap(), Connection::open(&file).unwrap());
        ours.execute_batch("pragma journal_mode = wal; create table t (n)").unwrap();
        let index = WalIndex::open(&file).unwrap();
        let mut seen = HashSet::from([bytes(index.version())]);
        for number in 0..500 {
            let before = bytes(index.version());
            ours.execute_batch("begin immediate; insert into t values (1); rollback").unwrap();
            others.query_row("select count(*) from t", [], |row| row.get::<_, i64>(0)).unwrap();
            assert_eq!(bytes(index.version()), before, "nothing was committed");
            let writer = if number % 2 == 0 { &ours } else { &others };
            writer.execute("insert into t values (?)", [number]).unwrap();
            assert!(seen.insert(bytes(index.version())), "commit {number} left the version of one before");
            if number % 50 == 0 {
                ours.execute_batch("pragma wal_checkpoint(truncate)").unwrap();
            }
        }
    }

    #[test]
    fn a_header_that_is_not_whole_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("some.db");
        let connection = Connection::open(&file).unwrap();
        connection.execute_batch("pragma journal_mode = wal; create table t (n)").unwrap();
        let mut both = [0; 2 * HEADER];
        WalIndex::open(&file).unwrap().0.read_exact_at(&mut both, 0).unwrap();
        assert!(header(&both).is_some());
        for place in 0..both.len() {
            let mut torn = both;
            torn[place] ^= 1;
            assert_eq!(header(&torn), None, "byte {place} of one copy differs");
            torn[(place + HEADER) % both.len()] ^= 1;
            assert_eq!(header(&torn), None, "byte {place} of both copies differs");
        }
        assert_eq!(header(&[0; 2 * HEADER]), None);
    }
}
