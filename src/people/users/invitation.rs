//! The page behind a one-time link: a user sets name and password.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use askama::Template;
use serde::Deserialize;
use serde_json::json;

use crate::{
    base::{clock, error::Result},
    people::{
        password::{Hasher, Password, RULES, THE_SAME, Verdict, hash_queue::Asker},
        sessions::{self, browser::BrowserCookie},
        users::{
            User,
            links::{self, Link, LinkToken, Purpose},
            store,
        },
    },
    record::{
        activity::{self, Entry, Kind},
        origin::Origin,
    },
    web::{
        form::{Field, Form},
        page::{self, Layout},
        state::AppState,
    },
};

#[derive(Template)]
#[template(path = "users/welcome.html")]
pub struct WelcomePage {
    pub layout: Layout,
    pub action: String,
    pub email: String,
    pub name: Field,
    pub password_problem: Option<String>,
    pub rules: &'static str,
    /// The word on the button.
    pub verb: &'static str,
}

/// The page for a link that is expired, used or unknown.
#[derive(Template)]
#[template(path = "users/link_ended.html")]
struct LinkEndedPage {
    layout: Layout,
    sends_mail: bool,
}

/// The page for a link of any kind that is expired, used or unknown.
pub fn ended(state: &AppState) -> Result<HttpResponse> {
    let (layout, sends_mail) = (Layout::new(state, None), state.settings.mail.sends_mail());
    page::html(StatusCode::NOT_FOUND, &LinkEndedPage { layout, sends_mail })
}

/// GET /welcome/{token}
pub async fn show(state: Data<AppState>, token: Path<LinkToken>) -> Result<HttpResponse> {
    let Some(Link { user, .. }) = invited(&state, &token).await? else { return ended(&state) };
    let name = Field::of(user.name.clone().unwrap_or_default());
    page::html(StatusCode::OK, &welcome(&state, &token, user, name, None))
}

/// The form of the page.
#[derive(Deserialize)]
pub struct Chosen {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub password: String,
}

/// POST /welcome/{token}: the link works once.
pub async fn set(
    request: HttpRequest,
    state: Data<AppState>,
    hasher: Data<Hasher>,
    token: Path<LinkToken>,
    origin: Origin,
    form: Form<Chosen>,
) -> Result<HttpResponse> {
    let Form(Chosen { name: typed, password }) = form;
    let Some(Link { user, has_password, .. }) = invited(&state, &token).await? else { return ended(&state) };
    let name = super::name(&typed);
    let password = match Password::chosen(password, &state.settings.host_name, &user.email) {
        Ok(new) if is_current(&state, &hasher, &user, &new).await? => Err(THE_SAME.to_owned()),
        other => other,
    };
    let (name, password) = match (name, password) {
        (Ok(name), Ok(password)) => (name, password),
        (name, password) => {
            let name = Field { value: typed, problem: name.err() };
            let page = welcome(&state, &token, user, name, password.err());
            return page::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let hash = hasher.hash(Asker::User(user.id), password).await?;
    let now = clock::now();
    let mut tx = state.db.write().await?;
    store::lock_user(&mut tx, user.id).await?;
    if !links::use_up(&mut tx, Purpose::Welcome, &token, now).await? {
        return ended(&state);
    }
    links::end(&mut tx, user.id, &[Purpose::Welcome, Purpose::Reset]).await?;
    store::set_name(&mut tx, user.id, name.as_deref()).await?;
    store::set_password(&mut tx, user.id, &hash).await?;
    // This browser is known from now on: a flood of guesses from elsewhere does not keep its user from signing in.
    let sent = BrowserCookie::sent(&request, &state.base_url);
    let browser = sessions::start_over(&mut tx, &user, sent, &origin, now).await?;
    let entry = Entry::own(user.id, Kind::PasswordReset, &origin);
    activity::put(&mut tx, &entry.with(json!({ "is_first": !has_password })), now).await?;
    tx.commit().await?;
    let mut response = page::see_other("/sign_in?notice=password_set");
    browser.attach(&state.base_url, &mut response)?;
    Ok(response)
}

async fn invited(state: &AppState, token: &LinkToken) -> Result<Option<Link>> {
    let mut tx = state.db.read().await?;
    Ok(links::find(&mut tx, Purpose::Welcome, token, clock::now()).await?)
}

/// True if it is the user's current password.
pub async fn is_current(state: &AppState, hasher: &Hasher, user: &User, new: &Password) -> Result<bool> {
    let mut tx = state.db.read().await?;
    let Some(stored) = store::password_hash(&mut tx, user.id).await? else { return Ok(false) };
    drop(tx);
    Ok(!matches!(hasher.verify(Asker::User(user.id), new.clone(), Some(stored)).await?, Verdict::Wrong))
}

fn welcome(
    state: &AppState,
    token: &LinkToken,
    user: User,
    name: Field,
    password_problem: Option<String>,
) -> WelcomePage {
    WelcomePage {
        layout: Layout::new(state, None),
        action: Purpose::Welcome.path(token),
        email: user.email,
        name,
        password_problem,
        rules: RULES,
        verb: "Save",
    }
}
