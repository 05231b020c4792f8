//! The sign-in page, and signing out.

use actix_session::Session;
use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Data,
};
use askama::Template;
use serde::Deserialize;

use crate::{
    base::{error::Result, ids::UserId},
    people::{
        password::{Hasher, Password, Verdict, hash_queue::Asker},
        sessions,
        users::{self, Email},
    },
    web::{
        admission::{self, Admission, BodyBudget},
        client_ip,
        form::{Arguments, Field, Form},
        page::{self, Layout, Resume},
        request_log::{self, Reason, RequestUser},
        state::AppState,
    },
};

#[derive(Template)]
#[template(path = "sessions/sign_in.html")]
struct SignInPage {
    layout: Layout,
    notice: Option<String>,
    email: Field,
    return_to: String,
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
    let return_to = Resume::own_path(&arrival.return_to);
    if let Some(user) = sessions::user(&session) {
        let mut tx = state.db.read().await?;
        let account = users::store::by_id(&mut tx, user).await?;
        if account.is_some_and(|account| account.user.deactivated_at.is_none()) {
            return Ok(page::see_other(return_to));
        }
    }
    let notice = match arrival.notice.as_str() {
        "signed_out" => Some("You are signed out."),
        "password_set" => Some("Your password is set. Sign in with it."),
        "kept" => {
            Some("Your session has ended. Sign in to continue: what you entered has been kept, except passwords.")
        }
        _ => None,
    };
    let page = SignInPage {
        layout: Layout::new(&state, None),
        notice: notice.map(str::to_owned),
        email: Field::default(),
        return_to: return_to.to_owned(),
    };
    page::html(StatusCode::OK, &page)
}

/// POST /sign_in
pub async fn sign_in(
    request: HttpRequest,
    state: Data<AppState>,
    hasher: Data<Hasher>,
    limits: Data<Admission>,
    session: Session,
    form: Form<SignIn>,
) -> Result<HttpResponse> {
    let Form(SignIn { email, password, return_to }) = form;
    let return_to = Resume::own_path(&return_to);
    let credentials = match email.parse::<Email>() {
        Ok(email) => {
            let mut tx = state.db.read().await?;
            users::store::credentials(&mut tx, &email).await?
        }
        Err(_) => None,
    };
    let hash = credentials.as_ref().and_then(|found| found.password_hash.clone());
    let network = request_log::client(&request).map_or(0, client_ip::network);
    // Requests that wait for a hash do not count as concurrent.
    let suspended = admission::suspend(&request);
    let verdict = hasher.verify(Asker::Network(network), Password::typed(password), hash.clone()).await;
    if verdict.is_err() {
        set_outcome(&request, "sign-in: busy", None);
    }
    let verdict = verdict?;
    suspended.resume(&request, BodyBudget::empty(&limits))?;
    let problem = match (verdict, credentials) {
        (Verdict::Wrong, found) => {
            set_outcome(&request, "sign-in: wrong", found.map(|found| found.id));
            "Incorrect email or password."
        }
        (_, None) => "Incorrect email or password.",
        (_, Some(found)) if found.deactivated_at.is_some() => {
            set_outcome(&request, "sign-in: deactivated", Some(found.id));
            "This account has been deactivated."
        }
        (verdict, Some(found)) => {
            let mut hash = hash.unwrap_or_default();
            if let Verdict::RightUpgrade(new) = verdict {
                let mut tx = state.db.write().await?;
                users::store::replace_password(&mut tx, found.id, &hash, &new).await?;
                tx.commit().await?;
                hash = new;
            }
            sessions::begin(&session, found.id, &hash)?;
            set_outcome(&request, "sign-in: ok", Some(found.id));
            return Ok(page::see_other(return_to));
        }
    };
    let page = SignInPage {
        layout: Layout::new(&state, None),
        notice: None,
        email: Field::wrong(email, problem),
        return_to: return_to.to_owned(),
    };
    page::html(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// Sets the outcome and the user, if there is one, for the log line: never the address that was entered.
fn set_outcome(request: &HttpRequest, outcome: &'static str, user: Option<UserId>) {
    let mut extensions = request.extensions_mut();
    extensions.insert(Reason(outcome.into()));
    if let Some(user) = user {
        extensions.insert(RequestUser(user, None));
    }
}

/// POST /sign_out. It also clears the pages that browsers keep for going back, which `no-store` does not.
pub async fn sign_out(session: Session) -> HttpResponse {
    session.purge();
    let mut answer = page::see_other("/sign_in?notice=signed_out");
    answer.headers_mut().insert(header::CLEAR_SITE_DATA, header::HeaderValue::from_static("\"cache\""));
    answer
}

/// GET /sign_out: somebody opened the address. Signing out is a POST, so that no link can do it.
pub async fn sign_out_typed() -> HttpResponse {
    page::see_other("/user_profile")
}
