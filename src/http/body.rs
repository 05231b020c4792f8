//! The JSON body of an API request.

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::StatusCode,
    web::{Bytes, PayloadConfig},
};
use serde_json::{Map, Value};

use super::{
    error::{Error, Result},
    parse,
};

/// 10 MiB (contract/README.md, section 11).
pub const LIMIT: usize = 10 * 1024 * 1024;

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
        let bytes = Bytes::from_request(request, payload);
        Box::pin(async move {
            let bytes = bytes.await.map_err(|error| match error.as_response_error().status_code() {
                StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge,
                _ => Error::bad_request("the body could not be read"),
            })?;
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
