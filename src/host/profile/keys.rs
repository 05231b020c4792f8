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
        clock::{self, Moment},
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
        self, ApiKey, Withdrawal,
        access_form::{AccessFields, AccessForm},
        addresses::SeenAddress,
        create::{self, Creation, Submission, Wanted},
        expiry::{ExpiryForm, Terms},
        life::KeyLife,
        life_form::{LifeFields, LifeForm, LifeProblems},
        made::{self, Made},
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
pub(super) fn require_subscription(state: &AppState, person: &SignedIn) -> Result<()> {
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
    #[serde(flatten)]
    life: LifeForm,
}

/// What is wrong with its fields.
#[derive(Default)]
struct Problems {
    title: Option<String>,
    access: Option<String>,
    life: LifeProblems,
}

/// The limits of the end of a key that is created now.
pub(super) fn terms(state: &AppState, person: &SignedIn, now: Moment) -> Terms {
    Terms { now, since: now, zone: person.user.zone(), max_days: state.settings.max_key_days }
}

/// GET /user_profile/api_keys/new
pub async fn new(
    state: Data<AppState>,
    person: SignedIn,
    seen: SeenAddress,
    view: ListView,
    typed: Typed<NewKey>,
) -> Result<HttpResponse> {
    require_subscription(&state, &person)?;
    let Typed(mut form) = typed;
    let terms = terms(&state, &person, clock::now());
    form.access = form.access.opened();
    form.life.expiry = form.life.expiry.or(|| ExpiryForm::initial(&terms));
    create_dialog(&state, &person, &view, seen, form, Problems::default()).await?.answer(StatusCode::OK)
}

async fn create_dialog(
    state: &AppState,
    person: &SignedIn,
    view: &ListView,
    seen: SeenAddress,
    form: NewKey,
    problems: Problems,
) -> Result<ProfilePage> {
    let NewKey { title, form_token, access, life } = form;
    let form_token = if form_token.is_empty() { secret::random() } else { form_token };
    let mut tx = state.db.read().await?;
    let access = AccessFields::new(&mut tx, &person.caller(), access, problems.access).await?;
    drop(tx);
    let title = Field { value: title, problem: problems.title };
    let life = LifeFields::new(life, &terms(state, person, clock::now()), seen, problems.life);
    ProfilePage::with(state, person, view, Dialog::Create { title, access, life, form_token }).await
}

/// POST /user_profile/api_keys/new: the one response that shows the key.
pub async fn create(
    state: Data<AppState>,
    person: Confirmed,
    seen: SeenAddress,
    origin: Origin,
    view: ListView,
    form: Form<NewKey>,
) -> Result<HttpResponse> {
    let Confirmed(person) = person;
    require_subscription(&state, &person)?;
    let Form(form) = form;
    let now = clock::now();
    let title = keys::title(&form.title);
    let access = form.access.read();
    let life = form.life.read(&terms(&state, &person, now), seen, &KeyLife::default());
    let (title, access, life) = match (title, access, life) {
        (Ok(title), Ok(access), Ok(life)) => (title, access, life),
        (title, access, life) => {
            let problems = Problems { title: title.err(), access: access.err(), life: life.err().unwrap_or_default() };
            let page = create_dialog(&state, &person, &view, seen, form, problems).await?;
            return page.answer(StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let (caller, token) = (person.caller(), digest(&form.form_token));
    let sent = Submission { caller: &caller, form: &token, origin: &origin, at: now };
    let wanted = Wanted { title: &title, access: &access, life: &life };
    let problems = match create::create(&state.db, &state.settings, &sent, &wanted).await? {
        Creation::Created(id, key) => {
            let no_users = form.access.loses_manage_users(&access);
            let dialog = Dialog::Created(ShownKey::new(&state, &person, id, title, &key, None, no_users));
            return ProfilePage::with(&state, &person, &view, dialog).await?.answer(StatusCode::OK);
        }
        Creation::Repeated(key) => return repeated(&state, &person, &view, *key).await,
        Creation::LimitReached => {
            let have = counted(state.settings.max_keys, "active key", "active keys");
            let problem = format!("You have reached the limit of {have}. Withdraw one to create another.");
            Problems { title: Some(problem), ..Problems::default() }
        }
        Creation::Invalid(problem) => Problems { access: Some(problem), ..Problems::default() },
    };
    let form = NewKey { form_token: String::new(), ..form };
    create_dialog(&state, &person, &view, seen, form, problems).await?.answer(StatusCode::UNPROCESSABLE_ENTITY)
}

/// The page of a form that was sent before.
pub(super) async fn repeated(
    state: &AppState,
    person: &SignedIn,
    view: &ListView,
    key: ApiKey,
) -> Result<HttpResponse> {
    let row = KeyRow::new(key, person.user.zone(), clock::now());
    ProfilePage::with(state, person, view, Dialog::AlreadyCreated { row }).await?.answer(StatusCode::CONFLICT)
}

/// The digest of a form token. A form without one cannot be a repetition.
pub(super) fn digest(form_token: &str) -> Digest {
    match form_token {
        "" => Digest::of(&secret::random()),
        token => Digest::of(token),
    }
}

/// A key of this user, possibly withdrawn.
pub(super) async fn find(state: &AppState, user: UserId, id: &str) -> Result<ApiKey> {
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
    withdraw::withdraw(&state.db, key, Withdrawal::Page, origin, clock::now()).await?;
    notice::see_other(&session, &view.address("api_keys"), "API key withdrawn. It can no longer be used.")
}

/// GET /user_profile/withdraw_all_keys: asks for confirmation. Also without a subscription: otherwise a leaked key
/// would work again with the next one.
pub async fn confirm_all(state: Data<AppState>, person: SignedIn, view: ListView) -> Result<HttpResponse> {
    let mut tx = state.db.read().await?;
    let active = store::count_working(&mut tx, person.user.id, clock::now()).await?;
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
    withdraw::withdraw_all(&state.db, person.user.id, Withdrawal::All, origin, clock::now()).await?;
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
