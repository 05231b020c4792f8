//! What an entry says, in words.

use crate::{
    base::{clock::Moment, ids::UserId},
    record::{
        activity::{Actor, Kind},
        client,
        entries::Recorded,
    },
};

/// A sentence of words and names, which pages isolate from the direction of the text.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sentence(pub Vec<Part>);

#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    Words(String),
    /// What somebody entered: a title, an email address, a client.
    Name(String),
}

impl Sentence {
    fn words(words: impl Into<String>) -> Self {
        Sentence(vec![Part::Words(words.into())])
    }

    fn and(mut self, words: impl Into<String>) -> Self {
        self.0.push(Part::Words(words.into()));
        self
    }

    fn name(mut self, name: &str) -> Self {
        self.0.push(Part::Name(name.to_owned()));
        self
    }

    /// A title, in quotation marks.
    fn title(self, title: &str) -> Self {
        self.and("“").name(title).and("”")
    }
}

impl std::fmt::Display for Sentence {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Words(text) | Part::Name(text) => f.write_str(text),
        })
    }
}

impl Kind {
    /// The label of a filter.
    pub fn label(self) -> &'static str {
        match self {
            Kind::SignIn => "Sign-ins",
            Kind::SignInFailed => "Failed sign-in attempts",
            Kind::SignOut => "Sign-outs",
            Kind::SessionEnded => "Ended sessions",
            Kind::Confirmed => "Confirmations of identity",
            Kind::NewBrowser => "New browsers",
            Kind::Guessing => "Warnings of guessed passwords",
            Kind::SecondFactorOn => "Two-factor authentication turned on",
            Kind::SecondFactorOff => "Two-factor authentication turned off",
            Kind::SecondFactorFailed => "Wrong codes",
            Kind::SignInHalf => "Sign-ins without a code",
            Kind::RecoveryCodeUsed => "Recovery codes used",
            Kind::RecoveryCodesMade => "Recovery codes created",
            Kind::PasswordChanged => "Password changes",
            Kind::PasswordReset => "Passwords set with a link",
            Kind::ResetAsked => "Links for a new password",
            Kind::EmailChangeAsked => "Changes of the email address asked for",
            Kind::EmailChanged => "Changes of the email address",
            Kind::KeyCreated => "API keys created",
            Kind::KeyEdited => "API keys changed",
            Kind::KeyRotated => "API keys rotated",
            Kind::KeyExpired => "API keys expired",
            Kind::KeyWithdrawn => "API keys withdrawn",
            Kind::KeyLeaked => "API keys found and withdrawn",
            Kind::KeysWithdrawn => "All API keys withdrawn",
            Kind::WithdrawnKeyUsed => "Withdrawn API keys still tried",
            Kind::MemberAdded => "Access given",
            Kind::MemberChanged => "Roles changed",
            Kind::MemberRemoved => "Access removed",
            Kind::PropertyPlaced => "Properties put into groups",
            Kind::PropertyTakenOut => "Properties taken out of groups",
            Kind::UserAdded => "Accounts created",
            Kind::SignedUp => "Sign-ups",
            Kind::UserDeactivated => "Accounts deactivated",
            Kind::UserActivated => "Accounts reactivated",
            Kind::UserDeleted => "Accounts deleted",
            Kind::LinkCreated => "One-time links created",
            Kind::UserUnlocked => "Sign-ins unlocked",
            Kind::SubscriptionChanged => "Subscription changes",
        }
    }
}

/// What an entry says to a viewer; to the host, every person has a name.
pub fn sentence(entry: &Recorded, viewer: Option<UserId>) -> Sentence {
    let Some(kind) = Kind::from_name(&entry.kind) else { return Sentence::words(&entry.kind) };
    let title = entry.detail("title").unwrap_or_default();
    match kind {
        Kind::SignIn => Sentence::words("Signed in"),
        Kind::SignInFailed if entry.count == 1 => Sentence::words("Failed sign-in attempt"),
        Kind::SignInFailed => Sentence::words(format!("{} failed sign-in attempts", entry.count)),
        Kind::SignOut => Sentence::words("Signed out"),
        Kind::SessionEnded => session_ended(entry),
        Kind::Confirmed => Sentence::words("Confirmed identity"),
        Kind::NewBrowser => Sentence::words("Signed in with a new browser"),
        Kind::Guessing => Sentence::words("Many failed sign-in attempts: somebody may be guessing the password"),
        Kind::SecondFactorOn => Sentence::words("Turned on two-factor authentication"),
        Kind::SecondFactorOff => Sentence::words("Turned off two-factor authentication"),
        Kind::SecondFactorFailed if entry.count == 1 => Sentence::words("Wrong code for two-factor authentication"),
        Kind::SecondFactorFailed => {
            Sentence::words(format!("{} wrong codes for two-factor authentication", entry.count))
        }
        Kind::SignInHalf => Sentence::words("Entered the right password, but no code"),
        Kind::RecoveryCodeUsed => match entry.details["left"].as_i64() {
            Some(left) => Sentence::words(format!("Used a recovery code ({left} left)")),
            None => Sentence::words("Used a recovery code"),
        },
        Kind::RecoveryCodesMade => Sentence::words("Created new recovery codes"),
        Kind::PasswordChanged => Sentence::words("Changed the password"),
        Kind::PasswordReset if entry.actor == Actor::Command.word() => Sentence::words("Set the password"),
        Kind::PasswordReset => Sentence::words("Set the password with a one-time link"),
        Kind::ResetAsked => Sentence::words("Asked for a link to set a new password"),
        Kind::EmailChangeAsked => {
            Sentence::words("Asked to change the email address to ").name(entry.detail("email").unwrap_or_default())
        }
        Kind::EmailChanged => email_changed(entry),
        Kind::KeyCreated if entry.details["imported"] == true => Sentence::words("Imported the API key ").title(title),
        Kind::KeyCreated => Sentence::words("Created the API key ").title(title),
        Kind::KeyEdited => key_edited(entry),
        Kind::KeyRotated => Sentence::words("Rotated the API key ").title(title),
        Kind::KeyExpired => key_expired(entry),
        Kind::KeyWithdrawn => Sentence::words("Withdrew the API key ").title(title),
        Kind::KeyLeaked => Sentence::words("Found the API key ").title(title).and(", which was withdrawn"),
        Kind::KeysWithdrawn => match entry.details["count"].as_i64() {
            Some(count) => Sentence::words(format!("Withdrew all API keys ({count})")),
            None => Sentence::words("Withdrew all API keys"),
        },
        Kind::WithdrawnKeyUsed => Sentence::words("Tried to use the withdrawn API key ").title(title),
        Kind::MemberAdded | Kind::MemberChanged | Kind::MemberRemoved => member(kind, entry, viewer),
        Kind::PropertyPlaced => placement(Sentence::words("Put the property "), entry, " into the group "),
        Kind::PropertyTakenOut => placement(Sentence::words("Took the property "), entry, " out of the group "),
        Kind::UserAdded => match is_about(entry, viewer) {
            true => Sentence::words("Created your account"),
            false => Sentence::words("Created an account for ").name(entry.subject()),
        },
        Kind::SignedUp => Sentence::words("Signed up"),
        Kind::UserDeactivated => Sentence::words("Deactivated the account"),
        Kind::UserActivated => Sentence::words("Reactivated the account"),
        Kind::UserDeleted => Sentence::words("Deleted the account of ").name(entry.subject()),
        Kind::LinkCreated => Sentence::words("Created a one-time link for setting the password"),
        Kind::UserUnlocked => Sentence::words("Allowed sign-in attempts again"),
        Kind::SubscriptionChanged => subscription(entry),
    }
}

fn is_about(entry: &Recorded, viewer: Option<UserId>) -> bool {
    viewer.is_some_and(|viewer| entry.subject_id == Some(viewer.0))
}

fn email_changed(entry: &Recorded) -> Sentence {
    let [old, new] = ["old", "new"].map(|name| entry.detail(name).unwrap_or_default());
    let verb = if entry.details["is_undone"] == true {
        "Changed the email address back from "
    } else {
        "Changed the email address from "
    };
    Sentence::words(verb).name(old).and(" to ").name(new)
}

fn session_ended(entry: &Recorded) -> Sentence {
    let is_by_host = entry.actor == Actor::Command.word();
    match (entry.detail("client"), entry.details["count"].as_i64()) {
        (Some(agent), _) => Sentence::words("Ended the session in ").name(&client::describe(agent)),
        (None, Some(1)) if is_by_host => Sentence::words("Ended the session"),
        (None, Some(count)) if is_by_host => Sentence::words(format!("Ended all {count} sessions")),
        (None, Some(count)) if count != 1 => Sentence::words(format!("Ended {count} other sessions")),
        (None, _) => Sentence::words("Ended another session"),
    }
}

fn key_edited(entry: &Recorded) -> Sentence {
    let changed =
        entry.details["changed"].as_array().into_iter().flatten().filter_map(|field| match field.as_str()? {
            "title" => Some("title"),
            "expires_at" => Some("end"),
            "allowed_addresses" => Some("allowed addresses"),
            _ => None,
        });
    let changed = changed.collect::<Vec<_>>().join(", ");
    let title = entry.detail("title").unwrap_or_default();
    Sentence::words("Changed the API key ").title(title).and(format!(": {changed}"))
}

fn key_expired(entry: &Recorded) -> Sentence {
    let title = entry.detail("title").unwrap_or_default();
    match entry.detail("replaced_by") {
        Some(_) => Sentence::words("The replaced API key ").title(title).and(" ended"),
        None => Sentence::words("The API key ").title(title).and(" expired"),
    }
}

fn member(kind: Kind, entry: &Recorded, viewer: Option<UserId>) -> Sentence {
    let email = entry.detail("email").unwrap_or_default();
    let role = entry.detail("role").unwrap_or_default();
    let person = |sentence: Sentence, own: &str| match is_about(entry, viewer) {
        true => sentence.and(own),
        false => sentence.name(email),
    };
    let place = |sentence: Sentence| match (entry.detail("property"), entry.detail("group")) {
        (Some(property), _) => sentence.and("the property ").title(property),
        (None, group) => sentence.and("the group ").title(group.unwrap_or_default()),
    };
    match kind {
        Kind::MemberAdded => {
            place(person(Sentence::words("Gave "), "you").and(" access to ")).and(format!(" ({role})"))
        }
        Kind::MemberChanged => {
            let old = entry.detail("old_role").unwrap_or_default();
            let whose = match is_about(entry, viewer) {
                true => Sentence::words("Changed your role"),
                false => Sentence::words("Changed the role of ").name(email),
            };
            place(whose.and(" in ")).and(format!(" from {old} to {role}"))
        }
        _ if entry.actor_id.is_some() && entry.actor_id == entry.subject_id => place(Sentence::words("Left ")),
        _ => place(person(Sentence::words("Removed "), "you").and(" from ")),
    }
}

fn placement(sentence: Sentence, entry: &Recorded, words: &str) -> Sentence {
    let [property, group] = ["property", "group"].map(|name| entry.detail(name).unwrap_or_default());
    sentence.title(property).and(words).title(group)
}

fn subscription(entry: &Recorded) -> Sentence {
    let state = entry.detail("state").unwrap_or_default();
    let end = entry.detail("ends_at").and_then(|end| end.parse::<Moment>().ok());
    Sentence::words(match end {
        Some(end) => format!("Changed the subscription: {state}, ends {}", end.format("%-d %b %Y, %H:%M UTC")),
        None => format!("Changed the subscription: {state}, without an end"),
    })
}

/// Who did it, for a viewer; to the host, every person has a name. `host` is the name of the host.
pub fn by(entry: &Recorded, viewer: Option<UserId>, host: &str) -> Sentence {
    let is_viewer = |id: Option<UserId>| viewer.is_some() && id == viewer;
    match &*entry.actor {
        "person" => match (entry.actor_id, &entry.actor_email) {
            (None, _) => Sentence::words("unknown person"),
            (id, _) if is_viewer(id.map(UserId)) => Sentence::words("you"),
            (_, Some(email)) => Sentence::default().name(email),
            (_, None) => Sentence::words("a deleted account"),
        },
        "key" => match (&entry.key_title, &entry.actor_email) {
            (Some(title), _) if is_viewer(entry.key_user) => Sentence::words("the API key ").title(title),
            (Some(title), Some(email)) if viewer.is_none() => {
                Sentence::words("the API key ").title(title).and(" of ").name(email)
            }
            (_, Some(email)) => Sentence::default().name(email).and(" with an API key"),
            (_, None) => Sentence::words("an API key of a deleted account"),
        },
        "clock" => Sentence::words("automatically"),
        "finder" => Sentence::words("somebody who found it"),
        _ => Sentence::words(host),
    }
}
