//! The API Keys section of the User Profile page. Every form posts to the address that shows it.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    rt,
    web::{Data, Path},
};
use askama::Template;
use serde::Deserialize;

use crate::{
    access::{quotas, signed_in::SignedIn},
    base::{
        clock,
        error::{Error, Result},
        ids::{ApiKeyId, UserId},
        secret::{self, Digest},
    },
    db::{self, Tx},
    host::profile::{Dialog, KeyRow, LastUse, ProfilePage},
    keys::{
        self, ApiKey, By, PlainKey,
        limits::{self, AccessFields, Typed},
        scope::Limits,
        store,
    },
    people::{subscriptions, users},
    web::state::AppState,
    web::{
        form::{Arguments, Field, Form},
        page::{self, Layout, counted},
        page_responses::FRAMED_POLICY,
    },
};

/// Without an active subscription these addresses do not exist.
fn gate(site: &AppState, person: &SignedIn) -> Result<()> {
    match subscriptions::is_active(person.subscription.as_ref(), site.settings.grace(), clock::now()) {
        true => Ok(()),
        false => Err(Error::NotFound),
    }
}

/// The form that makes a key: what was typed, here or before a session ended and kept through the sign-in.
#[derive(Deserialize)]
pub struct NewKey {
    #[serde(default)]
    title: String,
    #[serde(default)]
    form_token: String,
    #[serde(flatten)]
    access: Typed,
}

/// GET /user_profile/api_keys/new
pub async fn new(site: Data<AppState>, person: SignedIn, typed: Arguments<NewKey>) -> Result<HttpResponse> {
    gate(&site, &person)?;
    let Arguments(NewKey { title, access, .. }) = typed;
    create_dialog(&site, &person, Field::of(title), access.opened(), None).await?.answer(StatusCode::OK)
}

async fn create_dialog(
    site: &AppState,
    person: &SignedIn,
    title: Field,
    access: Typed,
    problem: Option<String>,
) -> Result<ProfilePage> {
    let mut tx = site.db.read().await?;
    let access = AccessFields::new(&mut tx, &person.caller(), access, problem).await?;
    drop(tx);
    ProfilePage::with(site, person, Dialog::Create { title, access, form_token: secret::random() }).await
}

/// POST /user_profile/api_keys/new: the one answer that shows the key.
pub async fn create(site: Data<AppState>, person: SignedIn, form: Form<NewKey>) -> Result<HttpResponse> {
    gate(&site, &person)?;
    let Form(NewKey { title: typed, form_token, access }) = form;
    match (keys::title(&typed), access.read()) {
        (Ok(title), Ok(limits)) => {
            make(&site, &person, Wanted { title, limits, typed: access, replaces: None }, form_token).await
        }
        (title, limits) => {
            let title = Field { value: typed, problem: title.err() };
            let page = create_dialog(&site, &person, title, access, limits.err()).await?;
            page.answer(StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

#[derive(Deserialize)]
pub struct Replacement {
    #[serde(default)]
    form_token: String,
}

/// POST /user_profile/api_keys/{id}/replace: withdraws a key whose text was lost and makes a new one with the same
/// limits, in one step.
pub async fn replace(
    site: Data<AppState>,
    person: SignedIn,
    id: Path<String>,
    form: Form<Replacement>,
) -> Result<HttpResponse> {
    gate(&site, &person)?;
    let old = find(&site, person.user.id, &id).await?;
    let mut tx = site.db.read().await?;
    let limits = limits::of_key(&mut tx, &old).await?;
    drop(tx);
    let typed = Typed::of(&limits);
    make(&site, &person, Wanted { title: old.title, limits, typed, replaces: Some(old.id) }, form.0.form_token).await
}

/// GET /user_profile/api_keys/{id}/replace: where a sign-in leads after a session ended under that form.
pub async fn replace_form() -> HttpResponse {
    page::see_other("/user_profile/api_keys/new")
}

/// A key that a form asks for.
struct Wanted {
    title: String,
    limits: Limits,
    /// The limits as they were typed, should they have to be shown again.
    typed: Typed,
    replaces: Option<ApiKeyId>,
}

/// What became of a form that asks for a key.
enum Made {
    Key(ApiKeyId, PlainKey),
    /// The same form has made this key before.
    Before(ApiKey),
    /// The user has as many as may be.
    TooMany,
    /// The limits will not do, and why.
    Refused(String),
}

async fn make(site: &Data<AppState>, person: &SignedIn, wanted: Wanted, form_token: String) -> Result<HttpResponse> {
    // A form without a token is none of ours, and repeats nothing.
    let token = if form_token.is_empty() { secret::random() } else { form_token };
    let made = insert(site, person, &wanted, &Digest::of(&token)).await?;
    let Wanted { title, typed, limits, .. } = wanted;
    match made {
        Made::Key(id, key) => {
            let curl = format!("curl -H 'user-api-key: {}' {}/api/v1/properties/", key.reveal(), site.address());
            let no_users = typed.asks_in_vain(&limits);
            let key = key.reveal().to_owned();
            let dialog = Dialog::Created { id: id.to_string(), title, key, curl, no_users };
            ProfilePage::with(site, person, dialog).await?.answer(StatusCode::OK)
        }
        Made::Before(key) => {
            let row = KeyRow::new(key, person.user.zone());
            let dialog = Dialog::AlreadyCreated { row, form_token: secret::random() };
            ProfilePage::with(site, person, dialog).await?.answer(StatusCode::CONFLICT)
        }
        Made::TooMany => {
            let have = counted(site.settings.max_keys, "active key", "active keys");
            let problem = format!("You have reached the limit of {have}. Withdraw one to create another.");
            let page = create_dialog(site, person, Field::wrong(title, problem), typed, None).await?;
            page.answer(StatusCode::UNPROCESSABLE_ENTITY)
        }
        Made::Refused(problem) => {
            let page = create_dialog(site, person, Field::of(title), typed, Some(problem)).await?;
            page.answer(StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

async fn insert(site: &AppState, person: &SignedIn, wanted: &Wanted, form: &Digest) -> Result<Made> {
    let now = clock::now();
    let user = person.user.id;
    let mut tx = site.db.write().await?;
    users::store::queue_on(&mut tx, user).await?;
    if let Some(key) = store::by_form(&mut tx, user, form).await? {
        if wanted.replaces.is_some() {
            // Perhaps this answer comes before that to the form's first sending, and says as much of the old key.
            tx.raise_epoch().await?;
        }
        // On SQLite the key may stand in the transaction that is open, and not be kept yet.
        tx.commit().await?;
        return Ok(Made::Before(key));
    }
    match wanted.replaces {
        // It had these limits before: what its user has lost since stays out of reach all the same.
        Some(old) => drop(store::withdraw(&mut tx, old, By::Owner, now).await?),
        None => {
            if let Some(problem) = limits::refusal(&mut tx, &person.caller(), &wanted.limits).await? {
                return Ok(Made::Refused(problem));
            }
        }
    }
    if store::count_active(&mut tx, user).await? >= site.settings.max_keys {
        return Ok(Made::TooMany);
    }
    quotas::new_key(&mut tx, user, now).await?;
    let key = PlainKey::generate(&site.settings.key_prefix);
    let id = ApiKeyId::new();
    let (title, limits) = (&wanted.title, &wanted.limits);
    let new = store::NewKey { id, user, title, digest: key.digest(), tail: key.tail(), form, limits };
    match store::insert(&mut tx, &new, now).await {
        // Another user's form token: not one of ours to this person.
        Err(error) if db::is_taken(&error) => return Err(Error::bad_request("Reload the form and submit it again.")),
        // Deleted between the look at it and this.
        Err(error) if db::is_gone(&error) => {
            return Ok(Made::Refused("One of the selected properties has just been deleted. Select again.".to_owned()));
        }
        other => other?,
    }
    tx.commit().await?;
    Ok(Made::Key(id, key))
}

/// A key of this user; a withdrawn one is found too.
async fn find(site: &AppState, user: UserId, id: &str) -> Result<ApiKey> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let mut tx = site.db.read().await?;
    store::by_id(&mut tx, user, id).await?.ok_or(Error::NotFound)
}

/// GET /user_profile/api_keys/{id}/withdraw: asks for confirmation.
pub async fn confirm(site: Data<AppState>, person: SignedIn, id: Path<String>) -> Result<HttpResponse> {
    gate(&site, &person)?;
    let key = find(&site, person.user.id, &id).await?;
    if key.withdrawn_at.is_some() {
        return Ok(page::see_other("/user_profile#api_keys"));
    }
    let row = KeyRow::new(key, person.user.zone());
    ProfilePage::with(&site, &person, Dialog::Withdraw { row }).await?.answer(StatusCode::OK)
}

/// POST /user_profile/api_keys/{id}/withdraw
pub async fn withdraw(site: Data<AppState>, person: SignedIn, id: Path<String>) -> Result<HttpResponse> {
    gate(&site, &person)?;
    let key = find(&site, person.user.id, &id).await?.id;
    whole(site, async move |tx: &mut Tx| store::withdraw(tx, key, By::Owner, clock::now()).await.map(drop)).await?;
    Ok(page::see_other("/user_profile?notice=withdrawn#api_keys"))
}

/// GET /user_profile/withdraw_all_keys: asks for confirmation. Also without a subscription: a key that leaked must not
/// come back alive with it.
pub async fn confirm_all(site: Data<AppState>, person: SignedIn) -> Result<HttpResponse> {
    let mut tx = site.db.read().await?;
    let active = store::count_active(&mut tx, person.user.id).await?;
    drop(tx);
    if active == 0 {
        return Ok(page::see_other("/user_profile"));
    }
    ProfilePage::with(&site, &person, Dialog::WithdrawAll { active }).await?.answer(StatusCode::OK)
}

/// POST /user_profile/withdraw_all_keys
pub async fn withdraw_all(site: Data<AppState>, person: SignedIn) -> Result<HttpResponse> {
    let user = person.user.id;
    whole(site, async move |tx: &mut Tx| store::withdraw_all(tx, user, By::Owner, clock::now()).await).await?;
    Ok(page::see_other("/user_profile?notice=all_withdrawn"))
}

/// Runs a change to its end, also when the client goes away meanwhile (which drops the handler).
async fn whole<F>(site: Data<AppState>, change: F) -> Result<()>
where
    F: AsyncFnOnce(&mut Tx) -> sqlx::Result<()> + 'static,
{
    rt::spawn(async move {
        let mut tx = site.db.write().await?;
        change(&mut tx).await?;
        tx.commit().await
    })
    .await
    .map_err(|error| Error::Internal(format!("a change was cut short: {error}")))?
    .map_err(Error::from)
}

#[derive(Template)]
#[template(path = "keys/first_use.html")]
struct FirstUsePage {
    layout: Layout,
    address: String,
    first_use: Option<LastUse>,
}

/// GET /user_profile/api_keys/{id}/first_use: has the first request arrived? Shown inside the dialog with the key.
pub async fn first_use(site: Data<AppState>, person: SignedIn, id: Path<String>) -> Result<HttpResponse> {
    gate(&site, &person)?;
    let row = KeyRow::new(find(&site, person.user.id, &id).await?, person.user.zone());
    let page = FirstUsePage {
        layout: Layout::new(&site, Some(person.user.called())),
        address: format!("/user_profile/api_keys/{}/first_use", row.id),
        first_use: row.last_used,
    };
    let mut answer = page::html(StatusCode::OK, &page)?;
    let policy = header::HeaderValue::from_static(FRAMED_POLICY);
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(answer)
}

/// GET /user_profile/api_keys: the list is part of the profile.
pub async fn list() -> HttpResponse {
    page::see_other("/user_profile#api_keys")
}
