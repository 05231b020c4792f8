//! What is refused before it costs anything, so that the rest is served well: too many requests of one key or one
//! address (429), and more requests or bodies at once than this process can have under way (503).

use std::{
    net::IpAddr,
    sync::atomic::{
        AtomicI64, AtomicUsize,
        Ordering::{AcqRel, Relaxed},
    },
};

use actix_web::{
    dev::ServiceRequest,
    http::{Method, header},
    web::Data,
};

use super::{
    address, body,
    error::{Error, Result},
    form,
    rates::Rates,
};
use crate::{clock, config::Settings, ids::ApiKeyId, site::Site};

/// Bytes of bodies that are read or kept at once.
const BODIES: usize = 64 * 1024 * 1024;

/// Bodies up to this size are not counted: the number of requests bounds them.
const SMALL: usize = 64 * 1024;

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Key,
    Address,
}

impl Whose {
    /// The name of the limit in the headers `RateLimit` and `RateLimit-Policy`.
    pub fn name(self) -> &'static str {
        match self {
            Whose::Key => "key",
            Whose::Address => "address",
        }
    }
}

/// What goes on in this process.
pub struct Gate {
    keys: Rates,
    addresses: Rates,
    reads: Room,
    writes: Room,
    pages: Room,
    bodies: Room,
    /// When it was last logged that an address was refused, in seconds.
    told: AtomicI64,
}

/// So much at once. Workers count on lines of their own of the processor's cache.
#[repr(align(64))]
struct Room {
    taken: AtomicUsize,
    limit: usize,
}

/// A share of a room, given back when it is dropped.
struct Share<'a> {
    room: &'a Room,
    size: usize,
}

impl Room {
    fn new(limit: usize) -> Self {
        Room { taken: AtomicUsize::new(0), limit }
    }

    fn take(&self, size: usize) -> Result<Share<'_>> {
        let share = Share { room: self, size };
        // Where it is too much the share is dropped again at once.
        if self.taken.fetch_add(size, AcqRel) + size <= self.limit { Ok(share) } else { Err(Error::Unavailable) }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(self.size, AcqRel);
    }
}

/// A request that was let in; it counts until this is dropped.
pub struct Inside<'a> {
    _request: Share<'a>,
    _body: Option<Share<'a>>,
}

impl Gate {
    /// Half of the requests at once may be reads of the API, a quarter its writes, a quarter pages: where one kind
    /// stands still the others go on.
    pub fn new(settings: &Settings) -> Self {
        let most = settings.max_requests as usize;
        Gate {
            keys: Rates::new(settings.requests_per_key),
            addresses: Rates::new(settings.requests_per_address),
            reads: Room::new(most.div_ceil(2)),
            writes: Room::new(most.div_ceil(4)),
            pages: Room::new(most.div_ceil(4)),
            bodies: Room::new(BODIES),
            told: AtomicI64::new(i64::MIN),
        }
    }

    /// Counts a request of a key that is good.
    pub fn key(&self, key: ApiKeyId) -> Result<()> {
        self.keys.take(key).map_err(|refusal| Error::TooMany(Whose::Key, refusal))
    }

    fn address(&self, address: IpAddr) -> Result<()> {
        self.addresses.take(network(address)).map_err(|refusal| {
            self.tell(address);
            Error::TooMany(Whose::Address, refusal)
        })
    }

    /// Once a minute at most, the host reads what may be a proxy that is not listed.
    fn tell(&self, address: IpAddr) {
        let (last, now) = (self.told.load(Relaxed), clock::now().timestamp());
        if now.saturating_sub(last) >= 60 && self.told.compare_exchange(last, now, Relaxed, Relaxed).is_ok() {
            log::warn!(
                "{address} sends more than LATCHKEY_REQUESTS_PER_ADDRESS and is answered 429; a proxy belongs into \
                 LATCHKEY_TRUSTED_PROXIES"
            );
        }
    }
}

/// An IPv6 customer has a /64 at least.
fn network(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => (address.to_bits() >> 64) | (1 << 64),
    }
}

fn is_write(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Lets a request of the API in, or refuses it.
pub fn api<'a>(site: &'a Data<Site>, request: &ServiceRequest) -> Result<Inside<'a>> {
    let room = if is_write(request.method()) { &site.gate.writes } else { &site.gate.reads };
    enter(site, request, room, body::LIMIT)
}

/// The same for pages. What machines watch is always let in, and so are files, which pages need.
pub fn page<'a>(site: &'a Data<Site>, request: &ServiceRequest) -> Result<Option<Inside<'a>>> {
    let path = request.path();
    if matches!(path, "/healthz" | "/readyz") || path.starts_with("/static/") {
        return Ok(None);
    }
    enter(site, request, &site.gate.pages, form::LIMIT).map(Some)
}

fn enter<'a>(site: &'a Site, request: &ServiceRequest, room: &'a Room, limit: usize) -> Result<Inside<'a>> {
    if let Some(address) = address::of(request.request(), &site.settings.trusted_proxies) {
        site.gate.address(address)?;
    }
    let size = if is_write(request.method()) { body_size(request, limit) } else { 0 };
    let body = if size > SMALL { Some(site.gate.bodies.take(size)?) } else { None };
    Ok(Inside { _request: room.take(1)?, _body: body })
}

/// Bytes that the body may come to: as it says, or all that are taken where it does not say.
fn body_size(request: &ServiceRequest, limit: usize) -> usize {
    let headers = request.headers();
    match headers.get(header::CONTENT_LENGTH).map(|length| length.to_str().ok().and_then(|text| text.parse().ok())) {
        Some(Some(length)) => limit.min(length),
        None if !headers.contains_key(header::TRANSFER_ENCODING) => 0,
        _ => limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_given_back_when_its_share_is_dropped() {
        let room = Room::new(10);
        let share = room.take(7).expect("there is room");
        assert!(matches!(room.take(4), Err(Error::Unavailable)));
        let rest = room.take(3).expect("what was refused takes nothing");
        drop((share, rest));
        assert!(room.take(10).is_ok());
    }

    #[test]
    fn ipv6_addresses_count_by_their_network() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2::3"), of("2001:db8:1:2:ffff::4"));
        assert_ne!(of("2001:db8:1:2::3"), of("2001:db8:1:3::3"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_ne!(of("::1"), of("0.0.0.0"));
    }
}
