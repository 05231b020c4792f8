//! Creating an account: the form that asks for a link, if the host has opened it to everybody, and the page behind the link.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use askama::Template;

use crate::{
    base::{
        clock,
        error::{Error, Result},
    },
    hotel::accounts,
    people::{
        password::{Hasher, Password, RULES, hash_queue::Asker},
        sessions::{self, browser::BrowserCookie},
        throttle::{self, Subject},
        users::{
            self, Email,
            invitation::{Chosen, WelcomePage, ended},
            links::{self, LinkToken, Purpose},
            mail_request::{self, Address, Asked},
        },
    },
    record::{
        activity::{self, Entry, Kind},
        origin::Origin,
        outbox::MailKind,
    },
    web::{
        client_ip,
        form::{Field, Form},
        page::{self, Layout},
        request_log,
        state::AppState,
    },
};

#[derive(Template)]
#[template(path = "users/sign_up.html")]
struct SignUpPage {
    layout: Layout,
    email: Field,
    /// The form was sent.
    is_asked: bool,
}

impl SignUpPage {
    fn new(state: &AppState, email: Field) -> Self {
        SignUpPage { layout: Layout::new(state, None), email, is_asked: false }
    }
}

/// Where nobody can sign up, the page does not exist.
fn must_be_open(state: &AppState) -> Result<()> {
    if state.settings.mail.is_open() { Ok(()) } else { Err(Error::NotFound) }
}

/// GET /sign_up
pub async fn show(state: Data<AppState>) -> Result<HttpResponse> {
    must_be_open(&state)?;
    page::html(StatusCode::OK, &SignUpPage::new(&state, Field::default()))
}

/// POST /sign_up: the account is created when the link is used.
pub async fn ask(request: HttpRequest, state: Data<AppState>, form: Form<Address>) -> Result<HttpResponse> {
    must_be_open(&state)?;
    let asker = Subject::newcomer(&request, &state);
    match mail_request::ask(&request, &state, MailKind::SignUp, asker, form.0.email).await? {
        Asked::Sent(email) => {
            let page = SignUpPage { is_asked: true, ..SignUpPage::new(&state, Field::of(email)) };
            page::html(StatusCode::OK, &page)
        }
        Asked::Refused(email, closed) => throttle::refused_page(&SignUpPage::new(&state, email), closed, clock::now()),
    }
}

/// The address that a link is for.
async fn find(state: &AppState, token: &LinkToken) -> Result<Option<Email>> {
    let mut tx = state.db.read().await?;
    let address = links::sign_up_address(&mut tx, token, clock::now()).await?;
    Ok(address.and_then(|address| address.parse().ok()))
}

fn welcome(state: &AppState, token: &LinkToken, email: Email, name: Field, problem: Option<String>) -> WelcomePage {
    WelcomePage {
        layout: Layout::new(state, None),
        action: Purpose::SignUp.path(token),
        email: email.text,
        name,
        password_problem: problem,
        rules: RULES,
        verb: "Create account",
    }
}

/// GET /sign_up/{token}
pub async fn open(state: Data<AppState>, token: Path<LinkToken>) -> Result<HttpResponse> {
    must_be_open(&state)?;
    match find(&state, &token).await? {
        Some(email) => page::html(StatusCode::OK, &welcome(&state, &token, email, Field::default(), None)),
        None => ended(&state),
    }
}

/// POST /sign_up/{token}: creates the account.
pub async fn create(
    request: HttpRequest,
    state: Data<AppState>,
    hasher: Data<Hasher>,
    token: Path<LinkToken>,
    origin: Origin,
    form: Form<Chosen>,
) -> Result<HttpResponse> {
    must_be_open(&state)?;
    let Form(Chosen { name: typed, password }) = form;
    let Some(email) = find(&state, &token).await? else { return ended(&state) };
    let password = Password::chosen(password, &state.settings.host_name, &email.text);
    let (name, password) = match (users::name(&typed), password) {
        (Ok(name), Ok(password)) => (name, password),
        (name, password) => {
            let name = Field { value: typed, problem: name.err() };
            let page = welcome(&state, &token, email, name, password.err());
            return page::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let network = request_log::client(&request).map_or(0, client_ip::network);
    let hash = hasher.hash(Asker::Network(network), password).await?;
    let now = clock::now();
    let mut tx = state.db.write().await?;
    if !links::use_up(&mut tx, Purpose::SignUp, &token, now).await? {
        return ended(&state);
    }
    links::end_sign_ups(&mut tx, &email.text).await?;
    // Whoever was invited meanwhile has an account: the invitation leads to it.
    let Some(user) = accounts::open(&mut tx, &email, name, Some(&hash), now).await? else { return ended(&state) };
    let sent = BrowserCookie::sent(&request, &state.base_url);
    let (browser, _) = sessions::browser::remember(&mut tx, user, sent, &origin, now).await?;
    activity::put(&mut tx, &Entry::own(user, Kind::SignedUp, &origin), now).await?;
    tx.commit().await?;
    let mut response = page::see_other("/sign_in?notice=password_set");
    browser.attach(&state.base_url, &mut response)?;
    Ok(response)
}
