//! Cross-site request forgery: writes with a session are accepted only from pages of this site (OWASP, CSRF Prevention
//! Cheat Sheet: Fetch Metadata, with Origin as the fallback).

use actix_web::{HttpRequest, http::header};
use url::Url;

use crate::{
    base::{
        error::{Error, Result},
        logging::OnceAMinute,
        settings::is_loopback,
    },
    web::methods,
};

/// The one page whose form any page and any program may send: it uses no session.
const OPEN: &str = "/leaked_key";

static REFUSED: OnceAMinute = OnceAMinute::new();

/// Rejects a write that was not sent from a page of this site.
///
/// # Errors
/// `CrossSite`; `OtherName` if the page was opened on this server under another name.
pub fn check(request: &HttpRequest, base_url: &Url) -> Result<()> {
    if !methods::is_write(request.method()) || request.path() == OPEN {
        return Ok(());
    }
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let ours = match text(header::HeaderName::from_static("sec-fetch-site")) {
        Some(site) => matches!(site, "same-origin" | "none"),
        // Browsers leave that header out on plain http.
        None => text(header::ORIGIN)
            .and_then(|origin| origin.parse::<Url>().ok())
            .is_some_and(|origin| is_ours(&origin, base_url)),
    };
    if ours {
        return Ok(());
    }
    let origin = text(header::ORIGIN).and_then(|origin| origin.parse::<Url>().ok()).filter(Url::has_host);
    let Some(origin) = origin else { return Err(Error::CrossSite) };
    let (sent, ours) = (origin.origin().ascii_serialization(), base_url.origin().ascii_serialization());
    if REFUSED.is_due() {
        log::warn!(
            "rejected a form sent from {sent:.200}, since the base URL of this site is {ours}; if people should use \
             the former, set LATCHKEY_BASE_URL to it"
        );
    }
    // Only a page of this server is told about the other name.
    let own_host = text(header::HOST).is_some_and(|host| sent.split_once("://").is_some_and(|(_, name)| name == host));
    Err(if own_host { Error::OtherName { sent, ours } } else { Error::CrossSite })
}

/// The base URL's origin; on loopback under any of its names.
fn is_ours(origin: &Url, base_url: &Url) -> bool {
    origin.origin() == base_url.origin()
        || (is_loopback(origin)
            && is_loopback(base_url)
            && origin.scheme() == base_url.scheme()
            && origin.port_or_known_default() == base_url.port_or_known_default())
}
