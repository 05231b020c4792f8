//! One id and one log line for every request.

use std::{
    borrow::Cow,
    io::{self, Write},
    net::IpAddr,
    rc::Rc,
    time::Instant,
};

use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        Method, StatusCode,
        header::{HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use log::Level;
use uuid::{Builder, Uuid};

use crate::{
    base::{
        ids::{ApiKeyId, UserId},
        logging::{self, Format},
    },
    web::{assets, client_ip, compression, connections::ConnectionState, normalize_path, state::AppState},
};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request in the log and in its response, and the client's address.
#[derive(Clone, Copy)]
pub struct RequestId(pub Uuid, pub Option<IpAddr>);

/// The client's address.
pub fn client(request: &HttpRequest) -> Option<IpAddr> {
    request.extensions().get::<RequestId>().and_then(|id| id.1)
}

/// The id of a request.
pub fn id(request: &HttpRequest) -> Option<RequestId> {
    request.extensions().get::<RequestId>().copied()
}

/// The user and the key of a request, for the log line. Whoever authenticates puts it into the request's extensions.
#[derive(Clone, Copy)]
pub struct RequestUser(pub UserId, pub Option<ApiKeyId>);

/// Why a request was rejected, or how a sign-in ended, for the log line. Never what was sent, which may be secret.
#[derive(Clone)]
pub struct Reason(pub Cow<'static, str>);

/// Sets the reason of an error for the log line.
pub fn set_reason(request: &HttpRequest, error: &crate::base::error::Error) {
    if let Some(reason) = error.reason() {
        request.extensions_mut().insert(Reason(reason));
    }
}

/// Sets the outcome of a sign-in and the user, if there is one: never the address that was entered.
pub fn set_outcome(request: &HttpRequest, outcome: &'static str, user: Option<UserId>) {
    let mut extensions = request.extensions_mut();
    extensions.insert(Reason(outcome.into()));
    if let Some(user) = user {
        extensions.insert(RequestUser(user, None));
    }
}

/// The outermost middleware. The route's pattern is logged, never the path: a secret pasted into a URL stays out of the
/// log.
pub async fn log_request(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let start = Instant::now();
    let answering = request.conn_data::<Rc<ConnectionState>>().map(|connection| connection.answering());
    // Unique but not secret: the system's random numbers would cost a system call.
    let id = Builder::from_random_bytes(rand::random()).into_uuid();
    let method = known(request.method());
    normalize_path::normalize(&mut request);
    let encoding = compression::accepted(&request);
    let state = request.app_data::<Data<AppState>>();
    let client = state.and_then(|state| client_ip::of(request.request(), &state.settings.trusted_proxies));
    request.extensions_mut().insert(RequestId(id, client));
    let header = HeaderValue::from_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
        .unwrap_or(HeaderValue::from_static("-"));

    match next.call(request).await {
        Ok(mut answer) => {
            answer.headers_mut().insert(HEADER, header);
            // Unauthenticated requests are rejected before routing.
            let is_routed = answer.status() != StatusCode::UNAUTHORIZED;
            let pattern = is_routed.then(|| answer.request().match_pattern()).flatten();
            let (user, reason) = {
                let extensions = answer.request().extensions();
                (extensions.get::<RequestUser>().copied(), extensions.get::<Reason>().cloned())
            };
            let (pattern, status) = (pattern.as_deref(), answer.status());
            Line { method, pattern, status, start, id: RequestId(id, client), user, reason }.log();
            let answer = compression::encode(answer.map_into_boxed_body(), encoding);
            Ok(match answering {
                Some(answering) => answer.map_body(|_, body| answering.until_the_end_of(body)),
                None => answer,
            })
        }
        // Only if an inner layer failed without a response of its own.
        Err(error) => {
            let mut answer: HttpResponse = error.error_response();
            answer.headers_mut().insert(HEADER, header);
            let (pattern, status, id) = (None, answer.status(), RequestId(id, client));
            Line { method, pattern, status, start, id, user: None, reason: None }.log();
            Err(InternalError::from_response(error, answer).into())
        }
    }
}

/// The content of a line.
struct Line<'a> {
    method: &'static str,
    pattern: Option<&'a str>,
    status: StatusCode,
    start: Instant,
    id: RequestId,
    user: Option<RequestUser>,
    reason: Option<Reason>,
}

impl Line<'_> {
    fn log(&self) {
        // Every page loads static files: they are logged at debug level.
        let level = if self.pattern == Some(assets::PATTERN) && !self.status.is_client_error() {
            Level::Debug
        } else {
            Level::Info
        };
        logging::write(level, module_path!(), |line, format| match format {
            Format::Text => self.as_text(line),
            Format::Json => self.as_json(line),
        });
    }

    fn took(&self) -> (u128, u128) {
        let took = self.start.elapsed().as_micros();
        (took / 1000, took / 100 % 10)
    }

    fn as_text(&self, line: &mut Vec<u8>) -> io::Result<()> {
        let (took, tenths) = self.took();
        let (pattern, status) = (self.pattern.unwrap_or("-"), self.status.as_u16());
        write!(line, "{} {pattern} {status} {took}.{tenths}ms request={}", self.method, self.id.0)?;
        match self.user {
            Some(RequestUser(user, Some(key))) => write!(line, " user={user} key={key}")?,
            Some(RequestUser(user, None)) => write!(line, " user={user} key=-")?,
            None => line.write_all(b" user=- key=-")?,
        }
        if let Some(address) = self.id.1 {
            write!(line, " from={address}")?;
        }
        if let Some(Reason(reason)) = &self.reason {
            write!(line, " reason={reason:?}")?;
        }
        Ok(())
    }

    fn as_json(&self, line: &mut Vec<u8>) -> io::Result<()> {
        let (took, tenths) = self.took();
        let (pattern, status) = (self.pattern.unwrap_or("-"), self.status.as_u16());
        write!(line, r#""message":"request","request_id":"{}","method":"{}","route":"#, self.id.0, self.method)?;
        logging::json_text(line, pattern)?;
        write!(line, r#","status":{status},"ms":{took}.{tenths}"#)?;
        if let Some(RequestUser(user, key)) = self.user {
            write!(line, r#","user":"{user}""#)?;
            if let Some(key) = key {
                write!(line, r#","key":"{key}""#)?;
            }
        }
        if let Some(address) = self.id.1 {
            write!(line, r#","address":"{address}""#)?;
        }
        if let Some(Reason(reason)) = &self.reason {
            line.write_all(br#","reason":"#)?;
            logging::json_text(line, reason)?;
        }
        Ok(())
    }
}

/// The name of a known method. Clients can send any word, so others are not logged.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("-")
}
