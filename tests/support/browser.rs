//! A browser: it keeps cookies, and says of each request that a page of the
//! same site sent it.

use std::ops::Deref;
use std::sync::Arc;

use reqwest::cookie::{CookieStore, Jar};
use url::Url;

use crate::client::Client;
use crate::html;
use crate::response::Response;
use crate::secrets::Secrets;

/// The address of the form that makes a key, for reading and for sending.
pub const NEW_KEY: &str = "/user_profile/api_keys/new";

/// A browser with a cookie store of its own.
pub struct Browser {
    client: Client,
    jar: Arc<Jar>,
    base_url: Url,
    secrets: Secrets,
}

impl Browser {
    /// A browser that has not been anywhere yet.
    pub fn new(base_url: &str, secrets: &Secrets) -> Self {
        let jar = Arc::new(Jar::default());
        let setup = reqwest::Client::builder().cookie_provider(jar.clone());
        Self {
            client: Client::new(base_url, secrets, setup).always("sec-fetch-site", "same-origin"),
            jar,
            base_url: Url::parse(base_url).expect("a base URL"),
            secrets: secrets.clone(),
        }
    }

    /// Sends the sign-in form; how it went is in the answer.
    pub async fn sign_in(&self, email: &str, password: &str) -> Response {
        self.secrets.register("password", password);
        self.post_form("/sign_in", &[("email", email), ("password", password)]).await
    }

    /// The `Cookie` header that this browser would send now.
    pub fn cookies(&self) -> Option<String> {
        let header = self.jar.cookies(&self.base_url)?;
        Some(header.to_str().expect("cookies of ASCII").to_owned())
    }

    /// Makes a key through the pages and returns it.
    pub async fn create_key(&self, title: &str) -> String {
        let form = self.get(NEW_KEY).await.is(200);
        let Some(token) = html::input_value(form.text(), "form_token") else {
            panic!("no form_token in {form}");
        };
        let answer = self.send_new_key(title, &token).await;
        let key = match html::keys(answer.text()).first() {
            Some(key) => (*key).to_owned(),
            None => panic!("no key in {answer}"),
        };
        self.secrets.register("API key", &key);
        key
    }

    /// Makes a key that is limited to one property, and returns it.
    pub async fn create_key_for(&self, property: &str) -> String {
        let page = self.get(NEW_KEY).await.is(200);
        let token = html::input_value(page.text(), "form_token").expect("a form token");
        let fields = [("title", "One"), ("form_token", &*token), ("access", "chosen"), ("properties[]", property)];
        let answer = self.register(self.post_form(NEW_KEY, &fields).await).is(200);
        (*html::keys(answer.text()).first().expect("a key")).to_owned()
    }

    /// Sends the form that makes a key; keys in the answer become secrets.
    pub async fn send_new_key(&self, title: &str, form_token: &str) -> Response {
        // As the dialog opens.
        let fields = [("title", title), ("form_token", form_token), ("manage_users", "on")];
        self.register(self.post_form(NEW_KEY, &fields).await)
    }

    /// Makes the keys in an answer secrets of the test.
    pub fn register(&self, answer: Response) -> Response {
        for key in html::keys(&String::from_utf8_lossy(&answer.body)) {
            self.secrets.register("API key", key);
        }
        answer
    }

    /// The id of a key, found by its last six characters on the profile page.
    pub async fn key_id(&self, key: &str) -> String {
        let page = self.get("/user_profile").await.is(200);
        let tail = &key[key.len() - 6..];
        html::rows(page.text())
            .filter(|row| row.contains(tail))
            .flat_map(html::form_actions)
            .find_map(|action| {
                let id = action.strip_prefix("/user_profile/api_keys/")?;
                Some(id.strip_suffix("/withdraw")?.to_owned())
            })
            .unwrap_or_else(|| panic!("no key …{tail} that can be withdrawn in {page}"))
    }

    /// Withdraws a key, as its owner who has confirmed it.
    pub async fn withdraw_key(&self, key: &str) {
        let id = self.key_id(key).await;
        let answer = self.post_form(&format!("/user_profile/api_keys/{id}/withdraw"), &[]).await;
        assert!(answer.status < 400, "not withdrawn: {answer}");
    }
}

impl Deref for Browser {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
