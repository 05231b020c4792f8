//! `/api/v1/openapi.json`, open to all.

use actix_web::{
    HttpResponse,
    web::{Bytes, Data},
};

use crate::{app::site::Site, base::error::Result};

/// GET /openapi.json
pub async fn read(site: Data<Site>) -> Result<HttpResponse> {
    let document = match site.document.get() {
        Some(made) => made.clone(),
        None => {
            let made = Bytes::from(serde_json::to_vec(&super::document(&site)?)?);
            site.document.get_or_init(|| made).clone()
        }
    };
    Ok(HttpResponse::Ok().content_type("application/json").body(document))
}
