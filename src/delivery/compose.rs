//! A mail as its kind and data say it. It is composed when it is sent, so that it has the host's present name, and a link
//! that is new: the outbox has none.

use chrono_tz::Tz;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    base::{clock::Moment, ids::UserId},
    db::{Statement, Tx, impl_from_row},
    delivery::{
        account_notices, key_notices,
        letter::{Letter, time},
        notice::Notice,
        queue::Leased,
    },
    people::users::{
        Email, addresses,
        links::{self, NewLink, Purpose},
        store,
    },
    record::{
        activity::{self, Entry, Kind},
        client,
        origin::Origin,
        outbox::MailKind,
    },
    web::state::AppState,
};

/// What is to be done with a mail.
pub enum Composed {
    Letter {
        letter: Letter,
        /// The address as it is stored, not as somebody has typed it: two that are compared as one may be two mailboxes.
        to: String,
    },
    /// There is nobody to whom it could be sent: nothing of it is kept.
    Nobody,
    /// It has become pointless.
    Pointless(&'static str),
}

/// The account of a mail.
struct Recipient {
    id: UserId,
    email: String,
    time_zone: String,
    has_password: bool,
    deactivated_at: Option<Moment>,
}

impl_from_row!(Recipient { id, email, time_zone, has_password, deactivated_at });

macro_rules! select_recipient {
    ($which:literal) => {
        concat!(
            "select id, email, time_zone, password_hash is not null as has_password, deactivated_at from users where ",
            $which
        )
    };
}

impl Recipient {
    async fn by_id(tx: &mut Tx, id: UserId) -> sqlx::Result<Option<Self>> {
        const SQL: &str = select_recipient!("id = $1");
        Statement::new(SQL, vec![id.into()]).fetch_optional(tx).await
    }

    async fn by_email(tx: &mut Tx, address: &str) -> sqlx::Result<Option<Self>> {
        const SQL: &str = select_recipient!("email_key = $1");
        let Ok(email) = address.parse::<Email>() else { return Ok(None) };
        Statement::new(SQL, vec![email.key.into()]).fetch_optional(tx).await
    }

    /// A mail to the address of the account.
    fn mailed(&self, letter: Letter) -> Composed {
        Composed::Letter { letter, to: self.email.clone() }
    }

    fn zone(&self) -> Tz {
        self.time_zone.parse().unwrap_or(Tz::UTC)
    }
}

/// A mail about to be composed.
pub struct Composer<'a> {
    pub state: &'a AppState,
    pub mail: &'a mut Leased,
    pub now: Moment,
}

impl Composer<'_> {
    /// Composes the mail. Its link, and what else comes into being with it, is stored in the transaction.
    pub async fn compose(&mut self, tx: &mut Tx) -> sqlx::Result<Composed> {
        let Some(kind) = self.mail.kind else { return Ok(Composed::Pointless("unknown kind of mail")) };
        match (kind, self.mail.user) {
            (MailKind::Test, _) => Ok(Composed::Letter { letter: self.test(), to: self.mail.to.clone() }),
            (MailKind::Reset, None) => self.reset_of_anybody(tx).await,
            (MailKind::SignUp, None) => self.sign_up(tx).await,
            (_, Some(user)) => match Recipient::by_id(tx, user).await? {
                Some(user) if user.deactivated_at.is_none() => self.to_user(tx, kind, &user).await,
                _ => Ok(Composed::Pointless("the account is deactivated")),
            },
            (_, None) => Ok(Composed::Nobody),
        }
    }

    async fn to_user(&self, tx: &mut Tx, kind: MailKind, user: &Recipient) -> sqlx::Result<Composed> {
        match kind {
            MailKind::Reset => self.reset(tx, user).await,
            MailKind::Invitation if user.has_password => Ok(Composed::Pointless("the user has signed in already")),
            MailKind::Invitation => self.invitation(tx, user).await,
            MailKind::AlreadyRegistered => Ok(self.already_registered(user)),
            MailKind::EmailChange => self.email_change(tx, user).await,
            MailKind::EmailChanged => self.email_changed(tx, user).await,
            MailKind::SubscriptionEnding | MailKind::SubscriptionEnded => {
                Ok(user.mailed(self.subscription(kind, user)))
            }
            _ => {
                let (data, email, zone) = (&self.mail.data, &*user.email, user.zone());
                let notice = Notice { kind, data, email, zone, state: self.state };
                let letter = account_notices::letter(&notice).or_else(|| key_notices::letter(&notice));
                Ok(match letter {
                    Some(letter) => user.mailed(notice.finish(letter)),
                    None => Composed::Pointless("unknown kind of mail"),
                })
            }
        }
    }

    fn host(&self) -> &str {
        &self.state.settings.host_name
    }

    fn address_of(&self, path: &str) -> String {
        format!("{}{path}", self.state.address())
    }

    /// A new link, and how long it is valid.
    async fn link(
        &self,
        tx: &mut Tx,
        purpose: Purpose,
        user: Option<UserId>,
        email: Option<&str>,
    ) -> sqlx::Result<(String, Moment)> {
        let (token, end) = links::insert(tx, &NewLink { purpose, user, email }, self.now).await?;
        Ok((self.address_of(&purpose.path(&token)), end))
    }

    fn test(&self) -> Letter {
        let text = format!("This is a test. {} can send mail.", self.host());
        Letter::new(format!("Test mail of {}", self.host()), text)
    }

    /// Where something was asked for.
    fn origin(&self) -> Origin {
        let data = &self.mail.data;
        let address = data["address"].as_str().and_then(|address| address.parse().ok());
        Origin { address, client: data["client"].as_str().map(str::to_owned), request: None }
    }

    fn with_origin(&self, letter: Letter) -> Letter {
        letter
            .fact("From", self.mail.data["address"].as_str())
            .fact("With", self.mail.data["client"].as_str().map(client::describe))
    }

    /// Anybody may have asked for it: it is sent only if the address has an account.
    async fn reset_of_anybody(&mut self, tx: &mut Tx) -> sqlx::Result<Composed> {
        let found = Recipient::by_email(tx, &self.mail.to).await?;
        let Some(user) = found.filter(|user| user.deactivated_at.is_none()) else { return Ok(Composed::Nobody) };
        self.mail.resolve(tx, MailKind::Reset, Some(user.id)).await?;
        let origin = self.origin();
        activity::put(tx, &Entry::own(user.id, Kind::ResetAsked, &origin).by_nobody(), self.now).await?;
        self.reset(tx, &user).await
    }

    async fn reset(&self, tx: &mut Tx, user: &Recipient) -> sqlx::Result<Composed> {
        let (address, _) = self.link(tx, Purpose::Reset, Some(user.id), None).await?;
        let text = match self.mail.data["is_undone"] == Value::Bool(true) {
            true => {
                "The email address of your account was changed back to this one, and everybody was signed out. Choose a \
                     new password now, and look through your API keys: they keep working until they are withdrawn."
            }
            false => "Somebody has asked for a link to set a new password for your account.",
        };
        let letter = Letter::new("Set a new password", text)
            .fact("Account", Some(&*user.email))
            .button("Set password", address)
            .close("The link is valid for 30 minutes and works once. Your password stays as it is until you use it.")
            .close("If you did not ask for it, there is nothing to do.");
        Ok(user.mailed(self.with_origin(letter)))
    }

    async fn sign_up(&mut self, tx: &mut Tx) -> sqlx::Result<Composed> {
        if !self.state.settings.mail.is_open() {
            return Ok(Composed::Pointless("signing up is closed"));
        }
        match Recipient::by_email(tx, &self.mail.to).await? {
            Some(user) if user.deactivated_at.is_some() => Ok(Composed::Nobody),
            Some(user) if user.has_password => {
                self.mail.resolve(tx, MailKind::AlreadyRegistered, Some(user.id)).await?;
                Ok(self.already_registered(&user))
            }
            Some(user) => {
                self.mail.resolve(tx, MailKind::Invitation, Some(user.id)).await?;
                self.invitation(tx, &user).await
            }
            None => {
                let (address, _) = self.link(tx, Purpose::SignUp, None, Some(&self.mail.to)).await?;
                let letter = Letter::new(
                    format!("Your account at {}", self.host()),
                    format!("To create an account at {} with this email address, choose a password.", self.host()),
                );
                let letter = letter
                    .button("Choose a password", address)
                    .close("The link is valid for 24 hours and works once.")
                    .close("If you did not ask for it, there is nothing to do: no account is created.");
                Ok(Composed::Letter { letter: self.with_origin(letter), to: self.mail.to.clone() })
            }
        }
    }

    /// Somebody has asked for an account, or for a change, with the address of an account.
    fn already_registered(&self, user: &Recipient) -> Composed {
        let letter = Letter::new(
            format!("You have an account at {}", self.host()),
            format!("Somebody has entered this email address at {}, where it has an account already.", self.host()),
        );
        let letter = self
            .with_origin(letter)
            .fact("Account", Some(&*user.email))
            .button("Sign in", self.address_of("/sign_in"))
            .close(format!("If you have forgotten the password, set a new one: {}", self.address_of("/reset_password")))
            .close("If this was not you, there is nothing to do.");
        user.mailed(letter)
    }

    async fn invitation(&self, tx: &mut Tx, user: &Recipient) -> sqlx::Result<Composed> {
        let (address, end) = self.link(tx, Purpose::Welcome, Some(user.id), None).await?;
        let host = self.host();
        let invited = match self.inviter(tx).await? {
            Some(inviter) => format!("{inviter} has invited you to {host}."),
            None => format!("You have been invited to {host}."),
        };
        let letter =
            Letter::new(format!("You are invited to {host}"), format!("{invited} Choose a password to sign in with."));
        let letter = letter
            .fact("Your email", Some(&*user.email))
            .button("Accept the invitation", address)
            .close(format!("The link is valid until {} and works once.", time(end, user.zone())))
            .close("If you do not know what this is about, there is nothing to do.");
        Ok(user.mailed(letter))
    }

    /// The email address of whoever has invited; `None` for the host.
    async fn inviter(&self, tx: &mut Tx) -> sqlx::Result<Option<String>> {
        const SQL: &str = "
            select u.email from users u
            where u.id = $1 or u.id = (select k.user_id from api_keys k where k.id = $1)";
        let id = self.mail.data["actor_id"].as_str().and_then(|id| id.parse::<Uuid>().ok());
        let Some(id) = id.filter(|_| self.mail.data["actor"] != "command") else { return Ok(None) };
        Ok(Statement::new(SQL, vec![id.into()]).fetch_values(tx).await?.pop())
    }

    /// To the new address.
    async fn email_change(&self, tx: &mut Tx, user: &Recipient) -> sqlx::Result<Composed> {
        let Ok(new) = self.mail.to.parse::<Email>() else { return Ok(Composed::Nobody) };
        if let Some(owner) = Recipient::by_email(tx, &new.text).await?.filter(|owner| owner.id != user.id) {
            return Ok(match owner.has_password && owner.deactivated_at.is_none() {
                true => self.already_registered(&owner),
                false => Composed::Pointless("the address belongs to another account"),
            });
        }
        if addresses::is_taken(tx, &new, user.id, self.now).await? {
            return Ok(Composed::Pointless("the address was another account's until lately"));
        }
        store::lock_user(tx, user.id).await?;
        let (address, _) = self.link(tx, Purpose::EmailChange, Some(user.id), Some(&new.text)).await?;
        let letter = Letter::new(
            "Confirm your new email address",
            format!("{} is to become the email address of your account at {}.", new.text, self.host()),
        );
        let letter = letter
            .fact("Present address", Some(&*user.email))
            .fact("New address", Some(&*new.text))
            .button("Confirm", address)
            .close("The link is valid for 24 hours and works once. Until then, the present address stays.")
            .close("If you did not ask for it, there is nothing to do.");
        Ok(Composed::Letter { letter: self.with_origin(letter), to: new.text })
    }

    /// To the old address.
    async fn email_changed(&self, tx: &mut Tx, user: &Recipient) -> sqlx::Result<Composed> {
        let Ok(old) = self.mail.to.parse::<Email>() else { return Ok(Composed::Nobody) };
        if addresses::changed_at(tx, user.id, &old, self.now).await?.is_none() {
            return Ok(Composed::Pointless("the change was taken back"));
        }
        let (address, end) = self.link(tx, Purpose::EmailUndo, Some(user.id), Some(&old.text)).await?;
        let letter = Letter::new(
            "Your email address was changed",
            format!("The email address of your account at {} was changed.", self.host()),
        );
        let letter = letter
            .fact("Old address", Some(&*old.text))
            .fact("New address", self.mail.data["new"].as_str())
            .button("This was not me", address)
            .close(format!(
                "If this was not you, the link changes it back and signs everybody out. It is valid until {}.",
                time(end, user.zone())
            ));
        Ok(Composed::Letter { letter: self.with_origin(letter), to: old.text })
    }

    fn subscription(&self, kind: MailKind, user: &Recipient) -> Letter {
        let end = self.mail.data["ends_at"].as_str().and_then(|end| end.parse::<Moment>().ok());
        let letter = match kind {
            MailKind::SubscriptionEnding => Letter::new(
                "Your subscription is about to end",
                "When it has ended, requests with your API keys are rejected until it is active again. No key is withdrawn.",
            ),
            _ => Letter::new(
                "Your subscription has ended",
                "Requests with your API keys are rejected until it is active again. No key is withdrawn.",
            ),
        };
        let letter = letter
            .fact("Account", Some(&*user.email))
            .fact(
                if kind == MailKind::SubscriptionEnding { "Ends" } else { "Ended" },
                end.map(|end| time(end, user.zone())),
            )
            .button("Show your profile", self.address_of("/user_profile"));
        match self.state.settings.support.as_deref() {
            Some(support) => letter.close(format!("To renew it, ask {support}.")),
            None => letter,
        }
    }
}
