//! What a key may do: which properties it sees, and whether it may write and manage users.

use crate::{base::ids::PropertyId, web::page::counted};

/// Which properties a kept key reaches.
pub enum KeyScope {
    /// All of its user's, later ones too.
    All,
    Chosen(Chosen),
}

/// The chosen properties that the key's user still reaches.
#[derive(Default)]
pub struct Chosen {
    pub count: i64,
    /// The first of them, by title.
    pub titles: Vec<String>,
}

impl Chosen {
    /// How many are not among the titles.
    pub fn unnamed(&self) -> i64 {
        self.count - i64::try_from(self.titles.len()).unwrap_or(i64::MAX)
    }
}

impl KeyScope {
    /// The chosen properties, where there are any to name.
    pub fn named(&self) -> Option<&Chosen> {
        match self {
            KeyScope::Chosen(chosen) if chosen.count > 0 => Some(chosen),
            _ => None,
        }
    }

    /// `All properties`, `3 properties`, `No properties`.
    pub fn words(&self) -> String {
        match self {
            KeyScope::All => "All properties".to_owned(),
            KeyScope::Chosen(chosen) if chosen.count == 0 => "No properties".to_owned(),
            KeyScope::Chosen(chosen) => counted(chosen.count, "property", "properties"),
        }
    }
}

/// `Read only`, `Read and write`, `Read and write, manages users`.
pub fn rights(read_only: bool, manage_users: bool) -> &'static str {
    match (read_only, manage_users) {
        (true, _) => "Read only",
        (false, false) => "Read and write",
        (false, true) => "Read and write, manages users",
    }
}

/// What a new key is to be limited to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// None: all properties.
    pub properties: Option<Vec<PropertyId>>,
    pub read_only: bool,
    /// Only with all properties, and where the key may write (docs/contract/README.md, section 15, 105).
    pub manage_users: bool,
}

impl Limits {
    /// Everything that its user may do.
    pub fn none() -> Self {
        Limits { properties: None, read_only: false, manage_users: true }
    }
}
