//! What notices say of an account: its sign-ins, password and second factor.

use crate::{
    delivery::{letter::Letter, notice::Notice},
    record::outbox::MailKind,
    web::page::counted,
};

/// The notice; `None` for kinds that are not about the account.
pub fn letter(notice: &Notice<'_>) -> Option<Letter> {
    let host = &notice.state.settings.host_name;
    Some(match notice.kind {
        MailKind::NewBrowser => Letter::new(
            format!("New sign-in to {host}"),
            "Somebody signed in to your account from a browser that had not been used for it before.",
        )
        .close("If this was you, there is nothing to do. If not, change your password and sign out everywhere else."),
        MailKind::SignInHalf => Letter::new(
            "Somebody knows your password",
            "Somebody entered your email address and the right password, but no code of your second factor.",
        )
        .close("If this was not you, change your password. Nobody was signed in."),
        MailKind::Guessing => Letter::new(
            "Many failed attempts to sign in",
            "Somebody has entered a wrong password for your account at least ten times. Further attempts are slowed \
                 down. Browsers that you have used before, your sessions and your API keys are not affected.",
        )
        .close(
            "If you have forgotten the password, set a new one on the sign-in page. If not, there is nothing to do.",
        ),
        MailKind::SecondFactorOn => Letter::new(
            "Two-factor authentication is on",
            "From now on, signing in takes your password and a code of your authenticator app.",
        )
        .close("Keep the recovery codes in a safe place. API keys are not affected."),
        MailKind::SecondFactorOff => {
            Letter::new("Two-factor authentication is off", "From now on, your password alone is enough to sign in.")
                .close("If this was not you, change your password, and turn two-factor authentication on again.")
        }
        MailKind::RecoveryCodeUsed | MailKind::RecoveryCodesLow => recovery_code(notice),
        MailKind::PasswordChanged => Letter::new(
            "Your password was changed",
            "The password of your account was changed. All other browsers were signed out. API keys are not affected.",
        )
        .close("If this was not you, set a new password on the sign-in page at once, and look through your API keys."),
        MailKind::ResetDone => Letter::new(
            "Your password was set with a link",
            "The password of your account was set with a one-time link. All browsers were signed out. API keys are not \
                 affected: they keep working.",
        )
        .close("If this was not you, set a new password on the sign-in page at once, and look through your API keys."),
        _ => return None,
    })
}

fn recovery_code(notice: &Notice<'_>) -> Letter {
    let left = notice.detail_number("left").unwrap_or_default();
    let text = "Somebody signed in to your account, or confirmed a change, with one of its recovery codes.";
    let letter = match notice.kind {
        MailKind::RecoveryCodesLow => Letter::new("Few recovery codes are left", text)
            .say("Create new ones before you need them: on your profile, under two-factor authentication."),
        _ => Letter::new("A recovery code was used", text),
    };
    letter
        .fact("Left", Some(counted(left, "recovery code", "recovery codes")))
        .close("If this was not you, change your password and create new recovery codes.")
}
