//! The names and attributes of cookies.

use actix_web::cookie::{Cookie, CookieBuilder, SameSite};
use url::Url;

/// A cookie that the response to a request sets, although an error answers it; in the request's extensions.
pub struct NewCookie(pub Cookie<'static>);

/// The session.
pub const SESSION: &str = "latchkey";

/// A sign-in that waits for the second factor.
pub const PENDING: &str = "latchkey-pending";

/// The cookie by which a browser is known again.
pub const BROWSER: &str = "latchkey-browser";

/// The name of a cookie. Cookies ignore ports: two servers on one host name would overwrite each other's. So it includes
/// the port, if the base URL has one.
pub fn name(kind: &str, base_url: &Url) -> String {
    let prefix = if is_secure(base_url) { "__Host-" } else { "" };
    base_url.port().map_or_else(|| format!("{prefix}{kind}"), |port| format!("{prefix}{kind}-{port}"))
}

/// True if cookies are sent over TLS only.
pub fn is_secure(base_url: &Url) -> bool {
    base_url.scheme() == "https"
}

/// A cookie for the whole site that no script can read.
pub fn cookie(kind: &str, base_url: &Url, value: String) -> CookieBuilder<'static> {
    let secure = is_secure(base_url);
    Cookie::build(name(kind, base_url), value).path("/").secure(secure).http_only(true).same_site(SameSite::Lax)
}
