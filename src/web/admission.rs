//! Admission control: 429 over a rate limit of a key or an address, 503 over the limits of concurrent requests and of
//! buffered bodies.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::AcqRel},
    },
};

use actix_web::{HttpMessage, HttpRequest, dev::ServiceRequest, http::header};

use crate::{
    base::{
        error::{Error, LimitKind, Result},
        ids::{ApiKeyId, UserId},
        logging::OnceAMinute,
        settings::Settings,
    },
    web::{assets, client_ip, https, methods, rate_limit::RateLimiter, request_log, state::AppState},
};

/// Bytes of bodies that are there at once; what is read from them may be as much again.
const BODIES: usize = 32 * 1024 * 1024;

/// Bodies up to this size are not counted: the number of connections bounds them.
const SMALL: usize = 64 * 1024;

/// What goes on in this process.
pub struct Admission {
    keys: RateLimiter,
    users: RateLimiter,
    addresses: RateLimiter,
    reads: Arc<Semaphore>,
    writes: Arc<Semaphore>,
    pages: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
    told: OnceAMinute,
}

/// So much at once. Rooms do not share a line of the processor's cache.
#[repr(align(64))]
struct Semaphore {
    taken: AtomicUsize,
    limit: usize,
}

impl Semaphore {
    fn new(limit: usize) -> Arc<Self> {
        Arc::new(Semaphore { taken: AtomicUsize::new(0), limit })
    }

    fn take(self: &Arc<Self>, size: usize) -> Result<Permit> {
        let share = Permit { room: self.clone(), size };
        // Where it is too much the share is dropped again at once.
        if self.taken.fetch_add(size, AcqRel) + size <= self.limit { Ok(share) } else { Err(Error::Unavailable) }
    }
}

/// A part of a room, given back when it is dropped.
pub struct Permit {
    room: Arc<Semaphore>,
    size: usize,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(self.size, AcqRel);
    }
}

/// A request with a body that was let in; it counts for as long as the request is there.
struct Admitted {
    request: Permit,
    _body: BodyBudget,
}

/// What a body takes of the room for bodies, as it arrives.
pub struct BodyBudget {
    bodies: Arc<Semaphore>,
    arrived: usize,
    share: Option<Permit>,
}

impl BodyBudget {
    pub fn nothing(gate: &Admission) -> Self {
        BodyBudget { bodies: gate.bodies.clone(), arrived: 0, share: None }
    }

    /// Counts so many more bytes.
    pub fn add(&mut self, bytes: usize) -> Result<()> {
        self.arrived += bytes;
        if self.arrived <= SMALL {
            return Ok(());
        }
        match &mut self.share {
            None => self.share = Some(self.bodies.take(self.arrived)?),
            Some(share) => {
                let mut more = self.bodies.take(bytes)?;
                share.size += std::mem::take(&mut more.size);
            }
        }
        Ok(())
    }
}

impl Admission {
    /// Half of the requests at once may be reads of the API, a quarter its writes, a quarter pages: where one kind
    /// stands still the others go on.
    pub fn new(settings: &Settings) -> Self {
        let most = settings.max_requests as usize;
        Admission {
            keys: RateLimiter::new(settings.requests_per_key),
            users: RateLimiter::new(settings.requests_per_key),
            addresses: RateLimiter::new(settings.requests_per_address),
            reads: Semaphore::new(most.div_ceil(2)),
            writes: Semaphore::new(most.div_ceil(4)),
            pages: Semaphore::new(most.div_ceil(4)),
            bodies: Semaphore::new(BODIES),
            told: OnceAMinute::default(),
        }
    }

    /// Counts a request of a key that is good.
    pub fn key(&self, key: ApiKeyId) -> Result<()> {
        self.keys.take(key).map_err(|refusal| Error::TooMany(LimitKind::Key, refusal))
    }

    /// Counts a request that a signed-in user sends to the API: as many are let in as of one key.
    pub fn user(&self, user: UserId) -> Result<()> {
        self.users.take(user).map_err(|refusal| Error::TooMany(LimitKind::User, refusal))
    }

    fn address(&self, address: IpAddr) -> Result<()> {
        self.addresses.take(client_ip::network(address)).map_err(|refusal| {
            self.tell(address);
            Error::TooMany(LimitKind::Address, refusal)
        })
    }

    /// Once a minute at most, the host reads what may be a proxy that is not listed.
    fn tell(&self, address: IpAddr) {
        if self.told.is_due() {
            log::warn!(
                "{address} exceeds LATCHKEY_REQUESTS_PER_ADDRESS and gets 429; if it is a proxy, add it \
                 to LATCHKEY_TRUSTED_PROXIES"
            );
        }
    }
}

/// Lets a request of the API in, or refuses it. It is inside while what this gives, or else the request, is there.
pub fn api(state: &AppState, gate: &Admission, request: &ServiceRequest) -> Result<Option<Permit>> {
    https::check(state, request)?;
    let room = if methods::is_write(request.method()) { &gate.writes } else { &gate.reads };
    enter(gate, request, room)
}

/// The same for pages. What machines watch is always let in, and so are files that there are, which pages need: by
/// their exact names, so that nothing else is.
pub fn page(state: &AppState, gate: &Admission, request: &ServiceRequest) -> Result<Option<Permit>> {
    let path = request.path();
    if !methods::is_write(request.method()) && matches!(path, "/healthz" | "/readyz") {
        return Ok(None);
    }
    https::check(state, request)?;
    if !methods::is_write(request.method()) && assets::is_there(path) {
        return Ok(None);
    }
    enter(gate, request, &gate.pages)
}

fn enter(gate: &Admission, request: &ServiceRequest, room: &Arc<Semaphore>) -> Result<Option<Permit>> {
    if let Some(address) = request_log::client(request.request()) {
        gate.address(address)?;
    }
    let share = room.take(1)?;
    let headers = request.headers();
    if !headers.contains_key(header::CONTENT_LENGTH) && !headers.contains_key(header::TRANSFER_ENCODING) {
        return Ok(Some(share));
    }
    request.extensions_mut().insert(Admitted { request: share, _body: BodyBudget::nothing(gate) });
    Ok(None)
}

/// A request whose body is waited for. Meanwhile it does not count: those who send slowly would keep out all others.
pub struct Suspended {
    room: Option<Arc<Semaphore>>,
}

/// Lets a request wait for its body.
pub fn wait(request: &HttpRequest) -> Suspended {
    let inside = request.extensions_mut().remove::<Admitted>();
    Suspended { room: inside.map(|inside| inside.request.room.clone()) }
}

impl Suspended {
    /// Lets it in again with the body that has come.
    pub fn enter(self, request: &HttpRequest, body: BodyBudget) -> Result<()> {
        if let Some(room) = self.room {
            request.extensions_mut().insert(Admitted { request: room.take(1)?, _body: body });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_given_back_when_its_share_is_dropped() {
        let room = Semaphore::new(10);
        let share = room.take(7).expect("there is room");
        assert!(matches!(room.take(4), Err(Error::Unavailable)));
        let rest = room.take(3).expect("what was refused takes nothing");
        drop((share, rest));
        assert!(room.take(10).is_ok());
    }
}
