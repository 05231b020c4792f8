//! The page /leaked_key, where anybody hands in keys that they have found: no session, no account, and nothing of the text
//! comes back.

use std::{future::Future, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::{
        StatusCode,
        header::{self, ContentType},
    },
    web::{Bytes, Data},
};
use askama::Template;
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::{
    base::error::{Error, LimitKind, Result},
    keys::{
        cache::CredentialCache,
        leaks::{self, LeakBox},
    },
    web::{
        admission, body, client_ip,
        page::{self, Layout},
        parse,
        request_log::{self, RequestId},
        state::AppState,
    },
};

/// Maximum size of a text in bytes.
const LONGEST_TEXT: usize = 64 * 1024;

/// The same of a body, in which a character of the text may be an escape.
const LONGEST_BODY: usize = 4 * LONGEST_TEXT;

/// How long every response takes.
const ANSWER_AFTER: Duration = Duration::from_millis(500);

const THANKS: &str = "Thank you. A working key among these stops at once, and its owner is told.";

#[derive(Template)]
#[template(path = "keys/leaked.html")]
struct LeakedKeyPage {
    layout: Layout,
    /// The base URL.
    address: String,
    thanks: Option<&'static str>,
}

fn answer(state: &AppState, thanks: Option<&'static str>) -> Result<HttpResponse> {
    let page = LeakedKeyPage { layout: Layout::new(state, None), address: state.address().to_owned(), thanks };
    page::html(StatusCode::OK, &page)
}

/// GET /leaked_key
pub async fn show(state: Data<AppState>) -> Result<HttpResponse> {
    answer(&state, None)
}

/// A body, however it is encoded. One of a client that sends too many is not read.
pub struct Sent(Bytes);

impl FromRequest for Sent {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if let Err(error) = count(request) {
            return Box::pin(async { Err(error) });
        }
        let bytes = body::received(request, payload, LONGEST_BODY, None);
        Box::pin(async move {
            let bytes = bytes.await.map_err(|missing| {
                missing.into_error("The text did not arrive in time. Send it again.", "The text could not be read.")
            })?;
            Ok(Sent(bytes))
        })
    }
}

fn count(request: &HttpRequest) -> Result<()> {
    let parts = request.app_data::<Data<AppState>>().zip(request.app_data::<Data<LeakBox>>());
    let Some((state, leak_box)) = parts else { return Err(Error::Internal("no leak box".to_owned())) };
    let is_proxy = client_ip::is_unlisted_proxy(request, &state.settings.trusted_proxies);
    let counted = leak_box.count(request_log::client(request), is_proxy);
    counted.map_err(|refusal| Error::TooMany(LimitKind::Address, refusal))
}

/// POST /leaked_key: the same response after the same time, whatever was sent.
pub async fn report(
    request: HttpRequest,
    state: Data<AppState>,
    leak_box: Data<LeakBox>,
    credentials: Data<CredentialCache>,
    sent: Sent,
) -> Result<HttpResponse> {
    let answer_at = Instant::now() + ANSWER_AFTER;
    // A request that waits does not count as concurrent.
    let _ = admission::suspend(&request);
    let text = text(&sent.0);
    if text.len() > LONGEST_TEXT {
        return Err(Error::TooLarge);
    }
    let id = request_log::id(&request).map(|RequestId(id, _)| id);
    let is_stored = match timeout_at(answer_at, credentials.has_imported(&state.db)).await {
        Ok(Ok(has_imported)) => leak_box.store(&state.db, leaks::digests_in(&text, has_imported), id, answer_at).await,
        Ok(Err(_)) | Err(_) => false,
    };
    sleep_until(answer_at).await;
    if !is_stored {
        return Err(Error::Unavailable);
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    match kind.is_some_and(|kind| kind.to_ascii_lowercase().contains("json")) {
        true => Ok(HttpResponse::Ok().content_type(ContentType::json()).body(json!({ "message": THANKS }).to_string())),
        false => answer(&state, Some(THANKS)),
    }
}

#[derive(Deserialize)]
struct Json {
    text: String,
}

/// The field `text` of a form or of JSON; of anything else, everything, since it may hold a key.
fn text(body: &[u8]) -> Vec<u8> {
    if let Ok(Json { text }) = serde_json::from_slice(parse::unmarked(body)) {
        return text.into_bytes();
    }
    let fields = url::form_urlencoded::parse(body).filter(|(name, _)| name == "text");
    let texts: Vec<String> = fields.map(|(_, value)| value.into_owned()).collect();
    if texts.is_empty() { body.to_vec() } else { texts.join("\n").into_bytes() }
}
