//! If the base URL is https, requests over plain http are rejected, so that a misconfigured client notices before it
//! sends keys and passwords unencrypted for long.

use actix_web::dev::ServiceRequest;

use crate::{
    base::{
        error::{Error, Result},
        logging::OnceAMinute,
    },
    web::{client_ip, state::AppState},
};

const DIRECT: &str = "this site is https only (LATCHKEY_BASE_URL), and this request did not come through a \
    proxy of LATCHKEY_TRUSTED_PROXIES";
pub const MARKED: &str = "this site is https only (LATCHKEY_BASE_URL), and the proxy says that this request \
    came by http";

static REFUSED: OnceAMinute = OnceAMinute::new();
static UNMARKED: OnceAMinute = OnceAMinute::new();

/// Rejects a request whose peer is neither this machine nor a listed proxy, and one that a listed proxy marks as
/// `http`.
pub fn check(state: &AppState, request: &ServiceRequest) -> Result<()> {
    if state.base_url.scheme() != "https" {
        return Ok(());
    }
    let Some(peer) = request.peer_addr().map(|peer| peer.ip().to_canonical()) else { return Ok(()) };
    let why = match client_ip::is_listed(&peer, &state.settings.trusted_proxies) {
        false if peer.is_loopback() => return Ok(()),
        false => DIRECT,
        true => match client_ip::is_plain_http(request.headers()) {
            Some(true) => MARKED,
            Some(false) => return Ok(()),
            None => {
                if UNMARKED.is_due() {
                    log::warn!(
                        "the proxy {peer} does not send X-Forwarded-Proto: it is unknown whether its clients use https"
                    );
                }
                return Ok(());
            }
        },
    };
    if REFUSED.is_due() {
        log::warn!("rejected a request from {peer}: {why}");
    }
    Err(Error::Insecure(why))
}

/// The value of `strict-transport-security`, if the base URL is https.
pub fn hsts(state: &AppState) -> Option<&'static str> {
    (state.base_url.scheme() == "https").then_some(match state.settings.hsts_subdomains {
        true => "max-age=31536000; includeSubDomains",
        false => "max-age=31536000",
    })
}
