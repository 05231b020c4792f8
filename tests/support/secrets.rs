//! What must never be written down. Whatever makes a key, a password or a
//! session in these tests registers it here; when the test ends, the log and
//! the database files are searched for it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Shorter values (an emptied cookie, `1`) would be found everywhere.
const SHORTEST: usize = 12;

/// A signed cookie begins with its signature: 32 bytes in base64.
const SIGNATURE: usize = 44;

/// The secrets of one test, each with the name that a failure tells.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Mutex<BTreeMap<String, &'static str>>>);

impl Secrets {
    /// Remembers a secret under a name that says what it is.
    pub fn register(&self, what: &'static str, secret: &str) {
        if secret.len() >= SHORTEST {
            self.0.lock().unwrap().insert(secret.to_owned(), what);
        }
    }

    /// Remembers a session cookie: as sent, decoded, and the id behind the
    /// signature, which alone would be enough to look the session up.
    pub fn register_cookie(&self, value: &str) {
        let decoded = percent_decoded(value);
        if let Some(id) = decoded.get(SIGNATURE..) {
            self.register("session id", id);
        }
        self.register("session cookie", value);
        self.register("session cookie", &decoded);
    }

    /// Fails when a secret occurs in `bytes`; `place` says where they are from.
    pub fn assert_absent(&self, place: &str, bytes: &[u8]) {
        for (secret, what) in self.0.lock().unwrap().iter() {
            assert!(
                memchr::memmem::find(bytes, secret.as_bytes()).is_none(),
                "a secret ({what} {secret:?}) was written to {place}"
            );
        }
    }

    /// The same for every file under `folder`; one that does not exist is empty.
    pub fn assert_absent_in_folder(&self, folder: &Path) {
        let Ok(entries) = std::fs::read_dir(folder) else {
            return;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.assert_absent_in_folder(&path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                self.assert_absent(&path.display().to_string(), &bytes);
            }
        }
    }
}

fn percent_decoded(value: &str) -> String {
    let plus_kept = value.replace('+', "%2B");
    let pair = format!("v={plus_kept}");
    url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}
