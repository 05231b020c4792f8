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

/// The id under which a request stands in the log and in its answer, and the client's address.
#[derive(Clone, Copy)]
pub struct RequestId(pub Uuid, pub Option<IpAddr>);

/// Where a request comes from.
pub fn client(request: &HttpRequest) -> Option<IpAddr> {
    request.extensions().get::<RequestId>().and_then(|id| id.1)
}

/// Who asked, for the log line, and with which key; put into the request's extensions by whoever finds out.
#[derive(Clone, Copy)]
pub struct RequestUser(pub UserId, pub Option<ApiKeyId>);

/// Why a request was refused, or how a sign-in went, for the log line: in words of ours, since what was sent may be
/// secret.
#[derive(Clone)]
pub struct Reason(pub Cow<'static, str>);

/// Notes why a request is refused.
pub fn set_reason(request: &HttpRequest, error: &crate::base::error::Error) {
    if let Some(reason) = error.reason() {
        request.extensions_mut().insert(Reason(reason));
    }
}

/// The outermost layer. The route's pattern is logged, never the path: a secret pasted into a URL stays out of the log.
pub async fn log_request(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let start = Instant::now();
    let answering = request.conn_data::<Rc<ConnectionState>>().map(|connection| connection.answering());
    // Only to be told apart: the system's random numbers, which take a call of the kernel, are for secrets.
    let id = Builder::from_random_bytes(rand::random()).into_uuid();
    let method = known(request.method());
    normalize_path::normalize(&mut request);
    let encoding = compression::asked_for(&request);
    let state = request.app_data::<Data<AppState>>();
    let client = state.and_then(|state| client_ip::of(request.request(), &state.settings.trusted_proxies));
    request.extensions_mut().insert(RequestId(id, client));
    let header = HeaderValue::from_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
        .unwrap_or(HeaderValue::from_static("-"));

    match next.call(request).await {
        Ok(mut answer) => {
            answer.headers_mut().insert(HEADER, header);
            // Strangers are turned away before their path is looked at.
            let is_known = answer.status() != StatusCode::UNAUTHORIZED;
            let pattern = is_known.then(|| answer.request().match_pattern()).flatten();
            let (asking, reason) = {
                let noted = answer.request().extensions();
                (noted.get::<RequestUser>().copied(), noted.get::<Reason>().cloned())
            };
            let (pattern, status) = (pattern.as_deref(), answer.status());
            Line { method, pattern, status, start, id: RequestId(id, client), asking, reason }.log();
            let answer = compression::encode(answer.map_into_boxed_body(), encoding);
            Ok(match answering {
                Some(answering) => answer.map_body(|_, body| answering.until_the_end_of(body)),
                None => answer,
            })
        }
        // Only a layer below that failed without an answer of its own comes here.
        Err(error) => {
            let mut answer: HttpResponse = error.error_response();
            answer.headers_mut().insert(HEADER, header);
            let (pattern, status, id) = (None, answer.status(), RequestId(id, client));
            Line { method, pattern, status, start, id, asking: None, reason: None }.log();
            Err(InternalError::from_response(error, answer).into())
        }
    }
}

/// What a line tells.
struct Line<'a> {
    method: &'static str,
    pattern: Option<&'a str>,
    status: StatusCode,
    start: Instant,
    id: RequestId,
    asking: Option<RequestUser>,
    reason: Option<Reason>,
}

impl Line<'_> {
    fn log(&self) {
        // Every page loads files: they are told to those who ask for more.
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
        match self.asking {
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
        if let Some(RequestUser(user, key)) = self.asking {
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

/// A method is any word a client likes; only those we know are fit for the log.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("-")
}
