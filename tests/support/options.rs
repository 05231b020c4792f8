//! What a server is started with.

use std::sync::Arc;

use crate::database::Contents;
use crate::host::Host;
use crate::program::free_port;
use crate::server::{Server, Starting};
use crate::wire::Wire;

/// The settings of a server, beyond what every test needs.
#[derive(Clone, Default)]
pub struct Options {
    args: Vec<String>,
    env: Vec<(String, String)>,
    public_url: Option<String>,
    wire: Option<Arc<Wire>>,
    contents: Contents,
}

impl Options {
    /// One more argument of `latchkey serve`.
    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// One more variable of its environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Everybody may ask as often as they like.
    pub fn unlimited(self) -> Self {
        self.env("LATCHKEY_REQUESTS_PER_KEY", "0").env("LATCHKEY_REQUESTS_PER_ADDRESS", "0")
    }

    /// Behind a proxy that is known by this URL. Clients of the test go on asking the server itself, as the proxy does.
    /// Several servers behind one URL share their sessions, since the cookie is named by its port.
    pub fn public_url(mut self, url: &str) -> Self {
        self.public_url = Some(url.to_owned());
        self
    }

    /// With its PostgreSQL at the other end of this wire.
    pub fn over(mut self, wire: &Arc<Wire>) -> Self {
        self.wire = Some(wire.clone());
        self
    }

    /// On a database that has what this template has.
    pub fn contents(mut self, contents: Contents) -> Self {
        self.contents = contents;
        self
    }

    /// Starts the server on a host of its own and waits until it serves.
    pub async fn start(self) -> Server {
        let host = Host::with(self.contents).await;
        self.start_on(&host).serving()
    }

    /// Starts a server that must refuse to serve; what it said of that.
    pub async fn start_refused(self) -> String {
        let host = Host::with(self.contents).await;
        self.start_on(&host).refused()
    }

    /// Starts the server on this host, perhaps beside others, and does not wait.
    pub fn start_on(self, host: &Host) -> Starting {
        let listen = format!("127.0.0.1:{}", self.public_url.as_ref().map_or(0, |_| free_port()));
        let mut command = host.latchkey(&["serve", "--listen", &listen]);
        command.args(&self.args).envs(self.env);
        if let (Some(wire), Some(url)) = (&self.wire, host.database_url()) {
            command.env("DATABASE_URL", wire.url(&url));
        }
        match &self.public_url {
            None => host.start(command),
            Some(url) => {
                command.args(["--base-url", url]);
                host.start(command).behind_proxy(&listen, url)
            }
        }
    }
}
