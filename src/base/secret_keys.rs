//! The host's secret keys, with which secrets in the database are encrypted. They are never in the database or its backup.

use std::{
    env, fmt, fs,
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rand::{TryRng, rngs::SysRng};

use crate::base::{sealed::SealingKey, secret, settings::Settings};

/// The variable that has the keys themselves, separated by blanks.
pub const VARIABLE: &str = "LATCHKEY_SECRET_KEYS";

/// The name of the file in the data folder, and of systemd's credential.
const FILE: &str = "secret.keys";
const CREDENTIAL: &str = "secret_keys";

/// Where the keys are.
#[derive(Clone)]
enum Source {
    /// In a variable, read at start.
    Variable(String),
    File(PathBuf),
    /// In the data folder: the only file that is created and changed.
    OwnFile(PathBuf),
    /// Nowhere: nothing can be encrypted.
    Nowhere,
}

impl fmt::Display for CannotOpen {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            CannotOpen::MissingKey(id) => write!(f, "there is no secret key {id}"),
            CannotOpen::WrongKey(id) => write!(f, "the secret key {id} is not the one that it was encrypted with"),
        }
    }
}

/// One key with its id.
#[derive(Clone)]
pub struct NamedKey {
    pub id: String,
    key: SealingKey,
}

/// The keys. The first one encrypts, all of them decrypt.
pub struct SecretKeys {
    source: Source,
    known: RwLock<Arc<Vec<NamedKey>>>,
}

/// A value could not be decrypted.
#[derive(Debug, PartialEq, Eq)]
pub enum CannotOpen {
    /// There is no key of this id.
    MissingKey(String),
    /// The key is another one than that of the same id, or the value is damaged.
    WrongKey(String),
}

impl SecretKeys {
    /// The keys of the settings. Without any, they are in the data folder if SQLite is the database.
    ///
    /// # Errors
    /// A sentence for the host if they cannot be read.
    pub fn of(settings: &Settings) -> Result<Self, String> {
        let variable = env::var(VARIABLE).ok().filter(|keys| !keys.trim().is_empty());
        let credential = env::var_os("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(CREDENTIAL));
        let source = match (&settings.secret_keys_file, variable, credential.filter(|file| file.exists())) {
            (Some(file), _, _) => Source::File(file.clone()),
            (None, Some(keys), _) => Source::Variable(keys),
            (None, None, Some(file)) => Source::File(file),
            (None, None, None) if settings.database_url.is_none() => Source::OwnFile(settings.data_dir().join(FILE)),
            (None, None, None) => Source::Nowhere,
        };
        let keys = SecretKeys { source, known: RwLock::default() };
        keys.reread()?;
        keys.warn();
        Ok(keys)
    }

    /// Warns if others can read the file.
    fn warn(&self) {
        let (Source::File(file) | Source::OwnFile(file)) = &self.source else { return };
        if fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o077 != 0) {
            let file = file.display();
            log::warn!("other users of this machine can read the secret keys: chmod 600 {file}");
        }
    }

    /// Reads the keys again.
    ///
    /// # Errors
    /// A sentence for the host.
    pub fn reread(&self) -> Result<(), String> {
        let text = match &self.source {
            Source::Variable(keys) => keys.split_whitespace().collect::<Vec<_>>().join("\n"),
            Source::File(file) => fs::read_to_string(file).map_err(|error| cannot_read(file, &error))?,
            Source::OwnFile(file) => match fs::read_to_string(file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
                read => read.map_err(|error| cannot_read(file, &error))?,
            },
            Source::Nowhere => String::new(),
        };
        let keys = parse(&text).map_err(|problem| format!("{}: {problem}.", self.place()))?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }

    /// The keys as they were read last.
    pub fn known(&self) -> Arc<Vec<NamedKey>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True if values can be encrypted.
    pub fn can_seal(&self) -> bool {
        matches!(self.source, Source::OwnFile(_)) || !self.known().is_empty()
    }

    /// Where the keys are, for the host.
    pub fn place(&self) -> String {
        match &self.source {
            Source::Variable(_) => VARIABLE.to_owned(),
            Source::File(file) | Source::OwnFile(file) => file.display().to_string(),
            Source::Nowhere => format!("{VARIABLE} and LATCHKEY_SECRET_KEYS_FILE"),
        }
    }

    /// True if they are in the file that is created and changed here.
    pub fn are_own(&self) -> bool {
        matches!(self.source, Source::OwnFile(_))
    }

    /// Encrypts a value with the first key, which is created if there is none yet; returns its id, too. The keys are read
    /// again before, so that one which was added a moment ago is used.
    ///
    /// # Errors
    /// A sentence for the host.
    pub fn seal(&self, place: &str, value: &[u8]) -> Result<(String, Vec<u8>), String> {
        self.reread()?;
        if self.known().is_empty() {
            self.create()?;
        }
        let keys = self.known();
        let first = keys.first().ok_or_else(|| format!("There are no secret keys: set {}.", self.place()))?;
        Ok((first.id.clone(), first.key.seal(place, value)))
    }

    /// Decrypts a value. If its key is not known, the keys are read again: it may have been added since.
    ///
    /// # Errors
    /// If there is no such key, or it is another one.
    pub fn open(&self, id: &str, place: &str, sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        let find = || self.known().iter().find(|key| key.id == id).cloned();
        let key = match find() {
            Some(key) => Some(key),
            None => {
                if let Err(problem) = self.reread() {
                    log::error!("{problem}");
                }
                find()
            }
        };
        let key = key.ok_or_else(|| CannotOpen::MissingKey(id.to_owned()))?;
        key.key.open(place, sealed).ok_or_else(|| CannotOpen::WrongKey(id.to_owned()))
    }

    /// Creates the file in the data folder with one key. Another process may have done so meanwhile: then its key counts.
    fn create(&self) -> Result<(), String> {
        let Source::OwnFile(file) = &self.source else { return Ok(()) };
        let _lock = lock(file)?;
        match write(file, &format!("{}\n", new_line()), false) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            written => written.map_err(|error| format!("Cannot create {}: {error}.", file.display()))?,
        }
        self.reread()
    }

    /// Adds a new first key to the file in the data folder.
    ///
    /// # Errors
    /// A sentence for the host.
    pub fn add_first(&self) -> Result<(), String> {
        let Source::OwnFile(file) = &self.source else { return Ok(()) };
        let _lock = lock(file)?;
        let old = match fs::read_to_string(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|error| cannot_read(file, &error))?,
        };
        let new = format!("{}\n{old}", new_line());
        write(file, &new, true).map_err(|error| format!("Cannot write {}: {error}.", file.display()))?;
        self.reread()
    }
}

/// A line with a new key. It is secret.
pub fn new_line() -> String {
    let mut key = [0; 32];
    SysRng.try_fill_bytes(&mut key).expect("random numbers from the operating system");
    format!("{}:{}", &secret::random()[..8], STANDARD.encode(key))
}

fn cannot_read(file: &Path, error: &io::Error) -> String {
    format!("Cannot read the secret keys in {}: {error}.", file.display())
}

/// Locks the file of keys against changes by other processes, until the lock is dropped.
fn lock(file: &Path) -> Result<fs::File, String> {
    let lock = file.with_extension("lock");
    let opened = fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&lock);
    let locked = opened.and_then(|opened| opened.lock().map(|()| opened));
    locked.map_err(|error| format!("Cannot lock {}: {error}.", lock.display()))
}

/// Writes a whole file that only its owner can read, or leaves it as it was.
fn write(file: &Path, text: &str, replaces: bool) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The temporary file is for its owner alone.
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    match replaces {
        true => new.persist(file)?,
        false => new.persist_noclobber(file)?,
    };
    fs::File::open(folder)?.sync_all()
}

/// Parses keys: one per line, `id:base64 of 32 bytes`. Empty lines and those that begin with `#` are skipped.
///
/// # Errors
/// What is wrong with which line, without its content.
fn parse(text: &str) -> Result<Vec<NamedKey>, String> {
    let mut keys: Vec<NamedKey> = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(place, line)| (place + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let named = line.split_once(':').filter(|(id, _)| {
            (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        });
        let key = named.and_then(|(id, key)| {
            let key = <[u8; 32]>::try_from(STANDARD.decode(key.trim()).ok()?).ok()?;
            Some(NamedKey { id: id.to_owned(), key: SealingKey(key) })
        });
        let Some(key) = key else {
            return Err(format!("line {number} is no secret key, which is `id:base64 of 32 bytes`"));
        };
        if keys.iter().any(|other| other.id == key.id) {
            return Err(format!("line {number} has the id of another line"));
        }
        keys.push(key);
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_line_by_line_and_what_is_none_is_named_by_its_line() {
        let (one, other) = (new_line(), new_line());
        let keys = parse(&format!("# ours\n\n {one} \r\n{other}\n")).expect("two keys");
        let ids: Vec<&str> = keys.iter().map(|key| &*key.id).collect();
        assert_eq!(ids, [&one[..8], &other[..8]]);
        assert!(parse("").expect("none").is_empty());
        for wrong in ["x", "x:", ":AAAA", "x:AAAA", "x y:AAAA", &one[..40], &format!("{one}AAAA"), &format!("é{one}")]
        {
            let problem = parse(&format!("{other}\n{wrong}\n")).err().unwrap_or_else(|| panic!("{wrong}"));
            assert!(problem.starts_with("line 2 is no secret key") && !problem.contains(&one[9..30]), "{problem}");
        }
        assert!(parse(&format!("{one}\n{one}")).is_err_and(|problem| problem == "line 2 has the id of another line"));
    }
}
