//! What notices say of API keys.

use crate::{
    delivery::{letter::Letter, notice::Notice},
    record::outbox::MailKind,
    web::page::counted,
};

/// The notice; `None` for kinds that are not about keys.
pub fn letter(notice: &Notice<'_>) -> Option<Letter> {
    let is_replaced = !notice.data["details"]["replaced_by"].is_null();
    let letter = match (notice.kind, notice.detail_number("count")) {
        (MailKind::KeyCreated, _) => Letter::new(
            "An API key was created",
            "Programs with this key can do in your account what the key is allowed to do, without your password.",
        )
        .close("If this was not you, withdraw the key on your profile, and change your password."),
        (MailKind::KeyRotated, _) => Letter::new(
            "An API key was rotated",
            match notice.detail("ends_at") {
                Some(_) => "A new API key takes the place of this one, with the same access. Both work for a while.",
                None => "A new API key takes the place of this one, with the same access. The old one no longer works.",
            },
        )
        .fact("Old key works", notice.detail_time("ends_at").map(|end| format!("at most until {end}")))
        .close("If this was not you, withdraw both keys on your profile, and change your password."),
        (MailKind::KeyWithdrawn, Some(count)) => Letter::new(
            "All your API keys were withdrawn",
            format!("{} can no longer be used.", counted(count, "API key", "API keys")),
        ),
        (MailKind::KeyWithdrawn, None) => Letter::new(
            "An API key was withdrawn",
            "Requests with this key are rejected from now on. It stays listed on your profile.",
        ),
        (MailKind::KeyExpiresSoon, _) => Letter::new(
            "An API key is about to expire",
            "From then on, requests with this key are rejected. To avoid that, give it a later end, or rotate it and give \
             the new key to the program that uses it.",
        )
        .fact("Expires", notice.detail_time("expires_at")),
        (MailKind::KeyExpired, _) if is_replaced => Letter::new(
            "The old API key of a rotation has ended",
            "The key that was replaced no longer works. The new one does.",
        )
        .fact("Ended", notice.detail_time("expires_at")),
        (MailKind::KeyExpired, _) => Letter::new(
            "An API key has expired",
            "Requests with this key are rejected. A program that still needs access needs another key, or this one a later \
             end.",
        )
        .fact("Expired", notice.detail_time("expires_at")),
        (MailKind::KeyLeaked, _) => Letter::new(
            "An API key was found, and withdrawn",
            "Somebody has found this API key where it does not belong, and has handed it in. It was withdrawn at once: \
             requests with it are rejected.",
        )
        .close("Give the program that used it a new key, and find out where the old one was: in a repository, a log, a ticket."),
        (MailKind::WithdrawnKeyUsed, count) => Letter::new(
            "A withdrawn API key is still tried",
            "Somebody still sends this API key, though it was withdrawn. These requests are rejected.",
        )
        .fact("Withdrawn", notice.detail_time("withdrawn_at"))
        .fact("Rejected", count.map(|count| counted(count, "request", "requests")))
        .close("If it is a program of yours, give it a new key. If not, somebody else has the key, and it is good that it is \
                withdrawn. You are told of this once."),
        _ => return None,
    };
    let tail = notice.detail("tail").map(|tail| format!(" (***{tail})")).unwrap_or_default();
    let title = notice.detail("title").map(|title| format!("{title}{tail}"));
    Some(letter.fact("API key", title))
}
