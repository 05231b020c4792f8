//! The people of a test: users who can sign in, and their programs.

use uuid::Uuid;

use crate::browser::Browser;
use crate::client::Client;
use crate::database::Contents;
use crate::host::Host;
use crate::server::Server;

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

impl Host {
    /// Adds a user by the command line, with a good password, to a database that is made where there is none.
    pub fn add_user(&self, email: &str) -> User {
        self.migrate_once();
        let user = User { email: email.to_owned(), password: self.new_password() };
        self.run_with(&["user", "add", email], &user.password).ok();
        user
    }

    /// Activates the subscription of a user, without an end.
    pub fn subscribe(&self, email: &str) {
        self.run(&["subscription", "activate", email]).ok();
    }

    /// Adds a user who has a subscription.
    pub fn add_subscriber(&self, email: &str) -> User {
        let user = self.add_user(email);
        self.subscribe(email);
        user
    }

    /// A good password that nobody has.
    pub fn new_password(&self) -> String {
        let password = format!("harbour-lantern-{}", Uuid::now_v7().simple());
        self.secrets.register("password", &password);
        password
    }
}

impl Server {
    /// A browser in which this user has signed in.
    pub async fn signed_in(&self, user: &User) -> Browser {
        let browser = self.browser();
        let answer = browser.sign_in(&user.email, &user.password).await;
        assert_eq!(answer.status, 303, "sign-in: {answer}");
        browser
    }

    /// A new user with everything that the API needs.
    pub async fn person(&self, email: &str) -> Person {
        self.equipped(self.add_subscriber(email)).await
    }

    /// A subscribed user who signs in and creates a key.
    pub async fn equipped(&self, user: User) -> Person {
        let browser = self.signed_in(&user).await;
        let key = browser.create_key("Front desk").await;
        let api = self.with_key(&key);
        Person { user, browser, key, api }
    }
}

/// A server and one person who may use its API: where most tests begin.
pub async fn world() -> (Server, Person) {
    let server = Server::options().contents(Contents::Desk).start().await;
    server.secrets.register("password", DESK_PASSWORD);
    let user = User { email: DESK.to_owned(), password: DESK_PASSWORD.to_owned() };
    let person = server.equipped(user).await;
    (server, person)
}
