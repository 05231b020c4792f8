//! Serving, with or without demo data.

use std::{fs::File, net::SocketAddr, time::Duration};

use actix_web::{cookie::Key, rt, web::Data};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::{
    app::{
        openapi,
        server::{self, Parts},
    },
    base::{
        secret_keys::SecretKeys,
        settings::{RequireSecondFactor, Settings},
    },
    cli::{
        Outcome, background, cleanup,
        database::{Place, lock_for_server},
        database_error, hourly,
        other_user::quoted,
    },
    db::{Db, Found, PATIENCE, host_values, missing},
    delivery::{
        queue,
        server::MailServer,
        worker::{self, Stop},
    },
    host::docs::document::ApiDocument,
    keys::{cache::CredentialCache, foreign::ForeignKeys, leaks::LeakBox, uses::KeyUses},
    people::{
        password::Hasher,
        second_factor,
        users::{self},
    },
    resource::render_cache::RenderCache,
    web::{admission::Admission, response_cache::ResponseCache, state::AppState},
};

/// `latchkey serve`
pub async fn serve(settings: Settings) -> Outcome {
    let start = Start::new(settings, false).await?;
    let has_users = users::store::any(&mut start.parts.state.db.read().await.map_err(database_error)?)
        .await
        .map_err(database_error)?;
    start
        .serve(|state| {
            if !has_users {
                println!("No users yet. Invite the first one with: latchkey user invite EMAIL{}", folder_of(state));
            }
        })
        .await
}

/// The option with which a command finds the same database from any folder.
fn folder_of(state: &AppState) -> String {
    match (&state.settings.database_url, std::path::absolute(state.settings.data_dir())) {
        (None, Ok(folder)) => format!(" --data-dir {}", quoted(&folder.to_string_lossy())),
        _ => String::new(),
    }
}

/// `latchkey demo`: serves demo data.
pub async fn demo(mut settings: Settings) -> Outcome {
    // Removed when the demo ends.
    let _fresh = match settings.data_dir.is_some() || settings.database_url.is_some() {
        true => None,
        false => {
            let fresh = tempfile::tempdir().map_err(|error| {
                format!("Cannot create a temporary folder: {error}. Set TMPDIR, or name a folder with --data-dir.")
            })?;
            settings.data_dir = Some(fresh.path().to_owned());
            Some(fresh)
        }
    };
    let start = Start::new(settings, true).await?;
    let demo = crate::demo::prepare(&start.parts.state).await?;
    start
        .serve(|state| {
            println!("Email: {}", demo.email);
            println!("Password: {}", demo.password);
            println!("curl -H 'user-api-key: {}' {}/api/v1/properties/", demo.key.reveal(), state.address());
        })
        .await
}

/// The secret keys. If some that are needed are missing, the log says so.
async fn secret_keys(settings: &Settings, db: &Db) -> Result<SecretKeys, String> {
    let keys = SecretKeys::of(settings)?;
    if settings.require_second_factor == RequireSecondFactor::Everybody && !keys.can_seal() {
        return Err(format!(
            "Two-factor authentication is required, but there are no secret keys: set {}.",
            keys.place()
        ));
    }
    let mut tx = db.read().await.map_err(database_error)?;
    for (id, secrets) in second_factor::store::keys_in_use(&mut tx).await.map_err(database_error)? {
        if !keys.known().iter().any(|key| key.id == id) {
            log::warn!(
                "the secret key {id} is missing in {}: the one-time codes of {secrets} users cannot be checked",
                keys.place()
            );
        }
    }
    Ok(keys)
}

/// How long the mail that is being sent may take when the server stops.
const LAST_MAIL: Duration = Duration::from_secs(10);

/// A server about to serve.
struct Start {
    listener: TcpListener,
    parts: Parts,
    mail: Option<MailServer>,
    /// The lock of the data folder, while this process serves a SQLite file.
    _lock: Option<File>,
}

impl Start {
    async fn new(settings: Settings, for_demo: bool) -> Result<Self, String> {
        // Checked before anything is created, if possible.
        if settings.base_url.is_some() || settings.listen.parse::<SocketAddr>().is_ok() {
            settings.base_url(None)?;
        }
        let mail = MailServer::of(&settings)?;
        let place = Place::of(&settings)?;
        if let Found::Ours(ours) = place.inspect().await? {
            missing(&ours.applied)?;
            if for_demo && ours.has_users && !ours.is_demo {
                return Err(crate::demo::NOT_OURS.to_owned());
            }
        }
        let lock = match &place {
            Place::File { folder, .. } => Some(lock_for_server(folder).await?),
            Place::Postgres(_) => None,
        };
        let listener = server::listen(&settings.listen, Duration::from_secs(settings.unread_seconds.into())).await?;
        let bound = listener.local_addr().map_err(|error| error.to_string())?;
        let base_url = settings.base_url(Some(bound))?;
        let db = place.migrated(&settings, PATIENCE).await?.exclusive();
        db.read_versions_from_wal_index().await.map_err(database_error)?;
        place.warn();
        let mut tx = db.write().await.map_err(database_error)?;
        let cookie_key = host_values::shared_value(&mut tx, "cookie_key", Key::generate().master().to_owned())
            .await
            .map_err(database_error)?;
        host_values::store_base_url(&mut tx, &base_url).await.map_err(database_error)?;
        host_values::store_sends_mail(&mut tx, mail.is_some()).await.map_err(database_error)?;
        if lock.is_some() {
            queue::end_leases(&mut tx).await.map_err(database_error)?;
        }
        tx.commit().await.map_err(database_error)?;
        let hasher = Hasher::new(settings.cost(), settings.argon2_at_once.into())?;
        let secret_keys = secret_keys(&settings, &db).await?;
        let admission = Admission::new(&settings);
        let state = AppState { settings, base_url, db };
        let (host, support) = (state.settings.host_name.clone(), state.settings.support.clone());
        let address = state.address().to_owned();
        let document = ApiDocument::new(move || openapi::document(&host, support.as_deref(), &address));
        let parts = Parts {
            state: Data::new(state),
            admission: Data::new(admission),
            responses: Data::new(ResponseCache::default()),
            hasher: Data::new(hasher),
            secret_keys: Data::new(secret_keys),
            credentials: Data::new(CredentialCache::default()),
            uses: Data::new(KeyUses::default()),
            leak_box: Data::new(LeakBox::default()),
            foreign_keys: Data::new(ForeignKeys::default()),
            rendered: Data::new(RenderCache::default()),
            document: Data::new(document),
            cookie_key: Key::from(&cookie_key),
        };
        Ok(Start { listener, parts, mail, _lock: lock })
    }

    async fn serve(self, greet: impl FnOnce(&AppState)) -> Outcome {
        let (state, uses) = (self.parts.state.clone(), self.parts.uses.clone());
        let writing = rt::spawn(uses.get_ref().clone().keep_writing(state.db.clone()));
        let mut beside = vec![
            rt::spawn(cleanup::keep_cleaning(state.clone())),
            rt::spawn(background::keep_recording(state.clone())),
            rt::spawn(hourly::keep_running(state.clone())),
            rt::spawn(background::keep_withdrawing(state.clone(), self.parts.leak_box.clone())),
        ];
        let process = Uuid::new_v4();
        if state.settings.database_url.is_some() {
            let keys = self.parts.secret_keys.clone();
            beside.push(rt::spawn(background::keep_announcing(state.db.clone(), keys, process)));
        }
        let stop = Stop::default();
        let sending = self.mail.map(|mail| rt::spawn(worker::keep_sending(state.clone(), mail, stop.clone())));
        let server = server::serve(self.listener, self.parts)
            .map_err(|error| format!("The server could not start: {error}."))?;
        println!("Latchkey is serving {}", state.address());
        greet(&state);
        let stopped = server.await.map_err(|error| format!("The server stopped: {error}."));
        beside.into_iter().for_each(|task| task.abort());
        if let Some(sending) = sending {
            stop.stop();
            if tokio::time::timeout(LAST_MAIL, sending).await.is_err() {
                log::warn!("a mail was being sent; it is sent again after the next start");
            }
        }
        let db = state.db.reopened();
        if state.settings.database_url.is_some()
            && let Err(error) = background::leave(&db, process).await
        {
            log::warn!("could not tell others that this process ends: {error}");
        }
        if uses.write_all(&db).await.is_err() {
            log::warn!("some uses of keys could not be saved");
        }
        writing.abort();
        state.db.close().await;
        stopped
    }
}
