//! Notices: what they are made of, and what all of them say.

use chrono_tz::Tz;
use serde_json::Value;

use crate::{
    base::clock::Moment,
    delivery::letter::{Letter, time},
    record::{client, outbox::MailKind},
    web::state::AppState,
};

/// What a notice is made of.
pub struct Notice<'a> {
    pub kind: MailKind,
    /// See `record/notices.rs`.
    pub data: &'a Value,
    pub email: &'a str,
    pub zone: Tz,
    pub state: &'a AppState,
}

/// The page that shows the account's activity.
const ACTIVITY: &str = "/user_profile/activity";

impl Notice<'_> {
    /// Adds to what a notice says of its kind: whose account it is, who did it, when and from where.
    pub fn finish(&self, letter: Letter) -> Letter {
        let letter = letter.fact("Account", Some(self.email));
        self.origin(letter).button("Show activity", format!("{}{ACTIVITY}", self.state.address()))
    }

    /// A text of the entry.
    pub fn detail(&self, name: &str) -> Option<&str> {
        self.data["details"][name].as_str()
    }

    /// A time of the entry, in the zone of the reader.
    pub fn detail_time(&self, name: &str) -> Option<String> {
        let at = self.detail(name)?.parse::<Moment>().ok()?;
        Some(time(at, self.zone))
    }

    /// A number of the entry.
    pub fn detail_number(&self, name: &str) -> Option<i64> {
        self.data["details"][name].as_i64()
    }

    fn is_by_host(&self) -> bool {
        self.data["actor"] == "command"
    }

    /// Adds who did it, when and from where.
    fn origin(&self, letter: Letter) -> Letter {
        let at = self.data["at"].as_str().and_then(|at| at.parse::<Moment>().ok());
        let letter = letter.fact("When", at.map(|at| time(at, self.zone)));
        if self.is_by_host() {
            return letter.fact("By", Some(self.state.settings.host_name.clone()));
        }
        letter
            .fact("From", self.data["address"].as_str())
            .fact("With", self.data["client"].as_str().map(client::describe))
    }
}
