//! The API Keys section of the User Profile page. Every form posts to the address that shows it.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    rt,
    web::{Data, Path},
};
use askama::Template;
use serde::Deserialize;

use super::{ApiKey, By, PlainKey, store};
use crate::{
    clock,
    db::{self, Tx},
    http::{
        auth::SignedIn,
        error::{Error, Result},
        form::{Arguments, Field, Form},
        page::{self, Layout},
        page_face::FRAMED_POLICY,
    },
    ids::{ApiKeyId, UserId},
    profile::{Dialog, KeyRow, LastUse, ProfilePage},
    secret::{self, Digest},
    site::Site,
    subscriptions, users,
};

/// Without an active subscription these addresses do not exist.
fn gate(site: &Site, person: &SignedIn) -> Result<()> {
    match subscriptions::is_active(person.subscription.as_ref(), site.settings.grace(), clock::now()) {
        true => Ok(()),
        false => Err(Error::NotFound),
    }
}

#[derive(Deserialize)]
pub struct Typed {
    /// Typed before a session ended, kept through the sign-in.
    #[serde(default)]
    title: String,
}

/// GET /user_profile/api_keys/new
pub async fn new(site: Data<Site>, person: SignedIn, typed: Arguments<Typed>) -> Result<HttpResponse> {
    gate(&site, &person)?;
    let title = Field::of(typed.0.title);
    create_dialog(&site, &person, title).await?.answer(StatusCode::OK)
}

async fn create_dialog(site: &Site, person: &SignedIn, title: Field) -> Result<ProfilePage> {
    ProfilePage::with(site, person, Dialog::Create { title, form_token: secret::random() }).await
}

#[derive(Deserialize)]
pub struct NewKey {
    #[serde(default)]
    title: String,
    #[serde(default)]
    form_token: String,
}

/// POST /user_profile/api_keys/new: the one answer that shows the key.
pub async fn create(site: Data<Site>, person: SignedIn, form: Form<NewKey>) -> Result<HttpResponse> {
    gate(&site, &person)?;
    let Form(NewKey { title: typed, form_token }) = form;
    let title = match super::title(&typed) {
        Ok(title) => title,
        Err(problem) => {
            let page = create_dialog(&site, &person, Field::wrong(typed, problem)).await?;
            return page.answer(StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    make(&site, &person, &title, form_token, None).await
}

/// POST /user_profile/api_keys/{id}/replace: withdraws a key whose text was lost and makes a new one, in one step.
pub async fn replace(site: Data<Site>, person: SignedIn, id: Path<String>, form: Form<NewKey>) -> Result<HttpResponse> {
    gate(&site, &person)?;
    let old = find(&site, person.user.id, &id).await?;
    make(&site, &person, &old.title, form.0.form_token, Some(old.id)).await
}

/// GET /user_profile/api_keys/{id}/replace: where a sign-in leads after a session ended under that form.
pub async fn replace_form() -> HttpResponse {
    page::see_other("/user_profile/api_keys/new")
}

/// What became of a form that asks for a key.
enum Made {
    Key(ApiKeyId, PlainKey),
    /// The same form has made this key before.
    Before(ApiKey),
    /// The user has as many as may be.
    TooMany,
}

async fn make(
    site: &Data<Site>,
    person: &SignedIn,
    title: &str,
    form_token: String,
    replaces: Option<ApiKeyId>,
) -> Result<HttpResponse> {
    // A form without a token is none of ours, and repeats nothing.
    let token = if form_token.is_empty() { secret::random() } else { form_token };
    match insert(site, person.user.id, title, &Digest::of(&token), replaces).await? {
        Made::Key(id, key) => {
            let curl = format!("curl -H 'user-api-key: {}' {}/api/v1/properties/", key.reveal(), site.address());
            let dialog =
                Dialog::Created { id: id.to_string(), title: title.to_owned(), key: key.reveal().to_owned(), curl };
            ProfilePage::with(site, person, dialog).await?.answer(StatusCode::OK)
        }
        Made::Before(key) => {
            let row = KeyRow::new(key, person.user.zone());
            let dialog = Dialog::AlreadyCreated { row, form_token: secret::random() };
            ProfilePage::with(site, person, dialog).await?.answer(StatusCode::CONFLICT)
        }
        Made::TooMany => {
            let limit = site.settings.max_keys;
            let problem = format!("You have {limit} active keys, the most there may be. Withdraw one first.");
            let page = create_dialog(site, person, Field::wrong(title, problem)).await?;
            page.answer(StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

async fn insert(site: &Site, user: UserId, title: &str, form: &Digest, replaces: Option<ApiKeyId>) -> Result<Made> {
    let now = clock::now();
    let mut tx = site.db.write().await?;
    users::store::queue_on(&mut tx, user).await?;
    if let Some(key) = store::by_form(&mut tx, user, form).await? {
        return Ok(Made::Before(key));
    }
    if let Some(old) = replaces {
        store::withdraw(&mut tx, old, By::Owner, now).await?;
    }
    if store::count_active(&mut tx, user).await? >= site.settings.max_keys {
        return Ok(Made::TooMany);
    }
    let key = PlainKey::generate(&site.settings.key_prefix);
    let id = ApiKeyId::new();
    let new = store::NewKey { id, user, title, digest: key.digest(), tail: key.tail(), form };
    match store::insert(&mut tx, &new, now).await {
        // Another user's form token: not one of ours to this person.
        Err(error) if db::is_taken(&error) => return Err(Error::bad_request("Open the form again and send it anew.")),
        other => other?,
    }
    tx.commit().await?;
    Ok(Made::Key(id, key))
}

/// A key of this user; a withdrawn one is found too.
async fn find(site: &Site, user: UserId, id: &str) -> Result<ApiKey> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let mut tx = site.db.read().await?;
    store::by_id(&mut tx, user, id).await?.ok_or(Error::NotFound)
}

/// GET /user_profile/api_keys/{id}/withdraw: asks for confirmation.
pub async fn confirm(site: Data<Site>, person: SignedIn, id: Path<String>) -> Result<HttpResponse> {
    gate(&site, &person)?;
    let key = find(&site, person.user.id, &id).await?;
    if key.withdrawn_at.is_some() {
        return Ok(page::see_other("/user_profile#api_keys"));
    }
    let row = KeyRow::new(key, person.user.zone());
    ProfilePage::with(&site, &person, Dialog::Withdraw { row }).await?.answer(StatusCode::OK)
}

/// POST /user_profile/api_keys/{id}/withdraw
pub async fn withdraw(site: Data<Site>, person: SignedIn, id: Path<String>) -> Result<HttpResponse> {
    gate(&site, &person)?;
    let key = find(&site, person.user.id, &id).await?.id;
    whole(site, async move |tx: &mut Tx| store::withdraw(tx, key, By::Owner, clock::now()).await.map(drop)).await?;
    Ok(page::see_other("/user_profile?notice=withdrawn#api_keys"))
}

/// GET /user_profile/withdraw_all_keys: asks for confirmation. Also without a subscription: a key that leaked must not
/// come back alive with it.
pub async fn confirm_all(site: Data<Site>, person: SignedIn) -> Result<HttpResponse> {
    let mut tx = site.db.read().await?;
    let active = store::count_active(&mut tx, person.user.id).await?;
    drop(tx);
    if active == 0 {
        return Ok(page::see_other("/user_profile"));
    }
    ProfilePage::with(&site, &person, Dialog::WithdrawAll { active }).await?.answer(StatusCode::OK)
}

/// POST /user_profile/withdraw_all_keys
pub async fn withdraw_all(site: Data<Site>, person: SignedIn) -> Result<HttpResponse> {
    let user = person.user.id;
    whole(site, async move |tx: &mut Tx| store::withdraw_all(tx, user, By::Owner, clock::now()).await).await?;
    Ok(page::see_other("/user_profile?notice=all_withdrawn"))
}

/// Runs a change to its commit, also when the client goes away meanwhile (which drops the handler).
async fn whole<F>(site: Data<Site>, change: F) -> Result<()>
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
#[template(path = "api_keys/first_use.html")]
struct FirstUsePage {
    layout: Layout,
    address: String,
    first_use: Option<LastUse>,
}

/// GET /user_profile/api_keys/{id}/first_use: has the first request arrived? Shown inside the dialog with the key.
pub async fn first_use(site: Data<Site>, person: SignedIn, id: Path<String>) -> Result<HttpResponse> {
    gate(&site, &person)?;
    let row = KeyRow::new(find(&site, person.user.id, &id).await?, person.user.zone());
    let page = FirstUsePage {
        layout: Layout::new(&site, Some(&person.user)),
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
