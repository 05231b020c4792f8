//! The pages behind the links that confirm a new email address, and that take the change back.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use askama::Template;
use serde_json::json;

use crate::{
    base::{
        clock::{self, Moment},
        error::{Error, Result},
    },
    db::{Tx, is_taken},
    people::{
        sessions::{self, browser, pending},
        users::{
            Email, User, addresses,
            invitation::ended,
            links::{self, Link, LinkToken, Purpose},
            store,
        },
    },
    record::{
        activity::{self, Entry, Kind},
        origin::Origin,
        outbox::{self, Mail, MailKind},
    },
    web::{
        page::{self, Layout},
        state::AppState,
    },
};

/// The page that asks to confirm a change.
#[derive(Template)]
#[template(path = "users/email_change.html")]
struct ChangePage {
    layout: Layout,
    action: String,
    /// The address that the account has now.
    current: String,
    /// The address that it will have.
    new: String,
    /// The change is taken back.
    is_undo: bool,
    /// Why it is impossible.
    problem: Option<&'static str>,
}

impl ChangePage {
    fn new(state: &AppState, purpose: Purpose, token: &LinkToken, user: &User, new: &Email) -> Self {
        ChangePage {
            layout: Layout::new(state, None),
            action: purpose.path(token),
            current: user.email.clone(),
            new: new.text.clone(),
            is_undo: purpose == Purpose::EmailUndo,
            problem: None,
        }
    }
}

/// The user of a link, and the address that it is about.
async fn find(tx: &mut Tx, purpose: Purpose, token: &LinkToken, now: Moment) -> Result<Option<(User, Email)>> {
    let Some(Link { user, email: Some(email), .. }) = links::find(tx, purpose, token, now).await? else {
        return Ok(None);
    };
    let Ok(email) = email.parse::<Email>() else { return Ok(None) };
    let is_over = purpose == Purpose::EmailUndo && addresses::changed_at(tx, user.id, &email, now).await?.is_none();
    Ok((!is_over).then_some((user, email)))
}

async fn show(state: &AppState, purpose: Purpose, token: &LinkToken) -> Result<HttpResponse> {
    let mut tx = state.db.read().await?;
    match find(&mut tx, purpose, token, clock::now()).await? {
        Some((user, email)) => page::html(StatusCode::OK, &ChangePage::new(state, purpose, token, &user, &email)),
        None => ended(state),
    }
}

/// GET /email/{token}
pub async fn show_change(state: Data<AppState>, token: Path<LinkToken>) -> Result<HttpResponse> {
    show(&state, Purpose::EmailChange, &token).await
}

/// GET /email/undo/{token}
pub async fn show_undo(state: Data<AppState>, token: Path<LinkToken>) -> Result<HttpResponse> {
    show(&state, Purpose::EmailUndo, &token).await
}

/// POST /email/{token}: from now on the user signs in with the new address. The old one is told, and can take it back.
pub async fn confirm(state: Data<AppState>, token: Path<LinkToken>, origin: Origin) -> Result<HttpResponse> {
    let now = clock::now();
    let mut tx = state.db.write().await?;
    let Some((user, new)) = find(&mut tx, Purpose::EmailChange, &token, now).await? else { return ended(&state) };
    store::lock_user(&mut tx, user.id).await?;
    if !links::use_up(&mut tx, Purpose::EmailChange, &token, now).await? {
        return ended(&state);
    }
    let is_changed = match addresses::change(&mut tx, &user, &new, now).await {
        Err(error) if is_taken(&error) => false,
        changed => changed?,
    };
    if !is_changed {
        let page = ChangePage {
            problem: Some("This address now belongs to another account."),
            ..ChangePage::new(&state, Purpose::EmailChange, &token, &user, &new)
        };
        return page::html(StatusCode::CONFLICT, &page);
    }
    let details = json!({ "old": user.email, "new": new.text });
    activity::put(&mut tx, &Entry::own(user.id, Kind::EmailChanged, &origin).with(details), now).await?;
    let data = json!({ "at": now, "address": origin.address_text(), "client": origin.client, "new": new.text });
    let mail = Mail { kind: MailKind::EmailChanged, user: Some(user.id), to: &user.email, data };
    outbox::put(&mut tx, &mail, None, now).await?;
    tx.commit().await?;
    Ok(page::see_other("/sign_in?notice=email_changed"))
}

/// POST /email/undo/{token}: puts the old address back and ends all sessions, since somebody else may have changed it. A mail
/// to the old address has a link for a new password.
pub async fn undo(state: Data<AppState>, token: Path<LinkToken>, origin: Origin) -> Result<HttpResponse> {
    let now = clock::now();
    let mut tx = state.db.write().await?;
    let Some((user, old)) = find(&mut tx, Purpose::EmailUndo, &token, now).await? else { return ended(&state) };
    store::lock_user(&mut tx, user.id).await?;
    if !links::use_up(&mut tx, Purpose::EmailUndo, &token, now).await?
        || !addresses::undo(&mut tx, user.id, &old, now).await?
    {
        return ended(&state);
    }
    links::end(&mut tx, user.id, &[Purpose::EmailChange, Purpose::Reset]).await?;
    sessions::store::end_all(&mut tx, user.id).await?;
    pending::end_all(&mut tx, user.id).await?;
    browser::forget_all(&mut tx, user.id).await?;
    let details = json!({ "old": user.email, "new": old.text, "is_undone": true });
    activity::put(&mut tx, &Entry::own(user.id, Kind::EmailChanged, &origin).by_nobody().with(details), now).await?;
    let data = json!({ "at": now, "is_undone": true });
    let mail = Mail { kind: MailKind::Reset, user: Some(user.id), to: &old.text, data };
    outbox::put(&mut tx, &mail, None, now).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(page::see_other("/sign_in?notice=email_undone"))
}
