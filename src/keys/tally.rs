//! The uses of one key that are not written yet, counted without a lock or an allocation where its clients are known.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{
        LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicI64, AtomicU8, AtomicU64, AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
};

use chrono::DateTime;

use crate::{base::clock::Moment, keys::refused::Reason};

/// Clients per key that are counted without a lock. A key is mostly used by one or two.
const SLOTS: usize = 4;

/// Addresses per key that are remembered until they are written.
pub const MOST_PLACES: usize = 50;

/// The same of all keys together, of at most 1 kB each. Beyond it, uses are counted without their addresses.
const MOST_PLACES_OF_ALL: usize = 10_000;

static PLACES: AtomicUsize = AtomicUsize::new(0);

/// Keyed, so that nobody can find an address that is counted as another.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// No moment.
const NEVER: i64 = i64::MIN;

/// What became of a request with the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Used,
    Refused(Reason),
}

/// The counts of one key.
#[derive(Debug)]
pub struct Tally {
    uses: AtomicU64,
    refused: AtomicU64,
    last_use: AtomicI64,
    last_refusal: AtomicI64,
    last_reason: AtomicU8,
    slots: [Slot; SLOTS],
    /// By their tags.
    places: Mutex<HashMap<u64, (IpAddr, Place)>>,
    /// Counts that were taken and are being written.
    in_flight: Mutex<Option<Counted>>,
    /// When the counts were last taken to be written.
    taken_at: AtomicI64,
    /// How often they were written.
    writes: AtomicU64,
}

/// The counts of one client at one address, which are among the places.
#[derive(Debug, Default)]
struct Slot {
    /// The hash of address and client; 0 for a free slot.
    tag: AtomicU64,
    uses: AtomicU64,
    refused: AtomicU64,
    last: AtomicI64,
}

/// What came from one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub client: Option<String>,
    pub first_at: Moment,
    pub last_at: Moment,
    pub uses: u64,
    pub refused: u64,
}

/// Counts that were taken to be written, or read for a page.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    pub uses: u64,
    pub refused: u64,
    pub last_use: Option<Moment>,
    pub last_refusal: Option<(Moment, Reason)>,
    pub places: Vec<(IpAddr, Place)>,
}

impl Counted {
    pub fn is_empty(&self) -> bool {
        self.uses == 0 && self.refused == 0
    }

    /// The address that used the key last, if it is known.
    pub fn last_used_from(&self) -> Option<&(IpAddr, Place)> {
        self.places.iter().filter(|(_, place)| place.uses > 0).max_by_key(|(_, place)| place.last_at)
    }

    /// The address that was refused last, if it is known.
    pub fn last_refused_from(&self) -> Option<&(IpAddr, Place)> {
        self.places.iter().filter(|(_, place)| place.refused > 0).max_by_key(|(_, place)| place.last_at)
    }
}

impl Default for Tally {
    fn default() -> Self {
        Tally {
            uses: AtomicU64::default(),
            refused: AtomicU64::default(),
            last_use: AtomicI64::new(NEVER),
            last_refusal: AtomicI64::new(NEVER),
            last_reason: AtomicU8::default(),
            slots: Default::default(),
            places: Mutex::default(),
            in_flight: Mutex::default(),
            taken_at: AtomicI64::new(NEVER),
            writes: AtomicU64::default(),
        }
    }
}

impl Tally {
    /// Counts a request from an address, with what the client calls itself as it was sent. `client` is that as it is
    /// stored, and called only for a client that is not known.
    pub fn count(
        &self,
        event: Event,
        address: Option<IpAddr>,
        agent: Option<&[u8]>,
        now: Moment,
        client: impl FnOnce() -> Option<String>,
    ) {
        let at = now.timestamp_micros();
        match event {
            Event::Used => {
                self.uses.fetch_add(1, Relaxed);
                self.last_use.store(at, Relaxed);
            }
            Event::Refused(reason) => {
                self.refused.fetch_add(1, Relaxed);
                self.last_refusal.store(at, Relaxed);
                self.last_reason.store(reason as u8, Relaxed);
            }
        }
        let Some(address) = address else { return };
        let tag = HASHER.hash_one((address, agent)).max(1);
        match self.slots.iter().find(|slot| slot.tag.load(Acquire) == tag) {
            Some(slot) => slot.count(event, at),
            None => self.meet(event, address, tag, now, client()),
        }
    }

    /// Counts a request from a client without a slot, which gets one if one is free.
    #[cold]
    fn meet(&self, event: Event, address: IpAddr, tag: u64, now: Moment, client: Option<String>) {
        let mut places = self.places();
        if !places.contains_key(&tag) && !make_room(&mut places) {
            return;
        }
        let new = || (address, Place { client, first_at: now, last_at: now, uses: 0, refused: 0 });
        let (_, place) = places.entry(tag).or_insert_with(new);
        // Claimed under the lock, and only here.
        if let Some(slot) = self.slots.iter().find(|slot| slot.tag.load(Relaxed) == 0) {
            slot.uses.store(0, Relaxed);
            slot.refused.store(0, Relaxed);
            slot.count(event, now.timestamp_micros());
            slot.tag.store(tag, Release);
        } else {
            place.last_at = now;
            match event {
                Event::Used => place.uses += 1,
                Event::Refused(_) => place.refused += 1,
            }
        }
    }

    /// True if something was counted since the counts were last taken.
    pub fn is_dirty(&self) -> bool {
        self.uses.load(Relaxed) > 0 || self.refused.load(Relaxed) > 0
    }

    /// True if the counts were last taken before this moment, or after `now`, since then the clock was set back.
    pub fn is_due(&self, before: Moment, now: Moment) -> bool {
        let taken = self.taken_at.load(Relaxed);
        taken <= before.timestamp_micros() || taken > now.timestamp_micros()
    }

    /// Takes the counts, to be written; [`Tally::written`] or [`Tally::put_back`] must follow. A request that is counted
    /// meanwhile may lose its address.
    pub fn take(&self, now: Moment) -> Counted {
        self.taken_at.store(now.timestamp_micros(), Relaxed);
        let mut places = self.places();
        for slot in &self.slots {
            let tag = slot.tag.swap(0, Relaxed);
            let (uses, refused) = (slot.uses.swap(0, Relaxed), slot.refused.swap(0, Relaxed));
            add(&mut places, tag, uses, refused, slot.last.load(Relaxed));
        }
        PLACES.fetch_sub(places.len(), Relaxed);
        let counted = Counted {
            uses: self.uses.swap(0, Relaxed),
            refused: self.refused.swap(0, Relaxed),
            last_use: moment(self.last_use.load(Relaxed)),
            last_refusal: self.last_refusal(),
            places: by_address(places.drain().map(|(_, place)| place)),
        };
        *lock(&self.in_flight) = Some(counted.clone());
        counted
    }

    /// The counts that were taken are written.
    pub fn written(&self) {
        *lock(&self.in_flight) = None;
        self.writes.fetch_add(1, Relaxed);
    }

    /// How often counts were written.
    pub fn writes(&self) -> u64 {
        self.writes.load(Relaxed)
    }

    /// Reads the counts that are not written yet, for a page.
    pub fn read(&self) -> Counted {
        let mut places = self.places().clone();
        let in_flight = lock(&self.in_flight).clone().unwrap_or_default();
        for slot in &self.slots {
            let (uses, refused) = (slot.uses.load(Relaxed), slot.refused.load(Relaxed));
            add(&mut places, slot.tag.load(Relaxed), uses, refused, slot.last.load(Relaxed));
        }
        Counted {
            uses: self.uses.load(Relaxed) + in_flight.uses,
            refused: self.refused.load(Relaxed) + in_flight.refused,
            last_use: moment(self.last_use.load(Relaxed)),
            last_refusal: self.last_refusal(),
            places: by_address(places.into_values().chain(in_flight.places)),
        }
    }

    /// Puts counts back that could not be written.
    pub fn put_back(&self, counted: Counted) {
        *lock(&self.in_flight) = None;
        self.uses.fetch_add(counted.uses, Relaxed);
        self.refused.fetch_add(counted.refused, Relaxed);
        let mut places = self.places();
        for (address, old) in counted.places {
            if make_room(&mut places) {
                // Under a tag of their own: the client may be counted again meanwhile.
                places.insert(HASHER.hash_one((address, &old.client, old.first_at)).max(1), (address, old));
            }
        }
    }

    fn last_refusal(&self) -> Option<(Moment, Reason)> {
        let reason = Reason::from_number(self.last_reason.load(Relaxed))?;
        moment(self.last_refusal.load(Relaxed)).map(|at| (at, reason))
    }

    fn places(&self) -> MutexGuard<'_, HashMap<u64, (IpAddr, Place)>> {
        lock(&self.places)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Tally {
    fn drop(&mut self) {
        PLACES.fetch_sub(self.places().len(), Relaxed);
    }
}

impl Slot {
    fn count(&self, event: Event, at: i64) {
        match event {
            Event::Used => self.uses.fetch_add(1, Relaxed),
            Event::Refused(_) => self.refused.fetch_add(1, Relaxed),
        };
        self.last.store(at, Relaxed);
    }
}

/// Room for one more place, if need be in that of the oldest. False if all keys together have too many.
fn make_room(places: &mut HashMap<u64, (IpAddr, Place)>) -> bool {
    if places.len() >= MOST_PLACES {
        let oldest = places.iter().min_by_key(|(_, (_, place))| place.last_at).map(|(tag, _)| *tag);
        oldest.and_then(|tag| places.remove(&tag));
        return true;
    }
    let has_room = PLACES.fetch_update(Relaxed, Relaxed, |all| (all < MOST_PLACES_OF_ALL).then_some(all + 1));
    has_room.is_ok()
}

/// Adds the counts of a slot to its place.
fn add(places: &mut HashMap<u64, (IpAddr, Place)>, slot: u64, uses: u64, refused: u64, last: i64) {
    if let Some((_, place)) = places.get_mut(&slot) {
        place.uses += uses;
        place.refused += refused;
        place.last_at = moment(last).unwrap_or(place.last_at).max(place.last_at);
    }
}

/// Adds up the clients of each address, which has the name of the last. In the order of addresses, in which all processes
/// lock the rows.
fn by_address(places: impl Iterator<Item = (IpAddr, Place)>) -> Vec<(IpAddr, Place)> {
    let mut found: BTreeMap<IpAddr, Place> = BTreeMap::new();
    for (address, place) in places.filter(|(_, place)| place.uses > 0 || place.refused > 0) {
        let Some(known) = found.get_mut(&address) else {
            found.insert(address, place);
            continue;
        };
        known.uses += place.uses;
        known.refused += place.refused;
        known.first_at = known.first_at.min(place.first_at);
        if place.last_at >= known.last_at {
            (known.last_at, known.client) = (place.last_at, place.client);
        }
    }
    found.into_iter().collect()
}

fn moment(micros: i64) -> Option<Moment> {
    if micros == NEVER { None } else { DateTime::from_timestamp_micros(micros) }
}
