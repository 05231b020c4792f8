//! The details and the password on the User Profile page.

use actix_session::Session;
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::Deserialize;

use crate::{
    access::signed_in::SignedIn,
    base::{
        clock,
        error::{Error, Result},
    },
    host::profile::{ProfilePage, key_list::ListView},
    people::{
        password::{self, Hasher, Password, hash_queue::Asker},
        sessions::{
            self,
            browser::BrowserCookie,
            kept_forms::Typed,
            notice,
            store::{Lifetime, New, SessionToken},
            verification::{self, Verified},
        },
        throttle,
        users::{self, User, store},
    },
    record::{
        activity::{self, Entry, Kind},
        origin::Origin,
    },
    web::{
        form::{Field, Form},
        page,
        state::AppState,
    },
};

#[derive(Deserialize)]
pub struct Query {
    /// Entered before the session ended, and carried through the sign-in.
    name: Option<String>,
    time_zone: Option<String>,
}

/// GET /user_profile
pub async fn profile(
    state: Data<AppState>,
    person: SignedIn,
    session: Session,
    view: ListView,
    query: Typed<Query>,
) -> Result<HttpResponse> {
    let Typed(query) = query;
    let mut page = ProfilePage::new(&state, &person, &view).await?;
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
    view: ListView,
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
    let mut page = ProfilePage::new(&state, &person, &view).await?;
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
    request: HttpRequest,
    state: Data<AppState>,
    hasher: Data<Hasher>,
    person: SignedIn,
    session: Session,
    view: ListView,
    form: Form<NewPassword>,
) -> Result<HttpResponse> {
    let origin = Origin::of(&request);
    // With a second factor, the password alone must not be enough; without one, the old password is the confirmation.
    if person.has_second_factor && !person.session.is_confirmed(clock::now()) {
        return Err(Error::Confirm { return_to: "/user_profile/password".to_owned() });
    }
    let Form(NewPassword { old_password, new_password }) = form;
    let user = &person.user;
    let typed = Password::typed(old_password);
    let old = verification::verify(&state, &hasher, &person.session, typed.clone(), &origin).await?;
    let new = Password::chosen(new_password, &state.settings.host_name, &user.email);
    let new = new.and_then(|new| if new == typed { Err(password::THE_SAME.to_owned()) } else { Ok(new) });
    let old_problem = match (&old, &new) {
        (Verified::Right(stored), Ok(new)) => {
            let hash = hasher.hash(Asker::User(user.id), new.clone()).await?;
            let sent = BrowserCookie::sent(&request, &state.base_url);
            match replace(&state, user, stored, &hash, sent, &origin).await? {
                Some((token, browser)) => {
                    sessions::attach(&session, token)?;
                    let text = "Password changed. You have been signed out in all other browsers.";
                    let mut response = notice::see_other(&session, "/user_profile#password", text)?;
                    browser.attach(&state.base_url, &mut response)?;
                    return Ok(response);
                }
                None => Some("Your password was changed in the meantime.".to_owned()),
            }
        }
        (Verified::Right(_), Err(_)) => None,
        (Verified::Wrong, _) => Some("This is not your current password.".to_owned()),
        (Verified::Closed(closed), _) => Some(closed.message(clock::now())),
    };
    let mut page = ProfilePage::new(&state, &person, &view).await?;
    page.old_password_problem = old_problem;
    page.new_password_problem = new.err();
    let closed = if let Verified::Closed(closed) = old { Some(closed) } else { None };
    throttle::refused_page(&page, closed, clock::now())
}

/// Replaces the password, ends all sessions, forgets all browsers, and begins a session of this browser. `None` if the
/// password was changed since it was verified.
async fn replace(
    state: &AppState,
    user: &User,
    old: &str,
    new: &str,
    sent: Option<BrowserCookie>,
    origin: &Origin,
) -> Result<Option<(SessionToken, BrowserCookie)>> {
    let now = clock::now();
    let mut tx = state.db.write().await?;
    store::lock_user(&mut tx, user.id).await?;
    if !store::replace_password(&mut tx, user.id, old, new).await? {
        return Ok(None);
    }
    let browser = sessions::start_over(&mut tx, user, sent, origin, now).await?;
    let digest = browser.digest();
    let session = New { user: user.id, verified: new, origin, browser: &digest };
    let begun = sessions::store::begin(&mut tx, &session, &Lifetime::of(&state.settings), now).await?;
    let Some((_, token)) = begun else { return Ok(None) };
    activity::put(&mut tx, &Entry::own(user.id, Kind::PasswordChanged, origin), now).await?;
    tx.commit().await?;
    Ok(Some((token, browser)))
}

/// GET /user_profile/password: where a sign-in leads after the session of the form has ended.
pub async fn password_form() -> HttpResponse {
    page::see_other("/user_profile#password")
}

/// GET /
pub async fn home() -> HttpResponse {
    page::see_other("/user_profile")
}
