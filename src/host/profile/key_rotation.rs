//! Rotating a key.

use actix_session::Session;
use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use serde::Deserialize;

use crate::{
    access::signed_in::{Confirmed, SignedIn},
    base::{clock, error::Result, secret},
    host::profile::{
        Dialog, ProfilePage,
        key_list::ListView,
        key_row::KeyRow,
        key_shown::ShownKey,
        keys::{self as pages, digest, find, require_subscription},
    },
    keys::{
        ApiKey,
        create::Submission,
        expiry::{ExpiryFields, ExpiryForm, Problem, Terms},
        rotate::{self, Overlap, OverlapField, Rotation},
    },
    people::sessions::{kept_forms::Typed, notice},
    record::origin::Origin,
    web::{form::Form, page::When, state::AppState},
};

/// The form, also as query parameters: `overlap=now` for a key whose text was lost.
#[derive(Deserialize)]
pub struct RotationForm {
    #[serde(default)]
    overlap: String,
    #[serde(default)]
    form_token: String,
    #[serde(flatten)]
    expiry: ExpiryForm,
}

impl RotationForm {
    /// The overlap, 24 hours without any.
    fn overlap(&self) -> Option<Overlap> {
        if self.overlap.is_empty() { Some(Overlap::Day) } else { Overlap::from_name(&self.overlap) }
    }
}

/// GET /user_profile/api_keys/{id}/rotate
pub async fn show(
    state: Data<AppState>,
    person: SignedIn,
    session: Session,
    view: ListView,
    id: Path<String>,
    typed: Typed<RotationForm>,
) -> Result<HttpResponse> {
    require_subscription(&state, &person)?;
    let key = find(&state, person.user.id, &id).await?;
    if let Some(reason) = rotate::refusal(&key, clock::now()) {
        return notice::see_other(&session, &view.address("api_keys"), reason);
    }
    let terms = pages::terms(&state, &person, clock::now());
    let mut form = typed.0;
    form.expiry = form.expiry.or(|| ExpiryForm::like(key.expires_at, key.created_at, &terms));
    form.overlap = form.overlap().unwrap_or(Overlap::Day).name().to_owned();
    let dialog = dialog(key, form, &terms, (None, None));
    ProfilePage::with(&state, &person, &view, dialog).await?.answer(StatusCode::OK)
}

fn dialog(key: ApiKey, form: RotationForm, terms: &Terms, problems: (Option<String>, Option<Problem>)) -> Dialog {
    let RotationForm { overlap, form_token, expiry } = form;
    Dialog::Rotate {
        row: KeyRow::new(key, terms.zone, terms.now),
        overlap: OverlapField::new(&overlap, problems.0),
        expiry: ExpiryFields::new(expiry, terms, problems.1),
        form_token: if form_token.is_empty() { secret::random() } else { form_token },
    }
}

/// POST /user_profile/api_keys/{id}/rotate: the one response that shows the new key.
pub async fn rotate(
    state: Data<AppState>,
    person: Confirmed,
    origin: Origin,
    view: ListView,
    id: Path<String>,
    form: Form<RotationForm>,
) -> Result<HttpResponse> {
    let Confirmed(person) = person;
    require_subscription(&state, &person)?;
    let key = find(&state, person.user.id, &id).await?;
    let (Form(form), now) = (form, clock::now());
    let terms = pages::terms(&state, &person, now);
    let (overlap, expires_at) = match (form.overlap(), form.expiry.read(&terms, None)) {
        (Some(overlap), Ok(expires_at)) => (overlap, expires_at),
        (overlap, expires_at) => {
            let problem = overlap.is_none().then(|| "Choose from the list.".to_owned());
            let dialog = dialog(key, form, &terms, (problem, expires_at.err()));
            return ProfilePage::with(&state, &person, &view, dialog).await?.answer(StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let (caller, token) = (person.caller(), digest(&form.form_token));
    let sent = Submission { caller: &caller, form: &token, origin: &origin, at: now };
    match rotate::rotate(&state.db, &state.settings, &sent, key.id, overlap, expires_at).await? {
        Rotation::Rotated { new, key, title, old_until } => {
            let zone = person.user.zone();
            let old = match (overlap, old_until.map(|until| When::new(until, zone).text)) {
                (Overlap::Unused, Some(until)) => {
                    format!("The old key works until it has not been used for 24 hours, at most until {until}.")
                }
                (_, Some(until)) => format!("The old key works until {until}."),
                (_, None) => "The old key no longer works.".to_owned(),
            };
            let dialog = Dialog::Created(ShownKey::new(&state, &person, new, title, &key, Some(old), false));
            ProfilePage::with(&state, &person, &view, dialog).await?.answer(StatusCode::OK)
        }
        Rotation::Repeated(key) => pages::repeated(&state, &person, &view, *key).await,
        Rotation::Refused(reason) => {
            let row = KeyRow::new(find(&state, person.user.id, &id).await?, person.user.zone(), clock::now());
            let dialog = Dialog::NotRotated { row, reason };
            ProfilePage::with(&state, &person, &view, dialog).await?.answer(StatusCode::CONFLICT)
        }
    }
}
