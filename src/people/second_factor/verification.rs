//! Checking a code. One-time codes can be guessed, so wrong ones are counted and refused after some; recovery codes cannot,
//! so they are only slowed down, and a right one is accepted while one-time codes are refused.

use crate::{
    base::{
        clock::{self, Moment},
        error::Result,
        ids::UserId,
        secret::Digest,
        secret_keys::SecretKeys,
    },
    db::{Db, Tx},
    people::{
        second_factor::{Code, recovery, store},
        throttle::{self, Closed, Subject, store::Ticket},
        users,
    },
    record::{
        activity::{self, Entry, Kind},
        origin::Origin,
    },
};

/// The parts that checking needs.
pub struct Checker<'a> {
    pub db: &'a Db,
    pub keys: &'a SecretKeys,
    /// Steps by which clocks may differ.
    pub drift: u16,
    pub user: UserId,
    /// By what wrong codes are counted, apart from those of strangers: the digest of the cookie of a browser from which the
    /// user has signed in before, or of a session.
    pub browser: Option<Digest>,
    pub origin: &'a Origin,
}

/// The result of a verification.
pub enum Verified<'a> {
    /// The code was right, and is used up in this transaction, which the caller commits.
    Right(Box<Right<'a>>),
    Refused(Refusal),
}

/// A right code, and the transaction of what it allows.
pub struct Right<'a> {
    pub tx: Tx,
    /// After a recovery code: how many are left.
    pub left: Option<i64>,
    checker: &'a Checker<'a>,
    ticket: Ticket,
}

/// Why a code was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is wrong, or was used before.
    Wrong,
    /// It was not checked, after too many wrong ones.
    Closed(Closed),
    /// It could not be checked: the host's secret keys are missing.
    Unreadable,
}

/// The result of a check.
enum Checked {
    OneTime,
    Recovery { left: i64 },
    Refused(Refusal),
}

impl<'a> Checker<'a> {
    /// By what attempts with one-time codes are counted.
    fn codes(&self) -> Subject {
        Subject::Code(self.user, self.browser.clone())
    }

    /// Checks a code and uses it up. A wrong one is recorded.
    ///
    /// # Errors
    /// If the database is unavailable; then nothing is counted.
    pub async fn verify(&'a self, entered: &str) -> Result<Verified<'a>> {
        let code = Code::read(entered);
        let subject = match code {
            Code::Recovery(_) => Subject::Recovery(self.user, self.browser.clone()),
            Code::OneTime(_) | Code::Malformed => self.codes(),
        };
        let ticket = match throttle::store::reserve(self.db, vec![subject], clock::now()).await? {
            Ok(ticket) => ticket,
            Err(closed) => return Ok(Verified::Refused(Refusal::Closed(closed))),
        };
        let now = clock::now();
        let mut tx = self.db.write().await?;
        users::store::lock_user(&mut tx, self.user).await?;
        let left = match self.check(&mut tx, &code, now).await? {
            Checked::OneTime => None,
            Checked::Recovery { left } => Some(left),
            Checked::Refused(refusal) => {
                drop(tx);
                self.settle(refusal, ticket).await?;
                return Ok(Verified::Refused(refusal));
            }
        };
        Ok(Verified::Right(Box::new(Right { tx, left, checker: self, ticket })))
    }

    async fn check(&self, tx: &mut Tx, code: &Code, now: Moment) -> Result<Checked> {
        let code = match code {
            Code::Malformed => return Ok(Checked::Refused(Refusal::Wrong)),
            Code::Recovery(digest) => return self.check_recovery(tx, digest, now).await,
            Code::OneTime(code) => code,
        };
        let Some(stored) = store::totp(tx, self.user).await?.filter(|stored| stored.confirmed_at.is_some()) else {
            return Ok(Checked::Refused(Refusal::Wrong));
        };
        let Some(secret) = store::secret(self.keys, &stored) else { return Ok(Checked::Refused(Refusal::Unreadable)) };
        match secret.step_of(code, self.drift, now)? {
            Some(step) if store::use_step(tx, self.user, step).await? => Ok(Checked::OneTime),
            _ => Ok(Checked::Refused(Refusal::Wrong)),
        }
    }

    async fn check_recovery(&self, tx: &mut Tx, digest: &Digest, now: Moment) -> Result<Checked> {
        if !store::use_recovery_code(tx, self.user, digest, now).await? {
            return Ok(Checked::Refused(Refusal::Wrong));
        }
        let left = store::recovery_codes_left(tx, self.user).await?;
        let entry = Entry::own(self.user, Kind::RecoveryCodeUsed, self.origin);
        activity::put(tx, &entry.with(serde_json::json!({ "left": left })), now).await?;
        Ok(Checked::Recovery { left })
    }

    /// Records a wrong code, or gives back the attempt with one that was not checked.
    async fn settle(&self, refusal: Refusal, ticket: Ticket) -> sqlx::Result<()> {
        match refusal {
            Refusal::Wrong => {
                let mut tx = self.db.write().await?;
                let kind = Kind::SecondFactorFailed;
                activity::count_failure(&mut tx, self.user, kind, self.origin, clock::now()).await?;
                tx.commit().await
            }
            Refusal::Closed(_) | Refusal::Unreadable => ticket.give_back(self.db).await,
        }
    }
}

impl Right<'_> {
    /// Clears the counters of wrong codes and commits.
    pub async fn commit(self) -> sqlx::Result<()> {
        let Right { mut tx, left, checker, ticket } = self;
        ticket.succeed(&mut tx).await?;
        if left.is_some() {
            throttle::store::clear(&mut tx, &checker.codes()).await?;
        }
        tx.commit().await
    }
}

impl Refusal {
    /// The message for the form; `support` is whom to ask.
    pub fn message(self, support: Option<&str>, now: Moment) -> String {
        let support = support.unwrap_or("whoever runs this site");
        match self {
            Refusal::Wrong => "This code is wrong, or was used before.".to_owned(),
            Refusal::Closed(Closed { until: None }) => {
                format!("Too many attempts with wrong codes. Use a recovery code, or ask {support}.")
            }
            Refusal::Closed(closed) => closed.message(now),
            Refusal::Unreadable => format!("Codes cannot be checked just now. Use a recovery code, or ask {support}."),
        }
    }

    /// When to try again, if attempts are refused.
    pub fn closed(self) -> Option<Closed> {
        match self {
            Refusal::Closed(closed) => Some(closed),
            Refusal::Wrong | Refusal::Unreadable => None,
        }
    }
}

/// Few recovery codes are left.
pub fn warning(left: i64) -> Option<String> {
    (left <= recovery::FEW).then(|| match left {
        0 => "No recovery codes left. Create new ones.".to_owned(),
        1 => "1 recovery code left. Create new ones.".to_owned(),
        left => format!("{left} recovery codes left. Create new ones."),
    })
}
