//! Editing a key: title, end and allowed addresses.

use actix_session::Session;
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use serde::Deserialize;

use crate::{
    access::signed_in::SignedIn,
    base::{
        clock::{self, Moment},
        error::{Error, Result},
    },
    host::profile::{
        Dialog, ProfilePage,
        key_list::ListView,
        keys::{find, require_subscription},
    },
    keys::{
        self, ApiKey,
        addresses::SeenAddress,
        edit::{self, Edit, Edited, Editor},
        expiry::{Problem, Terms},
        life::KeyLife,
        life_form::{LifeFields, LifeForm, LifeProblems},
    },
    people::sessions::{kept_forms, kept_forms::Typed, notice},
    record::origin::Origin,
    web::{
        form::{Field, Form},
        page::counted,
        state::AppState,
    },
};

/// The form, also as it was kept through a confirmation.
#[derive(Deserialize)]
pub struct EditForm {
    title: Option<String>,
    #[serde(flatten)]
    life: LifeForm,
}

impl EditForm {
    /// As a browser sends it.
    fn encoded(&self) -> String {
        let LifeForm { expiry, allowed_addresses } = &self.life;
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("title", self.title.as_deref().unwrap_or_default())
            .append_pair("expires", &expiry.expires)
            .append_pair("expires_on", &expiry.expires_on)
            .append_pair("allowed_addresses", allowed_addresses)
            .finish()
    }
}

fn terms(state: &AppState, person: &SignedIn, key: &ApiKey, now: Moment) -> Terms {
    let max_days = state.settings.max_key_days;
    Terms { now, since: key.created_at, zone: person.user.zone(), max_days }
}

fn life_of(key: &ApiKey) -> KeyLife {
    KeyLife { expires_at: key.expires_at, allowed: key.allowed.clone() }
}

/// GET /user_profile/api_keys/{id}/edit: as saved, it changes nothing.
pub async fn show(
    state: Data<AppState>,
    person: SignedIn,
    session: Session,
    seen: SeenAddress,
    view: ListView,
    id: Path<String>,
    typed: Typed<EditForm>,
) -> Result<HttpResponse> {
    require_subscription(&state, &person)?;
    let key = find(&state, person.user.id, &id).await?;
    if let Some(reason) = key.is_fixed() {
        return notice::see_other(&session, &view.address("api_keys"), reason);
    }
    let terms = terms(&state, &person, &key, clock::now());
    let form = match typed.0 {
        form @ EditForm { title: Some(_), .. } => form,
        _ => EditForm { title: Some(key.title.clone()), life: LifeForm::of(&life_of(&key), &terms) },
    };
    let dialog = dialog(&key, form, &terms, seen, None, LifeProblems::default());
    ProfilePage::with(&state, &person, &view, dialog).await?.answer(StatusCode::OK)
}

fn dialog(
    key: &ApiKey,
    form: EditForm,
    terms: &Terms,
    seen: SeenAddress,
    title_problem: Option<String>,
    problems: LifeProblems,
) -> Dialog {
    let EditForm { title, mut life } = form;
    if seen.0.is_none() && life.allowed_addresses.is_empty() {
        // The field is off, and nothing was sent.
        life.allowed_addresses = LifeForm::of(&life_of(key), terms).allowed_addresses;
    }
    Dialog::Edit {
        id: key.id.to_string(),
        tail: key.tail.clone(),
        title: Field { value: title.unwrap_or_default(), problem: title_problem },
        life: LifeFields::new(life, terms, seen, problems),
    }
}

/// POST /user_profile/api_keys/{id}/edit: a later end and more addresses need a confirmation, everything else does not.
pub async fn save(
    request: HttpRequest,
    state: Data<AppState>,
    person: SignedIn,
    session: Session,
    view: ListView,
    id: Path<String>,
    form: Form<EditForm>,
) -> Result<HttpResponse> {
    require_subscription(&state, &person)?;
    let key = find(&state, person.user.id, &id).await?;
    if let Some(reason) = key.is_fixed() {
        return notice::see_other(&session, &view.address("api_keys"), reason);
    }
    let (Form(form), seen, now) = (form, SeenAddress::of(&request, &state), clock::now());
    let terms = terms(&state, &person, &key, now);
    let title = keys::title(form.title.as_deref().unwrap_or_default());
    let life = form.life.read(&terms, seen, &life_of(&key));
    let problems = match (title, life) {
        (Ok(title), Ok(KeyLife { expires_at, allowed })) => {
            let change = Edit { title: Some(title), expires_at: Some(expires_at), allowed: Some(allowed) };
            let (is_confirmed, max_keys) = (person.session.is_confirmed(now), state.settings.max_keys);
            let editor = Editor::Owner { is_confirmed, max_keys, origin: Origin::of(&request) };
            match edit::edit(&state.db, key.id, change, editor, now).await? {
                Edited::Saved => return notice::see_other(&session, &view.address("api_keys"), "API key saved."),
                Edited::Fixed(reason) => return notice::see_other(&session, &view.address("api_keys"), reason),
                Edited::NotFound => return Err(Error::NotFound),
                Edited::MustConfirm => {
                    let form = form.encoded();
                    let (return_to, _) = kept_forms::keep(&state, &request, form.as_bytes()).await?;
                    return Err(Error::Confirm { return_to });
                }
                Edited::LimitReached => {
                    let have = counted(max_keys, "active key", "active keys");
                    let problem = format!("You have reached the limit of {have}. Withdraw one to use this one again.");
                    (None, LifeProblems { expiry: Some(Problem::Expires(problem)), addresses: None })
                }
            }
        }
        (title, life) => (title.err(), life.err().unwrap_or_default()),
    };
    let dialog = dialog(&key, form, &terms, seen, problems.0, problems.1);
    ProfilePage::with(&state, &person, &view, dialog).await?.answer(StatusCode::UNPROCESSABLE_ENTITY)
}
