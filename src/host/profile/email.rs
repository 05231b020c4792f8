//! The form on the User Profile page that changes the email address.

use actix_session::Session;
use actix_web::{HttpResponse, http::StatusCode, web::Data};
use serde::Deserialize;
use serde_json::json;

use crate::{
    access::signed_in::{Confirmed, SignedIn},
    base::{clock, error::Result},
    host::profile::{ProfilePage, key_list::ListView},
    people::{
        sessions::{kept_forms::Typed, notice},
        users::{
            Email,
            links::{self, Purpose},
        },
    },
    record::{
        activity::{self, Entry, Kind},
        origin::Origin,
        outbox::{self, Mail, MailKind},
    },
    web::{
        form::{Field, Form},
        state::AppState,
    },
};

#[derive(Deserialize)]
pub struct NewEmail {
    #[serde(default)]
    email: String,
}

/// GET /user_profile/email: the profile with what was entered before a sign-in.
pub async fn show(
    state: Data<AppState>,
    person: SignedIn,
    view: ListView,
    typed: Typed<NewEmail>,
) -> Result<HttpResponse> {
    page(&state, &person, &view, Field::of(typed.0.email), StatusCode::OK).await
}

async fn page(
    state: &AppState,
    person: &SignedIn,
    view: &ListView,
    new_email: Field,
    status: StatusCode,
) -> Result<HttpResponse> {
    let page = ProfilePage::new(state, person, view).await?;
    ProfilePage { new_email, ..page }.answer(status)
}

/// POST /user_profile/email: mails a link to the new address, which confirms it. The response is the same for an address that
/// belongs to another account.
pub async fn ask(
    state: Data<AppState>,
    Confirmed(person): Confirmed,
    session: Session,
    origin: Origin,
    view: ListView,
    form: Form<NewEmail>,
) -> Result<HttpResponse> {
    let typed = form.0.email;
    let again = async |problem: &str| {
        let field = Field::wrong(typed.clone(), problem);
        page(&state, &person, &view, field, StatusCode::UNPROCESSABLE_ENTITY).await
    };
    if !state.settings.mail.sends_mail() {
        return again("This site sends no mail, so an address cannot be confirmed.").await;
    }
    let new: Email = match typed.parse() {
        Ok(email) => email,
        Err(problem) => return again(problem).await,
    };
    let user = &person.user;
    if new.text == user.email {
        return again("This is your email address already.").await;
    }
    let now = clock::now();
    let mut tx = state.db.write().await?;
    links::end(&mut tx, user.id, &[Purpose::EmailChange]).await?;
    let data = json!({ "at": now, "address": origin.address_text(), "client": origin.client });
    let mail = Mail { kind: MailKind::EmailChange, user: Some(user.id), to: &new.text, data };
    if !outbox::put_link(&mut tx, &mail, now).await? {
        return again("Several mails were sent to this address already. Try again in an hour.").await;
    }
    let entry = Entry::own(user.id, Kind::EmailChangeAsked, &origin).with(json!({ "email": new.text }));
    activity::put(&mut tx, &entry, now).await?;
    tx.commit().await?;
    let text = format!("A link is on its way to {}. Open it to confirm the new address.", new.text);
    notice::see_other(&session, "/user_profile#email_section", text)
}
