//! What handlers and middleware of every floor need. What only some need is registered beside it (`app/server.rs`).

use url::Url;

use crate::{base::settings::Settings, db::Db};

/// What every handler may use, created once at start.
pub struct AppState {
    pub settings: Settings,
    /// The public address of the site.
    pub base_url: Url,
    pub db: Db,
}

impl AppState {
    /// The base URL without a trailing slash: paths are appended to it.
    pub fn address(&self) -> &str {
        self.base_url.as_str().trim_end_matches('/')
    }
}
