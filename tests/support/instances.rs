//! All processes that serve one database, and changes of which each of them must have learnt.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix_web::rt::task::spawn_blocking;

use crate::command::finish;
use crate::database::Contents;
use crate::host::Host;
use crate::options::Options;
use crate::raw;
use crate::server::Server;
use crate::wire::Wire;

/// One server, and on PostgreSQL a second one.
pub struct Instances {
    pub servers: Vec<Server>,
    pub host: Host,
}

impl Instances {
    pub async fn start() -> Rc<Self> {
        let host = Host::with(Contents::Schema).await;
        let mut servers = vec![options().start_on(&host).serving()];
        if host.database_url().is_some() {
            servers.push(options().start_on(&host).serving());
        }
        Rc::new(Self { servers, host })
    }

    /// With the PostgreSQL of the second server at the other end of a wire; nothing where this run is on SQLite.
    pub async fn with_wire() -> Option<(Rc<Self>, Arc<Wire>)> {
        let wire = Wire::to_postgresql()?;
        let host = Host::with(Contents::Schema).await;
        let servers = [options(), options().over(&wire)].map(|options| options.start_on(&host).serving());
        Some((Rc::new(Self { servers: servers.into(), host }), wire))
    }

    /// The server that most changes are sent to.
    pub fn first(&self) -> &Server {
        &self.servers[0]
    }

    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.servers.iter().map(Server::address).collect()
    }

    /// Runs a command; the moment at which its process had ended.
    pub async fn command(&self, args: &[&str]) -> Instant {
        self.command_with(args, "").await
    }

    /// The same, with something on its standard input.
    pub async fn command_with(&self, args: &[&str], stdin: &str) -> Instant {
        let (command, stdin) = (self.host.latchkey(args), stdin.to_owned());
        let ended = spawn_blocking(move || {
            let said = finish(command, &stdin);
            let moment = Instant::now();
            said.ok();
            moment
        });
        ended.await.expect("it ends")
    }

    /// Sends a request to the first server; the moment at which the whole answer was there.
    pub async fn change(&self, request: Vec<u8>, status: u16) -> Instant {
        change_at(self.first().address(), request, status).await
    }
}

/// Sends a request from a thread of its own; the moment at which the whole answer was there.
pub async fn change_at(server: SocketAddr, request: Vec<u8>, status: u16) -> Instant {
    let answered = spawn_blocking(move || {
        let answer = raw::exchange(server, &request);
        let moment = Instant::now();
        answer.is(status);
        moment
    });
    answered.await.expect("an answer")
}

/// Room for many keys. A line for every request would make a long log, searched for every key.
fn options() -> Options {
    let options = Server::options().public_url("http://localhost:7001").unlimited();
    options.env("RUST_LOG", "warn").env("LATCHKEY_MAX_KEYS", "1000")
}
