//! Authentication, by an API key or by a browser session. Extractors read the caller that it puts into the request.

use std::sync::Arc;

use actix_session::SessionExt;
use actix_web::{
    HttpMessage, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header::HeaderName},
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
        self, Client, PlainKey,
        cache::CredentialCache,
        foreign::{self, ForeignKeys},
        refused::Reason,
        store::Credential,
        uses::{self, KeyUses},
    },
    people::sessions,
    web::{
        admission::Admission,
        api_responses::{API_KEY_EXPIRES, SUBSCRIPTION_ENDS},
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
    let grace = part::<AppState>(&request)?.settings.grace();
    let (caller, credential) = caller(&request).await;
    let mut answer = match caller {
        Ok(caller) => {
            request.extensions_mut().insert(RequestUser(caller.user, caller.key));
            request.extensions_mut().insert(Viewer { user: caller.user, key: caller.key });
            request.extensions_mut().insert(caller);
            let answer = next.call(request).await?;
            if caller.read_only && answer.status() == StatusCode::FORBIDDEN {
                refused_to_write(answer.request(), credential.as_deref());
            }
            answer.map_into_boxed_body()
        }
        Err(error) => request.error_response(error),
    };
    if let Some(credential) = credential {
        if let Some(end) = &credential.end_header {
            answer.headers_mut().insert(API_KEY_EXPIRES, end.clone());
        }
        if let Some(end) = credential.subscription_header(grace) {
            answer.headers_mut().insert(SUBSCRIPTION_ENDS, end);
        }
    }
    Ok(answer)
}

/// The caller, and the credential of the key that was sent, also of one that is rejected.
type Authenticated = (Result<Caller>, Option<Arc<Credential>>);

async fn caller(request: &ServiceRequest) -> Authenticated {
    let now = clock::now();
    let mut keys = request.headers().get_all(USER_API_KEY);
    match (keys.next(), keys.next()) {
        (None, _) => (by_session(request).await, None),
        (Some(sent), None) => match credential(request, sent.as_bytes()).await {
            Ok(credential) => (by_key(request, &credential, now), Some(credential)),
            Err(error) => (Err(error), None),
        },
        (Some(_), Some(_)) => (Err(Error::Unauthorized(None)), None),
    }
}

fn part<T: 'static>(request: &ServiceRequest) -> Result<&Data<T>> {
    request.app_data().ok_or_else(|| Error::Internal("a part of the program is missing".to_owned()))
}

/// The credential of the key that was sent, in whatever form.
async fn credential(request: &ServiceRequest, sent: &[u8]) -> Result<Arc<Credential>> {
    let state: &Data<AppState> = part(request)?;
    let cache: &Data<CredentialCache> = part(request)?;
    let Some(key) = PlainKey::parse(sent) else { return foreign_credential(request, sent).await };
    cache.credential(&state.db, key.digest()).await?.ok_or(Error::Unauthorized(None))
}

/// The credential of a key of another system, if any was imported. What is malformed costs nothing more where none was.
async fn foreign_credential(request: &ServiceRequest, sent: &[u8]) -> Result<Arc<Credential>> {
    let state: &Data<AppState> = part(request)?;
    let cache: &Data<CredentialCache> = part(request)?;
    let wrong = || Error::Unauthorized(keys::wrong_form(sent));
    let key = foreign::parse(sent, &state.settings.key_prefixes()).ok_or_else(wrong)?;
    if !cache.has_imported(&state.db).await? {
        return Err(wrong());
    }
    if let Some(credential) = cache.credential(&state.db, foreign::digest(key)).await? {
        return Ok(credential);
    }
    let is_proxy = client_ip::is_unlisted_proxy(request.request(), &state.settings.trusted_proxies);
    part::<ForeignKeys>(request)?.count(request_log::client(request.request()), is_proxy)?;
    Err(wrong())
}

fn by_key(request: &ServiceRequest, credential: &Credential, now: Moment) -> Result<Caller> {
    let state: &Data<AppState> = part(request)?;
    let uses: &Data<KeyUses> = part(request)?;
    let (address, headers, grace) = (request_log::client(request.request()), request.headers(), state.settings.grace());
    let client = || Client {
        address,
        is_hidden: client_ip::is_unlisted_proxy(request.request(), &state.settings.trusted_proxies),
    };
    let caller = credential.admit(grace, now, client).inspect_err(|_| {
        uses.refused(credential, uses::reason(credential, grace, now), address, headers, now);
    })?;
    part::<Admission>(request)?.key(credential.key)?;
    uses.used(credential, address, headers, now);
    Ok(caller)
}

/// Counts a write that was refused because the key may only read. It was counted as a use before: the key works.
fn refused_to_write(request: &HttpRequest, credential: Option<&Credential>) {
    if let (Some(uses), Some(credential)) = (request.app_data::<Data<KeyUses>>(), credential) {
        let address = request_log::client(request);
        uses.refused(credential, Reason::ReadOnly, address, request.headers(), clock::now());
    }
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
