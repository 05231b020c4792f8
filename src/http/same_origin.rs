//! Writes that a browser's cookie vouches for are believed only from our own pages: cross-site request forgery
//! (OWASP, CSRF Prevention Cheat Sheet: Fetch Metadata, with Origin as the fallback).

use actix_web::{
    HttpRequest,
    http::{Method, header},
};
use url::{Host, Url};

use super::error::{Error, Result};

/// Refuses a writing request that did not start on a page of this site.
pub fn check(request: &HttpRequest, base_url: &Url) -> Result<()> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
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
    if ours { Ok(()) } else { Err(Error::Forbidden(Some("the request did not come from a page of this site"))) }
}

/// The base URL's origin; on loopback under any of its names.
fn is_ours(origin: &Url, base_url: &Url) -> bool {
    origin.origin() == base_url.origin()
        || (is_loopback(origin)
            && is_loopback(base_url)
            && origin.scheme() == base_url.scheme()
            && origin.port_or_known_default() == base_url.port_or_known_default())
}

/// True for `localhost` and the loopback addresses.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
