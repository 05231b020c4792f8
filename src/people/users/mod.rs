//! Users, their email addresses and names.

pub mod addresses; // changing an email address
pub mod email_change; // its pages
pub mod invitation; // the page of an invited user
pub mod links; // one-time links
pub mod mail_request; // asking for a mail with a link
pub mod reset; // a forgotten password
pub mod store; // SQL

use chrono_tz::Tz;

use crate::base::{clock::Moment, email, ids::UserId, text};

/// A person with an account.
#[derive(Clone, Debug)]
pub struct User {
    pub id: UserId,
    pub email: String,
    /// `None` until an invited user sets it.
    pub name: Option<String>,
    /// IANA name.
    pub time_zone: String,
    pub deactivated_at: Option<Moment>,
}

impl User {
    /// The name, or else the email address.
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.email)
    }

    /// The time zone in which times are shown to this user.
    pub fn zone(&self) -> Tz {
        self.time_zone.parse().unwrap_or(Tz::UTC)
    }
}

/// A valid email address.
#[derive(Clone, Debug)]
pub struct Email {
    /// As entered, without surrounding white space.
    pub text: String,
    /// For comparison; see [`email::key`].
    pub key: String,
}

impl std::str::FromStr for Email {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let key = email::key(text).ok_or("This is not an email address.")?;
        Ok(Email { text: text.to_owned(), key })
    }
}

/// Validates a user's name: at most 255 characters on one line; `None` if it is empty.
///
/// # Errors
/// The error message for the form.
pub fn name(text: &str) -> Result<Option<String>, String> {
    let name = text.trim();
    if !text::is_plain_line(name) {
        return Err(
            "Names cannot contain line breaks, control characters or characters that change the text direction."
                .to_owned(),
        );
    }
    if !name.is_empty() && text::is_blank(name) {
        return Err("This name has no visible characters. Enter a name, or leave it empty.".to_owned());
    }
    let length = name.chars().count();
    if length > 255 {
        return Err(format!("Use at most 255 characters for the name (you entered {length})."));
    }
    Ok((!name.is_empty()).then(|| name.to_owned()))
}
