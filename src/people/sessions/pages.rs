//! The sign-in page, and signing out.

use actix_session::Session;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Data,
};
use askama::Template;
use serde::Deserialize;

use crate::{
    base::{
        clock::{self, Moment},
        error::Result,
        ids::UserId,
    },
    people::{
        password::{Hasher, Password, Verdict, hash_queue::Asker},
        second_factor,
        sessions::{
            self,
            browser::BrowserCookie,
            pending::{self, PendingCookie},
            second_step,
            store::{self, SessionToken},
        },
        throttle::{self, Closed, Subject, store::Ticket},
        users::{self, Email, store::Credentials},
    },
    record::{
        activity::{self, Entry, Kind},
        origin::Origin,
    },
    web::{
        admission::{self, Admission, BodyBudget},
        client_ip,
        form::{Arguments, Field, Form},
        page::{self, Layout},
        request_log,
        state::AppState,
    },
};

/// The message for a wrong address as for a wrong password.
const INCORRECT: &str = "Incorrect email or password.";

#[derive(Template)]
#[template(path = "sessions/sign_in.html")]
struct SignInPage {
    layout: Layout,
    notice: Option<String>,
    email: Field,
    return_to: String,
    /// A forgotten password can be reset by mail.
    sends_mail: bool,
    /// Everybody can create an account.
    is_open: bool,
}

impl SignInPage {
    fn new(state: &AppState, notice: Option<&str>, email: Field, return_to: &str) -> Self {
        SignInPage {
            layout: Layout::new(state, None),
            notice: notice.map(str::to_owned),
            email,
            return_to: return_to.to_owned(),
            sends_mail: state.settings.mail.sends_mail(),
            is_open: state.settings.mail.is_open(),
        }
    }
}

#[derive(Deserialize)]
pub struct Arrival {
    #[serde(default)]
    return_to: String,
    #[serde(default)]
    notice: String,
}

#[derive(Deserialize)]
pub struct SignIn {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    return_to: String,
}

/// GET /sign_in
pub async fn show(state: Data<AppState>, session: Session, arrival: Arguments<Arrival>) -> Result<HttpResponse> {
    let Arguments(arrival) = arrival;
    let return_to = page::own_path(&arrival.return_to);
    if let Some(user) = sessions::user(&session) {
        let mut tx = state.db.read().await?;
        let account = users::store::by_id(&mut tx, user).await?;
        if account.is_some_and(|account| account.user.deactivated_at.is_none()) {
            return Ok(page::see_other(return_to));
        }
    }
    let notice = match arrival.notice.as_str() {
        "signed_out" => Some("You are signed out."),
        "start_again" => Some("The sign-in took too long, or your account has changed. Start again."),
        "password_set" => Some("Your password is set. Sign in with it."),
        "email_changed" => Some("Your email address is changed. Sign in with the new one."),
        "email_undone" => {
            Some("Your email address is changed back. A mail with a link for a new password is on its way.")
        }
        "kept" => {
            Some("Your session has ended. Sign in to continue: what you entered has been kept, except passwords.")
        }
        _ => None,
    };
    page::html(StatusCode::OK, &SignInPage::new(&state, notice, Field::default(), return_to))
}

/// One attempt to sign in.
struct Attempt<'a> {
    request: &'a HttpRequest,
    state: &'a AppState,
    origin: &'a Origin,
    /// The account of the address that was entered, if there is one.
    found: Option<Credentials>,
    /// Strangers at this address.
    account: Subject,
}

/// How an attempt ended.
enum Outcome {
    /// A session begins.
    SignedIn(SessionToken, BrowserCookie),
    /// The password was right, and the second factor is needed.
    Pending(PendingCookie),
    /// The message beside the address.
    Refused(&'static str),
    /// Not checked, after too many failed ones.
    Closed(Closed),
}

/// POST /sign_in
pub async fn sign_in(
    request: HttpRequest,
    state: Data<AppState>,
    hasher: Data<Hasher>,
    limits: Data<Admission>,
    session: Session,
    origin: Origin,
    form: Form<SignIn>,
) -> Result<HttpResponse> {
    let Form(SignIn { email, password, return_to }) = form;
    let return_to = page::own_path(&return_to);
    let attempt = Attempt::new(&request, &state, &origin, &email).await?;
    let outcome = attempt.decide(&hasher, &limits, Password::typed(password)).await?;
    let now = clock::now();
    let (problem, closed) = match outcome {
        Outcome::SignedIn(token, browser) => {
            sessions::attach(&session, token)?;
            let mut response = page::see_other(return_to);
            browser.attach(&state.base_url, &mut response)?;
            return Ok(response);
        }
        Outcome::Pending(pending) => {
            let mut response = page::see_other(&second_step::address(return_to));
            pending.attach(&state.base_url, &mut response)?;
            return Ok(response);
        }
        Outcome::Refused(problem) => (problem.to_owned(), None),
        Outcome::Closed(closed) => (closed.message(now), Some(closed)),
    };
    let page = SignInPage::new(&state, None, Field::wrong(email, problem), return_to);
    throttle::refused_page(&page, closed, now)
}

impl<'a> Attempt<'a> {
    async fn new(request: &'a HttpRequest, state: &'a AppState, origin: &'a Origin, typed: &str) -> Result<Self> {
        let browser = BrowserCookie::sent(request, &state.base_url).map(|browser| browser.digest());
        let found = match typed.parse::<Email>() {
            Ok(email) => {
                let mut tx = state.db.read().await?;
                users::store::credentials(&mut tx, &email, browser.as_ref()).await?
            }
            Err(_) => None,
        };
        let account = Subject::account(typed, found.as_ref().map(|found| found.id));
        Ok(Attempt { request, state, origin, found, account })
    }

    /// Whose failures count: those of a browser from which this user has signed in before, or else those of strangers, by
    /// account and by address.
    fn subjects(&self) -> Vec<Subject> {
        let browser = BrowserCookie::sent(self.request, &self.state.base_url);
        match (&self.found, browser) {
            (Some(found), Some(browser)) if found.knows_browser => {
                vec![Subject::Browser(found.id, browser.digest())]
            }
            _ => std::iter::once(self.account.clone()).chain(Subject::client(self.request, self.state)).collect(),
        }
    }

    async fn decide(self, hasher: &Hasher, limits: &Admission, password: Password) -> Result<Outcome> {
        let user = self.found.as_ref().map(|found| found.id);
        let ticket = match throttle::store::reserve(&self.state.db, self.subjects(), clock::now()).await? {
            Ok(ticket) => ticket,
            Err(closed) => {
                request_log::set_outcome(self.request, "sign-in: too many attempts", user);
                return Ok(Outcome::Closed(closed));
            }
        };
        let verdict = match self.verify(hasher, limits, password).await {
            Ok(verdict) => verdict,
            // Not checked, so it is no failure.
            Err(error) => {
                request_log::set_outcome(self.request, "sign-in: busy", None);
                ticket.give_back(&self.state.db).await?;
                return Err(error);
            }
        };
        let now = clock::now();
        match (verdict, &self.found) {
            (Verdict::Wrong, _) | (_, None) => {
                request_log::set_outcome(self.request, "sign-in: wrong", user);
                self.record_failure(&ticket, now).await?;
                Ok(Outcome::Refused(INCORRECT))
            }
            (_, Some(found)) if found.deactivated_at.is_some() => {
                request_log::set_outcome(self.request, "sign-in: deactivated", user);
                ticket.give_back(&self.state.db).await?;
                Ok(Outcome::Refused("This account has been deactivated."))
            }
            (verdict, Some(found)) => {
                let outcome = self.begin(found, verdict, ticket, now).await?;
                let word = match outcome {
                    Outcome::SignedIn(..) => "sign-in: ok",
                    Outcome::Pending(_) => "sign-in: second factor",
                    Outcome::Refused(_) | Outcome::Closed(_) => "sign-in: wrong",
                };
                request_log::set_outcome(self.request, word, user);
                Ok(outcome)
            }
        }
    }

    async fn verify(&self, hasher: &Hasher, limits: &Admission, password: Password) -> Result<Verdict> {
        let network = request_log::client(self.request).map_or(0, client_ip::network);
        let hash = self.found.as_ref().and_then(|found| found.password_hash.clone());
        // Requests that wait for a hash do not count as concurrent.
        let suspended = admission::suspend(self.request);
        let verdict = hasher.verify(Asker::Network(network), password, hash).await?;
        suspended.resume(self.request, BodyBudget::empty(limits))?;
        Ok(verdict)
    }

    /// Records a failed attempt at a known account. One at an unknown account takes as long.
    async fn record_failure(&self, ticket: &Ticket, now: Moment) -> Result<()> {
        let mut tx = self.state.db.write().await?;
        match &self.found {
            Some(found) => {
                activity::count_failure(&mut tx, found.id, Kind::SignInFailed, self.origin, now).await?;
                if ticket.failures_of_strangers() == GUESSING {
                    let entry = Entry::own(found.id, Kind::Guessing, self.origin).by_nobody();
                    activity::put(&mut tx, &entry, now).await?;
                }
            }
            None => {
                // The same statements, for nobody: they store nothing.
                activity::count_failure(&mut tx, UserId::new(), Kind::SignInFailed, self.origin, now).await?;
                throttle::store::touch(&mut tx, &self.account, now).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    /// Begins a session after the right password, in one transaction with everything that tells of it.
    async fn begin(&self, found: &Credentials, verdict: Verdict, ticket: Ticket, now: Moment) -> Result<Outcome> {
        let (user, origin) = (found.id, self.origin);
        let mut verified = found.password_hash.clone().unwrap_or_default();
        let mut tx = self.state.db.write().await?;
        users::store::lock_user(&mut tx, user).await?;
        if let Verdict::RightUpgrade(new) = verdict
            && users::store::replace_password(&mut tx, user, &verified, &new).await?
        {
            verified = new;
        }
        if second_factor::store::is_on(&mut tx, user).await? {
            let begun = pending::begin(&mut tx, user, &verified, origin, now).await?;
            let Some(cookie) = begun else { return Ok(Outcome::Refused(INCORRECT)) };
            ticket.succeed(&mut tx).await?;
            tx.commit().await?;
            return Ok(Outcome::Pending(cookie));
        }
        let sent = BrowserCookie::sent(self.request, &self.state.base_url);
        let begun = sessions::begin(&mut tx, &self.state.settings, user, &verified, sent, origin, now).await?;
        // The password was changed, or the user deactivated, since it was verified.
        let Some((token, browser)) = begun else { return Ok(Outcome::Refused(INCORRECT)) };
        ticket.succeed(&mut tx).await?;
        tx.commit().await?;
        Ok(Outcome::SignedIn(token, browser))
    }
}

/// Failures of strangers in a row that are recorded as guessing.
const GUESSING: i64 = 10;

/// POST /sign_out. It also clears the pages that browsers keep for going back, which `no-store` does not.
pub async fn sign_out(state: Data<AppState>, session: Session, origin: Origin) -> Result<HttpResponse> {
    if let Some(current) = sessions::current(&session) {
        let mut tx = state.db.write().await?;
        if store::end(&mut tx, current.user, current.id).await? {
            let entry = Entry::own(current.user, Kind::SignOut, &origin).about(current.id);
            activity::put(&mut tx, &entry, clock::now()).await?;
            tx.commit().await?;
        }
    }
    session.purge();
    let mut answer = page::see_other("/sign_in?notice=signed_out");
    answer.headers_mut().insert(header::CLEAR_SITE_DATA, header::HeaderValue::from_static("\"cache\""));
    Ok(answer)
}

/// GET /sign_out: somebody opened the address. Signing out is a POST, so that no link can do it.
pub async fn sign_out_typed() -> HttpResponse {
    page::see_other("/user_profile")
}
