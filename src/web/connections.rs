//! Deadlines of connections, below HTTP. The framework has a deadline for the first head of a connection only, and none
//! for the rest of a chunked body that was answered early. So each connection is watched here: every head, and the rest
//! of every body that was answered before its end, has `LATCHKEY_HEAD_SECONDS`.

use std::{
    cell::{Cell, RefCell},
    io,
    net::SocketAddr,
    pin::Pin,
    rc::{Rc, Weak},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    rt::{self, time::interval},
    web::Bytes,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::web::{
    LONGEST_BODY,
    connection_limit::{self, ConnectionLimit, Slot},
};

/// How often deadlines are checked.
const TICK: Duration = Duration::from_millis(500);

/// How long connections stay open between requests.
pub const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How much later our deadlines are than the framework's, which end with a response or a clean close.
const GRACE: Duration = Duration::from_secs(2);

/// Bytes that may arrive while no request is being answered: a head, or the rest of a body that was answered early.
const MAX_UNREQUESTED: usize = 4 * LONGEST_BODY;

/// The connections of one worker thread.
pub struct Watch {
    limit: Arc<ConnectionLimit>,
    /// Ticks for a head.
    head: u64,
    /// Ticks for an idle connection.
    idle: u64,
    /// Ticks since the start, as of the last check.
    now: Cell<u64>,
    states: RefCell<Vec<Weak<ConnectionState>>>,
}

fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_millis() / TICK.as_millis()).unwrap_or(u64::MAX)
}

impl Watch {
    /// Starts checking deadlines, on a worker thread; `head` is the time for a head.
    pub fn start(limit: Arc<ConnectionLimit>, head: Duration) -> Rc<Self> {
        let watch = Rc::new(Watch {
            limit,
            head: ticks(head) + 1,
            idle: ticks(KEEP_ALIVE + GRACE),
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
                watch
                    .states
                    .borrow_mut()
                    .retain(|state| state.upgrade().inspect(|state| state.check_deadline()).is_some());
            }
        });
        watch
    }

    /// Watches a new connection.
    ///
    /// # Errors
    /// `ConnectionRefused` if its address has too many; it has been answered 503.
    pub fn admit(self: &Rc<Self>, socket: TcpStream) -> io::Result<(Connection, Option<SocketAddr>)> {
        let peer = socket.peer_addr().ok();
        let Ok(slot) = peer.map_or(Ok(None), |peer| self.limit.take(peer.ip())) else {
            connection_limit::refuse(&socket);
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        // For the first head the framework has a deadline of its own, and answers 408.
        let deadline = self.now.get() + self.head + ticks(GRACE);
        let state = Rc::new(ConnectionState {
            watch: self.clone(),
            answering: Cell::new(0),
            stuck: Cell::new(false),
            unrequested: Cell::new(0),
            deadline: Cell::new(deadline),
            is_over: Cell::new(false),
            reader: RefCell::default(),
        });
        self.states.borrow_mut().push(Rc::downgrade(&state));
        Ok((Connection { socket, state, _slot: slot }, peer))
    }
}

/// The state of a connection.
pub struct ConnectionState {
    watch: Rc<Watch>,
    /// Requests that are being answered. While there are any, other deadlines apply.
    answering: Cell<usize>,
    /// The client is not reading its response; the kernel closes the connection in time (`LATCHKEY_UNREAD_SECONDS`).
    stuck: Cell<bool>,
    /// Bytes received since the last response.
    unrequested: Cell<usize>,
    /// The tick at which the connection is closed, unless a request arrives.
    deadline: Cell<u64>,
    is_over: Cell<bool>,
    /// The task that waits to read.
    reader: RefCell<Option<Waker>>,
}

impl ConnectionState {
    /// Marks a request as being answered until the guard is dropped.
    pub fn answering(self: &Rc<Self>) -> Answering {
        self.answering.set(self.answering.get() + 1);
        Answering(self.clone())
    }

    fn is_unrequested(&self) -> bool {
        self.answering.get() == 0
    }

    fn check_deadline(&self) {
        if self.is_unrequested() && !self.stuck.get() && self.watch.now.get() >= self.deadline.get() {
            self.is_over.set(true);
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
        }
    }

    /// Notes that bytes were received. The first byte of a head starts its deadline.
    fn received(&self, bytes: usize) {
        if !self.is_unrequested() {
            return;
        }
        if self.unrequested.get() == 0 {
            self.deadline.set(self.watch.now.get() + self.watch.head);
        }
        self.unrequested.set(self.unrequested.get() + bytes);
        if self.unrequested.get() > MAX_UNREQUESTED {
            self.is_over.set(true);
        }
    }

    /// Notes that the client has read something, or is not reading. Either restarts the deadline of the next request.
    fn wrote(&self, is_stuck: bool) {
        self.stuck.set(is_stuck);
        if self.is_unrequested() {
            self.deadline.set(
                self.watch.now.get() + if self.unrequested.get() == 0 { self.watch.idle } else { self.watch.head },
            );
        }
    }

    fn set_reader(&self, waker: &Waker) {
        let mut reader = self.reader.borrow_mut();
        if !reader.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *reader = Some(waker.clone());
        }
    }
}

/// A guard for a request that is being answered.
pub struct Answering(Rc<ConnectionState>);

impl Drop for Answering {
    fn drop(&mut self) {
        let state = &self.0;
        state.answering.set(state.answering.get() - 1);
        if state.is_unrequested() {
            state.unrequested.set(0);
            state.deadline.set(state.watch.now.get() + state.watch.idle);
        }
    }
}

impl Answering {
    /// Keeps the guard until a streamed body ends; a body that is in memory is written at once.
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

/// A watched connection, for the HTTP service.
pub struct Connection {
    socket: TcpStream,
    state: Rc<ConnectionState>,
    _slot: Option<Slot>,
}

impl Connection {
    pub fn state(&self) -> Rc<ConnectionState> {
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
            Poll::Pending => this.state.set_reader(cx.waker()),
            Poll::Ready(_) => this.state.received(buf.filled().len() - before),
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
