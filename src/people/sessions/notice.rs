//! What the next page says once, such as "Profile saved.". It is kept in the session: anybody could write an address.

use actix_session::Session;
use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};

use crate::{
    base::error::{Error, Result},
    people::sessions::NOTICE,
    web::page,
};

/// A text, empty for none, and the id of the section of the page where it stands, empty for the top.
#[derive(Default, Serialize, Deserialize)]
pub struct Notice {
    section: String,
    text: String,
}

/// Redirects to a page that shows this text once, in the section that the address names after `#`.
pub fn see_other(session: &Session, address: &str, text: impl Into<String>) -> Result<HttpResponse> {
    let section = address.split_once('#').map_or("", |(_, section)| section);
    session
        .insert(NOTICE, Notice { section: section.to_owned(), text: text.into() })
        .map_err(|error| Error::Internal(format!("the notice could not be stored: {error}")))?;
    Ok(page::see_other(address))
}

/// The notice that waits, which no other page shows.
pub fn take(session: &Session) -> Notice {
    let Ok(Some(notice)) = session.get(NOTICE) else { return Notice::default() };
    // Only where there is one: whatever is removed, the session counts as changed and is stored.
    session.remove(NOTICE);
    notice
}

impl Notice {
    /// This text at the top of the page, unless there is another one.
    pub fn or(self, text: &str) -> Self {
        if self.text.is_empty() { Notice { section: String::new(), text: text.to_owned() } } else { self }
    }

    /// The text, if it stands in this section.
    pub fn text_in(&self, section: &str) -> Option<&str> {
        (self.section == section && !self.text.is_empty()).then_some(&*self.text)
    }
}
