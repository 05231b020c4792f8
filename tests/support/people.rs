//! The people of a test: users who can sign in, and their programs.

use uuid::Uuid;

use crate::app::TestApp;
use crate::browser::Browser;
use crate::client::Client;
use crate::database::Contents;

/// The user of [`world`], whom its template has.
pub const DESK: &str = "desk@farol.example";
pub const DESK_PASSWORD: &str = "harbour-lantern-of-the-front-desk";

/// A user as the host knows one.
#[derive(Clone, Debug)]
pub struct User {
    pub email: String,
    pub password: String,
}

/// A subscribed user with a signed-in browser, a key, and a client that sends it.
pub struct Person {
    pub user: User,
    pub browser: Browser,
    pub key: String,
    pub api: Client,
}

impl TestApp {
    /// Adds a user by the command line, with a good password.
    pub fn user_add(&self, email: &str) -> User {
        let password = format!("harbour-lantern-{}", Uuid::now_v7().simple());
        self.secrets.register("password", &password);
        self.command_ok(&["user", "add", email], Some(&password));
        User { email: email.to_owned(), password }
    }

    /// Activates the subscription of a user, without an end.
    pub fn subscribe(&self, email: &str) {
        self.command_ok(&["subscription", "activate", email], None);
    }

    /// A browser in which this user has signed in.
    pub async fn signed_in(&self, user: &User) -> Browser {
        let browser = self.browser();
        let answer = browser.sign_in(&user.email, &user.password).await;
        assert_eq!(answer.status, 303, "sign-in: {answer}");
        browser
    }

    /// A new user with everything that the API needs.
    pub async fn person(&self, email: &str) -> Person {
        let user = self.user_add(email);
        self.subscribe(email);
        self.equipped(user).await
    }

    /// A subscribed user who signs in and creates a key.
    async fn equipped(&self, user: User) -> Person {
        let browser = self.signed_in(&user).await;
        let key = browser.create_key("Front desk").await;
        let api = self.with_key(&key);
        Person { user, browser, key, api }
    }
}

/// A server and one person who may use its API: where most tests begin.
pub async fn world() -> (TestApp, Person) {
    let app = TestApp::options().contents(Contents::Desk).start().await;
    app.secrets.register("password", DESK_PASSWORD);
    let user = User { email: DESK.to_owned(), password: DESK_PASSWORD.to_owned() };
    let person = app.equipped(user).await;
    (app, person)
}
