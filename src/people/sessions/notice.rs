//! Notices: what the next page says once, such as "Profile saved.". They are stored in the session, since anybody could
//! write them into an address.

use actix_session::Session;
use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};

use crate::{
    base::error::{Error, Result},
    people::sessions::NOTICE,
    web::page,
};

/// A text, empty for none, and the id of the section of the page that shows it, empty for the top.
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
        .map_err(|error| Error::Internal(format!("could not store a notice: {error}")))?;
    Ok(page::see_other(address))
}

/// Removes the notice from the session, so that only one page shows it.
pub fn take(session: &Session) -> Notice {
    let Ok(Some(notice)) = session.get(NOTICE) else { return Notice::default() };
    // Only if there is one: any removal marks the session as changed, and it is stored again.
    session.remove(NOTICE);
    notice
}

impl Notice {
    /// This notice, or if it is empty, the text at the top of the page.
    pub fn or(self, text: &str) -> Self {
        if self.text.is_empty() { Notice { section: String::new(), text: text.to_owned() } } else { self }
    }

    /// The text, if it belongs to this section.
    pub fn text_in(&self, section: &str) -> Option<&str> {
        (self.section == section && !self.text.is_empty()).then_some(&*self.text)
    }
}
