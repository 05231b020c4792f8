//! Two-factor authentication of a user of a test: the app, and the recovery codes.

use std::time::{SystemTime, UNIX_EPOCH};

use totp_rs::{Builder, Secret};

use crate::browser::Browser;
use crate::database;
use crate::options::Options;
use crate::people::User;
use crate::response::Response;
use crate::server::Server;

pub const SET_UP: &str = "/user_profile/second_factor/new";
pub const SECOND_STEP: &str = "/sign_in/second_factor";

/// Secret keys of a host, as its settings have them.
pub const KEYS: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// What a user has who has set it up.
pub struct Factor {
    pub secret: String,
    pub recovery: Vec<String>,
}

impl Factor {
    /// The code of so many steps from now.
    pub fn code(&self, steps: i64) -> String {
        code(&self.secret, steps)
    }
}

/// The code that an app shows for a secret, so many steps from now.
#[expect(clippy::disallowed_methods, reason = "an app has a clock of its own")]
pub fn code(secret: &str, steps: i64) -> String {
    let secret = Secret::try_from_base32(secret).expect("a secret");
    let totp = Builder::new().with_secret(secret).build().expect("a secret of 160 bits");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    totp.generate(now.checked_add_signed(steps * 30).expect("a time")).to_string()
}

/// A code that is certainly wrong.
pub fn wrong_code(secret: &str) -> String {
    let right: Vec<String> = (-3..=3).map(|steps| code(secret, steps)).collect();
    (0..).map(|number| format!("{number:06}")).find(|code| !right.contains(code)).expect("another code")
}

/// The secret that the page shows, without blanks.
pub fn secret_of(page: &Response) -> String {
    let text = page.text().split_once("<code id=\"secret\" class=\"whole groups\">").expect("a secret").1;
    text.split('<').next().unwrap_or_default().replace(' ', "")
}

/// The recovery codes that a page shows.
pub fn recovery_codes(page: &Response) -> Vec<String> {
    let text = page.text().split_once("<pre id=\"recovery_codes\"").expect("recovery codes").1;
    let text = text.split_once('>').expect("a tag").1.split('<').next().unwrap_or_default();
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The settings under which secrets can be encrypted: on PostgreSQL there is no file that is created when needed.
pub fn where_needed(options: Options) -> Options {
    match database::is_postgres() {
        true => options.env("LATCHKEY_SECRET_KEYS", KEYS),
        false => options,
    }
}

impl Server {
    /// Turns it on for a user who is signed in; every code may be used afterwards.
    pub async fn enrol(&self, browser: &Browser) -> Factor {
        let secret = secret_of(&browser.get(SET_UP).await.is(200));
        self.secrets.register("secret of an authenticator app", &secret);
        let page = browser.post_form(SET_UP, &[("code", &code(&secret, 0))]).await.is(200);
        let recovery = recovery_codes(&page);
        for code in &recovery {
            self.secrets.register("recovery code", code);
            self.secrets.register("recovery code", &code.replace('-', ""));
        }
        self.let_codes_be_used_again().await;
        Factor { secret, recovery }
    }

    /// Forgets which codes were used, as if time had passed.
    pub async fn let_codes_be_used_again(&self) {
        self.sql("update totp set last_step = 0").await;
    }
}

/// Enters the password, and then this code; how it went is in the answer.
pub async fn sign_in(browser: &Browser, user: &User, code: &str) -> Response {
    let asked = browser.sign_in(&user.email, &user.password).await.is(303);
    let to = asked.header("location").expect("where it leads").to_owned();
    assert!(to.starts_with(SECOND_STEP), "{asked}");
    browser.get(&to).await.is(200);
    browser.post_form(SECOND_STEP, &[("code", code)]).await
}
