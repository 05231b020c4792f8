//! The API Keys section of the User Profile page. Every form posts to the address that shows it.

use actix_session::Session;
use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    web::{Data, Path},
};
use askama::Template;
use serde::Deserialize;

use crate::{
    access::signed_in::{Confirmed, SignedIn},
    base::{
        clock,
        error::{Error, Result},
        ids::UserId,
        secret::{self, Digest},
    },
    host::profile::{
        Dialog, ProfilePage,
        key_list::ListView,
        key_row::{KeyRow, LastUse},
        key_shown::ShownKey,
        key_use::KeyUse,
    },
    keys::{
        self, ApiKey, WithdrawnBy,
        access_form::{self, AccessFields, AccessForm},
        create::{self, Creation, Submission},
        made::{self, Made},
        scope::KeyAccess,
        store, withdraw,
    },
    people::{
        sessions::{kept_forms::Typed, notice},
        subscriptions,
    },
    record::origin::Origin,
    web::{
        form::{Field, Form},
        page::{self, Layout, counted},
        page_responses::FRAMED_POLICY,
        state::AppState,
    },
};

/// How often the uses of a key are read at most, while they are being written.
const MOST_TRIES: usize = 3;

/// Without an active subscription these pages do not exist.
fn require_subscription(state: &AppState, person: &SignedIn) -> Result<()> {
    match subscriptions::is_active(person.subscription.as_ref(), state.settings.grace(), clock::now()) {
        true => Ok(()),
        false => Err(Error::NotFound),
    }
}

/// The form that creates a key, also as query parameters after a sign-in.
#[derive(Deserialize)]
pub struct NewKey {
    #[serde(default)]
    title: String,
    #[serde(default)]
    form_token: String,
    #[serde(flatten)]
    access: AccessForm,
}

/// GET /user_profile/api_keys/new
pub async fn new(
    state: Data<AppState>,
    person: SignedIn,
    view: ListView,
    typed: Typed<NewKey>,
) -> Result<HttpResponse> {
    require_subscription(&state, &person)?;
    let Typed(NewKey { title, form_token, access }) = typed;
    let page = create_dialog(&state, &person, &view, Field::of(title), form_token, access.opened(), None).await?;
    page.answer(StatusCode::OK)
}

async fn create_dialog(
    state: &AppState,
    person: &SignedIn,
    view: &ListView,
    title: Field,
    form_token: String,
    access: AccessForm,
    problem: Option<String>,
) -> Result<ProfilePage> {
    let form_token = if form_token.is_empty() { secret::random() } else { form_token };
    let mut tx = state.db.read().await?;
    let access = AccessFields::new(&mut tx, &person.caller(), access, problem).await?;
    drop(tx);
    ProfilePage::with(state, person, view, Dialog::Create { title, access, form_token }).await
}

/// POST /user_profile/api_keys/new: the one response that shows the key.
pub async fn create(
    state: Data<AppState>,
    person: Confirmed,
    origin: Origin,
    view: ListView,
    form: Form<NewKey>,
) -> Result<HttpResponse> {
    let Confirmed(person) = person;
    require_subscription(&state, &person)?;
    let Form(NewKey { title: typed, form_token, access }) = form;
    let (title, key_access) = match (keys::title(&typed), access.read()) {
        (Ok(title), Ok(key_access)) => (title, key_access),
        (title, key_access) => {
            let title = Field { value: typed, problem: title.err() };
            let page = create_dialog(&state, &person, &view, title, form_token, access, key_access.err()).await?;
            return page.answer(StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let (caller, form) = (person.caller(), digest(form_token));
    let sent = Submission { caller: &caller, form: &form, origin: &origin, at: clock::now() };
    let creation = create::create(&state.db, &state.settings, &sent, &title, &key_access).await?;
    answer(&state, &person, &view, creation, title, access, &key_access).await
}

/// The digest of a form token. A form without one cannot be a repetition.
fn digest(form_token: String) -> Digest {
    Digest::of(&if form_token.is_empty() { secret::random() } else { form_token })
}

#[derive(Deserialize)]
pub struct Replacement {
    #[serde(default)]
    form_token: String,
}

/// POST /user_profile/api_keys/{id}/replace: withdraws a key whose text was lost and creates a new one with the same
/// access.
pub async fn replace(
    state: Data<AppState>,
    person: Confirmed,
    origin: Origin,
    id: Path<String>,
    view: ListView,
    form: Form<Replacement>,
) -> Result<HttpResponse> {
    let Confirmed(person) = person;
    require_subscription(&state, &person)?;
    let old = find(&state, person.user.id, &id).await?;
    let mut tx = state.db.read().await?;
    let access = access_form::of_key(&mut tx, &old).await?;
    drop(tx);
    let (caller, form) = (person.caller(), digest(form.0.form_token));
    let sent = Submission { caller: &caller, form: &form, origin: &origin, at: clock::now() };
    let creation = create::replace(&state.db, &state.settings, &sent, &old, &access).await?;
    answer(&state, &person, &view, creation, old.title, AccessForm::of(&access), &access).await
}

/// GET /user_profile/api_keys/{id}/replace: where a sign-in leads after the session of the form has ended.
pub async fn replace_form(view: ListView) -> HttpResponse {
    page::see_other(&format!("/user_profile/api_keys/new{}", view.query()))
}

/// The page that shows the result of creating a key.
async fn answer(
    state: &AppState,
    person: &SignedIn,
    view: &ListView,
    creation: Creation,
    title: String,
    form: AccessForm,
    access: &KeyAccess,
) -> Result<HttpResponse> {
    match creation {
        Creation::Created(id, key) => {
            let no_users = form.loses_manage_users(access);
            let dialog = Dialog::Created(ShownKey::new(state, person, id, title, &key, no_users));
            ProfilePage::with(state, person, view, dialog).await?.answer(StatusCode::OK)
        }
        Creation::Repeated(key) => {
            let row = KeyRow::new(key, person.user.zone(), clock::now());
            let dialog = Dialog::AlreadyCreated { row, form_token: secret::random() };
            ProfilePage::with(state, person, view, dialog).await?.answer(StatusCode::CONFLICT)
        }
        Creation::LimitReached => {
            let have = counted(state.settings.max_keys, "active key", "active keys");
            let problem = format!("You have reached the limit of {have}. Withdraw one to create another.");
            let title = Field::wrong(title, problem);
            let page = create_dialog(state, person, view, title, String::new(), form, None).await?;
            page.answer(StatusCode::UNPROCESSABLE_ENTITY)
        }
        Creation::Invalid(problem) => {
            let title = Field::of(title);
            let page = create_dialog(state, person, view, title, String::new(), form, Some(problem)).await?;
            page.answer(StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

/// A key of this user, possibly withdrawn.
async fn find(state: &AppState, user: UserId, id: &str) -> Result<ApiKey> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let mut tx = state.db.read().await?;
    store::by_id(&mut tx, user, id).await?.ok_or(Error::NotFound)
}

/// GET /user_profile/api_keys/{id}/withdraw: asks for confirmation.
pub async fn confirm(
    state: Data<AppState>,
    person: SignedIn,
    view: ListView,
    id: Path<String>,
) -> Result<HttpResponse> {
    require_subscription(&state, &person)?;
    let key = find(&state, person.user.id, &id).await?;
    if key.withdrawn_at.is_some() {
        return Ok(page::see_other(&view.address("api_keys")));
    }
    let (row, key_use, made) = used(&state, &person, &view, key).await?;
    ProfilePage::with(&state, &person, &view, Dialog::Withdraw { row, key_use, made }).await?.answer(StatusCode::OK)
}

/// GET /user_profile/api_keys/{id}: a key, also one that is withdrawn, and what was made with it.
pub async fn details(
    state: Data<AppState>,
    person: SignedIn,
    view: ListView,
    id: Path<String>,
) -> Result<HttpResponse> {
    require_subscription(&state, &person)?;
    let key = find(&state, person.user.id, &id).await?;
    let (row, key_use, made) = used(&state, &person, &view, key).await?;
    ProfilePage::with(&state, &person, &view, Dialog::Details { row, key_use, made }).await?.answer(StatusCode::OK)
}

/// A key with how it is used, and what was made with it.
async fn used(state: &AppState, person: &SignedIn, view: &ListView, key: ApiKey) -> Result<(KeyRow, KeyUse, Made)> {
    let zone = person.user.zone();
    let mut tries = 0..MOST_TRIES;
    loop {
        let (now, writes) = (clock::now(), view.uses.writes(key.id));
        let mut tx = state.db.read().await?;
        let key_use = KeyUse::read(&mut tx, &view.uses, &key, zone, now).await?;
        // Once more, if counts were written meanwhile.
        if tries.next().is_some() && view.uses.writes(key.id) != writes {
            continue;
        }
        let made = made::of_key(&mut tx, person.user.id, key.id).await?;
        let unwritten = view.uses.unwritten(key.id);
        return Ok((KeyRow::with_uses(key, None, &unwritten, zone, now), key_use, made));
    }
}

/// POST /user_profile/api_keys/{id}/withdraw
pub async fn withdraw(
    state: Data<AppState>,
    person: SignedIn,
    session: Session,
    origin: Origin,
    view: ListView,
    id: Path<String>,
) -> Result<HttpResponse> {
    require_subscription(&state, &person)?;
    let key = find(&state, person.user.id, &id).await?.id;
    withdraw::withdraw(&state.db, key, WithdrawnBy::Owner, origin, clock::now()).await?;
    notice::see_other(&session, &view.address("api_keys"), "API key withdrawn. It can no longer be used.")
}

/// GET /user_profile/withdraw_all_keys: asks for confirmation. Also without a subscription: otherwise a leaked key
/// would work again with the next one.
pub async fn confirm_all(state: Data<AppState>, person: SignedIn, view: ListView) -> Result<HttpResponse> {
    let mut tx = state.db.read().await?;
    let active = store::count_active(&mut tx, person.user.id).await?;
    drop(tx);
    if active == 0 {
        return Ok(page::see_other(&view.address("api_keys")));
    }
    ProfilePage::with(&state, &person, &view, Dialog::WithdrawAll { active }).await?.answer(StatusCode::OK)
}

/// POST /user_profile/withdraw_all_keys
pub async fn withdraw_all(
    state: Data<AppState>,
    person: SignedIn,
    session: Session,
    origin: Origin,
    view: ListView,
) -> Result<HttpResponse> {
    withdraw::withdraw_all(&state.db, person.user.id, WithdrawnBy::Owner, origin, clock::now()).await?;
    notice::see_other(&session, &view.address("api_keys"), "All API keys withdrawn.")
}

#[derive(Template)]
#[template(path = "keys/first_use.html")]
struct FirstUsePage {
    layout: Layout,
    address: String,
    first_use: Option<LastUse>,
}

/// GET /user_profile/api_keys/{id}/first_use: has the first request arrived? Shown inside the dialog with the key.
pub async fn first_use(state: Data<AppState>, person: SignedIn, id: Path<String>) -> Result<HttpResponse> {
    require_subscription(&state, &person)?;
    let key = find(&state, person.user.id, &id).await?;
    let row = KeyRow::new(key, person.user.zone(), clock::now());
    let page = FirstUsePage {
        layout: Layout::new(&state, Some(person.user.display_name())),
        address: format!("/user_profile/api_keys/{}/first_use", row.id),
        first_use: row.last_used,
    };
    let mut answer = page::html(StatusCode::OK, &page)?;
    let policy = header::HeaderValue::from_static(FRAMED_POLICY);
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(answer)
}

/// GET /user_profile/api_keys: the list is part of the profile.
pub async fn list(view: ListView) -> HttpResponse {
    page::see_other(&view.address("api_keys"))
}
