//! The API's own document: made when it is first asked for, as JSON for programs and as the reference pages.

use std::sync::OnceLock;

use actix_web::{
    HttpResponse,
    web::{Bytes, Data},
};

use crate::{base::error::Result, host::docs::reference::Reference, resource::document::Document};

/// The document of this host in its two forms.
pub struct ApiDocument {
    make: Box<dyn Fn() -> Document + Send + Sync>,
    made: OnceLock<Made>,
}

struct Made {
    json: Bytes,
    reference: Reference,
}

impl ApiDocument {
    /// `make` gives the document.
    pub fn new(make: impl Fn() -> Document + Send + Sync + 'static) -> Self {
        ApiDocument { make: Box::new(make), made: OnceLock::new() }
    }

    fn made(&self) -> Result<&Made> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let document = (self.make)();
        let json = Bytes::from(serde_json::to_vec(&document.to_json())?);
        Ok(self.made.get_or_init(|| Made { json, reference: Reference::new(&document) }))
    }

    /// The document as the reference pages show it.
    pub fn reference(&self) -> Result<&Reference> {
        Ok(&self.made()?.reference)
    }
}

/// GET /api/v1/openapi.json
pub async fn read(document: Data<ApiDocument>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().content_type("application/json").body(document.made()?.json.clone()))
}
