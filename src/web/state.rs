//! What handlers and layers of every floor need. What one floor alone needs is registered beside it (`app/server.rs`).

use url::Url;

use crate::{base::settings::Settings, db::Db};

/// The parts of the running program that every handler may use, made once at start.
pub struct AppState {
    pub settings: Settings,
    /// The public address of the site.
    pub base_url: Url,
    pub db: Db,
}

impl AppState {
    /// The base URL without a slash at its end: what paths are put behind.
    pub fn address(&self) -> &str {
        self.base_url.as_str().trim_end_matches('/')
    }
}
