//! The body of a request: received whole in bounded time, and the JSON of an API request.

use std::time::Duration;

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::StatusCode,
    rt::{
        self,
        time::{sleep, timeout},
    },
    web::{Bytes, Data, PayloadConfig},
};
use serde_json::{Map, Value};

use super::{
    error::{Error, Result},
    parse,
};
use crate::site::Site;

/// 10 MiB (contract/README.md, section 11).
pub const LIMIT: usize = 10 * 1024 * 1024;

/// For longer than it takes to say that a body came too late.
const SAYING_SO: Duration = Duration::from_secs(5);

/// Why there is no body.
pub enum Missing {
    TooLarge,
    Late,
    Broken,
}

impl Missing {
    /// As an error, with the words of the part of the site that tells it.
    pub fn told(self, late: &str, broken: &str) -> Error {
        match self {
            Missing::TooLarge => Error::TooLarge,
            Missing::Late => Error::bad_request(late),
            Missing::Broken => Error::bad_request(broken),
        }
    }
}

/// The bytes of a body. Whoever sends them slowly holds a connection and memory, and gets so much time and no more.
pub fn received(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = std::result::Result<Bytes, Missing>> + use<> {
    let site = request.app_data::<Data<Site>>();
    let patience = site.map_or(Duration::ZERO, |site| Duration::from_secs(site.settings.body_seconds.into()));
    let mut bytes = Box::pin(Bytes::from_request(request, payload));
    async move {
        match timeout(patience, &mut bytes).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(error)) if error.as_response_error().status_code() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(Missing::TooLarge)
            }
            Ok(Err(_)) => Err(Missing::Broken),
            Err(_) => {
                // An answer before the body's end closes the connection, but not where a body in chunks was let go:
                // that is waited for to its end, however long it takes.
                rt::spawn(async move {
                    sleep(SAYING_SO).await;
                    drop(bytes);
                });
                Err(Missing::Late)
            }
        }
    }
}

/// A body whose JSON is well formed. Its content type is not asked for: clients name all sorts.
pub struct Body(Value);

impl Body {
    /// What stands under the body's one top key.
    pub fn top(self, key: &str) -> Result<Map<String, Value>> {
        match self.0 {
            Value::Object(mut body) => match body.remove(key) {
                Some(Value::Object(inside)) => Ok(inside),
                _ => Err(Error::bad_request(format!("{key} is required"))),
            },
            _ => Err(Error::bad_request(format!("{key} is required"))),
        }
    }
}

impl FromRequest for Body {
    type Error = Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = received(request, payload);
        Box::pin(async move {
            let bytes = bytes
                .await
                .map_err(|missing| missing.told("the body did not arrive in time", "the body could not be read"))?;
            if bytes.is_empty() {
                return Ok(Body(Value::Null));
            }
            parse::json(&bytes)
                .map(Body)
                .map_err(|error| Error::bad_request(format!("the body is not valid JSON: {error}")))
        })
    }
}

/// Sets the limit for the part of the site it is given to.
pub fn limit() -> PayloadConfig {
    PayloadConfig::new(LIMIT)
}
