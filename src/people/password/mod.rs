//! Passwords: rules for new ones (NIST SP 800-63B-4, section 3.1.1), and hashes (argon2id, OWASP Password Storage Cheat
//! Sheet).

mod common; // common passwords
pub mod hash_queue; // before these threads
mod hashing; // the threads that hash

use std::time::Duration;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::time::timeout;
use unicode_normalization::UnicodeNormalization;

use crate::{
    base::{
        error::{Error, Result},
        secret,
        settings::Cost,
    },
    db::folded,
    people::password::{common::is_common, hash_queue::Asker, hashing::Threads},
};

/// Minimum number of characters, for an account without a second factor.
const SHORTEST: usize = 15;

/// The error message for a new password that is the current one.
pub const THE_SAME: &str = "This is the current password. Choose another.";

const LONGEST: usize = 256;

/// How long a request waits in the queue for hashing.
const PATIENCE: Duration = Duration::from_secs(10);

/// The rules, as shown beside the field.
pub const RULES: &str = "At least 15 characters. Not a common password, a keyboard pattern, or a common word with \
    digits; not similar to your email address or this site's name.";

/// A password in plain text. `Debug` does not print it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

impl Password {
    /// A password to compare with a stored hash. It is normalised with NFKC, since keyboards produce one character in
    /// several ways (NIST SP 800-63B-4, section 3.1.1.2).
    pub fn typed(text: String) -> Self {
        Self(text.nfkc().collect())
    }

    /// Validates a new password.
    ///
    /// # Errors
    /// The error message for the form.
    pub fn chosen(text: String, product: &str, email: &str) -> std::result::Result<Self, String> {
        let Password(text) = Self::typed(text);
        let length = text.chars().count();
        if length < SHORTEST {
            return Err(match length {
                0 => format!("Enter a password of at least {SHORTEST} characters."),
                _ => format!("Use at least {SHORTEST} characters (you entered {length})."),
            });
        }
        if length > LONGEST {
            return Err(format!("Use at most {LONGEST} characters (you entered {length})."));
        }
        let plain = folded(&text);
        let names = [folded(product), "latchkey".to_owned(), folded(email), local_part(&folded(email))];
        if names.iter().any(|name| is_mostly(&plain, name)) {
            return Err("This password is too similar to the site's name or your email. Choose another.".to_owned());
        }
        if is_common(&plain) {
            return Err("This password is too common. Choose another.".to_owned());
        }
        Ok(Self(text))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if it matches a stored hash.
    pub fn is(&self, stored: &str) -> bool {
        PasswordHash::new(stored).is_ok_and(|hash| Argon2::default().verify_password(self.0.as_bytes(), &hash).is_ok())
    }

    /// The hash to store, computed on the calling thread: for commands.
    pub fn hashed(&self, cost: Cost) -> std::result::Result<String, String> {
        hash(&argon2(cost)?, self)
    }
}

fn local_part(email: &str) -> String {
    email.split('@').next().unwrap_or_default().to_owned()
}

/// True if only digits and signs are left when the name is removed.
fn is_mostly(text: &str, name: &str) -> bool {
    name.len() > 2 && text.contains(name) && !text.replace(name, "").chars().any(char::is_alphabetic)
}

/// Hashes passwords on a few threads of its own: each hash takes tens of MiB, and many concurrent sign-ins must neither
/// use up the memory nor slow down requests with keys.
pub struct Hasher {
    argon2: Argon2<'static>,
    /// A hash that matches no password: for an unknown address, so that it takes as long as a wrong password.
    nobody: String,
    threads: Threads,
}

/// The result of a verification.
pub enum Verdict {
    Wrong,
    Right,
    /// Right, but the stored hash is weaker than the settings require; with the new hash.
    RightUpgrade(String),
}

impl Hasher {
    pub fn new(cost: Cost, at_once: usize) -> std::result::Result<Self, String> {
        Ok(Self { argon2: argon2(cost)?, nobody: nobody(cost), threads: Threads::start(at_once)? })
    }

    /// The hash to store, as a PHC string.
    ///
    /// # Errors
    /// `Unavailable` if the queue is full or the wait too long.
    pub async fn hash(&self, asker: Asker, password: Password) -> Result<String> {
        let argon2 = self.argon2.clone();
        self.in_turn(asker, move || hash(&argon2, &password)).await?.map_err(Error::Internal)
    }

    /// Compares a password with the stored hash; `None` if there is no such account or it has no password.
    ///
    /// # Errors
    /// As [`Hasher::hash`].
    pub async fn verify(&self, asker: Asker, typed: Password, stored: Option<String>) -> Result<Verdict> {
        // A text longer than any password must not take memory in the queue.
        let typed = if typed.0.len() > LONGEST * 4 { Password::default() } else { typed };
        let argon2 = self.argon2.clone();
        let is_known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        self.in_turn(asker, move || {
            let parsed =
                PasswordHash::new(&stored).map_err(|error| format!("a stored password hash is malformed: {error}"))?;
            let right = argon2.verify_password(typed.0.as_bytes(), &parsed).is_ok();
            Ok(match (is_known && right, is_weaker(&parsed, argon2.params())) {
                (false, _) => Verdict::Wrong,
                (true, false) => Verdict::Right,
                (true, true) => Verdict::RightUpgrade(hash(&argon2, &typed)?),
            })
        })
        .await?
        .map_err(Error::Internal)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        asker: Asker,
        work: impl Fn() -> T + Send + Sync + 'static,
    ) -> Result<T> {
        let done = self.threads.run(asker, work).map_err(|_| Error::Unavailable)?;
        match timeout(PATIENCE, done).await {
            Ok(Ok(done)) => done.map_err(|_| Error::Internal("hashing a password panicked".to_owned())),
            // It was dropped for the work of others, or timed out.
            Ok(Err(_)) | Err(_) => Err(Error::Unavailable),
        }
    }
}

/// A valid hash that matches no password, so that an unknown email takes as long as a wrong password. Random text: a
/// real one would allocate argon2's memory at startup. (The last character of salt and of output carries few bits: `A`
/// has none.)
fn nobody(Cost { memory_kib, iterations }: Cost) -> String {
    let (salt, output) = (secret::random(), secret::random());
    format!("$argon2id$v=19$m={memory_kib},t={iterations},p=1${}A${}A", &salt[..21], &output[..42])
}

fn argon2(cost: Cost) -> std::result::Result<Argon2<'static>, String> {
    let params = Params::new(cost.memory_kib, cost.iterations, 1, None)
        .map_err(|error| format!("The password settings are invalid: {error}."))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(argon2: &Argon2, password: &Password) -> std::result::Result<String, String> {
    argon2
        .hash_password(password.0.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| format!("could not hash a password: {error}"))
}

fn is_weaker(stored: &PasswordHash, wanted: &Params) -> bool {
    Params::try_from(stored)
        .map_or(true, |params| params.m_cost() < wanted.m_cost() || params.t_cost() < wanted.t_cost())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sign-in with an unknown address must take as long as with a known one.
    #[test]
    fn the_hash_that_matches_no_password_is_compared_as_any_other() {
        let cost = Cost { memory_kib: 64, iterations: 3 };
        let argon2 = Hasher::new(cost, 1).expect("a hasher").argon2;
        let (nobody, made) =
            (nobody(cost), hash(&argon2, &Password("seven boats at noon".to_owned())).expect("a hash"));
        let [nobody, made] = [&nobody, &made].map(|text| PasswordHash::new(text).expect("a PHC string"));
        assert_eq!((nobody.algorithm.as_str(), nobody.version), (made.algorithm.as_str(), made.version));
        assert_eq!(nobody.params.to_string(), made.params.to_string());
        let lengths = |hash: &PasswordHash| (hash.salt.map(|salt| salt.len()), hash.hash.map(|output| output.len()));
        assert_eq!(lengths(&nobody), lengths(&made));
        let error = argon2.verify_password(b"seven boats at noon", &nobody).expect_err("nobody has it");
        assert_eq!(error, argon2::password_hash::Error::PasswordInvalid);
    }

    #[test]
    fn weak_passwords_are_told_apart() {
        let chosen = |text: &str| Password::chosen(text.to_owned(), "Stay Sync", "rita@farol.example").is_ok();
        assert!(chosen("seven boats at noon"));
        assert!(chosen("пароль от маяка 7"));
        for weak in [
            "fourteen chars",
            "aaaaaaaaaaaaaaaaaaaa",
            "abcabcabcabcabcabc",
            "QWERTYUIOPASDFGHJKL",
            "latchkey-2026-11-23",
            "Stay Sync 123456789",
            "rita@farol.example 1",
            "ｐａｓｓｗｏｒｄ１２３４５６７",
            &"long".repeat(65),
        ] {
            assert!(!chosen(weak), "{weak}");
        }
    }
}
