//! A forgotten password: the form that asks for a link, and the page behind the link.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use askama::Template;
use serde::Deserialize;

use crate::{
    base::{
        clock::{self, Moment},
        error::Result,
        secret_keys::SecretKeys,
    },
    db::Tx,
    people::{
        password::{Hasher, Password, RULES, THE_SAME, hash_queue::Asker},
        second_factor::{
            self,
            verification::{Checker, Refusal, Verified},
        },
        sessions::{
            self,
            browser::{self, BrowserCookie},
            second_step,
        },
        throttle::{self, Subject},
        users::{
            invitation::{self, ended},
            links::{self, Link, LinkToken, Purpose},
            mail_request::{self, Address, Asked},
            store,
        },
    },
    record::{
        activity::{self, Entry, Kind},
        origin::Origin,
        outbox::MailKind,
    },
    web::{
        form::{Field, Form},
        page::{self, CodeField, Layout},
        state::AppState,
    },
};

/// The form that asks for a link.
#[derive(Template)]
#[template(path = "users/reset.html")]
struct ResetPage {
    layout: Layout,
    sends_mail: bool,
    email: Field,
    /// The form was sent.
    is_asked: bool,
}

impl ResetPage {
    fn new(state: &AppState, email: Field) -> Self {
        let sends_mail = state.settings.mail.sends_mail();
        ResetPage { layout: Layout::new(state, None), sends_mail, email, is_asked: false }
    }
}

/// GET /reset_password
pub async fn show(state: Data<AppState>) -> Result<HttpResponse> {
    page::html(StatusCode::OK, &ResetPage::new(&state, Field::default()))
}

/// POST /reset_password
pub async fn ask(request: HttpRequest, state: Data<AppState>, form: Form<Address>) -> Result<HttpResponse> {
    let typed = form.0.email;
    if !state.settings.mail.sends_mail() {
        return page::html(StatusCode::OK, &ResetPage::new(&state, Field::of(typed)));
    }
    let asker = Subject::asker(&request, &state);
    match mail_request::ask(&request, &state, MailKind::Reset, asker, typed).await? {
        Asked::Sent(email) => {
            let page = ResetPage { is_asked: true, ..ResetPage::new(&state, Field::of(email)) };
            page::html(StatusCode::OK, &page)
        }
        Asked::Refused(email, closed) => throttle::refused_page(&ResetPage::new(&state, email), closed, clock::now()),
    }
}

/// The page behind a link.
#[derive(Template)]
#[template(path = "users/new_password.html")]
struct NewPasswordPage {
    layout: Layout,
    action: String,
    email: String,
    password_problem: Option<String>,
    rules: &'static str,
    /// If two-factor authentication is on.
    code: Option<CodeField>,
}

impl NewPasswordPage {
    fn new(state: &AppState, token: &LinkToken, link: &Link) -> Self {
        NewPasswordPage {
            layout: Layout::new(state, None),
            action: Purpose::Reset.path(token),
            email: link.user.email.clone(),
            password_problem: None,
            rules: RULES,
            code: link.has_second_factor.then(|| code_field(state, None)),
        }
    }
}

fn code_field(state: &AppState, refusal: Option<Refusal>) -> CodeField {
    CodeField { has_focus: refusal.is_some(), ..second_step::code_field(state, false, refusal) }
}

async fn find(state: &AppState, token: &LinkToken) -> Result<Option<Link>> {
    let mut tx = state.db.read().await?;
    Ok(links::find(&mut tx, Purpose::Reset, token, clock::now()).await?)
}

/// GET /reset_password/{token}
pub async fn open(state: Data<AppState>, token: Path<LinkToken>) -> Result<HttpResponse> {
    match find(&state, &token).await? {
        Some(link) => page::html(StatusCode::OK, &NewPasswordPage::new(&state, &token, &link)),
        None => ended(&state),
    }
}

#[derive(Deserialize)]
pub struct Chosen {
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
}

/// POST /reset_password/{token}: sets the password and signs nobody in. It takes the second factor too, if that is on: a
/// mailbox alone must not be enough. A wrong code does not use the link up.
pub async fn set(
    request: HttpRequest,
    state: Data<AppState>,
    hasher: Data<Hasher>,
    keys: Data<SecretKeys>,
    token: Path<LinkToken>,
    origin: Origin,
    form: Form<Chosen>,
) -> Result<HttpResponse> {
    let Form(Chosen { password, code }) = form;
    let Some(link) = find(&state, &token).await? else { return ended(&state) };
    let password = match Password::chosen(password, &state.settings.host_name, &link.user.email) {
        Ok(new) if invitation::is_current(&state, &hasher, &link.user, &new).await? => Err(THE_SAME.to_owned()),
        other => other,
    };
    let password = match password {
        Ok(password) => password,
        Err(problem) => {
            let page =
                NewPasswordPage { password_problem: Some(problem), ..NewPasswordPage::new(&state, &token, &link) };
            return page::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let hash = hasher.hash(Asker::User(link.user.id), password).await?;
    let reset = Reset { request: &request, state: &state, token: &token, link: &link, hash: &hash, origin: &origin };
    let browser = match link.has_second_factor {
        false => {
            let mut tx = state.db.write().await?;
            store::lock_user(&mut tx, link.user.id).await?;
            // It may have been turned on since the form was opened: then the form asks for a code.
            if second_factor::store::is_on(&mut tx, link.user.id).await? {
                return Ok(page::see_other(&Purpose::Reset.path(&token)));
            }
            let Some(browser) = reset.apply(&mut tx, clock::now()).await? else { return ended(&state) };
            tx.commit().await?;
            browser
        }
        true => {
            let checker = reset.checker(&keys).await?;
            let mut right = match checker.verify(&code).await? {
                Verified::Right(right) => right,
                Verified::Refused(refusal) => {
                    let code = Some(code_field(&state, Some(refusal)));
                    let page = NewPasswordPage { code, ..NewPasswordPage::new(&state, &token, &link) };
                    return throttle::refused_page(&page, refusal.closed(), clock::now());
                }
            };
            let Some(browser) = reset.apply(&mut right.tx, clock::now()).await? else { return ended(&state) };
            right.commit().await?;
            browser
        }
    };
    let mut response = page::see_other("/sign_in?notice=password_set");
    browser.attach(&state.base_url, &mut response)?;
    Ok(response)
}

/// A new password about to be set.
struct Reset<'a> {
    request: &'a HttpRequest,
    state: &'a AppState,
    token: &'a LinkToken,
    link: &'a Link,
    hash: &'a str,
    origin: &'a Origin,
}

impl<'a> Reset<'a> {
    async fn checker(&self, keys: &'a SecretKeys) -> Result<Checker<'a>> {
        let sent = BrowserCookie::sent(self.request, &self.state.base_url).map(|browser| browser.digest());
        let browser = match sent {
            Some(digest) => {
                let mut tx = self.state.db.read().await?;
                browser::is_known_to(&mut tx, self.link.user.id, &digest).await?.then_some(digest)
            }
            None => None,
        };
        let drift = self.state.settings.totp_drift_steps;
        Ok(Checker { db: &self.state.db, keys, drift, user: self.link.user.id, browser, origin: self.origin })
    }

    /// Uses the link up and sets the password: all sessions end, keys stay. `None` if the link has been used. This browser
    /// is known from now on.
    async fn apply(&self, tx: &mut Tx, now: Moment) -> sqlx::Result<Option<BrowserCookie>> {
        let user = &self.link.user;
        if !links::use_up(tx, Purpose::Reset, self.token, now).await? {
            return Ok(None);
        }
        links::end(tx, user.id, &[Purpose::Reset, Purpose::Welcome]).await?;
        store::set_password(tx, user.id, self.hash).await?;
        let sent = BrowserCookie::sent(self.request, &self.state.base_url);
        let browser = sessions::start_over(tx, user, sent, self.origin, now).await?;
        activity::put(tx, &Entry::own(user.id, Kind::PasswordReset, self.origin), now).await?;
        Ok(Some(browser))
    }
}
