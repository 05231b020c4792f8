//! The page of a user's browser sessions: where they are signed in, and ending what is not theirs.

use actix_session::Session;
use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use askama::Template;
use chrono_tz::Tz;

use crate::{
    access::signed_in::{Confirmed, SignedIn},
    base::{
        clock,
        error::{Error, Result},
        ids::SessionId,
    },
    people::sessions::{
        browser,
        notice::{self, Notice},
        pending,
        store::{self, Lifetime, Stored},
    },
    record::{
        activity::{self, Entry, Kind},
        client,
        origin::Origin,
    },
    web::{
        page::{self, Layout, When, counted},
        state::AppState,
    },
};

#[derive(Template)]
#[template(path = "sessions/list.html")]
struct SessionsPage {
    layout: Layout,
    notice: Notice,
    rows: Vec<Row>,
}

/// A session, ready to be shown.
struct Row {
    id: String,
    is_this: bool,
    /// A short description of the client.
    client: String,
    /// What the client calls itself.
    agent: String,
    address: String,
    began: When,
    last_seen: When,
}

impl Row {
    fn new(stored: Stored, this: SessionId, zone: Tz) -> Self {
        Row {
            is_this: stored.id == this,
            id: stored.id.to_string(),
            client: client::describe(stored.client.as_deref().unwrap_or_default()),
            agent: stored.client.unwrap_or_default(),
            address: stored.address.unwrap_or_default(),
            began: When::new(stored.created_at, zone),
            last_seen: When::new(stored.last_seen_at, zone),
        }
    }
}

/// GET /user_profile/sessions
pub async fn list(state: Data<AppState>, person: SignedIn, session: Session) -> Result<HttpResponse> {
    let mut tx = state.db.read().await?;
    let lifetime = Lifetime::of(&state.settings);
    let sessions = store::of_user(&mut tx, person.user.id, &lifetime, clock::now()).await?;
    drop(tx);
    let (this, zone) = (person.session.id, person.user.zone());
    let page = SessionsPage {
        layout: Layout::new(&state, Some(person.user.display_name())),
        notice: notice::take(&session),
        rows: sessions.into_iter().map(|stored| Row::new(stored, this, zone)).collect(),
    };
    page::html(StatusCode::OK, &page)
}

/// POST /user_profile/sessions/{id}/sign_out: another session, after a confirmation; this one as by "Sign out".
pub async fn sign_out(
    state: Data<AppState>,
    person: Confirmed,
    session: Session,
    origin: Origin,
    id: Path<String>,
) -> Result<HttpResponse> {
    let Confirmed(person) = person;
    let id: SessionId = id.parse().map_err(|_| Error::NotFound)?;
    let mut tx = state.db.write().await?;
    let agent = store::client(&mut tx, person.user.id, id).await?;
    if !store::end(&mut tx, person.user.id, id).await? {
        return Err(Error::NotFound);
    }
    let is_this = id == person.session.id;
    let kind = if is_this { Kind::SignOut } else { Kind::SessionEnded };
    let details = serde_json::json!({ "client": agent });
    activity::put(&mut tx, &Entry::own(person.user.id, kind, &origin).about(id).with(details), clock::now()).await?;
    tx.commit().await?;
    if is_this {
        session.purge();
        return Ok(page::see_other("/sign_in?notice=signed_out"));
    }
    notice::see_other(&session, "/user_profile/sessions", "Signed out there.")
}

/// POST /user_profile/sessions/sign_out_others. Other browsers are forgotten, too: guesses from there count as those of
/// strangers.
pub async fn sign_out_others(
    state: Data<AppState>,
    person: Confirmed,
    session: Session,
    origin: Origin,
) -> Result<HttpResponse> {
    let Confirmed(person) = person;
    let user = person.user.id;
    let mut tx = state.db.write().await?;
    let ended = store::end_others(&mut tx, user, person.session.id).await?;
    browser::forget_others(&mut tx, user, person.session.browser().as_ref()).await?;
    pending::end_all(&mut tx, user).await?;
    let ended = i64::try_from(ended).unwrap_or(i64::MAX);
    if ended > 0 {
        let entry = Entry::own(user, Kind::SessionEnded, &origin).with(serde_json::json!({ "count": ended }));
        activity::put(&mut tx, &entry, clock::now()).await?;
    }
    tx.commit().await?;
    let text = match ended {
        0 => "You were not signed in anywhere else.".to_owned(),
        _ => format!("Signed out in {}.", counted(ended, "other browser", "other browsers")),
    };
    notice::see_other(&session, "/user_profile/sessions", text)
}

/// GET of these addresses: where the confirmation leads back to.
pub async fn forms() -> HttpResponse {
    page::see_other("/user_profile/sessions")
}
