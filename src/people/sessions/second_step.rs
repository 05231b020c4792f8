//! The second factor at a sign-in, after the password.

use actix_session::Session;
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use askama::Template;
use serde::Deserialize;

use crate::{
    base::{clock, error::Result, secret_keys::SecretKeys},
    people::{
        second_factor::verification::{self, Checker, Refusal, Right, Verified},
        sessions::{
            self,
            browser::BrowserCookie,
            notice,
            pending::{self, Pending, PendingCookie},
        },
        throttle,
    },
    record::origin::Origin,
    web::{
        form::{Arguments, Form},
        page::{self, CodeField, Layout},
        request_log,
        state::AppState,
    },
};

#[derive(Template)]
#[template(path = "sessions/second_factor.html")]
struct SecondFactorPage {
    layout: Layout,
    code: CodeField,
    return_to: String,
    /// The address of the same page for the other kind of codes.
    other: String,
}

impl SecondFactorPage {
    fn new(state: &AppState, return_to: &str, is_recovery: bool, refusal: Option<Refusal>) -> Self {
        SecondFactorPage {
            layout: Layout::new(state, None),
            code: code_field(state, is_recovery, refusal),
            return_to: return_to.to_owned(),
            other: if is_recovery { address(return_to) } else { format!("{}&recovery=1", address(return_to)) },
        }
    }
}

/// The field for a code, after a refusal with its message.
pub fn code_field(state: &AppState, is_recovery: bool, refusal: Option<Refusal>) -> CodeField {
    let now = clock::now();
    CodeField {
        is_recovery,
        has_focus: true,
        problem: refusal.map(|refusal| refusal.message(state.settings.support.as_deref(), now)),
        // A wrong clock is the most common reason.
        server_time: (refusal == Some(Refusal::Wrong)).then(|| page::When::utc(now)),
    }
}

/// The address of the page.
pub fn address(return_to: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", return_to).finish();
    format!("/sign_in/second_factor?{query}")
}

/// Where a sign-in that does not wait any more starts again.
fn start_again(return_to: &str) -> HttpResponse {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("return_to", return_to).append_pair("notice", "start_again");
    page::see_other(&format!("/sign_in?{}", query.finish()))
}

#[derive(Deserialize)]
pub struct Query {
    #[serde(default)]
    return_to: String,
    #[serde(default)]
    recovery: String,
}

/// GET /sign_in/second_factor
pub async fn show(request: HttpRequest, state: Data<AppState>, query: Arguments<Query>) -> Result<HttpResponse> {
    let Arguments(Query { return_to, recovery }) = query;
    let return_to = page::own_path(&return_to);
    if find(&request, &state).await?.is_none() {
        return Ok(start_again(return_to));
    }
    page::html(StatusCode::OK, &SecondFactorPage::new(&state, return_to, !recovery.is_empty(), None))
}

async fn find(request: &HttpRequest, state: &AppState) -> Result<Option<Pending>> {
    let Some(cookie) = PendingCookie::sent(request, &state.base_url) else { return Ok(None) };
    let browser = BrowserCookie::sent(request, &state.base_url).map(|browser| browser.digest());
    let mut tx = state.db.read().await?;
    Ok(pending::find(&mut tx, &cookie.digest(), browser.as_ref(), clock::now()).await?)
}

#[derive(Deserialize)]
pub struct Entered {
    #[serde(default)]
    code: String,
    #[serde(default)]
    return_to: String,
    #[serde(default)]
    recovery: String,
}

/// POST /sign_in/second_factor
pub async fn sign_in(
    request: HttpRequest,
    state: Data<AppState>,
    keys: Data<SecretKeys>,
    session: Session,
    origin: Origin,
    form: Form<Entered>,
) -> Result<HttpResponse> {
    let Form(Entered { code, return_to, recovery }) = form;
    let return_to = page::own_path(&return_to);
    let Some(waiting) = find(&request, &state).await? else { return Ok(start_again(return_to)) };
    let browser = BrowserCookie::sent(&request, &state.base_url).filter(|_| waiting.knows_browser);
    let checker = Checker {
        db: &state.db,
        keys: &keys,
        drift: state.settings.totp_drift_steps,
        user: waiting.user_id,
        browser: browser.map(|browser| browser.digest()),
        origin: &origin,
    };
    match checker.verify(&code).await? {
        Verified::Right(right) => {
            request_log::set_outcome(&request, "sign-in: ok", Some(waiting.user_id));
            begin(&request, &state, &session, &origin, *right, return_to).await
        }
        Verified::Refused(refusal) => {
            request_log::set_outcome(&request, "sign-in: wrong code", Some(waiting.user_id));
            let is_recovery = !recovery.is_empty();
            let page = SecondFactorPage::new(&state, return_to, is_recovery, Some(refusal));
            throttle::refused_page(&page, refusal.closed(), clock::now())
        }
    }
}

/// Begins the session, unless the sign-in does not wait any more: everything is read again.
async fn begin(
    request: &HttpRequest,
    state: &AppState,
    session: &Session,
    origin: &Origin,
    mut right: Right<'_>,
    return_to: &str,
) -> Result<HttpResponse> {
    let now = clock::now();
    let Some(cookie) = PendingCookie::sent(request, &state.base_url) else { return Ok(start_again(return_to)) };
    let found = pending::find(&mut right.tx, &cookie.digest(), None, now).await?;
    let Some((user, verified)) = found.as_ref().and_then(|found| Some((found.user_id, found.verified()?))) else {
        return Ok(start_again(return_to));
    };
    if !pending::end(&mut right.tx, &cookie.digest()).await? {
        return Ok(start_again(return_to));
    }
    let sent = BrowserCookie::sent(request, &state.base_url);
    let begun = sessions::begin(&mut right.tx, &state.settings, user, verified, sent, origin, now).await?;
    let Some((token, browser)) = begun else { return Ok(start_again(return_to)) };
    let warning = right.left.and_then(verification::warning);
    right.commit().await?;
    sessions::attach(session, token)?;
    let mut response = match warning {
        Some(warning) => notice::see_other(session, return_to, warning)?,
        None => page::see_other(return_to),
    };
    browser.attach(&state.base_url, &mut response)?;
    pending::remove_cookie(&state.base_url, &mut response)?;
    Ok(response)
}
