//! Which entries of the record their user is told of by mail. An entry and its mail are written in one transaction, so that
//! no change of an account that matters goes unnoticed. None of these notices can be turned off.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    base::clock::Moment,
    db::Tx,
    record::{
        entry::{Actor, Entry, Kind},
        outbox::{self, MailKind, Repeat},
    },
};

/// Recovery codes left from which on a mail warns.
pub const FEW_CODES: i64 = 3;

/// The mail for an entry, and which of several are written.
fn mail(entry: &Entry<'_>) -> Option<(MailKind, Repeat)> {
    let at_once = |kind| Some((kind, Repeat::All));
    match entry.kind {
        Kind::NewBrowser => at_once(MailKind::NewBrowser),
        // Whoever knows the password can come here again and again.
        Kind::SignInHalf => Some((MailKind::SignInHalf, Repeat::After(Duration::hours(1)))),
        Kind::Guessing => Some((MailKind::Guessing, Repeat::After(Duration::hours(24)))),
        Kind::SecondFactorOn => at_once(MailKind::SecondFactorOn),
        Kind::SecondFactorOff => at_once(MailKind::SecondFactorOff),
        Kind::RecoveryCodeUsed => match entry.details["left"].as_i64() {
            Some(left) if left <= FEW_CODES => at_once(MailKind::RecoveryCodesLow),
            _ => at_once(MailKind::RecoveryCodeUsed),
        },
        // Whoever was invited has just chosen one.
        Kind::PasswordReset if entry.details["is_first"] == true => None,
        // The host's command replaces the password.
        Kind::PasswordReset if entry.actor == Actor::Command => at_once(MailKind::PasswordChanged),
        Kind::PasswordReset => at_once(MailKind::ResetDone),
        Kind::PasswordChanged => at_once(MailKind::PasswordChanged),
        // The host brings many along at once, and says so itself.
        Kind::KeyCreated if entry.details["imported"] == true => None,
        Kind::KeyCreated => at_once(MailKind::KeyCreated),
        Kind::KeyRotated => at_once(MailKind::KeyRotated),
        Kind::KeyWithdrawn | Kind::KeysWithdrawn => at_once(MailKind::KeyWithdrawn),
        Kind::KeyExpired => at_once(MailKind::KeyExpired),
        Kind::KeyLeaked => at_once(MailKind::KeyLeaked),
        Kind::WithdrawnKeyUsed => at_once(MailKind::WithdrawnKeyUsed),
        _ => None,
    }
}

/// Writes the mail for an entry, if there is one for its kind. Whoever was given access before ever signing in gets an
/// invitation.
pub async fn put(tx: &mut Tx, entry: &Entry<'_>, now: Moment) -> sqlx::Result<()> {
    if matches!(entry.kind, Kind::UserAdded | Kind::MemberAdded) {
        return outbox::invite(tx, entry.user, &data(entry, now), now).await.map(drop);
    }
    let Some((kind, repeat)) = mail(entry) else { return Ok(()) };
    outbox::notify(tx, entry.user, kind, &data(entry, now), &repeat, now).await.map(drop)
}

/// What a mail says of an entry.
fn data(entry: &Entry<'_>, now: Moment) -> Value {
    json!({
        "at": now,
        "actor": entry.actor.word(),
        "actor_id": entry.actor.id(),
        "address": entry.origin.address_text(),
        "client": entry.origin.client,
        "details": entry.details,
    })
}
