//! The HTTP server: middleware in order, start and stop.

use std::{net::SocketAddr, time::Duration};

use actix_http::{HttpService, Protocol, error::DispatchError};
use actix_server::ServerBuilder;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, map_config};
use actix_session::{
    SessionMiddleware,
    config::{BrowserSession, TtlExtensionPolicy},
};
use actix_web::{
    App,
    cookie::{Key, SameSite, time},
    dev::{AppConfig, Server, fn_service},
    guard,
    middleware::from_fn,
    web::{self, Data, ServiceConfig},
};
use rustix::{
    net::sockopt,
    process::{Resource, getrlimit, setrlimit},
};
use tokio::net::{TcpListener, TcpSocket};

use crate::{
    app::{auth, routes},
    base::secret_keys::SecretKeys,
    host::docs::document::ApiDocument,
    keys::{cache::CredentialCache, foreign::ForeignKeys, leaks::LeakBox, uses::KeyUses},
    people::{
        password::Hasher,
        sessions::{cookie_store::Sessions, store::Lifetime},
    },
    resource::render_cache::RenderCache,
    web::{
        admission::Admission,
        api_responses,
        connection_limit::ConnectionLimit,
        connections::{Connection, KEEP_ALIVE, Watch},
        cookies, etag, page_responses, request_log,
        response_cache::ResponseCache,
        state::AppState,
    },
};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Seconds for running requests to finish when the server stops.
const LAST_REQUESTS: u64 = 10;

/// How long the rest of a body is read and dropped that was answered before its end: closing at once would reset the
/// connection, and the client might lose the response.
const REST_OF_BODY: Duration = Duration::from_secs(5);

/// Open files other than connections of clients.
const OWN_FILES: usize = 256;

/// Listens on an address. A connection whose client reads nothing for `unread` is closed.
///
/// # Errors
/// A sentence for the host.
pub async fn listen(address: &str, unread: Duration) -> Result<TcpListener, String> {
    if let Some(port) = address.strip_prefix(':').filter(|port| port.parse::<u16>().is_ok()) {
        return Err(format!(
            "Cannot listen on {address}: write 127.0.0.1:{port} for this machine alone (behind a proxy), or 0.0.0.0:{port} \
             for all its networks."
        ));
    }
    let addresses = tokio::net::lookup_host(address).await.map_err(|error| {
        format!("Cannot listen on {address}: {error}. An address is host and port, such as 127.0.0.1:8080.")
    })?;
    let mut problem = "no such address".to_owned();
    for candidate in addresses {
        match bind(candidate, unread) {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                problem = "the port is already in use. Stop the other program, or choose another port with --listen"
                    .to_owned();
            }
            Err(error) => problem = error.to_string(),
        }
    }
    Err(format!("Cannot listen on {address}: {problem}."))
}

fn bind(address: SocketAddr, unread: Duration) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    // Connections inherit it. It covers clients that are gone, and those that do not read.
    sockopt::set_tcp_user_timeout(&socket, u32::try_from(unread.as_millis()).unwrap_or(u32::MAX))?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The parts of the running program, which handlers and middleware take. Each is created once.
#[derive(Clone)]
pub struct Parts {
    pub state: Data<AppState>,
    pub admission: Data<Admission>,
    pub responses: Data<ResponseCache>,
    pub hasher: Data<Hasher>,
    pub secret_keys: Data<SecretKeys>,
    pub credentials: Data<CredentialCache>,
    pub uses: Data<KeyUses>,
    pub leak_box: Data<LeakBox>,
    pub foreign_keys: Data<ForeignKeys>,
    pub rendered: Data<RenderCache>,
    pub document: Data<ApiDocument>,
    pub cookie_key: Key,
}

impl Parts {
    /// Registers the parts for handlers and middleware.
    fn register(&self, app: &mut ServiceConfig) {
        app.app_data(self.state.clone())
            .app_data(self.admission.clone())
            .app_data(self.responses.clone())
            .app_data(self.hasher.clone())
            .app_data(self.secret_keys.clone())
            .app_data(self.credentials.clone())
            .app_data(self.uses.clone())
            .app_data(self.leak_box.clone())
            .app_data(self.foreign_keys.clone())
            .app_data(self.rendered.clone())
            .app_data(self.document.clone());
    }
}

/// Serves until a signal to stop; then running requests finish.
pub fn serve(listener: TcpListener, parts: Parts) -> std::io::Result<Server> {
    let state = parts.state.clone();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let connections = connections(state.settings.max_connections as usize);
    let per_address = state.settings.connections_per_address.map_or(connections.div_ceil(4), |most| most as usize);
    let limit = ConnectionLimit::new(per_address, state.settings.trusted_proxies.clone());
    let head = Duration::from_secs(state.settings.head_seconds.into());
    let app = move || {
        // If both are sent, the key decides, and the session is not even read.
        let with_key = web::scope("/api")
            .guard(guard::fn_guard(|request| request.head().headers.contains_key(auth::USER_API_KEY)))
            .wrap(from_fn(etag::etag))
            .wrap(from_fn(auth::authenticate))
            .wrap(from_fn(api_responses::middleware))
            .configure(api);
        let with_session = web::scope("/api")
            .wrap(from_fn(etag::etag))
            .wrap(from_fn(auth::authenticate))
            .wrap(session(&state, &parts.cookie_key))
            .wrap(from_fn(api_responses::middleware))
            .configure(api);
        let pages = web::scope("")
            .wrap(session(&state, &parts.cookie_key))
            .wrap(from_fn(page_responses::middleware))
            .configure(routes::pages)
            .default_service(web::to(routes::no_page));
        App::new()
            .configure(|app| parts.register(app))
            .wrap(from_fn(request_log::log_request))
            .service(with_key)
            .service(with_session)
            .configure(routes::open)
            .service(pages)
    };
    let server = ServerBuilder::new()
        .workers(workers)
        .max_concurrent_connections(connections.div_ceil(workers))
        .shutdown_timeout(LAST_REQUESTS);
    let ending = server.graceful_shutdown_signal();
    // As `HttpServer` does, but with `Connection` in place of the socket.
    let server = server.listen("latchkey", listener.into_std()?, move || {
        let watch = Watch::start(limit.clone(), head);
        let ending = ending.clone();
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let ending = ending.clone();
                async move { ending.notified().await }
            })
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(head)
            .client_disconnect_timeout(REST_OF_BODY)
            .on_connect_ext(|connection: &Connection, of_requests| drop(of_requests.insert(connection.state())))
            .finish(map_config(app().into_factory().map_err(|error| error.error_response()), |()| {
                AppConfig::default()
            }));
        fn_service(move |socket| {
            let admitted = watch.admit(socket).map_err(DispatchError::Io);
            async move { admitted.map(|(connection, peer)| (connection, Protocol::Http1, peer)) }
        })
        .and_then(http)
    })?;
    Ok(server.run())
}

fn api(api: &mut ServiceConfig) {
    api.service(web::scope("/v1").configure(|v1| routes::api().serve(v1)).default_service(web::to(routes::nothing)))
        .default_service(web::to(routes::nothing));
}

/// The maximum number of connections. Each is an open file, and the initial limit of these is often 1,024: it is raised
/// to the maximum, and if that is not enough, there are fewer connections, so that files are left for the database.
fn connections(wanted: usize) -> usize {
    let mut files = getrlimit(Resource::Nofile);
    let started_with = files.current;
    files.current = files.maximum;
    let files = match setrlimit(Resource::Nofile, files) {
        Ok(()) => files.maximum,
        Err(error) => {
            log::warn!("could not raise the open-file limit: {error}");
            started_with
        }
    };
    match files.and_then(|files| usize::try_from(files).ok()) {
        Some(files) => wanted.min(files.saturating_sub(OWN_FILES).max(files / 2)),
        None => wanted,
    }
}

fn session(state: &AppState, key: &Key) -> SessionMiddleware<Sessions> {
    let secure = cookies::is_secure(&state.base_url);
    let store = Sessions { db: state.db.clone(), lifetime: Lifetime::of(&state.settings) };
    // The store decides how long a session lasts.
    let lifecycle = BrowserSession::default()
        .state_ttl(time::Duration::hours(state.settings.session_hours.into()))
        .state_ttl_extension_policy(TtlExtensionPolicy::OnStateChanges);
    SessionMiddleware::builder(store, key.clone())
        .cookie_name(cookies::name(cookies::SESSION, &state.base_url))
        .cookie_secure(secure)
        .cookie_same_site(SameSite::Lax)
        .cookie_path("/".to_owned())
        .session_lifecycle(lifecycle)
        .build()
}
