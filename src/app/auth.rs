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
        self, PlainKey,
        cache::CredentialCache,
        refused::Reason,
        store::Credential,
        uses::{self, KeyUses},
    },
    people::sessions,
    web::{
        admission::Admission,
        csrf, methods,
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
        Ok((caller, credential)) => {
            request.extensions_mut().insert(RequestUser(caller.user, caller.key));
            request.extensions_mut().insert(Viewer { user: caller.user, key: caller.key });
            request.extensions_mut().insert(caller);
            let answer = next.call(request).await?;
            if caller.read_only && answer.status() == StatusCode::FORBIDDEN {
                refused_to_write(answer.request(), credential.as_deref());
            }
            Ok(answer.map_into_boxed_body())
        }
        Err(error) => Ok(request.error_response(error)),
    }
}

/// The caller, and the credential if it sent a key.
async fn caller(request: &ServiceRequest) -> Result<(Caller, Option<Arc<Credential>>)> {
    let now = clock::now();
    let mut keys = request.headers().get_all(USER_API_KEY);
    match (keys.next(), keys.next()) {
        (None, _) => Ok((by_session(request).await?, None)),
        (Some(sent), None) => {
            let sent = sent.as_bytes();
            let key = PlainKey::parse(sent).ok_or_else(|| Error::Unauthorized(keys::wrong_form(sent)))?;
            by_key(request, key, now).await
        }
        (Some(_), Some(_)) => Err(Error::Unauthorized(None)),
    }
}

fn part<T: 'static>(request: &ServiceRequest) -> Result<&Data<T>> {
    request.app_data().ok_or_else(|| Error::Internal("a part of the program is missing".to_owned()))
}

async fn by_key(request: &ServiceRequest, key: PlainKey, now: Moment) -> Result<(Caller, Option<Arc<Credential>>)> {
    let state: &Data<AppState> = part(request)?;
    let cache: &Data<CredentialCache> = part(request)?;
    let uses: &Data<KeyUses> = part(request)?;
    let credential = cache.credential(&state.db, key.digest()).await?.ok_or(Error::Unauthorized(None))?;
    let (address, headers) = (request_log::client(request.request()), request.headers());
    let grace = state.settings.grace();
    let caller = credential.admit(grace, now).inspect_err(|_| {
        uses.refused(&credential, uses::reason(&credential, grace, now), address, headers, now);
    })?;
    part::<Admission>(request)?.key(credential.key)?;
    uses.used(&credential, address, headers, now);
    Ok((caller, Some(credential)))
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
