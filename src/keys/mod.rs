//! API keys: created by a user, shown once, sent as `user-api-key`, withdrawn when they leak.

pub mod access_form; // the part "Access" of the form
pub mod addresses; // from where a key may be used
mod admit; // when a key is admitted
pub mod api; // /api/v1/me
pub mod cache; // credentials
pub mod create; // creating a key
pub mod edit; // title, end and addresses
pub mod ends; // keys that end by the clock
pub mod expiry; // when a key ends
pub mod foreign; // keys of another form
pub mod import; // from another system
pub mod leaks; // found by others
pub mod life; // until when and from where a key works
pub mod life_form; // the parts "Expires" and "Allowed addresses" of forms
pub mod list; // as the profile shows it
pub mod made; // what was made with a key
pub mod refused; // why a request was refused
pub mod reminders; // mails before a key expires
pub mod rotate; // a new key in the place of an old one
pub mod scan; // finding keys in files
pub mod scan_rules; // for programs that find keys
pub mod scope; // what a key may do
pub mod state; // whether a key works
pub mod store; // SQL
pub mod tally; // counts in memory
#[cfg(test)]
mod tally_tests;
pub mod use_store; // SQL of uses
pub mod used; // a use of a key
pub mod uses; // counted, and written in the background
pub mod withdraw;

use ipnet::IpNet;

use crate::base::{clock::Moment, ids::ApiKeyId, secret, settings::LONGEST_PREFIX, text};
pub use crate::keys::admit::{Client, wrong_form};

/// The text of a key: prefix, `_`, 43 characters of base62 with 256 random bits, 6 more with the CRC32 of everything
/// before. It is shown once and stored nowhere; `Debug` does not print it.
pub struct PlainKey(String);

/// What is stored of a key: its SHA-256. A slow hash would add nothing (nobody guesses 256 bits) and cost every
/// request.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct KeyDigest(Vec<u8>);

crate::db::impl_column!(KeyDigest(Vec<u8>) as Bytes);

const RANDOM: usize = 43;
const CHECKSUM: usize = 6;
impl PlainKey {
    pub fn generate(prefix: &str) -> Self {
        let body = format!("{prefix}_{}", secret::random());
        Self(format!("{body}{}", checksum(&body)))
    }

    /// Parses a key as sent, with or without white space around it. `None` if it is malformed: that costs neither a
    /// query nor a hash. Any prefix is accepted, so that a host can change it without breaking existing keys.
    pub fn parse(sent: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(sent).ok()?.trim();
        let (prefix, rest) = text.split_once('_')?;
        let fits = (1..=LONGEST_PREFIX).contains(&prefix.len())
            && prefix.bytes().all(|b| b.is_ascii_alphabetic())
            && rest.len() == RANDOM + CHECKSUM
            && rest.bytes().all(|b| b.is_ascii_alphanumeric());
        if !fits {
            return None;
        }
        let (body, sum) = text.split_at(text.len() - CHECKSUM);
        (checksum(body) == sum).then(|| Self(text.to_owned()))
    }

    pub fn digest(&self) -> KeyDigest {
        KeyDigest(secret::Digest::of(&self.0).0)
    }

    /// The last six characters, by which its owner recognises it in the list.
    pub fn tail(&self) -> &str {
        &self.0[self.0.len() - CHECKSUM..]
    }

    /// The text, for the one response that shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PlainKey {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("PlainKey(..)")
    }
}

fn checksum(body: &str) -> String {
    secret::base62(&crc32fast::hash(body.as_bytes()).to_be_bytes(), CHECKSUM)
}

/// A stored key, as the list of its owner shows it.
pub struct ApiKey {
    pub id: ApiKeyId,
    pub title: String,
    pub tail: String,
    pub scope: scope::KeyScope,
    pub read_only: bool,
    pub manage_users: bool,
    pub created_at: Moment,
    /// It comes from another system.
    pub imported: bool,
    pub last_used_at: Option<Moment>,
    pub last_used_address: Option<String>,
    pub last_used_client: Option<String>,
    pub withdrawn_at: Option<Moment>,
    pub withdrawn_by: Option<String>,
    /// See [`Withdrawal::name`]; `None` for a key that an earlier version withdrew.
    pub withdrawn_how: Option<String>,
    pub expires_at: Option<Moment>,
    /// From where it may be used; `None` for anywhere.
    pub allowed: Option<Box<[IpNet]>>,
    /// The key that a rotation created in its place.
    pub replaced_by: Option<ApiKeyId>,
    /// It also ends once it is no longer used.
    pub ends_when_unused: bool,
}

/// How a key is withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// By its owner, on a page.
    Page,
    /// By its owner, with all others.
    All,
    /// By its owner, in a rotation.
    Rotation,
    /// By the host.
    Command,
    /// By somebody who has found it.
    LeakBox,
}

impl Withdrawal {
    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Withdrawal::Page => "page",
            Withdrawal::All => "all",
            Withdrawal::Rotation => "rotation",
            Withdrawal::Command => "command",
            Withdrawal::LeakBox => "leak_box",
        }
    }

    /// Who does it, as it is stored.
    pub fn by(self) -> &'static str {
        match self {
            Withdrawal::Page | Withdrawal::All | Withdrawal::Rotation => "owner",
            Withdrawal::Command | Withdrawal::LeakBox => "host",
        }
    }
}

/// Validates a key's title: 1 to 255 characters on one line, in any script. Two keys may have the same.
///
/// # Errors
/// The error message for the form.
pub fn title(text: &str) -> Result<String, String> {
    let title = text.trim();
    let length = title.chars().count();
    if text::is_blank(title) {
        Err("Enter a title, such as the name of the program that will use the key.".to_owned())
    } else if length > 255 {
        Err(format!("Use at most 255 characters for the title (you entered {length})."))
    } else if !text::is_plain_line(title) {
        Err("Titles cannot contain line breaks, control characters or characters that change the text direction."
            .to_owned())
    } else {
        Ok(title.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_a_typing_error_is_found_without_a_query() {
        let key = PlainKey::generate("lk");
        assert_eq!(key.reveal().len(), 52);
        assert!(key.reveal().ends_with(key.tail()));
        assert!(PlainKey::parse(format!(" {}\t", key.reveal()).as_bytes()).is_some());
        assert!(PlainKey::parse(PlainKey::generate("ABCDEFGH").reveal().as_bytes()).is_some());
        for (place, _) in key.reveal().char_indices() {
            let mut mistyped = key.reveal().to_owned().into_bytes();
            mistyped[place] = if mistyped[place] == b'x' { b'y' } else { b'x' };
            assert!(PlainKey::parse(&mistyped).is_none(), "position {place}");
        }
        assert_eq!(format!("{key:?}"), "PlainKey(..)");
    }
}
