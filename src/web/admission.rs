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

/// Bytes of all buffered bodies; the values parsed from them may need as much again.
const BODIES: usize = 32 * 1024 * 1024;

/// Bodies up to this size are not counted: the number of connections bounds them.
const SMALL: usize = 64 * 1024;

/// The limits of this process, and how much of each is used.
pub struct Admission {
    keys: RateLimiter,
    users: RateLimiter,
    addresses: RateLimiter,
    reads: Arc<Semaphore>,
    writes: Arc<Semaphore>,
    pages: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
    warning: OnceAMinute,
}

/// A limit of concurrent units. Aligned, so that two of them do not share a cache line.
#[repr(align(64))]
struct Semaphore {
    used: AtomicUsize,
    limit: usize,
}

impl Semaphore {
    fn new(limit: usize) -> Arc<Self> {
        Arc::new(Semaphore { used: AtomicUsize::new(0), limit })
    }

    fn take(self: &Arc<Self>, size: usize) -> Result<Permit> {
        let permit = Permit { semaphore: self.clone(), size };
        // Over the limit, the permit is dropped again at once.
        if self.used.fetch_add(size, AcqRel) + size <= self.limit { Ok(permit) } else { Err(Error::Unavailable) }
    }
}

/// Some units of a semaphore, released when it is dropped.
pub struct Permit {
    semaphore: Arc<Semaphore>,
    size: usize,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.semaphore.used.fetch_sub(self.size, AcqRel);
    }
}

/// The permits of an admitted request with a body; they are in the request's extensions, and so released with it.
struct Admitted {
    permit: Permit,
    _body: BodyBudget,
}

/// The share of one body in the memory for bodies, counted as it arrives.
pub struct BodyBudget {
    bodies: Arc<Semaphore>,
    arrived: usize,
    permit: Option<Permit>,
}

impl BodyBudget {
    /// Of an empty body.
    pub fn empty(admission: &Admission) -> Self {
        BodyBudget { bodies: admission.bodies.clone(), arrived: 0, permit: None }
    }

    /// Counts more bytes.
    ///
    /// # Errors
    /// `Unavailable` if the bodies of all requests need too much memory.
    pub fn add(&mut self, bytes: usize) -> Result<()> {
        self.arrived += bytes;
        if self.arrived <= SMALL {
            return Ok(());
        }
        match &mut self.permit {
            None => self.permit = Some(self.bodies.take(self.arrived)?),
            Some(permit) => {
                let mut more = self.bodies.take(bytes)?;
                permit.size += std::mem::take(&mut more.size);
            }
        }
        Ok(())
    }
}

impl Admission {
    /// Half of the concurrent requests may be reads of the API, a quarter writes, a quarter pages, so that one kind
    /// cannot starve the others.
    pub fn new(settings: &Settings) -> Self {
        let max = settings.max_requests as usize;
        Admission {
            keys: RateLimiter::new(settings.requests_per_key),
            users: RateLimiter::new(settings.requests_per_key),
            addresses: RateLimiter::new(settings.requests_per_address),
            reads: Semaphore::new(max.div_ceil(2)),
            writes: Semaphore::new(max.div_ceil(4)),
            pages: Semaphore::new(max.div_ceil(4)),
            bodies: Semaphore::new(BODIES),
            warning: OnceAMinute::default(),
        }
    }

    /// Counts a request with an admitted key.
    pub fn key(&self, key: ApiKeyId) -> Result<()> {
        self.keys.take(key).map_err(|refusal| Error::TooMany(LimitKind::Key, refusal))
    }

    /// Counts a request of a signed-in user to the API; the limit is that of one key.
    pub fn user(&self, user: UserId) -> Result<()> {
        self.users.take(user).map_err(|refusal| Error::TooMany(LimitKind::User, refusal))
    }

    fn address(&self, address: IpAddr) -> Result<()> {
        self.addresses.take(client_ip::network(address)).map_err(|refusal| {
            self.warn(address);
            Error::TooMany(LimitKind::Address, refusal)
        })
    }

    /// Warns of an address that may be an unlisted proxy, once a minute at most.
    fn warn(&self, address: IpAddr) {
        if self.warning.is_due() {
            log::warn!(
                "{address} exceeds LATCHKEY_REQUESTS_PER_ADDRESS and gets 429; if it is a proxy, add it \
                 to LATCHKEY_TRUSTED_PROXIES"
            );
        }
    }
}

/// Admits or rejects a request of the API. It counts until the permit is dropped; a request with a body counts until it
/// is dropped itself.
pub fn api(state: &AppState, admission: &Admission, request: &ServiceRequest) -> Result<Option<Permit>> {
    https::check(state, request)?;
    let kind = if methods::is_write(request.method()) { &admission.writes } else { &admission.reads };
    admit(admission, request, kind)
}

/// The same for pages. Reads of health checks are always admitted, and so are those of existing static files, which
/// pages need.
pub fn page(state: &AppState, admission: &Admission, request: &ServiceRequest) -> Result<Option<Permit>> {
    let path = request.path();
    if !methods::is_write(request.method()) && matches!(path, "/healthz" | "/readyz") {
        return Ok(None);
    }
    https::check(state, request)?;
    if !methods::is_write(request.method()) && assets::exists(path) {
        return Ok(None);
    }
    admit(admission, request, &admission.pages)
}

fn admit(admission: &Admission, request: &ServiceRequest, kind: &Arc<Semaphore>) -> Result<Option<Permit>> {
    if let Some(address) = request_log::client(request.request()) {
        admission.address(address)?;
    }
    let permit = kind.take(1)?;
    let headers = request.headers();
    if !headers.contains_key(header::CONTENT_LENGTH) && !headers.contains_key(header::TRANSFER_ENCODING) {
        return Ok(Some(permit));
    }
    request.extensions_mut().insert(Admitted { permit, _body: BodyBudget::empty(admission) });
    Ok(None)
}

/// A request that waits, for its body or for a password hash. Meanwhile it does not count: slow senders would keep out
/// all others.
pub struct Suspended {
    kind: Option<Arc<Semaphore>>,
}

/// Releases the permit of a request until it is resumed.
pub fn suspend(request: &HttpRequest) -> Suspended {
    let admitted = request.extensions_mut().remove::<Admitted>();
    Suspended { kind: admitted.map(|admitted| admitted.permit.semaphore.clone()) }
}

impl Suspended {
    /// Admits it again, with the body that has arrived.
    pub fn resume(self, request: &HttpRequest, body: BodyBudget) -> Result<()> {
        if let Some(kind) = self.kind {
            request.extensions_mut().insert(Admitted { permit: kind.take(1)?, _body: body });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permit_is_released_when_it_is_dropped() {
        let semaphore = Semaphore::new(10);
        let permit = semaphore.take(7).expect("seven of ten");
        assert!(matches!(semaphore.take(4), Err(Error::Unavailable)));
        let rest = semaphore.take(3).expect("a rejected request takes nothing");
        drop((permit, rest));
        assert!(semaphore.take(10).is_ok());
    }
}
