//! Asking for a mail with a link, which anybody can do with any address. The response, its statements and its time are the
//! same whether the address has an account or not: that is found out when the mail is sent.

use actix_web::HttpRequest;
use serde::Deserialize;
use serde_json::json;

use crate::{
    base::{clock, error::Result},
    people::{
        throttle::{self, Closed, Subject},
        users::Email,
    },
    record::{
        origin::Origin,
        outbox::{self, Mail, MailKind},
    },
    web::{form::Field, request_log, state::AppState},
};

/// A form with an address.
#[derive(Deserialize)]
pub struct Address {
    #[serde(default)]
    pub email: String,
}

/// What became of a request.
pub enum Asked {
    /// A mail is on its way to this address, if it may get one.
    Sent(String),
    /// The field with what was entered and the reason; and until when the client is refused.
    Refused(Field, Option<Closed>),
}

/// Asks for a mail to the address that was entered; `asker` is by what requests are counted, `None` if it is not known who
/// asks.
pub async fn ask(
    request: &HttpRequest,
    state: &AppState,
    kind: MailKind,
    asker: Option<Subject>,
    typed: String,
) -> Result<Asked> {
    let email: Email = match typed.parse() {
        Ok(email) => email,
        Err(problem) => return Ok(Asked::Refused(Field::wrong(typed, problem), None)),
    };
    let now = clock::now();
    if let Some(asker) = asker {
        match throttle::store::reserve(&state.db, vec![asker], now).await? {
            Ok(ticket) => ticket.keep(),
            Err(closed) => {
                request_log::set_outcome(request, "mail: too many", None);
                return Ok(Asked::Refused(Field::wrong(typed, closed.message(now)), Some(closed)));
            }
        }
    }
    let origin = Origin::of(request);
    let data = json!({ "at": now, "address": origin.address_text(), "client": origin.client });
    let mut tx = state.db.write().await?;
    outbox::put_link(&mut tx, &Mail { kind, user: None, to: &email.text, data }, now).await?;
    tx.commit().await?;
    Ok(Asked::Sent(email.text))
}
