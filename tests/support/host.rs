//! A machine on which Latchkey is installed: its data folder, its database, and the commands that are run there.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tempfile::TempDir;

use crate::command::{Said, finish};
use crate::database::{Contents, Database};
use crate::options::Options;
use crate::program::bare_latchkey;
use crate::secrets::Secrets;
use crate::server::{Server, Starting};

/// A data folder and a database of the test's own. Copies are the same machine; servers have one.
///
/// When the last of them is dropped, no log, no file and no table may contain a secret of the test, and what tables have
/// twice must agree.
#[derive(Clone)]
pub struct Host {
    pub secrets: Secrets,
    installed: Arc<Installed>,
}

/// What is searched and removed at the end.
struct Installed {
    secrets: Secrets,
    database: Database,
    has_tables: AtomicBool,
    logs: AtomicUsize,
    folder: TempDir,
}

impl Host {
    /// A machine on which Latchkey never ran: data folder and database are empty.
    pub async fn new() -> Self {
        Self::on(Database::create().await)
    }

    /// The same, on a database that the test has made.
    pub fn on(database: Database) -> Self {
        Self::installed(database, TempDir::new().expect("a temporary folder"), false)
    }

    /// A machine whose database has what this template has.
    pub async fn with(contents: Contents) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let database = Database::create_with(contents, &data_dir(folder.path())).await;
        let has_tables = database.url().is_some() || contents != Contents::Schema;
        Self::installed(database, folder, has_tables)
    }

    fn installed(database: Database, folder: TempDir, has_tables: bool) -> Self {
        let secrets = Secrets::default();
        let (has_tables, logs) = (AtomicBool::new(has_tables), AtomicUsize::new(0));
        let installed = Installed { secrets: secrets.clone(), database, has_tables, logs, folder };
        Self { secrets, installed: Arc::new(installed) }
    }

    /// The folder in which everything of this machine is.
    fn folder(&self) -> &Path {
        self.installed.folder.path()
    }

    pub fn data_dir(&self) -> PathBuf {
        data_dir(self.folder())
    }

    /// The address of the database, where it is PostgreSQL.
    pub fn database_url(&self) -> Option<String> {
        self.installed.database.url()
    }

    /// Everything that the database holds: the files of SQLite, all rows of PostgreSQL as text.
    pub fn contents(&self) -> Vec<u8> {
        if let Some(rows) = self.installed.database.contents() {
            return rows.into_bytes();
        }
        let files = std::fs::read_dir(self.data_dir()).expect("the data folder");
        files.flat_map(|file| std::fs::read(file.expect("a file").path()).expect("its bytes")).collect()
    }

    /// What tables have twice, and differs (`derived.rs`).
    pub fn wrong(&self) -> Vec<String> {
        self.installed.database.wrong(&self.data_dir())
    }

    /// A file for the log of one more server.
    pub fn new_log(&self) -> PathBuf {
        let number = self.installed.logs.fetch_add(1, Ordering::Relaxed);
        self.folder().join(format!("server-{number}.log"))
    }

    /// The program on this machine, with nothing of the tester's own settings.
    pub fn latchkey(&self, args: &[&str]) -> Command {
        let mut command = bare_latchkey();
        command.args(args).env("LATCHKEY_DATA_DIR", self.data_dir()).current_dir(self.folder());
        if let Some(url) = self.database_url() {
            command.env("DATABASE_URL", url);
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Said {
        finish(self.latchkey(args), "")
    }

    /// The same, with something on its standard input.
    pub fn run_with(&self, args: &[&str], stdin: &str) -> Said {
        finish(self.latchkey(args), stdin)
    }

    /// Starts `latchkey serve` on a free port and waits until it serves.
    pub fn serve(&self, args: &[&str]) -> Server {
        args.iter().fold(Options::default(), |options, arg| options.arg(arg)).start_on(self).serving()
    }

    /// Starts a server by this command and does not wait.
    pub fn start(&self, command: Command) -> Starting {
        Starting::spawn(self, command)
    }

    /// Makes the tables, as no command but a few does by itself.
    pub fn migrate(&self) -> String {
        let printed = self.run(&["migrate"]).ok();
        self.has_tables();
        printed
    }

    /// Makes the tables, unless this or a server has done so.
    pub fn migrate_once(&self) {
        if !self.installed.has_tables.load(Ordering::Relaxed) {
            self.migrate();
        }
    }

    /// Remembers that the tables are there.
    pub fn has_tables(&self) {
        self.installed.has_tables.store(true, Ordering::Relaxed);
    }
}

fn data_dir(folder: &Path) -> PathBuf {
    folder.join("data")
}

impl Drop for Installed {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.secrets.assert_absent_in_folder(self.folder.path());
            if let Some(rows) = self.database.contents() {
                self.secrets.assert_absent("the database", rows.as_bytes());
            }
            if self.has_tables.load(Ordering::Relaxed) {
                let wrong = self.database.wrong(&data_dir(self.folder.path()));
                assert!(wrong.is_empty(), "the database has {wrong:?}");
            }
        }
    }
}
