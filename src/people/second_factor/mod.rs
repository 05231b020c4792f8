//! Two-factor authentication: one-time codes of an authenticator app, and recovery codes.

pub mod processes; // which process knows which secret keys
pub mod recovery; // recovery codes
pub mod store; // SQL
pub mod totp; // one-time codes by time
pub mod verification; // checking a code that was entered

use crate::base::secret::Digest;

/// What was entered as a code. Either kind is accepted in any field.
pub enum Code {
    /// Six digits.
    OneTime(String),
    /// The digest of a recovery code.
    Recovery(Digest),
    /// Neither: a wrong code.
    Malformed,
}

impl Code {
    pub fn read(text: &str) -> Self {
        if let Some(code) = recovery::read(text) {
            return Code::Recovery(recovery::digest(&code));
        }
        totp::read(text).map_or(Code::Malformed, Code::OneTime)
    }
}
