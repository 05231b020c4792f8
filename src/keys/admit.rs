//! When a key is admitted.

use std::net::IpAddr;

use chrono::Duration;

use crate::{
    access::caller::{Caller, Scope},
    base::{
        clock::Moment,
        error::{Error, Result},
    },
    keys::{addresses, store::Credential},
    people::subscriptions,
};

/// Where a request came from.
pub struct Client {
    pub address: Option<IpAddr>,
    /// The address is that of a proxy which stands for many clients.
    pub is_hidden: bool,
}

impl Credential {
    /// The caller, with the key's permissions (docs/contract/README.md, section 3). `client` is asked for the client's
    /// address only if the key has a list of them.
    ///
    /// # Errors
    /// `Unauthorized` if the key was withdrawn or has expired or its user is deactivated, `Forbidden` if the
    /// subscription is not active, `NotAllowedFrom` if the client's address is not one of the key's, or unknown.
    pub fn admit(&self, grace: Duration, now: Moment, client: impl FnOnce() -> Client) -> Result<Caller> {
        if self.withdrawn_at.is_some() {
            return Err(Error::Unauthorized(Some("the API key was withdrawn")));
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            return Err(Error::Unauthorized(Some("the API key has expired")));
        }
        if self.deactivated_at.is_some() {
            return Err(Error::Unauthorized(None));
        }
        if !subscriptions::is_active(self.subscription.as_ref(), grace, now) {
            return Err(Error::Forbidden(Some("the subscription is not active")));
        }
        if let Some(allowed) = &self.allowed {
            let Client { address, is_hidden } = client();
            match address {
                Some(address) if addresses::includes(allowed, address) && !is_hidden => {}
                Some(address) if !addresses::includes(allowed, address) => {
                    return Err(Error::NotAllowedFrom(Some(address)));
                }
                _ => return Err(Error::NotAllowedFrom(None)),
            }
        }
        Ok(Caller {
            user: self.user,
            key: Some(self.key),
            scope: if self.all_properties { Scope::All } else { Scope::Selected(self.key) },
            read_only: self.read_only,
            manage_users: self.manage_users,
            is_confirmed: true,
        })
    }
}

/// A hint at what is wrong with a malformed key. It never contains any of what was sent.
pub fn wrong_form(sent: &[u8]) -> Option<&'static str> {
    let sent = sent.trim_ascii();
    let is_quote = |byte: Option<&u8>| matches!(byte, Some(b'"' | b'\''));
    if sent.get(..7).is_some_and(|begin| begin.eq_ignore_ascii_case(b"bearer ")) {
        Some("send the API key without \"Bearer\"")
    } else if is_quote(sent.first()) || is_quote(sent.last()) {
        Some("remove the quotes around the API key")
    } else {
        None
    }
}
