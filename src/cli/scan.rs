//! `latchkey scan` and `latchkey scan-rules`: finding API keys where they should not be. Neither needs a database, nor
//! who runs the server.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;

use crate::{
    base::settings::Settings,
    keys::scan::{self, Place},
    keys::scan_rules::{self, Format},
};

/// The exit codes of `scan`, as of `grep` with what is found exchanged: nothing was found.
const CLEAN: u8 = 0;
const FOUND: u8 = 1;
/// Something could not be read, whatever was found elsewhere.
const FAILED: u8 = 2;

#[derive(Args)]
pub struct Scan {
    /// Files and folders; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    paths: Vec<PathBuf>,
}

#[derive(Args)]
pub struct ScanRules {
    /// The program that the rules are for
    #[arg(long, default_value = "gitleaks", value_name = "FORMAT")]
    format: Format,
}

/// `latchkey scan-rules`
pub fn print_rules(settings: &Settings, command: &ScanRules) -> ExitCode {
    let rules = scan_rules::rules(settings, command.format);
    match io::stdout().write_all(rules.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => failed(&format!("Cannot print: {error}.")),
        _ => ExitCode::SUCCESS,
    }
}

/// Reports what keeps a command from running.
pub fn failed(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(FAILED)
}

/// `latchkey scan`: prints where each key begins, and its last characters.
pub fn scan(settings: &Settings, command: &Scan) -> ExitCode {
    let mut search = Search { prefixes: settings.key_prefixes(), keys: 0, has_failed: false, is_unheard: false };
    for path in &command.paths {
        match path.as_os_str() == "-" {
            true => search.one(path, io::stdin().lock()),
            false => search.named(path),
        }
    }
    if search.keys > 0 && !search.is_unheard {
        let (keys, them) = if search.keys == 1 { ("key", "it") } else { ("keys", "them") };
        eprintln!("Found {} API {keys}. Withdraw {them}: whoever can read this can use {them}.", search.keys);
    }
    ExitCode::from(match search {
        Search { has_failed: true, .. } => FAILED,
        Search { keys: 0, .. } => CLEAN,
        _ => FOUND,
    })
}

struct Search<'a> {
    prefixes: Vec<&'a str>,
    keys: u64,
    has_failed: bool,
    /// Nobody reads the output any more.
    is_unheard: bool,
}

impl Search<'_> {
    /// A path of the command line, also a link or a pipe.
    fn named(&mut self, path: &Path) {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => self.folder(path),
            Ok(_) => self.file(path),
            Err(error) => self.failed(path, &error),
        }
    }

    /// All files of a folder, in the order of their names. Links are not followed, so it ends.
    fn folder(&mut self, path: &Path) {
        let entries = fs::read_dir(path).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.failed(path, &error),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.folder(&path),
                Ok(kind) if kind.is_file() => self.file(&path),
                Ok(_) => {}
                Err(error) => self.failed(&path, &error),
            }
        }
    }

    fn file(&mut self, path: &Path) {
        match File::open(path) {
            Ok(file) => self.one(path, file),
            Err(error) => self.failed(path, &error),
        }
    }

    fn one(&mut self, path: &Path, from: impl io::Read) {
        if self.is_unheard {
            return;
        }
        let (name, mut out, mut printed) = (name(path), io::stdout().lock(), Ok(()));
        let mut keys = 0;
        let read = scan::scan(from, &self.prefixes, |Place { line, column }, key| {
            keys += 1;
            if printed.is_ok() {
                printed = writeln!(out, "{name}:{line}:{column}: ***{}", key.tail());
            }
        });
        self.keys += keys;
        if let Err(error) = printed.and_then(|()| out.flush()) {
            self.is_unheard = true;
            self.has_failed |= error.kind() != ErrorKind::BrokenPipe;
        }
        if let Err(error) = read {
            self.failed(path, &error);
        }
    }

    fn failed(&mut self, path: &Path, error: &io::Error) {
        self.has_failed = true;
        eprintln!("Cannot read {}: {error}", name(path));
    }
}

/// A path for the terminal: a name must not begin another line.
fn name(path: &Path) -> String {
    path.to_string_lossy().replace(char::is_control, "?")
}
