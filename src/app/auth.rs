//! Authentication, by an API key or by a browser session. Extractors read the caller that it puts into the request.

use actix_session::SessionExt;
use actix_web::{
    HttpMessage,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::HeaderName,
    middleware::Next,
    web::Data,
};

use crate::{
    access::{caller::Caller, signed_in},
    base::{
        clock::{self, Moment},
        error::{Error, Result},
    },
    keys::{
        self, PlainKey,
        cache::CredentialCache,
        foreign::{self, ForeignKeys},
        last_use::LastUses,
        store::Credential,
        used::LastUse,
    },
    people::sessions,
    record::origin,
    web::{
        admission::Admission,
        client_ip, csrf, methods,
        request_log::{self, RequestUser},
        response_cache::Viewer,
        state::AppState,
    },
};

/// The header of a key; keys are accepted nowhere else.
pub const USER_API_KEY: HeaderName = HeaderName::from_static("user-api-key");

/// Open to everyone (docs/contract/README.md, section 15, 2).
const OPEN: &str = "/api/v1/openapi.json";

/// Middleware: authenticates a request of the API before anything else.
pub async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> std::result::Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if request.path() == OPEN && methods::is_read(request.method()) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    match caller(&request).await {
        Ok(caller) => {
            request.extensions_mut().insert(RequestUser(caller.user, caller.key));
            request.extensions_mut().insert(Viewer { user: caller.user, key: caller.key });
            request.extensions_mut().insert(caller);
            Ok(next.call(request).await?.map_into_boxed_body())
        }
        Err(error) => Ok(request.error_response(error)),
    }
}

async fn caller(request: &ServiceRequest) -> Result<Caller> {
    let now = clock::now();
    let mut keys = request.headers().get_all(USER_API_KEY);
    match (keys.next(), keys.next()) {
        (None, _) => by_session(request).await,
        (Some(sent), None) => {
            let sent = sent.as_bytes();
            match PlainKey::parse(sent) {
                Some(key) => by_key(request, key, now).await,
                None => by_foreign_key(request, sent, now).await,
            }
        }
        (Some(_), Some(_)) => Err(Error::Unauthorized(None)),
    }
}

fn part<T: 'static>(request: &ServiceRequest) -> Result<&Data<T>> {
    request.app_data().ok_or_else(|| Error::Internal("a part of the program is missing".to_owned()))
}

async fn by_key(request: &ServiceRequest, key: PlainKey, now: Moment) -> Result<Caller> {
    let state: &Data<AppState> = part(request)?;
    let cache: &Data<CredentialCache> = part(request)?;
    let credential = cache.credential(&state.db, key.digest()).await?.ok_or(Error::Unauthorized(None))?;
    admit(request, &credential, now)
}

/// A key of another system, if any was imported. What is malformed costs nothing more where none was.
async fn by_foreign_key(request: &ServiceRequest, sent: &[u8], now: Moment) -> Result<Caller> {
    let state: &Data<AppState> = part(request)?;
    let cache: &Data<CredentialCache> = part(request)?;
    let wrong = || Error::Unauthorized(keys::wrong_form(sent));
    let key = foreign::parse(sent, &state.settings.key_prefixes()).ok_or_else(wrong)?;
    if !cache.has_imported(&state.db).await? {
        return Err(wrong());
    }
    match cache.credential(&state.db, foreign::digest(key)).await? {
        Some(credential) => admit(request, &credential, now),
        None => {
            let is_proxy = client_ip::is_unlisted_proxy(request.request(), &state.settings.trusted_proxies);
            part::<ForeignKeys>(request)?.count(request_log::client(request.request()), is_proxy)?;
            Err(wrong())
        }
    }
}

fn admit(request: &ServiceRequest, credential: &Credential, now: Moment) -> Result<Caller> {
    let state: &Data<AppState> = part(request)?;
    let last_uses: &Data<LastUses> = part(request)?;
    let caller = credential.admit(state.settings.grace(), now)?;
    part::<Admission>(request)?.key(credential.key)?;
    last_uses.note(credential.key, &credential.last_use, || used_by(request, now), now);
    Ok(caller)
}

fn used_by(request: &ServiceRequest, now: Moment) -> LastUse {
    let address = request_log::client(request.request());
    LastUse { at: now, address: address.map(|address| address.to_string()), client: origin::client(request.headers()) }
}

async fn by_session(request: &ServiceRequest) -> Result<Caller> {
    let state: &Data<AppState> = part(request)?;
    let session = sessions::current(&request.get_session()).ok_or(Error::Unauthorized(None))?;
    csrf::check(request.request(), &state.base_url)?;
    part::<Admission>(request)?.user(session.user)?;
    let account = signed_in::account(state, session.user).await?.ok_or(Error::Unauthorized(None))?;
    if signed_in::needs_second_factor(state, account.has_second_factor) {
        return Err(Error::Forbidden(Some("set up the second factor first")));
    }
    Ok(Caller { is_confirmed: session.is_confirmed(clock::now()), ..Caller::person(session.user) })
}
