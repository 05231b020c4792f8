//! The network between a server and its PostgreSQL, which a test can break.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use url::Url;

/// Long enough for a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, PartialEq)]
enum State {
    Whole,
    /// What the database says arrives this much later.
    Slow(Duration),
    Cut,
    Silent,
}

/// Listens where the server is told that its database is, and passes on what
/// it hears. Dropping it leaves its threads to the end of the tests.
pub struct Wire {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Now {
    state: State,
    /// Where new connections lead.
    target: SocketAddr,
    /// Connections that were made.
    made: usize,
    /// Of the first so many nothing is passed on any more.
    lost: usize,
    /// Pieces of what was said that have not been passed on.
    held_back: usize,
}

struct Shared {
    now: Mutex<Now>,
    changed: Condvar,
    ends: Mutex<Vec<TcpStream>>,
}

impl Wire {
    /// A wire to the PostgreSQL of this run; nothing where it is on SQLite.
    pub fn to_postgresql() -> Option<Arc<Self>> {
        std::env::var("LATCHKEY_TEST_DATABASE").ok().map(|url| Self::to(&url))
    }

    /// A wire to this PostgreSQL.
    pub fn to(url: &str) -> Arc<Self> {
        let target = address(url);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            now: Mutex::new(Now { state: State::Whole, target, made: 0, lost: 0, held_back: 0 }),
            changed: Condvar::new(),
            ends: Mutex::default(),
        });
        let passing = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let mut now = passing.now.lock().unwrap();
                let (refused, number, target) = (now.state == State::Cut, now.made, now.target);
                now.made += 1;
                drop(now);
                let Some(server) = (!refused).then(|| TcpStream::connect(target).ok()).flatten() else {
                    continue;
                };
                passing.pass(&client, &server, number, false);
                passing.pass(&server, &client, number, true);
                passing.ends.lock().unwrap().extend([client, server]);
            }
        });
        Arc::new(Self { address, shared })
    }

    /// The same database, reached over this wire.
    pub fn url(&self, database: &str) -> String {
        let mut url = Url::parse(database).expect("a database URL");
        url.set_host(Some("127.0.0.1")).expect("a host");
        url.set_port(Some(self.address.port())).expect("a port");
        url.into()
    }

    /// The ports from which PostgreSQL sees its clients come.
    pub fn ports(&self) -> Vec<u16> {
        let ends = self.shared.ends.lock().unwrap();
        let ports = ends.iter().filter_map(|end| end.local_addr().ok()).map(|address| address.port());
        ports.filter(|port| *port != self.address.port()).collect()
    }

    /// Lets everything that the database says arrive this much later.
    pub fn slow(&self, delay: Duration) {
        self.set(State::Slow(delay));
    }

    /// Ends every connection, and takes no new one.
    pub fn cut(&self) {
        self.set(State::Cut);
        for end in self.shared.ends.lock().unwrap().drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// Ends every connection, and leads new ones to this PostgreSQL.
    pub fn lead_to(&self, url: &str) {
        self.cut();
        self.shared.now.lock().unwrap().target = address(url);
        self.mend();
    }

    /// Passes nothing on, as a network does that loses everything: connections
    /// look alive.
    pub fn silence(&self) {
        self.set(State::Silent);
    }

    /// Passes nothing on any more of the connections that there are, as where the database has moved to another machine.
    pub fn lose(&self) {
        let mut now = self.shared.now.lock().unwrap();
        now.lost = now.made;
    }

    /// Passes on again what it hears, and what it has held back.
    pub fn mend(&self) {
        self.set(State::Whole);
    }

    /// Waits until somebody has spoken into the silence.
    pub fn wait_until_it_holds_something_back(&self) {
        let now = self.shared.now.lock().unwrap();
        let (_now, waited) = self.shared.changed.wait_timeout_while(now, PATIENCE, |now| now.held_back == 0).unwrap();
        assert!(!waited.timed_out(), "nobody spoke");
    }

    fn set(&self, state: State) {
        self.shared.now.lock().unwrap().state = state;
        self.shared.changed.notify_all();
    }
}

fn address(url: &str) -> SocketAddr {
    Url::parse(url).expect("a database URL").socket_addrs(|| Some(5432)).expect("an address")[0]
}

impl Shared {
    /// Passes on everything that comes from one end, the database or its client, until one of them ends.
    fn pass(self: &Arc<Self>, from: &TcpStream, to: &TcpStream, number: usize, from_database: bool) {
        let (shared, mut from, mut to) = (self.clone(), from.try_clone().unwrap(), to.try_clone().unwrap());
        std::thread::spawn(move || {
            let mut chunk = [0; 16 * 1024];
            while let Ok(count @ 1..) = from.read(&mut chunk) {
                let came = Instant::now();
                let mut now = shared.now.lock().unwrap();
                now.held_back += 1;
                shared.changed.notify_all();
                let silent = |now: &mut Now| now.state == State::Silent || number < now.lost;
                now = shared.changed.wait_while(now, silent).unwrap();
                if let (State::Slow(delay), true) = (now.state, from_database) {
                    let left = delay.saturating_sub(came.elapsed());
                    let still = |now: &mut Now| now.state == State::Slow(delay);
                    now = shared.changed.wait_timeout_while(now, left, still).unwrap().0;
                }
                now.held_back -= 1;
                drop(now);
                if to.write_all(&chunk[..count]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}
