//! The page on which a signed-in user proves once more who they are, before a change that gives or widens access: with a
//! code if two-factor authentication is on, else with the password.

use actix_session::Session;
use actix_web::{HttpResponse, http::StatusCode, web::Data};
use askama::Template;
use serde::Deserialize;

use crate::{
    access::signed_in::SignedIn,
    base::{
        clock,
        error::{Error, Result},
        secret_keys::SecretKeys,
    },
    db::Tx,
    people::{
        password::{Hasher, Password},
        second_factor::{self, verification::Refusal},
        sessions::{
            self, notice, second_step, store,
            store::SessionToken,
            verification::{self, Verified},
        },
        throttle,
    },
    record::{
        activity::{self, Entry, Kind},
        origin::Origin,
    },
    web::{
        form::{Arguments, Form},
        page::{self, CodeField, Layout},
        state::AppState,
    },
};

#[derive(Template)]
#[template(path = "sessions/confirm.html")]
struct ConfirmPage {
    layout: Layout,
    email: String,
    /// The field for a code, instead of the password.
    code: Option<CodeField>,
    password_problem: Option<String>,
    return_to: String,
    /// What was entered into a form is kept.
    is_kept: bool,
}

impl ConfirmPage {
    fn new(state: &AppState, person: &SignedIn, return_to: &str) -> Self {
        ConfirmPage {
            layout: Layout::new(state, Some(person.user.display_name())),
            email: person.user.email.clone(),
            code: person.has_second_factor.then(|| second_step::code_field(state, false, None)),
            password_problem: None,
            return_to: return_to.to_owned(),
            is_kept: return_to.contains("?kept="),
        }
    }
}

#[derive(Deserialize)]
pub struct Query {
    #[serde(default)]
    return_to: String,
}

/// GET /confirm
pub async fn show(state: Data<AppState>, person: SignedIn, query: Arguments<Query>) -> Result<HttpResponse> {
    let return_to = page::own_path(&query.0.return_to);
    page::html(StatusCode::OK, &ConfirmPage::new(&state, &person, return_to))
}

#[derive(Deserialize)]
pub struct Confirmation {
    #[serde(default)]
    code: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    return_to: String,
}

/// POST /confirm: the session gets a new id.
pub async fn confirm(
    state: Data<AppState>,
    hasher: Data<Hasher>,
    keys: Data<SecretKeys>,
    person: SignedIn,
    session: Session,
    origin: Origin,
    form: Form<Confirmation>,
) -> Result<HttpResponse> {
    let Form(Confirmation { code, password, return_to }) = form;
    let return_to = page::own_path(&return_to);
    if person.has_second_factor {
        return by_code(&state, &keys, &person, &session, &origin, &code, return_to).await;
    }
    let typed = Password::typed(password);
    let (problem, closed) = match verification::verify(&state, &hasher, &person.session, typed, &origin).await? {
        Verified::Right(_) => {
            let mut tx = state.db.write().await?;
            let token = note(&mut tx, &person, &origin, return_to).await?;
            tx.commit().await?;
            sessions::change_id(&session, token)?;
            return Ok(page::see_other(return_to));
        }
        Verified::Wrong => ("This is not your password.".to_owned(), None),
        Verified::Closed(closed) => (closed.message(clock::now()), Some(closed)),
    };
    let page = ConfirmPage { password_problem: Some(problem), ..ConfirmPage::new(&state, &person, return_to) };
    throttle::refused_page(&page, closed, clock::now())
}

async fn by_code(
    state: &AppState,
    keys: &SecretKeys,
    person: &SignedIn,
    session: &Session,
    origin: &Origin,
    code: &str,
    return_to: &str,
) -> Result<HttpResponse> {
    let checker = super::second_factor::checker(state, keys, person, origin);
    match checker.verify(code).await? {
        second_factor::verification::Verified::Right(mut right) => {
            let token = note(&mut right.tx, person, origin, return_to).await?;
            let warning = right.left.and_then(second_factor::verification::warning);
            right.commit().await?;
            sessions::change_id(session, token)?;
            match warning {
                Some(warning) => notice::see_other(session, return_to, warning),
                None => Ok(page::see_other(return_to)),
            }
        }
        second_factor::verification::Verified::Refused(refusal) => refused(state, person, return_to, refusal),
    }
}

fn refused(state: &AppState, person: &SignedIn, return_to: &str, refusal: Refusal) -> Result<HttpResponse> {
    let code = Some(second_step::code_field(state, false, Some(refusal)));
    let page = ConfirmPage { code, ..ConfirmPage::new(state, person, return_to) };
    throttle::refused_page(&page, refusal.closed(), clock::now())
}

/// Notes the confirmation, and returns the new id of the session.
///
/// # Errors
/// `SignIn` if the session has ended meanwhile.
async fn note(tx: &mut Tx, person: &SignedIn, origin: &Origin, return_to: &str) -> Result<SessionToken> {
    let now = clock::now();
    let token = store::confirm(tx, person.session.id, now).await?;
    let token = token.ok_or_else(|| Error::SignIn { return_to: return_to.to_owned(), has_input: false })?;
    let entry = Entry::own(person.user.id, Kind::Confirmed, origin).about(person.session.id);
    activity::put(tx, &entry, now).await?;
    Ok(token)
}
