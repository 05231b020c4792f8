//! The details and the password on the User Profile page.

use actix_session::Session;
use actix_web::{HttpResponse, http::StatusCode, web::Data};
use serde::Deserialize;

use crate::{
    access::signed_in::SignedIn,
    base::error::Result,
    host::profile::ProfilePage,
    keys::store::Order,
    people::{
        password::{self, Hasher, Password, Verdict, hash_queue::Asker},
        sessions::{self, notice},
        users::{self, store},
    },
    web::{
        form::{Arguments, Field, Form},
        page,
        state::AppState,
    },
};

#[derive(Deserialize)]
pub struct Query {
    #[serde(default)]
    order: String,
    /// Entered before the session ended, and carried through the sign-in.
    name: Option<String>,
    time_zone: Option<String>,
}

/// GET /user_profile
pub async fn profile(
    state: Data<AppState>,
    person: SignedIn,
    session: Session,
    query: Arguments<Query>,
) -> Result<HttpResponse> {
    let Arguments(query) = query;
    let mut page = ProfilePage::new(&state, &person, Order::read(&query.order)).await?;
    page.notice = notice::take(&session);
    if query.name.is_some() {
        page.notice = page.notice.or("Your changes are not saved yet.");
    }
    page.name.value = query.name.unwrap_or(page.name.value);
    page.time_zone.value = query.time_zone.unwrap_or(page.time_zone.value);
    page.answer(StatusCode::OK)
}

#[derive(Deserialize)]
pub struct Details {
    #[serde(default)]
    name: String,
    #[serde(default)]
    time_zone: String,
}

/// POST /user_profile
pub async fn save(
    state: Data<AppState>,
    person: SignedIn,
    session: Session,
    form: Form<Details>,
) -> Result<HttpResponse> {
    let Form(details) = form;
    let name = users::name(&details.name);
    let zone = details.time_zone.parse::<chrono_tz::Tz>();
    if let (Ok(name), Ok(zone)) = (&name, zone) {
        let mut tx = state.db.write().await?;
        store::set_profile(&mut tx, person.user.id, name.as_deref(), zone.name()).await?;
        tx.commit().await?;
        return notice::see_other(&session, "/user_profile", "Profile saved.");
    }
    let mut page = ProfilePage::new(&state, &person, Order::Created).await?;
    page.name = Field { value: details.name, problem: name.err() };
    page.time_zone = match zone {
        Ok(_) => Field::of(details.time_zone),
        Err(_) => Field::wrong(details.time_zone, "Choose a time zone from the list."),
    };
    page.answer(StatusCode::UNPROCESSABLE_ENTITY)
}

#[derive(Deserialize)]
pub struct NewPassword {
    #[serde(default)]
    old_password: String,
    #[serde(default)]
    new_password: String,
}

/// POST /user_profile/password: requires the old password, and ends the user's other sessions.
pub async fn change_password(
    state: Data<AppState>,
    hasher: Data<Hasher>,
    person: SignedIn,
    session: Session,
    form: Form<NewPassword>,
) -> Result<HttpResponse> {
    let Form(NewPassword { old_password, new_password }) = form;
    let user = &person.user;
    let mut tx = state.db.read().await?;
    let stored = store::password_hash(&mut tx, user.id).await?;
    drop(tx);
    let typed = Password::typed(old_password);
    let old = hasher.verify(Asker::User(user.id), typed.clone(), stored.clone()).await?;
    let new = Password::chosen(new_password, &state.settings.host_name, &user.email);
    let new = new.and_then(|new| if new == typed { Err(password::THE_SAME.to_owned()) } else { Ok(new) });
    let (mut old_problem, new) = match (old, new) {
        (Verdict::Right | Verdict::RightUpgrade(_), Ok(new)) => (None, Ok(new)),
        (Verdict::Wrong, new) => (Some("This is not your current password.".to_owned()), new),
        (_, new) => (None, new),
    };
    if let (None, Ok(new)) = (&old_problem, &new) {
        let hash = hasher.hash(Asker::User(user.id), new.clone()).await?;
        let mut tx = state.db.write().await?;
        if store::replace_password(&mut tx, user.id, &stored.unwrap_or_default(), &hash).await? {
            sessions::store::end_all(&mut tx, user.id).await?;
            tx.commit().await?;
            sessions::begin(&session, user.id, &hash)?;
            let text = "Password changed. You have been signed out in all other browsers.";
            return notice::see_other(&session, "/user_profile#password", text);
        }
        old_problem = Some("Your password was changed in the meantime.".to_owned());
    }
    let mut page = ProfilePage::new(&state, &person, Order::Created).await?;
    page.old_password_problem = old_problem;
    page.new_password_problem = new.err();
    page.answer(StatusCode::UNPROCESSABLE_ENTITY)
}

/// GET /user_profile/password: where a sign-in leads after the session of the form has ended.
pub async fn password_form() -> HttpResponse {
    page::see_other("/user_profile#password")
}

/// GET /
pub async fn home() -> HttpResponse {
    page::see_other("/user_profile")
}
