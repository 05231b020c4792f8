//! Limits of failed attempts: guesses at passwords and codes. An attempt is counted as failed before it is checked, in a
//! transaction of its own, and given back if it succeeds: so fifty concurrent guesses are fifty guesses.
//!
//! Strangers, by account and by address, are counted apart from browsers that have signed in to the account before, so
//! that nobody can lock the owner out of those. Unknown addresses of accounts are counted as known ones, so that both get
//! the same responses.

pub mod store; // SQL

use std::net::IpAddr;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use askama::Template;
use chrono::Duration;

use crate::{
    base::{clock::Moment, error::Result, ids::UserId, secret::Digest},
    people::{second_factor::totp, users::Email},
    web::{
        client_ip,
        page::{self, counted},
        request_log,
        state::AppState,
    },
};

/// A counter is forgotten this long after the last failure, or of an address after the first one of a day, except for one
/// that closes until a reset.
pub const FORGOTTEN_AFTER: Duration = Duration::hours(24);

/// Failures in a row after which an account is closed to strangers until a reset, or until the host unlocks it, and its
/// one-time codes until a recovery code is used: NIST SP 800-63B-4, section 3.2.2, allows no more than 100.
const MOST_IN_A_ROW: i64 = 100;

/// Whose failures are counted.
#[derive(Clone, PartialEq, Eq)]
pub enum Subject {
    /// Strangers at an account, or at an address that has none: the SHA-256 of its key.
    Account(Digest, Option<UserId>),
    /// A browser from which this user has signed in before, by the digest of its cookie.
    Browser(UserId, Digest),
    /// One-time codes of a user: of strangers, or of a browser from which the user has signed in before.
    Code(UserId, Option<Digest>),
    /// Recovery codes, in the same way: nobody guesses one, so they are only slowed down.
    Recovery(UserId, Option<Digest>),
    /// A client: an IPv4 address, or the /64 of an IPv6 address.
    Address(IpAddr),
    /// All clients behind a proxy that is not in `LATCHKEY_TRUSTED_PROXIES`.
    Proxy(IpAddr),
    /// A client that asks for mails with links for a new password; each one counts.
    Asker(IpAddr),
    /// A client that asks for mails with links for an account.
    Newcomer(IpAddr),
    /// All clients behind a proxy that is not in `LATCHKEY_TRUSTED_PROXIES`, which ask for mails.
    AskingProxy(IpAddr),
}

/// For how long a number of failures closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    Open,
    For(Duration),
    UntilReset,
}

/// Attempts are refused: until this moment, or until the password is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    pub until: Option<Moment>,
}

impl Subject {
    /// Strangers who sign in with this email address, or with something that is none.
    pub fn account(typed: &str, user: Option<UserId>) -> Self {
        let key = typed.parse::<Email>().map_or_else(|_| typed.trim().to_lowercase(), |email| email.key);
        Subject::Account(Digest::of(&key), user)
    }

    /// The client of a request; `None` if its address is not known.
    pub fn client(request: &HttpRequest, state: &AppState) -> Option<Self> {
        let address = request_log::client(request)?;
        let is_proxy = client_ip::is_unlisted_proxy(request, &state.settings.trusted_proxies);
        Some(if is_proxy { Subject::Proxy(address) } else { Subject::Address(address) })
    }

    /// The client of a request for a link to set a new password.
    pub fn asker(request: &HttpRequest, state: &AppState) -> Option<Self> {
        Self::client(request, state).map(|client| client.asking(Subject::Asker))
    }

    /// The client of a request for a link to create an account.
    pub fn newcomer(request: &HttpRequest, state: &AppState) -> Option<Self> {
        Self::client(request, state).map(|client| client.asking(Subject::Newcomer))
    }

    fn asking(self, of_address: fn(IpAddr) -> Self) -> Self {
        match self {
            Subject::Address(address) => of_address(address),
            Subject::Proxy(address) => Subject::AskingProxy(address),
            other => other,
        }
    }

    /// How long failures are counted together.
    fn counted_for(&self) -> Duration {
        match self {
            Subject::Asker(_) | Subject::Newcomer(_) => Duration::hours(1),
            _ => FORGOTTEN_AFTER,
        }
    }

    /// The primary key of the counter.
    fn name(&self) -> String {
        let hex = |Digest(bytes): &Digest| bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        match self {
            Subject::Account(key, _) => format!("account:{}", hex(key)),
            Subject::Browser(user, browser) => format!("browser:{user}:{}", hex(browser)),
            Subject::Code(user, None) => format!("code:{user}"),
            Subject::Code(user, Some(browser)) => format!("code:{user}:{}", hex(browser)),
            Subject::Recovery(user, None) => format!("recovery:{user}"),
            Subject::Recovery(user, Some(browser)) => format!("recovery:{user}:{}", hex(browser)),
            Subject::Address(address) => format!("address:{}", client_ip::network_text(*address)),
            Subject::Proxy(address) => format!("proxy:{address}"),
            Subject::Asker(address) => format!("reset:{}", client_ip::network_text(*address)),
            Subject::Newcomer(address) => format!("sign_up:{}", client_ip::network_text(*address)),
            Subject::AskingProxy(address) => format!("mail:{address}"),
        }
    }

    /// The account whose counter it is.
    fn user(&self) -> Option<UserId> {
        match self {
            Subject::Account(_, user) => *user,
            Subject::Browser(user, _) | Subject::Code(user, _) | Subject::Recovery(user, _) => Some(*user),
            Subject::Address(_)
            | Subject::Proxy(_)
            | Subject::Asker(_)
            | Subject::Newcomer(_)
            | Subject::AskingProxy(_) => None,
        }
    }

    /// True if one success clears all failures; otherwise it only takes itself back.
    fn is_cleared_by_success(&self) -> bool {
        self.user().is_some() || matches!(self, Subject::Account(..))
    }

    /// What this number of failures in a row, or of a day, closes.
    fn closing(&self, failures: i64, now: Moment) -> Closing {
        let steps: &[(i64, i64)] = match self {
            Subject::Account(..) | Subject::Code(..) if failures >= MOST_IN_A_ROW => return Closing::UntilReset,
            // Three codes of a million in one step: to its end.
            Subject::Code(..) if failures < 10 && failures % 3 == 0 && failures > 0 => {
                let left = totp::STEP - now.timestamp().rem_euclid(totp::STEP);
                return Closing::For(Duration::seconds(left));
            }
            Subject::Code(..) => &[(10, 300), (20, 3_600)],
            Subject::Account(..) | Subject::Browser(..) => &[(5, 15), (6, 30), (7, 60), (8, 120), (9, 240), (10, 900)],
            Subject::Recovery(..) => &[(10, 1)],
            Subject::Address(_) => &[(10, 30), (20, 300), (50, 3_600), (200, 86_400)],
            // Whoever sends the header of a proxy shares this counter with everybody behind it: it only slows down.
            Subject::Proxy(_) | Subject::AskingProxy(_) => &[(1_000, 1)],
            Subject::Asker(_) => &[(10, 3_600)],
            Subject::Newcomer(_) => &[(3, 3_600)],
        };
        let step = steps.iter().rev().find(|(from, _)| failures >= *from);
        step.map_or(Closing::Open, |(_, seconds)| Closing::For(Duration::seconds(*seconds)))
    }
}

/// The page that shows a form again after a failed attempt: 422, or 429 with the time to try again if they are closed.
pub fn refused_page(page: &impl Template, closed: Option<Closed>, now: Moment) -> Result<HttpResponse> {
    let Some(closed) = closed else { return page::html(StatusCode::UNPROCESSABLE_ENTITY, page) };
    let mut response = page::html(StatusCode::TOO_MANY_REQUESTS, page)?;
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(closed.seconds(now)));
    Ok(response)
}

impl Closed {
    /// Seconds until the next attempt, at least one; a day where only a reset helps.
    pub fn seconds(&self, now: Moment) -> i64 {
        let left = self.until.map_or(FORGOTTEN_AFTER, |until| until - now);
        (left + Duration::milliseconds(999)).num_seconds().max(1)
    }

    /// The message for the form.
    pub fn message(&self, now: Moment) -> String {
        if self.until.is_none() {
            return "Too many attempts. Sign in from a browser that you have used before, or ask for a new password."
                .to_owned();
        }
        let time = match self.seconds(now) {
            seconds @ ..=90 => counted(seconds, "second", "seconds"),
            seconds @ ..=5_400 => counted((seconds + 59) / 60, "minute", "minutes"),
            seconds => counted((seconds + 3_599) / 3_600, "hour", "hours"),
        };
        format!("Too many attempts. Try again in {time}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_closes_for_its_time() {
        let at = "2026-03-01T12:00:10Z".parse::<Moment>().expect("a moment");
        let account = Subject::account("rita@farol.example", None);
        let seconds = |subject: &Subject, failures| match subject.closing(failures, at) {
            Closing::Open => 0,
            Closing::For(time) => time.num_seconds(),
            Closing::UntilReset => -1,
        };
        let of_account = [1, 4, 5, 6, 7, 8, 9, 10, 99, 100, 1_000].map(|failures| seconds(&account, failures));
        assert_eq!(of_account, [0, 0, 15, 30, 60, 120, 240, 900, 900, -1, -1]);
        let browser = Subject::Browser(UserId::new(), Digest::of("browser"));
        assert_eq!([4, 5, 10, 100, 1_000].map(|failures| seconds(&browser, failures)), [0, 15, 900, 900, 900]);
        let code = Subject::Code(UserId::new(), None);
        let of_code = [2, 3, 4, 5, 6, 9, 10, 19, 20, 99, 100].map(|failures| seconds(&code, failures));
        assert_eq!(of_code, [0, 20, 0, 0, 20, 20, 300, 300, 3_600, 3_600, -1]);
        let address = Subject::Address([203, 0, 113, 7].into());
        let of_address = [9, 10, 19, 20, 49, 50, 199, 200, 10_000].map(|failures| seconds(&address, failures));
        assert_eq!(of_address, [0, 30, 30, 300, 300, 3_600, 3_600, 86_400, 86_400]);
        let proxy = Subject::Proxy([10, 0, 0, 1].into());
        assert_eq!([999, 1_000, 1_000_000].map(|failures| seconds(&proxy, failures)), [0, 1, 1]);
    }

    #[test]
    fn an_address_is_one_subject_however_it_is_written() {
        let name = |typed: &str| Subject::account(typed, None).name();
        assert_eq!(name("Rita@Farol.example "), name("rita@farol.example"));
        assert_eq!(name(" no address"), name("No Address"));
        assert_ne!(name("rita@farol.example"), name("rita@faro.example"));
        assert!(!name("rita@farol.example").contains("rita"));
    }

    #[test]
    fn the_message_says_how_long() {
        let now = "2026-03-01T12:00:00Z".parse::<Moment>().expect("a moment");
        let message = |seconds| Closed { until: Some(now + Duration::seconds(seconds)) }.message(now);
        for (seconds, time) in [
            (0, "1 second"),
            (1, "1 second"),
            (15, "15 seconds"),
            (60, "60 seconds"),
            (120, "2 minutes"),
            (121, "3 minutes"),
            (3_600, "60 minutes"),
            (7_200, "2 hours"),
            (86_400, "24 hours"),
        ] {
            assert_eq!(message(seconds), format!("Too many attempts. Try again in {time}."));
        }
        assert_eq!(Closed { until: None }.seconds(now), 86_400);
    }
}
