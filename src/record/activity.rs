//! The record of what happened to an account: who did what, when and from where. An entry is written in the transaction
//! of the change that it tells of, so that there is no change without one.

use chrono::{DurationRound, TimeDelta};
use serde_json::Value;
use uuid::{NoContext, Timestamp, Uuid};

use crate::{
    base::{
        clock::Moment,
        ids::{ApiKeyId, UserId},
    },
    db::{Bind, Statement, Tx, execute, impl_from_row},
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
    KeyCreated = "key_created";
    KeyRotated = "key_rotated";
    KeyWithdrawn = "key_withdrawn";
    /// All keys of a user at once.
    KeysWithdrawn = "keys_withdrawn";
    /// A withdrawn key is still tried, an hour or more after it was withdrawn; once per key.
    WithdrawnKeyUsed = "withdrawn_key_used";
    MemberAdded = "member_added";
    MemberChanged = "member_changed";
    MemberRemoved = "member_removed";
    /// A property was put into a group.
    PropertyPlaced = "property_placed";
    /// A property was taken out of a group.
    PropertyTakenOut = "property_taken_out";
    UserAdded = "user_added";
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
}

impl Actor {
    pub fn word(self) -> &'static str {
        match self {
            Actor::Person(_) => "person",
            Actor::Key(_) => "key",
            Actor::Command => "command",
        }
    }

    fn id(self) -> Option<Uuid> {
        match self {
            Actor::Person(user) => user.map(|user| user.0),
            Actor::Key(key) => Some(key.0),
            Actor::Command => None,
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

/// Writes an entry.
pub async fn put(tx: &mut Tx, entry: &Entry<'_>, now: Moment) -> sqlx::Result<()> {
    insert(tx, entry, 1, now).await
}

/// Entries of failed attempts of one kind that an account gets within an hour; further ones are counted by the last of
/// them, from whatever address.
const MOST_FAILURES: usize = 50;

/// Counts a failed attempt of this kind: one entry for each account, address and hour.
pub async fn count_failure(tx: &mut Tx, user: UserId, kind: Kind, origin: &Origin, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "
        select id, count, address from activity where user_id = $1 and id >= $2 and kind = $3 order by id desc limit $4";
    let hour = now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now);
    let most = i64::try_from(MOST_FAILURES).unwrap_or(i64::MAX);
    let binds = vec![user.into(), Bind::Id(first_id(hour)), Bind::Text(kind.name().to_owned()), Bind::Whole(most)];
    let found: Vec<Failures> = Statement::new(SQL, binds).fetch_all(tx).await?;
    let address = origin.address_text();
    let of_address = found.iter().find(|failures| failures.address == address);
    let mut count = 1;
    // Another transaction may count the same one at this moment.
    if let Some(Failures { id, count: before, .. }) =
        of_address.or(found.first().filter(|_| found.len() >= MOST_FAILURES))
        && execute!(tx, "delete from activity where id = $1", *id)? == 1
    {
        count += before;
    }
    let entry = Entry::own(user, kind, origin).by_nobody();
    insert(tx, &entry, count, now).await
}

struct Failures {
    id: Uuid,
    count: i64,
    address: Option<String>,
}

impl_from_row!(Failures { id, count, address });

async fn insert(tx: &mut Tx, entry: &Entry<'_>, count: i64, now: Moment) -> sqlx::Result<()> {
    const SQL: &str = "
        insert into activity
            (id, at, user_id, actor, actor_id, kind, subject_id, address, client, request_id, count, details)
        select $1, $2, u.id, $4, $5, $6, $7, $8, $9, $10, $11, $12 from users u where u.id = $3";
    // An account that is being deleted gets no entry, and fails nobody's change.
    const LOCKED: &str = " for key share";
    let Entry { user, actor, kind, subject, origin, details } = entry;
    let details = (!details.is_null()).then(|| details.to_string());
    let binds = vec![
        Uuid::now_v7().into(),
        now.into(),
        (*user).into(),
        actor.word().into(),
        actor.id().into(),
        kind.name().into(),
        (*subject).into(),
        origin.address_text().into(),
        (&origin.client).into(),
        origin.request.map(|id| id.to_string()).into(),
        count.into(),
        details.into(),
    ];
    let mut insert = Statement::new(SQL, binds);
    if tx.is_postgres() {
        insert.push(LOCKED);
    }
    insert.execute(tx).await.map(drop)
}

/// Deletes entries that were written before a moment, the oldest first and at most `most`, and returns how many.
pub async fn delete_before(tx: &mut Tx, end: Moment, most: i64) -> sqlx::Result<u64> {
    const SQL: &str = "
        delete from activity where id in (select a.id from activity a where a.id < $1 order by a.id limit $2)";
    execute!(tx, SQL, first_id(end), most)
}

/// The least id that an entry of this moment or a later one can have.
pub fn first_id(at: Moment) -> Uuid {
    let (seconds, nanos) = (u64::try_from(at.timestamp()).unwrap_or_default(), at.timestamp_subsec_nanos());
    let mut bytes = Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, nanos)).into_bytes();
    bytes[6] = 0x70;
    bytes[7] = 0;
    bytes[8] = 0x80;
    bytes[9..].fill(0);
    Uuid::from_bytes(bytes)
}
