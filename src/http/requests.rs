//! One id and one log line for every request.

use std::{net::IpAddr, rc::Rc, time::Instant};

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
use uuid::{Builder, Uuid};

use super::{address, connections, encoding, path};
use crate::{ids::UserId, site::Site};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id under which a request stands in the log and in its answer, and the client's address.
#[derive(Clone, Copy)]
pub struct RequestId(pub Uuid, pub Option<IpAddr>);

/// Where a request comes from.
pub fn client(request: &HttpRequest) -> Option<IpAddr> {
    request.extensions().get::<RequestId>().and_then(|id| id.1)
}

/// Who asked, for the log line; put into the request's extensions by whoever finds out.
#[derive(Clone, Copy)]
pub struct Asking(pub UserId);

/// The outermost layer. The route's pattern is logged, never the path: a secret pasted into a URL stays out of the log.
pub async fn note(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let start = Instant::now();
    let answering = request.conn_data::<Rc<connections::State>>().map(|connection| connection.answering());
    // Only to be told apart: the system's random numbers, which take a call of the kernel, are for secrets.
    let id = Builder::from_random_bytes(rand::random()).into_uuid();
    let method = known(request.method());
    path::normalize(&mut request);
    let encoding = encoding::asked_for(&request);
    let site = request.app_data::<Data<Site>>();
    let client = site.and_then(|site| address::of(request.request(), &site.settings.trusted_proxies));
    request.extensions_mut().insert(RequestId(id, client));
    let header = HeaderValue::from_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
        .unwrap_or(HeaderValue::from_static("-"));

    match next.call(request).await {
        Ok(mut answer) => {
            answer.headers_mut().insert(HEADER, header);
            // Strangers are turned away before their path is looked at.
            let is_known = answer.status() != StatusCode::UNAUTHORIZED;
            let pattern = is_known.then(|| answer.request().match_pattern()).flatten();
            let asking = answer.request().extensions().get::<Asking>().map(|asking| asking.0);
            log(method, pattern.as_deref(), answer.status(), start, id, asking);
            let answer = encoding::encode(answer.map_into_boxed_body(), encoding);
            Ok(match answering {
                Some(answering) => answer.map_body(|_, body| answering.until_the_end_of(body)),
                None => answer,
            })
        }
        // Only a layer below that failed without an answer of its own comes here.
        Err(error) => {
            let mut answer: HttpResponse = error.error_response();
            answer.headers_mut().insert(HEADER, header);
            log(method, None, answer.status(), start, id, None);
            Err(InternalError::from_response(error, answer).into())
        }
    }
}

fn log(method: &str, pattern: Option<&str>, status: StatusCode, start: Instant, id: Uuid, asking: Option<UserId>) {
    let (status, took) = (status.as_u16(), start.elapsed().as_micros());
    let (pattern, took, tenths) = (pattern.unwrap_or("-"), took / 1000, took / 100 % 10);
    match asking {
        Some(user) => log::info!("{method} {pattern} {status} {took}.{tenths}ms request={id} user={user}"),
        None => log::info!("{method} {pattern} {status} {took}.{tenths}ms request={id} user=-"),
    }
}

/// A method is any word a client likes; only those we know are fit for the log.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("-")
}
