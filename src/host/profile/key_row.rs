//! A key as a row of the list and as a dialog shows it.

use chrono::TimeDelta;
use chrono_tz::Tz;

use crate::{
    base::clock::Moment,
    host::profile::key_use::Refused,
    keys::{
        ApiKey,
        scope::{self, KeyScope},
        tally::Counted,
        use_store::Refusals,
    },
    web::page::{When, ago},
};

/// How old a stored last use is at most, of a key that is used all the time.
const WRITTEN_WITHIN: TimeDelta = TimeDelta::seconds(70);

/// A key, ready to be shown.
pub struct KeyRow {
    pub id: String,
    pub title: String,
    pub tail: String,
    pub scope: KeyScope,
    pub rights: &'static str,
    pub created: When,
    pub created_ago: String,
    pub last_used: Option<LastUse>,
    pub withdrawn: Option<Withdrawn>,
    /// It has expired, and was not withdrawn.
    pub has_expired: bool,
    /// That it is still tried, though it was withdrawn or has expired.
    pub tried: Option<String>,
}

pub struct LastUse {
    pub when: When,
    pub ago: String,
    pub address: String,
    pub client: String,
}

pub struct Withdrawn {
    pub when: When,
    pub ago: String,
    pub by: String,
}

impl KeyRow {
    pub fn new(key: ApiKey, zone: Tz, now: Moment) -> Self {
        let by = match key.withdrawn_by.as_deref() {
            Some("host") => "by the host",
            _ => "by you",
        };
        KeyRow {
            id: key.id.to_string(),
            title: key.title,
            tail: key.tail,
            scope: key.scope,
            rights: scope::rights(key.read_only, key.manage_users),
            created: When::new(key.created_at, zone),
            created_ago: ago(key.created_at, zone, now),
            has_expired: key.withdrawn_at.is_none() && key.expires_at.is_some_and(|end| end <= now),
            last_used: key.last_used_at.map(|at| LastUse {
                when: When::new(at, zone),
                ago: ago(at, zone, now),
                address: key.last_used_address.unwrap_or_default(),
                client: key.last_used_client.unwrap_or_default(),
            }),
            tried: None,
            withdrawn: key.withdrawn_at.map(|at| Withdrawn {
                when: When::new(at, zone),
                ago: ago(at, zone, now),
                by: by.to_owned(),
            }),
        }
    }

    /// The same with its refusals and with what is not written yet.
    pub fn with_uses(mut key: ApiKey, refused: Option<&Refusals>, unwritten: &Counted, zone: Tz, now: Moment) -> Self {
        // What is stored is mostly less than a minute old; only a database that is away leaves more unwritten.
        let stored = key.last_used_at.map(|at| at + WRITTEN_WITHIN);
        if let Some((address, place)) = unwritten.last_used_from().filter(|_| unwritten.last_use > stored) {
            key.last_used_at = unwritten.last_use;
            key.last_used_address = Some(address.to_string());
            key.last_used_client.clone_from(&place.client);
        }
        let refused = Refused::of(refused, unwritten).filter(Refused::is_for_good);
        let mut row = KeyRow::new(key, zone, now);
        row.tried = refused.filter(|_| !row.works()).map(|refused| refused.sentence(zone, now));
        row
    }

    /// It was not withdrawn and has not expired.
    pub fn works(&self) -> bool {
        self.withdrawn.is_none() && !self.has_expired
    }

    /// The id of what has the focus when a dialog of this key leads back to the list.
    pub fn anchor(&self) -> String {
        format!("key_{}", self.id)
    }
}
