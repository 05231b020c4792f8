//! What a key may do: which properties it can access, and whether it may write and manage users.

use crate::{base::ids::PropertyId, web::page::counted};

/// Which properties a stored key can access.
pub enum KeyScope {
    /// All of its user's, including later ones.
    All,
    Selected(SelectedProperties),
}

/// The selected properties to which the key's user still has access.
#[derive(Default)]
pub struct SelectedProperties {
    pub count: i64,
    /// The first titles.
    pub titles: Vec<String>,
}

impl SelectedProperties {
    /// How many of them are not among the titles.
    pub fn unnamed(&self) -> i64 {
        self.count - i64::try_from(self.titles.len()).unwrap_or(i64::MAX)
    }
}

impl KeyScope {
    /// The selected properties, if there are any.
    pub fn named(&self) -> Option<&SelectedProperties> {
        match self {
            KeyScope::Selected(selected) if selected.count > 0 => Some(selected),
            _ => None,
        }
    }

    /// `All properties`, `3 properties`, `No properties`.
    pub fn words(&self) -> String {
        match self {
            KeyScope::All => "All properties".to_owned(),
            KeyScope::Selected(selected) if selected.count == 0 => "No properties".to_owned(),
            KeyScope::Selected(selected) => counted(selected.count, "property", "properties"),
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

/// The access of a new key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyAccess {
    /// `None` for all properties.
    pub properties: Option<Vec<PropertyId>>,
    pub read_only: bool,
    /// Only with all properties and without `read_only` (docs/contract/README.md, section 15, 105).
    pub manage_users: bool,
}

impl KeyAccess {
    /// The access of the key's user.
    pub fn unrestricted() -> Self {
        KeyAccess { properties: None, read_only: false, manage_users: true }
    }
}
