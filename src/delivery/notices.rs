//! What notices say: of a change of an account, when it was made and from where.

use chrono_tz::Tz;
use serde_json::Value;

use crate::{
    base::clock::Moment,
    delivery::{
        key_notices,
        letter::{Letter, time},
    },
    record::{client, outbox::MailKind},
    web::{page::counted, state::AppState},
};

/// What a notice is made of.
pub struct Notice<'a> {
    pub kind: MailKind,
    /// See `record/notices.rs`.
    pub data: &'a Value,
    pub email: &'a str,
    pub zone: Tz,
    pub state: &'a AppState,
}

/// The page that shows the account's activity, and others on which something can be done.
const ACTIVITY: &str = "/user_profile/activity";

impl Notice<'_> {
    /// The notice; `None` for kinds that are none.
    pub fn letter(&self) -> Option<Letter> {
        let host = &self.state.settings.host_name;
        let letter = match self.kind {
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
            .close("If you have forgotten the password, set a new one on the sign-in page. If not, there is nothing to do."),
            MailKind::SecondFactorOn => Letter::new(
                "Two-factor authentication is on",
                "From now on, signing in takes your password and a code of your authenticator app.",
            )
            .close("Keep the recovery codes in a safe place. API keys are not affected."),
            MailKind::SecondFactorOff => Letter::new(
                "Two-factor authentication is off",
                "From now on, your password alone is enough to sign in.",
            )
            .close("If this was not you, change your password, and turn two-factor authentication on again."),
            MailKind::RecoveryCodeUsed | MailKind::RecoveryCodesLow => self.recovery_code(),
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
            _ => key_notices::letter(self)?,
        };
        let letter = letter.fact("Account", Some(self.email));
        Some(self.origin(letter).button("Show activity", format!("{}{ACTIVITY}", self.state.address())))
    }

    /// A text of the entry.
    pub fn detail(&self, name: &str) -> Option<&str> {
        self.data["details"][name].as_str()
    }

    /// A time of the entry, in the zone of the reader.
    pub fn detail_time(&self, name: &str) -> Option<String> {
        let at = self.detail(name)?.parse::<Moment>().ok()?;
        Some(time(at, self.zone))
    }

    /// A number of the entry.
    pub fn detail_number(&self, name: &str) -> Option<i64> {
        self.data["details"][name].as_i64()
    }

    fn is_by_host(&self) -> bool {
        self.data["actor"] == "command"
    }

    fn recovery_code(&self) -> Letter {
        let left = self.detail_number("left").unwrap_or_default();
        let text = "Somebody signed in to your account, or confirmed a change, with one of its recovery codes.";
        let letter = match self.kind {
            MailKind::RecoveryCodesLow => Letter::new("Few recovery codes are left", text)
                .say("Create new ones before you need them: on your profile, under two-factor authentication."),
            _ => Letter::new("A recovery code was used", text),
        };
        letter
            .fact("Left", Some(counted(left, "recovery code", "recovery codes")))
            .close("If this was not you, change your password and create new recovery codes.")
    }

    /// Adds who did it, when and from where.
    fn origin(&self, letter: Letter) -> Letter {
        let at = self.data["at"].as_str().and_then(|at| at.parse::<Moment>().ok());
        let letter = letter.fact("When", at.map(|at| time(at, self.zone)));
        if self.is_by_host() {
            return letter.fact("By", Some(self.state.settings.host_name.clone()));
        }
        letter
            .fact("From", self.data["address"].as_str())
            .fact("With", self.data["client"].as_str().map(client::describe))
    }
}
