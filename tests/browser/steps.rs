//! What a person does on a page and sees there, in the words of the page.

use std::time::{Duration, Instant};

use actix_web::rt::time::sleep;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use thirtyfour::prelude::*;

use crate::{
    chrome::{Browser, Scheme},
    html,
    people::User,
    server::Server,
};

/// How long a page may take to become what it should be: a loaded machine is slow.
const PATIENCE: Duration = Duration::from_secs(20);

/// A row of the list of keys, as it is read.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Row {
    pub title: String,
    pub key: String,
    pub status: String,
    /// There is an "Actions" button.
    pub actions: bool,
}

impl Row {
    pub fn active(title: &str, key: &str) -> Self {
        let key = format!("***{}", &key[key.len() - 6..]);
        Row { title: title.to_owned(), key, status: "active".to_owned(), actions: true }
    }

    pub fn withdrawn(title: &str, key: &str) -> Self {
        Row { status: "withdrawn".to_owned(), actions: false, ..Row::active(title, key) }
    }
}

/// Waits until `look` finds something.
pub async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "in vain: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Returns true on any page but the one on which something was pressed.
const LEFT: &str = "return window.left ? null : true";

impl Browser {
    /// What a script returns once the page is loaded; nothing while one page gives way to the next.
    async fn ask(&self, script: &str, arguments: Vec<Value>) -> Option<Value> {
        let script = format!("if (document.readyState !== 'complete') return null;\n{script}");
        Some(self.execute(script, arguments).await.ok()?.json().clone()).filter(|answer| !answer.is_null())
    }

    /// Waits until a script that reads the page returns something.
    pub async fn reads<T: DeserializeOwned>(&self, what: &str, script: &str) -> T {
        let found = eventually(what, async || self.ask(script, vec![]).await).await;
        serde_json::from_value(found).unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// Waits until a script that reads the page returns `expected`.
    pub async fn expect<T>(&self, what: &str, script: &str, expected: T)
    where
        T: Into<Value>,
    {
        let expected = expected.into();
        let began = Instant::now();
        loop {
            let found = self.ask(script, vec![]).await;
            if found.as_ref() == Some(&expected) {
                return;
            }
            if began.elapsed() > PATIENCE {
                panic!("{what}: {found:?} instead of {expected} on {}", self.here().await);
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Clicks the one button or link with these words, with a real mouse, and waits for the page that it leads to.
    pub async fn press(&self, words: &str) {
        self.press_in("body", words).await;
    }

    /// The same within the first element that matches.
    pub async fn press_in(&self, css: &str, words: &str) {
        let button = self.button(css, words).await;
        // chromedriver waits only for a page that is on its way by the end of the click.
        let mark = "const one = arguments[0];
            const leads_on = !!one.href || one.type === 'submit' && !!one.form;
            window.left = leads_on;
            return leads_on;";
        let button_itself = vec![button.to_json().expect("a button")];
        let leads_on = self.execute(mark, button_itself).await.expect("a script").json() == true;
        button.click().await.unwrap_or_else(|error| panic!("{words:?} cannot be clicked: {error}"));
        if leads_on && !self.leaves(Duration::from_secs(5)).await {
            // Chromium drops a click now and then while its emulated finger becomes a mouse again.
            let _ = button.click().await;
            self.reads::<bool>("the page that follows", LEFT).await;
        }
    }

    /// Whether the page on which something was pressed is left within this time.
    async fn leaves(&self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        while Instant::now() < end {
            if self.ask(LEFT, vec![]).await.is_some() {
                return true;
            }
            sleep(Duration::from_millis(20)).await;
        }
        false
    }

    /// The one button or link with these words that can be seen and, beside a modal dialog, reached.
    pub async fn button(&self, css: &str, words: &str) -> WebElement {
        let script = "
            const modal = document.querySelector(':modal');
            const found = [...document.querySelector(arguments[0]).querySelectorAll('button, a')].filter(one =>
                one.textContent.trim() === arguments[1] && one.checkVisibility() && (!modal || modal.contains(one)));
            if (found.length > 1) throw new Error('there are several');
            return document.readyState === 'complete' && found.length ? found : null;";
        let find = async || {
            let found = self.execute(script, vec![css.into(), words.into()]).await.ok()?;
            found.elements().ok()?.pop()
        };
        let here = self.here().await;
        eventually(&format!("the one button {words:?} in {css} on {here}"), find).await
    }

    /// The field with this label.
    pub async fn field(&self, label: &str) -> WebElement {
        let path = format!("//*[@id = //label[normalize-space() = '{label}']/@for]");
        let find = async || self.find(By::XPath(&path)).await.ok();
        eventually(&format!("a field {label:?}"), find).await
    }

    /// Types into the field with this label, in place of what is there. Any script: chromedriver's own keys stop at
    /// U+FFFF.
    pub async fn type_into(&self, label: &str, text: &str) {
        let field = self.field(label).await;
        field.clear().await.expect("a field to type in");
        field.click().await.expect("a field to click on");
        let typed = serde_json::json!({ "text": text });
        self.cdp().send_raw("Input.insertText", typed).await.expect("a field to type in");
        assert_eq!(field.value().await.unwrap().as_deref(), Some(text), "typed into {label}");
    }

    /// Signs in and waits for the profile.
    pub async fn arrive(&self, server: &Server, user: &User) {
        self.sign_in(server, user).await;
        self.no_dialog().await;
    }

    /// Fills in the sign-in form and sends it; how it went is on the page.
    pub async fn send_sign_in(&self, server: &Server, user: &User) {
        self.type_into("Email", &user.email).await;
        self.type_into("Password", &user.password).await;
        self.press("Sign in").await;
        for cookie in self.get_all_cookies().await.expect("cookies") {
            server.secrets.register_cookie(&cookie.value);
        }
    }

    /// Waits for the dialog with this heading; what it says.
    pub async fn dialog(&self, heading: &str) -> String {
        let script = "const dialog = document.querySelector('dialog[open]');
            return dialog?.checkVisibility() ? dialog.querySelector('h2').textContent : null";
        self.expect("the heading of the dialog", script, heading).await;
        self.reads("the dialog", "return document.querySelector('dialog[open]').innerText").await
    }

    /// Waits until no dialog stands on the profile page any more.
    pub async fn no_dialog(&self) {
        let script = "return location.pathname === '/user_profile' && !document.querySelector('dialog')";
        self.expect("the profile page without a dialog", script, true).await;
    }

    /// The key that the dialog shows. From now on it is a secret of the test.
    pub async fn key_shown(&self, server: &Server) -> String {
        self.dialog("API Key created").await;
        let script = "const key = document.getElementById('key');
            return key.checkVisibility() && key.getBoundingClientRect().height > 10 ? key.value : null";
        let shown: String = self.reads("the key", script).await;
        server.secrets.register("API key", &shown);
        assert_eq!(html::keys(&shown), [&shown], "exactly a key is shown");
        shown
    }

    /// Creates a key on the page that is open, and stays with the dialog that shows it.
    pub async fn create_key(&self, server: &Server, title: &str) -> String {
        self.press("Create new API Key").await;
        self.type_into("Title", title).await;
        self.press("Create").await;
        self.key_shown(server).await
    }

    /// The list of keys, from top to bottom.
    pub async fn rows(&self) -> Vec<Row> {
        let script = "
            const rows = [...document.querySelectorAll('#api_keys tbody tr.key')].map(row => {
                const [title, key, status] = [...row.cells].map(cell => cell.innerText.trim());
                const actions = [...row.querySelectorAll('button')].some(one => one.textContent === 'Actions');
                return { title, key, status: status.split('\\n')[0], actions };
            });
            return document.getElementById('api_keys') ? rows : null;";
        self.reads("the list of keys", script).await
    }

    /// Everything in which this page could hold a secret: text, fields, attributes, storage, the address.
    pub async fn everything(&self) -> String {
        let script = "
            const fields = [...document.querySelectorAll('input, textarea')].flatMap(one => [one.value, one.defaultValue]);
            let stored = [];
            try { stored = [localStorage, sessionStorage].map(one => JSON.stringify({ ...one })); } catch {}
            return [location.href, document.documentElement.outerHTML, document.title, JSON.stringify(history.state),
                ...fields, ...stored].join('\\n');";
        self.reads("the page", script).await
    }

    /// The error messages of the console since this was last asked, but that the page itself had this status.
    pub async fn complaints(&self, status: u16) -> Vec<String> {
        let here = self.current_url().await.expect("an address");
        let itself = format!("{here} - Failed to load resource: the server responded with a status of {status} ");
        let entries = self.browser_log().await.expect("the console");
        entries.into_iter().map(|entry| entry.message).filter(|message| !message.starts_with(&itself)).collect()
    }
}

/// How many keys the user has, withdrawn ones too, as the host sees it.
pub fn count_keys(server: &Server, user: &User) -> usize {
    server.run(&["key", "list", &user.email]).ok().lines().filter(|line| line.contains("***")).count()
}

/// A server, and a subscribed user who stands signed in before an empty list of keys.
pub async fn before_the_list(width: u32, javascript: bool) -> (Server, User, Browser) {
    let server = Server::start().await;
    let user = server.add_subscriber("desk@farol.example");
    let browser = Browser::open(width, Scheme::Light, javascript).await;
    browser.arrive(&server, &user).await;
    (server, user, browser)
}
