//! Style, script and icon, inside the binary. Their addresses carry a hash of their content, so that browsers may cache
//! them for ever.

use std::sync::LazyLock;

use actix_web::{HttpResponse, http::header, web::Path};
use sha2::{Digest, Sha256};

use crate::base::error::{Error, Result};

struct Asset {
    name: &'static str,
    kind: &'static str,
    body: &'static str,
    url: String,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let asset = |name, kind, body: &'static str| {
        let digest = Sha256::digest(body);
        let hash: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Asset { name, kind, body, url: format!("/static/{hash}/{name}") }
    };
    vec![
        asset("app.css", "text/css; charset=utf-8", include_str!("../../static/app.css")),
        asset("app.js", "text/javascript; charset=utf-8", include_str!("../../static/app.js")),
        asset("docs.css", "text/css; charset=utf-8", include_str!("../../static/docs.css")),
        asset("docs.js", "text/javascript; charset=utf-8", include_str!("../../static/docs.js")),
        asset("icon.svg", "image/svg+xml", include_str!("../../static/icon.svg")),
    ]
});

/// The address of an asset; empty if it does not exist.
pub fn url(name: &str) -> &'static str {
    ASSETS.iter().find(|asset| asset.name == name).map_or("", |asset| &asset.url)
}

/// The route of assets.
pub const PATTERN: &str = "/static/{hash}/{name}";

/// True for the address of an existing asset, with its current hash.
pub fn exists(path: &str) -> bool {
    path.starts_with("/static/") && ASSETS.iter().any(|asset| asset.url == path)
}

/// GET /static/{hash}/{name}
pub async fn file(path: Path<(String, String)>) -> Result<HttpResponse> {
    let (hash, name) = path.into_inner();
    let wanted = format!("/static/{hash}/{name}");
    let asset = ASSETS.iter().find(|asset| asset.url == wanted).ok_or(Error::NotFound)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .content_type(asset.kind)
        .body(asset.body))
}
