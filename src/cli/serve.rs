//! Serving, with or without demo data.

use std::{fs::File, sync::OnceLock, time::Duration};

use actix_web::{cookie::Key, rt, web::Data};
use tokio::net::TcpListener;

use super::{Outcome, make_private, open, told};
use crate::{
    api_keys::{callers::Callers, last_use::LastUses},
    config::Settings,
    db::PATIENCE,
    http::{etag::Tags, gate::Gate, rendered::Rendered, server},
    site::{self, Site},
    users::password::Hasher,
};

/// `latchkey serve`
pub async fn serve(settings: Settings) -> Outcome {
    let start = Start::new(settings).await?;
    start.serve(|_| {}).await
}

/// `latchkey demo`: the same on data of its own.
pub async fn demo(mut settings: Settings) -> Outcome {
    let named = settings.data_dir.is_some() || settings.database_url.is_some();
    // Removed when the demo ends.
    let fresh = tempfile::tempdir().map_err(|error| format!("Cannot make a temporary folder: {error}."))?;
    if !named {
        settings.data_dir = Some(fresh.path().to_owned());
    }
    let start = Start::new(settings).await?;
    let demo = crate::demo::prepare(&start.site).await?;
    start
        .serve(|site| {
            println!("Email: {}", demo.email);
            println!("Password: {}", demo.password);
            println!("curl -H 'user-api-key: {}' {}/api/v1/properties/", demo.key.reveal(), site.address());
        })
        .await
}

/// A server about to serve.
struct Start {
    listener: TcpListener,
    site: Data<Site>,
    cookie_key: Key,
    /// Held while this process serves a SQLite file.
    _only: Option<File>,
}

impl Start {
    async fn new(settings: Settings) -> Result<Self, String> {
        let listener = server::listen(&settings.listen, Duration::from_secs(settings.unread_seconds.into())).await?;
        let bound = listener.local_addr().map_err(|error| error.to_string())?;
        let base_url = settings.base_url(Some(bound))?;
        let only = match settings.database_url {
            Some(_) => None,
            None => Some(hold_alone(&settings)?),
        };
        let db = open(&settings, PATIENCE).await?.alone();
        let mut tx = db.write().await.map_err(told)?;
        let cookie_key =
            site::shared_value(&mut tx, "cookie_key", Key::generate().master().to_owned()).await.map_err(told)?;
        tx.commit().await.map_err(told)?;
        let hasher = Hasher::new(settings.cost(), settings.argon2_at_once.into())?;
        let gate = Gate::new(&settings);
        let site = Data::new(Site {
            settings,
            base_url,
            db,
            hasher,
            callers: Callers::default(),
            last_uses: LastUses::default(),
            rendered: Rendered::default(),
            tags: Tags::default(),
            gate,
            document: OnceLock::new(),
            reference: OnceLock::new(),
        });
        Ok(Start { listener, site, cookie_key: Key::from(&cookie_key), _only: only })
    }

    async fn serve(self, greet: impl FnOnce(&Site)) -> Outcome {
        let site = self.site.clone();
        let writing = rt::spawn(site.last_uses.clone().keep_writing(site.db.clone()));
        let server = server::serve(self.listener, self.site, &self.cookie_key)
            .map_err(|error| format!("The server could not start: {error}."))?;
        println!("Latchkey is serving {}", site.address());
        greet(&site);
        let stopped = server.await.map_err(|error| format!("The server stopped: {error}."));
        if site.last_uses.write(&site.db).await.is_err() {
            log::warn!("the last uses of some keys are lost");
        }
        writing.abort();
        site.db.close().await;
        stopped
    }
}

/// One server for one SQLite file.
fn hold_alone(settings: &Settings) -> Result<File, String> {
    let folder = settings.data_dir();
    make_private(&folder)?;
    let path = folder.join("serve.lock");
    let file = File::create(&path)
        .map_err(|error| format!("Cannot write {}: {error}. The data folder must be writable.", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => Err(format!(
            "Another server uses the data folder {}. Stop it, choose another --data-dir, or use PostgreSQL.",
            folder.display()
        )),
    }
}
