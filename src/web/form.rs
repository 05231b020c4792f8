//! HTML forms, parsed leniently: a missing field is empty, so that its own rule has the message. A name that ends in
//! `[]` is a list of all its values.

use std::{
    future::{Ready, ready},
    pin::Pin,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    base::error::{Error, Result},
    web::body,
};

/// Maximum size of a form in bytes. Most have a few short fields; one has a list of up to a thousand ids.
pub const LIMIT: usize = 64 * 1024;

/// A form's fields.
pub struct Form<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = body::received(request, payload, LIMIT, None);
        Box::pin(async move {
            let bytes = bytes.await.map_err(|missing| {
                missing.into_error("The form did not arrive in time. Submit it again.", "The form could not be read.")
            })?;
            read(&bytes).map(Form)
        })
    }
}

/// The query parameters of a page, parsed in the same way.
pub struct Arguments<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Arguments<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request.query_string().as_bytes()).map(Arguments))
    }
}

/// Parses encoded fields. The last of repeated fields wins, as in the API's query strings; lists keep them all.
pub fn read<T: DeserializeOwned>(encoded: &[u8]) -> Result<T> {
    let mut fields = Map::new();
    for (name, value) in url::form_urlencoded::parse(encoded) {
        match fields.get_mut(&*name) {
            Some(Value::Array(list)) => list.push(value.into()),
            _ if name.ends_with("[]") => drop(fields.insert(name.into_owned(), Value::Array(vec![value.into()]))),
            _ => drop(fields.insert(name.into_owned(), value.into())),
        }
    }
    serde_json::from_value(fields.into()).map_err(|_| Error::bad_request("The form could not be read."))
}

/// A field as a page shows it: what was entered, and why it is invalid.
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::read;

    #[derive(Deserialize)]
    struct Fields {
        title: String,
        #[serde(rename = "ids[]", default)]
        ids: Vec<String>,
    }

    #[test]
    fn of_repeated_fields_the_last_wins_and_lists_keep_all() {
        let fields: Fields = read(b"ids%5B%5D=a&title=x&ids[]=b&title=y&title[]=z&ids=c&ids%5B%5D=").expect("a form");
        assert_eq!((fields.title.as_str(), fields.ids), ("y", vec!["a".to_owned(), "b".to_owned(), String::new()]));
        assert_eq!(read::<Fields>(b"title=").expect("a form").ids, Vec::<String>::new());
    }
}
