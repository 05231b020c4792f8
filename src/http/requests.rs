//! One id and one log line for every request.

use std::time::Instant;

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        Method,
        header::{HeaderName, HeaderValue},
    },
    middleware::Next,
};
use uuid::Uuid;

use crate::ids::UserId;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id under which a request stands in the log and in its answer.
#[derive(Clone, Copy)]
pub struct RequestId(pub Uuid);

/// Who asked, for the log line; put into the request's extensions by whoever finds out.
#[derive(Clone, Copy)]
pub struct Asking(pub UserId);

/// The outermost layer. The route's pattern is logged, never the path: a secret pasted into a URL stays out of the log.
pub async fn note(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let start = Instant::now();
    let id = Uuid::new_v4();
    let method = known(request.method());
    request.extensions_mut().insert(RequestId(id));
    let header = HeaderValue::from_str(&id.to_string()).unwrap_or(HeaderValue::from_static("-"));

    match next.call(request).await {
        Ok(mut answer) => {
            answer.headers_mut().insert(HEADER, header);
            let pattern = answer.request().match_pattern().unwrap_or_else(|| "-".to_owned());
            let asking = answer.request().extensions().get::<Asking>().map_or("-".to_owned(), |a| a.0.to_string());
            let (status, took) = (answer.status().as_u16(), start.elapsed());
            log::info!("{method} {pattern} {status} {took:.1?} request={id} user={asking}");
            Ok(answer.map_into_boxed_body())
        }
        // Only a layer below that failed without an answer of its own comes here.
        Err(error) => {
            let mut answer: HttpResponse = error.error_response();
            answer.headers_mut().insert(HEADER, header);
            let (status, took) = (answer.status().as_u16(), start.elapsed());
            log::info!("{method} - {status} {took:.1?} request={id} user=-");
            Err(InternalError::from_response(error, answer).into())
        }
    }
}

/// A method is any word a client likes; only those we know are fit for the log.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("-")
}
