//! One entry of the record of activity: what happened, who did it, and which account it concerns.

use serde_json::Value;
use uuid::Uuid;

use crate::{
    base::ids::{ApiKeyId, UserId},
    record::origin::Origin,
};

/// Declares the kinds of entries with their names, which are stored and shown by commands.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal;)*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// Every kind, in the order in which pages and commands list them.
            pub const ALL: &[Kind] = &[$(Kind::$kind,)*];

            pub fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name,)* }
            }
        }
    };
}

kinds! {
    SignIn = "sign_in";
    /// `count` attempts from one address within an hour.
    SignInFailed = "sign_in_failed";
    SignOut = "sign_out";
    /// The user ended another session.
    SessionEnded = "session_ended";
    /// The user proved once more who they are.
    Confirmed = "confirmed";
    NewBrowser = "new_browser";
    /// Strangers have failed to sign in ten times.
    Guessing = "guessing";
    SecondFactorOn = "second_factor_on";
    SecondFactorOff = "second_factor_off";
    /// `count` wrong codes from one address within an hour.
    SecondFactorFailed = "second_factor_failed";
    /// The right password, and no code for five minutes.
    SignInHalf = "sign_in_half";
    RecoveryCodeUsed = "recovery_code_used";
    RecoveryCodesMade = "recovery_codes_made";
    PasswordChanged = "password_changed";
    /// A password set through a one-time link.
    PasswordReset = "password_reset";
    /// A link for a new password was asked for.
    ResetAsked = "reset_asked";
    EmailChangeAsked = "email_change_asked";
    EmailChanged = "email_changed";
    KeyCreated = "key_created";
    /// Title, end or addresses.
    KeyEdited = "key_edited";
    KeyRotated = "key_rotated";
    /// A key came to its end.
    KeyExpired = "key_expired";
    KeyWithdrawn = "key_withdrawn";
    /// Somebody found the key, and so it was withdrawn.
    KeyLeaked = "key_leaked";
    /// A withdrawn key is still tried, an hour or more after it was withdrawn; once per key.
    WithdrawnKeyUsed = "withdrawn_key_used";
    /// All keys of a user at once.
    KeysWithdrawn = "keys_withdrawn";
    MemberAdded = "member_added";
    MemberChanged = "member_changed";
    MemberRemoved = "member_removed";
    /// A property was put into a group.
    PropertyPlaced = "property_placed";
    /// A property was taken out of a group.
    PropertyTakenOut = "property_taken_out";
    UserAdded = "user_added";
    /// Somebody has created the own account.
    SignedUp = "signed_up";
    UserDeactivated = "user_deactivated";
    UserActivated = "user_activated";
    UserDeleted = "user_deleted";
    /// A one-time link was created.
    LinkCreated = "link_created";
    /// The host ended refusals of attempts (`latchkey user unlock`).
    UserUnlocked = "user_unlocked";
    SubscriptionChanged = "subscription_changed";
}

impl Kind {
    pub fn from_name(name: &str) -> Option<Self> {
        Kind::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person, with a session or about to begin one; `None` if it is not known who.
    Person(Option<UserId>),
    Key(ApiKeyId),
    /// Whoever runs this site, by a command.
    Command,
    /// Somebody who has found a key, without an account.
    Finder,
    /// Nobody: its time had come.
    Clock,
}

impl Actor {
    pub fn word(self) -> &'static str {
        match self {
            Actor::Person(_) => "person",
            Actor::Key(_) => "key",
            Actor::Command => "command",
            Actor::Finder => "finder",
            Actor::Clock => "clock",
        }
    }

    /// The id of the person or of the key.
    pub fn id(self) -> Option<Uuid> {
        match self {
            Actor::Person(user) => user.map(|user| user.0),
            Actor::Key(key) => Some(key.0),
            Actor::Command | Actor::Finder | Actor::Clock => None,
        }
    }
}

/// One entry.
pub struct Entry<'a> {
    /// The account that it concerns, whose page shows it.
    pub user: UserId,
    pub actor: Actor,
    pub kind: Kind,
    /// The key, session, property or person that it is about.
    pub subject: Option<Uuid>,
    pub origin: &'a Origin,
    /// What the entry says besides, such as a title: an object without secrets, or null.
    pub details: Value,
}

impl<'a> Entry<'a> {
    /// What a user did to the own account.
    pub fn own(user: UserId, kind: Kind, origin: &'a Origin) -> Self {
        Entry { user, actor: Actor::Person(Some(user)), kind, subject: None, origin, details: Value::Null }
    }

    /// By somebody who is not known.
    pub fn by_nobody(self) -> Self {
        Entry { actor: Actor::Person(None), ..self }
    }

    /// By whoever runs this site, with a command.
    pub fn by_command(self) -> Self {
        Entry { actor: Actor::Command, ..self }
    }

    pub fn about(self, subject: impl Into<Uuid>) -> Self {
        Entry { subject: Some(subject.into()), ..self }
    }

    pub fn with(self, details: Value) -> Self {
        Entry { details, ..self }
    }
}
