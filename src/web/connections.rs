//! Connections, before there is HTTP on them. The framework bounds the time of a connection's first head alone and lets
//! a body in chunks that was answered early go on for as long as it likes; and it counts connections, but not whose
//! they are. So each one is watched here: a head, or the rest of a body that was answered before its end, has so many
//! seconds; and one address has so many connections.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    rc::{Rc, Weak},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    rt::{self, time::interval},
    web::Bytes,
};
use ipnet::IpNet;
use rustix::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::{
    base::logging::OnceAMinute,
    web::{LONGEST_BODY, client_ip},
};

/// How often connections are looked at.
const TICK: Duration = Duration::from_millis(500);

/// How long connections stay open between two requests.
pub const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// After the framework's own deadlines, which come with an answer or a clean end.
const LATER: Duration = Duration::from_secs(2);

/// Bytes that may come while no request is under way: a head, or the rest of a body that was answered early.
const MOST_UNASKED: usize = 4 * LONGEST_BODY;

/// What an address is told that has too many connections.
const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 10\r\n\
    Content-Type: application/json\r\nContent-Length: 71\r\n\r\n\
    {\"errors\":{\"code\":\"service_unavailable\",\"title\":\"Service Unavailable\"}}";

/// How many connections each address has, in the whole process.
pub struct Counts {
    /// 0 is no limit.
    limit: usize,
    exempt: Vec<IpNet>,
    open: Mutex<HashMap<u128, usize>>,
    told: OnceAMinute,
}

impl Counts {
    /// Loopback and these proxies are exempt: behind them are many.
    pub fn new(limit: usize, exempt: Vec<IpNet>) -> Arc<Self> {
        Arc::new(Counts { limit, exempt, open: Mutex::default(), told: OnceAMinute::default() })
    }

    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<u128, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more connection of this address; `Err` where it has as many as it may have.
    fn take(self: &Arc<Self>, address: IpAddr) -> Result<Option<Place>, ()> {
        let address = address.to_canonical();
        if self.limit == 0 || address.is_loopback() || self.exempt.iter().any(|net| net.contains(&address)) {
            return Ok(None);
        }
        let network = client_ip::network(address);
        let mut open = self.open();
        let count = open.entry(network).or_default();
        if *count < self.limit {
            *count += 1;
            return Ok(Some(Place { counts: self.clone(), network }));
        }
        drop(open);
        if self.told.is_due() {
            log::warn!(
                "{address} has {} connections, the limit of LATCHKEY_CONNECTIONS_PER_ADDRESS, and more are rejected; \
                 if it is a proxy, add it to LATCHKEY_TRUSTED_PROXIES",
                self.limit
            );
        }
        Err(())
    }
}

/// A connection that counts for its address until this is dropped.
struct Place {
    counts: Arc<Counts>,
    network: u128,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.counts.open();
        if let Some(count) = open.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.network);
            }
        }
    }
}

/// The connections of one worker thread.
pub struct Watch {
    counts: Arc<Counts>,
    head: u64,
    idle: u64,
    /// Ticks since the start, as of the last look.
    now: Cell<u64>,
    states: RefCell<Vec<Weak<State>>>,
}

fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_millis() / TICK.as_millis()).unwrap_or(u64::MAX)
}

impl Watch {
    /// Begins to look at connections, on a worker thread. A head gets so much time.
    pub fn start(counts: Arc<Counts>, head: Duration) -> Rc<Self> {
        let watch = Rc::new(Watch {
            counts,
            head: ticks(head) + 1,
            idle: ticks(KEEP_ALIVE + LATER),
            now: Cell::new(0),
            states: RefCell::default(),
        });
        let (watched, start) = (Rc::downgrade(&watch), Instant::now());
        rt::spawn(async move {
            let mut every = interval(TICK);
            loop {
                every.tick().await;
                let Some(watch) = watched.upgrade() else { return };
                watch.now.set(ticks(start.elapsed()));
                watch.states.borrow_mut().retain(|state| state.upgrade().inspect(|state| state.look()).is_some());
            }
        });
        watch
    }

    /// Takes a connection in, unless its address has too many.
    pub fn admit(self: &Rc<Self>, socket: TcpStream) -> io::Result<(Connection, Option<SocketAddr>)> {
        let peer = socket.peer_addr().ok();
        let Ok(place) = peer.map_or(Ok(None), |peer| self.counts.take(peer.ip())) else {
            refuse(&socket);
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        // The framework has a deadline of its own for the first head, which it answers 408.
        let end = self.now.get() + self.head + ticks(LATER);
        let state = Rc::new(State {
            watch: self.clone(),
            answering: Cell::new(0),
            stuck: Cell::new(false),
            unasked: Cell::new(0),
            end: Cell::new(end),
            is_over: Cell::new(false),
            reader: RefCell::default(),
        });
        self.states.borrow_mut().push(Rc::downgrade(&state));
        Ok((Connection { socket, state, _place: place }, peer))
    }
}

/// Says so and closes, without waiting for anything. What has come is taken first: closing would else reset the
/// connection, and the answer might be lost.
fn refuse(socket: &TcpStream) {
    let mut unread = [0; 4096];
    let _ = recv(socket, &mut unread[..], RecvFlags::DONTWAIT);
    let _ = send(socket, TOO_MANY, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
    let _ = shutdown(socket, Shutdown::Write);
}

/// How a connection stands.
pub struct State {
    watch: Rc<Watch>,
    /// Requests that are being answered. While there are any, other deadlines hold.
    answering: Cell<usize>,
    /// The client does not take what is written to it; the kernel gives it up in time.
    stuck: Cell<bool>,
    /// Bytes that have come since the last answer.
    unasked: Cell<usize>,
    /// The tick at which it is over, unless a request comes.
    end: Cell<u64>,
    is_over: Cell<bool>,
    /// Whoever waits to read.
    reader: RefCell<Option<Waker>>,
}

impl State {
    /// A request is being answered for as long as what this gives is there.
    pub fn answering(self: &Rc<Self>) -> Answering {
        self.answering.set(self.answering.get() + 1);
        Answering(self.clone())
    }

    fn is_unasked(&self) -> bool {
        self.answering.get() == 0
    }

    fn look(&self) {
        if self.is_unasked() && !self.stuck.get() && self.watch.now.get() >= self.end.get() {
            self.is_over.set(true);
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
        }
    }

    /// Bytes have come. The first of a head starts its time.
    fn came(&self, bytes: usize) {
        if !self.is_unasked() {
            return;
        }
        if self.unasked.get() == 0 {
            self.end.set(self.watch.now.get() + self.watch.head);
        }
        self.unasked.set(self.unasked.get() + bytes);
        if self.unasked.get() > MOST_UNASKED {
            self.is_over.set(true);
        }
    }

    /// The client has taken something, or takes nothing just now. What it has sent of a next request waits for that.
    fn wrote(&self, is_stuck: bool) {
        self.stuck.set(is_stuck);
        if self.is_unasked() {
            self.end
                .set(self.watch.now.get() + if self.unasked.get() == 0 { self.watch.idle } else { self.watch.head });
        }
    }

    fn waits(&self, waker: &Waker) {
        let mut reader = self.reader.borrow_mut();
        if !reader.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *reader = Some(waker.clone());
        }
    }
}

/// A request that is being answered.
pub struct Answering(Rc<State>);

impl Drop for Answering {
    fn drop(&mut self) {
        let state = &self.0;
        state.answering.set(state.answering.get() - 1);
        if state.is_unasked() {
            state.unasked.set(0);
            state.end.set(state.watch.now.get() + state.watch.idle);
        }
    }
}

impl Answering {
    /// A body that comes bit by bit belongs to the answer until its end; one that is whole is written at once.
    pub fn until_the_end_of(self, body: BoxBody) -> BoxBody {
        match body.try_into_bytes() {
            Ok(bytes) => BoxBody::new(bytes),
            Err(body) => BoxBody::new(Guarded { body, _answering: self }),
        }
    }
}

struct Guarded {
    body: BoxBody,
    _answering: Answering,
}

impl MessageBody for Guarded {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(cx)
    }
}

/// A connection that is watched.
pub struct Connection {
    socket: TcpStream,
    state: Rc<State>,
    _place: Option<Place>,
}

impl Connection {
    pub fn state(&self) -> Rc<State> {
        self.state.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let read = match this.state.is_over.get() {
            true => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            false => Pin::new(&mut this.socket).poll_read(cx, buf),
        };
        match read {
            Poll::Pending => this.state.waits(cx.waker()),
            Poll::Ready(_) => this.state.came(buf.filled().len() - before),
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let wrote = Pin::new(&mut this.socket).poll_write(cx, buf);
        this.state.wrote(wrote.is_pending());
        wrote
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_address_is_told_is_as_long_as_it_says() {
        let text = String::from_utf8_lossy(TOO_MANY);
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{} bytes", body.len());
    }

    #[test]
    fn an_address_has_so_many_connections_and_loopback_and_proxies_any_number() {
        let counts = Counts::new(2, vec!["10.0.0.0/8".parse().expect("a network")]);
        let take = |address: &str| counts.take(address.parse().expect("an address"));
        for exempt in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "10.1.2.3", "::ffff:10.1.2.3"] {
            assert!((0..5).all(|_| matches!(take(exempt), Ok(None))), "{exempt}");
        }
        for (one, same, other) in
            [("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1")]
        {
            let first = take(one).expect("one");
            let second = take(same).expect("two");
            assert!(take(one).is_err() && take(same).is_err());
            assert!(take(other).is_ok());
            drop(first);
            assert!(take(one).is_ok(), "it is given back");
            drop(second);
        }
        assert!(counts.open().is_empty());
    }
}
