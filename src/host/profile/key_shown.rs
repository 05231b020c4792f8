//! The dialog that shows a new key, this once, with what the form of a property management system asks for.

use crate::{
    access::signed_in::SignedIn,
    base::{clock, ids::ApiKeyId},
    host::profile::key_row,
    keys::PlainKey,
    web::{page::When, state::AppState},
};

/// A new key as the dialog shows it.
pub struct ShownKey {
    pub id: String,
    pub title: String,
    pub key: String,
    /// The base address of the API.
    pub api: String,
    /// A command that every shell understands.
    pub curl: String,
    pub created: When,
    /// What becomes of the key that it replaces.
    pub old: Option<String>,
    /// "May manage users" was ticked, but such a key never may.
    pub no_users: bool,
}

impl ShownKey {
    pub fn new(
        state: &AppState,
        person: &SignedIn,
        id: ApiKeyId,
        title: String,
        key: &PlainKey,
        old: Option<String>,
        no_users: bool,
    ) -> Self {
        let (key, api) = (key.reveal().to_owned(), format!("{}/api/v1", state.address()));
        ShownKey {
            id: id.to_string(),
            title,
            // Single quotes mean nothing to cmd.exe.
            curl: format!("curl -H \"user-api-key: {key}\" {api}/properties/"),
            key,
            api,
            created: When::new(clock::now(), person.user.zone()),
            old,
            no_users,
        }
    }

    /// The id of what has the focus once the dialog is closed.
    pub fn anchor(&self) -> String {
        key_row::anchor(&self.id)
    }
}
