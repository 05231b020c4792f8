//! HTML forms, read leniently: a field that is missing is empty, so that its own rule can say what to do.

use std::{
    future::{Ready, ready},
    pin::Pin,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::StatusCode, web::Bytes};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::{Error, Result};

/// Bytes of a form at most. Ours have a few short fields.
pub const LIMIT: usize = 64 * 1024;

/// A form's fields.
pub struct Form<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = Bytes::from_request(request, payload);
        Box::pin(async move {
            let bytes = bytes.await.map_err(|error| match error.as_response_error().status_code() {
                StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge,
                _ => Error::bad_request("The form could not be read."),
            })?;
            read(&bytes).map(Form)
        })
    }
}

/// The arguments of a page's address, read as leniently.
pub struct Arguments<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Arguments<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request.query_string().as_bytes()).map(Arguments))
    }
}

/// The last of repeated fields wins, as in the API's query strings.
fn read<T: DeserializeOwned>(encoded: &[u8]) -> Result<T> {
    let fields: Map<String, Value> =
        url::form_urlencoded::parse(encoded).map(|(name, value)| (name.into_owned(), value.into())).collect();
    serde_json::from_value(fields.into()).map_err(|_| Error::bad_request("The form could not be read."))
}

/// A field as a page shows it: what was typed, and the reason beside it where it will not do.
#[derive(Clone, Debug, Default)]
pub struct Field {
    pub value: String,
    pub problem: Option<String>,
}

impl Field {
    pub fn of(value: impl Into<String>) -> Self {
        Field { value: value.into(), problem: None }
    }

    pub fn wrong(value: impl Into<String>, problem: impl Into<String>) -> Self {
        Field { value: value.into(), problem: Some(problem.into()) }
    }
}
