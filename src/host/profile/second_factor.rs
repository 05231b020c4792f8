//! The pages of two-factor authentication: set up, turn off, new recovery codes.

use actix_session::Session;
use actix_web::{HttpResponse, http::StatusCode, web::Data};
use askama::Template;
use chrono::Duration;
use serde::Deserialize;

use crate::{
    access::signed_in::{Confirmed, SignedIn},
    base::{
        clock,
        error::{Error, Result},
        secret_keys::SecretKeys,
    },
    db::Tx,
    people::{
        second_factor::{
            Code, recovery, store,
            store::StoredTotp,
            totp::{self, QrPath, SharedSecret},
            verification::{self, Checker, Refusal, Verified},
        },
        sessions::{
            notice::{self, Notice},
            second_step,
        },
        throttle::{self, Subject},
        users,
    },
    record::{
        activity::{self, Entry, Kind},
        origin::Origin,
    },
    web::{
        form::Form,
        page::{self, CodeField, Layout, When},
        state::AppState,
    },
};

/// The page of the state.
const OVERVIEW: &str = "/user_profile/second_factor";

/// How long a secret is offered that was not confirmed: reloading shows the same QR code.
const OFFERED_FOR: Duration = Duration::days(1);

/// What checks the codes of a signed-in user. Wrong ones are counted for the session.
pub fn checker<'a>(state: &'a AppState, keys: &'a SecretKeys, person: &SignedIn, origin: &'a Origin) -> Checker<'a> {
    Checker {
        db: &state.db,
        keys,
        drift: state.settings.totp_drift_steps,
        user: person.user.id,
        browser: Some(person.session.counter()),
        origin,
    }
}

#[derive(Template)]
#[template(path = "second_factor/overview.html")]
struct OverviewPage {
    layout: Layout,
    notice: Notice,
    /// Since when it is on.
    on_since: Option<When>,
    codes_left: i64,
    warning: Option<String>,
    /// The host has secret keys to encrypt with.
    can_be_set_up: bool,
}

/// GET /user_profile/second_factor
pub async fn overview(
    state: Data<AppState>,
    keys: Data<SecretKeys>,
    person: SignedIn,
    session: Session,
) -> Result<HttpResponse> {
    let mut tx = state.db.read().await?;
    let confirmed_at = store::totp(&mut tx, person.user.id).await?.and_then(|totp| totp.confirmed_at);
    let codes_left = store::recovery_codes_left(&mut tx, person.user.id).await?;
    drop(tx);
    let page = OverviewPage {
        layout: Layout::new(&state, Some(person.user.display_name())),
        notice: notice::take(&session),
        on_since: confirmed_at.map(|at| When::new(at, person.user.zone())),
        codes_left,
        warning: verification::warning(codes_left),
        can_be_set_up: keys.can_seal(),
    };
    page::html(StatusCode::OK, &page)
}

#[derive(Template)]
#[template(path = "second_factor/set_up.html")]
struct SetUpPage {
    layout: Layout,
    qr: QrPath,
    /// The secret in groups of four.
    secret: String,
    code: CodeField,
    /// The host requires it before anything else.
    is_required: bool,
}

/// GET /user_profile/second_factor/new
pub async fn set_up_form(state: Data<AppState>, keys: Data<SecretKeys>, person: Confirmed) -> Result<HttpResponse> {
    let Confirmed(person) = person;
    match offered(&state, &keys, &person).await? {
        Some((_, secret)) => set_up_page(&state, &person, &secret, None),
        None => Ok(page::see_other(OVERVIEW)),
    }
}

fn set_up_page(
    state: &AppState,
    person: &SignedIn,
    secret: &SharedSecret,
    refusal: Option<Refusal>,
) -> Result<HttpResponse> {
    let text = secret.base32();
    let groups: Vec<&str> = (0..text.len()).step_by(4).map(|start| &text[start..(start + 4).min(text.len())]).collect();
    let page = SetUpPage {
        layout: Layout::new(state, Some(person.user.display_name())),
        qr: totp::qr(&secret.address(&state.settings.host_name, &person.user.email))?,
        secret: groups.join(" "),
        code: second_step::code_field(state, false, refusal),
        is_required: crate::access::signed_in::needs_second_factor(state, person.has_second_factor),
    };
    match refusal {
        Some(refusal) => throttle::refused_page(&page, refusal.closed(), clock::now()),
        None => page::html(StatusCode::OK, &page),
    }
}

/// The secret that the user is about to confirm: the last one, or a new one. `None` if it is on already, or nothing can be
/// encrypted.
async fn offered(state: &AppState, keys: &SecretKeys, person: &SignedIn) -> Result<Option<(StoredTotp, SharedSecret)>> {
    let (user, now) = (person.user.id, clock::now());
    let mut tx = state.db.read().await?;
    let stored = store::totp(&mut tx, user).await?;
    drop(tx);
    if let Some(stored) = stored {
        if stored.confirmed_at.is_some() {
            return Ok(None);
        }
        if (now - stored.created_at).abs() < OFFERED_FOR
            && let Some(secret) = store::secret(keys, &stored)
        {
            return Ok(Some((stored, secret)));
        }
    }
    if !keys.can_seal() {
        return Ok(None);
    }
    let secret = SharedSecret::generate();
    let (key, sealed) = keys.seal(&store::place(user), secret.bytes()).map_err(Error::Internal)?;
    let mut tx = state.db.write().await?;
    users::store::lock_user(&mut tx, user).await?;
    if !store::insert(&mut tx, user, &key, &sealed, now).await? {
        return Ok(None);
    }
    let stored = store::totp(&mut tx, user).await?;
    tx.commit().await?;
    Ok(stored.map(|stored| (stored, secret)))
}

#[derive(Deserialize)]
pub struct Entered {
    #[serde(default)]
    code: String,
}

/// POST /user_profile/second_factor/new: turns it on after the first right code, and shows the recovery codes.
pub async fn set_up(
    state: Data<AppState>,
    keys: Data<SecretKeys>,
    person: Confirmed,
    origin: Origin,
    form: Form<Entered>,
) -> Result<HttpResponse> {
    let Confirmed(person) = person;
    let user = person.user.id;
    let Some((stored, secret)) = offered(&state, &keys, &person).await? else { return Ok(page::see_other(OVERVIEW)) };
    let subject = Subject::Code(user, Some(person.session.counter()));
    let ticket = match throttle::store::reserve(&state.db, vec![subject], clock::now()).await? {
        Ok(ticket) => ticket,
        Err(closed) => return set_up_page(&state, &person, &secret, Some(Refusal::Closed(closed))),
    };
    let now = clock::now();
    let step = match Code::read(&form.0.code) {
        Code::OneTime(code) => secret.step_of(&code, state.settings.totp_drift_steps, now)?,
        Code::Recovery(_) | Code::Malformed => None,
    };
    let Some(step) = step else { return set_up_page(&state, &person, &secret, Some(Refusal::Wrong)) };
    let mut tx = state.db.write().await?;
    users::store::lock_user(&mut tx, user).await?;
    if !store::confirm(&mut tx, user, &stored.sealed, step, now).await? {
        // Turned on meanwhile, in another window.
        return Ok(page::see_other(OVERVIEW));
    }
    let codes = new_codes(&mut tx, &person).await?;
    ticket.succeed(&mut tx).await?;
    activity::put(&mut tx, &Entry::own(user, Kind::SecondFactorOn, &origin), now).await?;
    tx.commit().await?;
    codes_page(&state, &person, codes, true)
}

/// Creates recovery codes; earlier ones stop working.
async fn new_codes(tx: &mut Tx, person: &SignedIn) -> sqlx::Result<Vec<String>> {
    let codes: Vec<String> = (0..recovery::CODES).map(|_| recovery::generate()).collect();
    let digests: Vec<_> =
        codes.iter().filter_map(|code| recovery::read(code)).map(|code| recovery::digest(&code)).collect();
    store::replace_recovery_codes(tx, person.user.id, &digests).await?;
    Ok(codes)
}

#[derive(Template)]
#[template(path = "second_factor/codes.html")]
struct CodesPage {
    layout: Layout,
    codes: Vec<String>,
    email: String,
    /// It has just been turned on.
    is_new: bool,
}

/// The one response that shows the recovery codes.
fn codes_page(state: &AppState, person: &SignedIn, codes: Vec<String>, is_new: bool) -> Result<HttpResponse> {
    let layout = Layout::new(state, Some(person.user.display_name()));
    page::html(StatusCode::OK, &CodesPage { layout, codes, email: person.user.email.clone(), is_new })
}

/// A form that asks for a code.
#[derive(Template)]
#[template(path = "second_factor/enter_code.html")]
struct EnterCodePage {
    layout: Layout,
    code: CodeField,
    form: CodeForm,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum CodeForm {
    Remove,
    NewCodes,
}

/// The form, after a refusal with its message; where it is off, the page that says so.
fn enter_code(state: &AppState, person: &SignedIn, form: CodeForm, refusal: Option<Refusal>) -> Result<HttpResponse> {
    if !person.has_second_factor {
        return Ok(page::see_other(OVERVIEW));
    }
    let layout = Layout::new(state, Some(person.user.display_name()));
    let page = EnterCodePage { layout, code: second_step::code_field(state, false, refusal), form };
    match refusal {
        Some(refusal) => throttle::refused_page(&page, refusal.closed(), clock::now()),
        None => page::html(StatusCode::OK, &page),
    }
}

/// GET /user_profile/second_factor/remove
pub async fn remove_form(state: Data<AppState>, person: SignedIn) -> Result<HttpResponse> {
    enter_code(&state, &person, CodeForm::Remove, None)
}

/// POST /user_profile/second_factor/remove: the code in the form is its confirmation.
pub async fn remove(
    state: Data<AppState>,
    keys: Data<SecretKeys>,
    person: SignedIn,
    session: Session,
    origin: Origin,
    form: Form<Entered>,
) -> Result<HttpResponse> {
    if !person.has_second_factor {
        return Ok(page::see_other(OVERVIEW));
    }
    let checker = checker(&state, &keys, &person, &origin);
    let mut right = match checker.verify(&form.0.code).await? {
        Verified::Right(right) => right,
        Verified::Refused(refusal) => return enter_code(&state, &person, CodeForm::Remove, Some(refusal)),
    };
    store::remove(&mut right.tx, person.user.id).await?;
    let entry = Entry::own(person.user.id, Kind::SecondFactorOff, &origin);
    activity::put(&mut right.tx, &entry, clock::now()).await?;
    right.commit().await?;
    notice::see_other(&session, OVERVIEW, "Two-factor authentication is off.")
}

/// GET /user_profile/recovery_codes/new
pub async fn new_codes_form(state: Data<AppState>, person: SignedIn) -> Result<HttpResponse> {
    enter_code(&state, &person, CodeForm::NewCodes, None)
}

/// POST /user_profile/recovery_codes/new: the code in the form is its confirmation.
pub async fn create_codes(
    state: Data<AppState>,
    keys: Data<SecretKeys>,
    person: SignedIn,
    origin: Origin,
    form: Form<Entered>,
) -> Result<HttpResponse> {
    if !person.has_second_factor {
        return Ok(page::see_other(OVERVIEW));
    }
    let checker = checker(&state, &keys, &person, &origin);
    let mut right = match checker.verify(&form.0.code).await? {
        Verified::Right(right) => right,
        Verified::Refused(refusal) => return enter_code(&state, &person, CodeForm::NewCodes, Some(refusal)),
    };
    let codes = new_codes(&mut right.tx, &person).await?;
    let entry = Entry::own(person.user.id, Kind::RecoveryCodesMade, &origin);
    activity::put(&mut right.tx, &entry, clock::now()).await?;
    right.commit().await?;
    codes_page(&state, &person, codes, false)
}
