//! The API's own document: made when it is first asked for, as JSON for programs and as the reference pages.

use std::sync::OnceLock;

use actix_web::{
    HttpResponse,
    web::{Bytes, Data},
};
use serde_json::Value;

use crate::{base::error::Result, host::docs::reference::Reference};

/// The OpenAPI document of this host and what is made of it.
pub struct ApiDocument {
    make: Box<dyn Fn() -> Result<Value> + Send + Sync>,
    address: String,
    json: OnceLock<Bytes>,
    reference: OnceLock<Reference>,
}

impl ApiDocument {
    /// `make` gives the document, `address` is the base URL without a slash at its end.
    pub fn new(address: &str, make: impl Fn() -> Result<Value> + Send + Sync + 'static) -> Self {
        ApiDocument {
            make: Box::new(make),
            address: address.to_owned(),
            json: OnceLock::new(),
            reference: OnceLock::new(),
        }
    }

    fn json(&self) -> Result<Bytes> {
        if let Some(made) = self.json.get() {
            return Ok(made.clone());
        }
        let made = Bytes::from(serde_json::to_vec(&(self.make)()?)?);
        Ok(self.json.get_or_init(|| made).clone())
    }

    /// The document as the reference pages show it.
    pub fn reference(&self) -> Result<&Reference> {
        if let Some(made) = self.reference.get() {
            return Ok(made);
        }
        let made = Reference::read(&(self.make)()?, &self.address);
        Ok(self.reference.get_or_init(|| made))
    }
}

/// GET /api/v1/openapi.json
pub async fn read(document: Data<ApiDocument>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().content_type("application/json").body(document.json()?))
}
