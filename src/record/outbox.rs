//! Mails to be sent. A row is written in the transaction of what it tells of, has no text and no link, and is sent after the
//! commit by the worker of any process (`delivery/worker.rs`): nothing waits for a mail server. If the host has set up no
//! mail server, no row is written.

use chrono::Duration;
use serde_json::Value;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    base::{clock::Moment, email, ids::UserId},
    db::{Bind, Statement, Tx},
};

/// Wakes the worker of this process after a commit.
pub static PENDING: Notify = Notify::const_new();

/// Declares the kinds of mails with their names, which are stored and shown by commands.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal;)*) => {
        /// What a mail is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum MailKind { $($(#[$doc])* $kind,)* }

        impl MailKind {
            pub const ALL: &[MailKind] = &[$(MailKind::$kind,)*];

            pub fn name(self) -> &'static str {
                match self { $(MailKind::$kind => $name,)* }
            }
        }
    };
}

kinds! {
    Invitation = "invitation";
    /// Somebody has asked for an account; to an address that has one, [`MailKind::AlreadyRegistered`] is sent instead.
    SignUp = "sign_up";
    AlreadyRegistered = "already_registered";
    /// Somebody has forgotten the password; to an address without an account, nothing is sent.
    Reset = "reset";
    ResetDone = "reset_done";
    PasswordChanged = "password_changed";
    /// To the new address, which confirms it.
    EmailChange = "email_change";
    /// To the old address, which can undo it.
    EmailChanged = "email_changed";
    SecondFactorOn = "second_factor_on";
    SecondFactorOff = "second_factor_off";
    RecoveryCodeUsed = "recovery_code_used";
    /// Like [`MailKind::RecoveryCodeUsed`], when few are left.
    RecoveryCodesLow = "recovery_codes_low";
    SignInHalf = "sign_in_half";
    NewBrowser = "new_browser";
    Guessing = "guessing";
    KeyCreated = "key_created";
    KeyRotated = "key_rotated";
    KeyWithdrawn = "key_withdrawn";
    KeyExpiresSoon = "key_expires_soon";
    KeyExpired = "key_expired";
    KeyLeaked = "key_leaked";
    WithdrawnKeyUsed = "withdrawn_key_used";
    SubscriptionEnding = "subscription_ending";
    SubscriptionEnded = "subscription_ended";
    /// Written by the host's command.
    Test = "test";
}

impl MailKind {
    pub fn from_name(name: &str) -> Option<Self> {
        MailKind::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// True if anybody can ask for it to be sent to any address.
    pub fn is_asked_for_by_strangers(self) -> bool {
        matches!(self, MailKind::Reset | MailKind::SignUp | MailKind::AlreadyRegistered)
    }
}

/// A mail to be sent.
pub struct Mail<'a> {
    pub kind: MailKind,
    /// The account that it is about; `None` if it is not known yet whether there is one.
    pub user: Option<UserId>,
    pub to: &'a str,
    /// What it says besides: an object without secrets.
    pub data: Value,
}

/// Mails with a link that one address gets within an hour, whoever asks for them.
const MOST_LINKS: i64 = 3;

const INSERT: &str = "
    insert into outbox (id, kind, user_id, to_address, to_key, data, dedupe, created_at, next_try_at, tries) ";

const IS_SENT: &str = "exists (select 1 from host_values where name = 'sends_mail')";

/// Writes a mail. Of two with the same `dedupe` only the first is written.
pub async fn put(tx: &mut Tx, mail: &Mail<'_>, dedupe: Option<&str>, now: Moment) -> sqlx::Result<bool> {
    let mut insert = insertion(mail, &key(mail.to), dedupe, now);
    insert.push(" on conflict (dedupe) do nothing");
    execute(tx, insert).await
}

/// Writes a mail with a link that others than its reader can ask for. It is left out, and false returned, if the address has
/// been sent [`MOST_LINKS`] of them within the last hour.
pub async fn put_link(tx: &mut Tx, mail: &Mail<'_>, now: Moment) -> sqlx::Result<bool> {
    let key = key(mail.to);
    lock_address(tx, &key).await?;
    let mut insert = insertion(mail, &key, None, now);
    limit_links(&mut insert, "$5", now);
    execute(tx, insert).await
}

/// Writes an invitation to a user who has never set a password, unless one waits to be sent; limited as [`put_link`].
pub async fn invite(tx: &mut Tx, user: UserId, data: &Value, now: Moment) -> sqlx::Result<bool> {
    const INVITED: &str = "
        select email_key from users where id = $1 and password_hash is null and deactivated_at is null";
    let Some(key) = Statement::new(INVITED, vec![user.into()]).fetch_values::<String>(tx).await?.pop() else {
        return Ok(false);
    };
    lock_address(tx, &key).await?;
    let mut insert = to_user(user, MailKind::Invitation, data, None, now);
    insert.push(
        " and not exists (
            select 1 from outbox o
            where o.user_id = $3 and o.kind = $2 and o.sent_at is null and o.given_up_at is null)",
    );
    limit_links(&mut insert, "u.email_key", now);
    execute(tx, insert).await
}

/// Which of several notices of one kind to one user are written.
#[derive(Clone, Debug)]
pub enum Repeat {
    All,
    /// None within this time after another one.
    After(Duration),
    /// One with this text.
    Once(String),
}

/// Writes a notice to a user who can sign in, at the present address.
pub async fn notify(
    tx: &mut Tx,
    user: UserId,
    kind: MailKind,
    data: &Value,
    repeat: &Repeat,
    now: Moment,
) -> sqlx::Result<bool> {
    let dedupe = if let Repeat::Once(text) = repeat { Some(text.as_str()) } else { None };
    let mut insert = to_user(user, kind, data, dedupe, now);
    insert.push(" and u.password_hash is not null");
    match repeat {
        Repeat::All => {}
        Repeat::After(pause) => {
            let since = insert.bind((now - *pause).into());
            insert.push(&format!(
                " and not exists (select 1 from outbox o where o.user_id = $3 and o.kind = $2 and o.created_at > {since})"
            ));
        }
        Repeat::Once(_) => insert.push(" on conflict (dedupe) do nothing"),
    }
    execute(tx, insert).await
}

/// Writes a test of the host's, whether the server sends mail or not, and returns its id.
pub async fn put_test(tx: &mut Tx, to: &str, now: Moment) -> sqlx::Result<Uuid> {
    let id = Uuid::now_v7();
    let binds = vec![id.into(), MailKind::Test.name().into(), to.into(), key(to).into(), now.into()];
    let mut insert = Statement::new(INSERT, binds);
    insert.push("values ($1, $2, null, $3, $4, 'null', null, $5, $5, 0)");
    insert.execute(tx).await?;
    Ok(id)
}

fn key(address: &str) -> String {
    email::key(address).unwrap_or_else(|| address.to_lowercase())
}

fn insertion(mail: &Mail<'_>, key: &str, dedupe: Option<&str>, now: Moment) -> Statement {
    let binds = vec![
        Uuid::now_v7().into(),
        mail.kind.name().into(),
        mail.user.map(|user| user.0).into(),
        mail.to.into(),
        key.into(),
        mail.data.to_string().into(),
        dedupe.map(str::to_owned).into(),
        now.into(),
    ];
    let mut insert = Statement::new(INSERT, binds);
    insert.push(&format!("select $1, $2, $3, $4, $5, $6, $7, $8, $8, 0 where {IS_SENT}"));
    insert
}

/// To the present address of a user `u` who is not deactivated; `$2` is the kind and `$3` the user.
fn to_user(user: UserId, kind: MailKind, data: &Value, dedupe: Option<&str>, now: Moment) -> Statement {
    let binds = vec![
        Uuid::now_v7().into(),
        kind.name().into(),
        user.into(),
        data.to_string().into(),
        now.into(),
        dedupe.map(str::to_owned).into(),
    ];
    let mut insert = Statement::new(INSERT, binds);
    insert.push(&format!(
        "select $1, $2, u.id, u.email, u.email_key, $4, $6, $5, $5, 0 from users u
        where u.id = $3 and u.deactivated_at is null and {IS_SENT}"
    ));
    insert
}

/// Lets those who write a link to one address at the same time wait for each other, so that all are counted.
async fn lock_address(tx: &mut Tx, key: &str) -> sqlx::Result<()> {
    const SQL: &str = "select 1 from (select pg_advisory_xact_lock(hashtextextended($1, 0))) locked";
    if tx.is_postgres() {
        Statement::new(SQL, vec![Bind::Text(key.to_owned())]).fetch_values::<i32>(tx).await?;
    }
    Ok(())
}

fn limit_links(insert: &mut Statement, key: &str, now: Moment) {
    let (since, most) = (insert.bind((now - Duration::hours(1)).into()), insert.bind(Bind::Whole(MOST_LINKS)));
    insert.push(&format!(
        " and (
            select count(*) from outbox o
            where o.to_key = {key} and o.created_at > {since}
                and o.kind in ('invitation', 'sign_up', 'already_registered', 'reset', 'email_change')) < {most}"
    ));
}

async fn execute(tx: &mut Tx, insert: Statement) -> sqlx::Result<bool> {
    let is_written = insert.execute(tx).await? == 1;
    if is_written {
        tx.wake_after_commit(&PENDING);
    }
    Ok(is_written)
}
