//! The uses of one key that are not written yet, counted without a lock or an allocation where its clients are known.

use std::{
    collections::HashMap,
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

/// Addresses per key that are counted without a lock. A key is mostly used from one or two.
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
    places: Mutex<HashMap<IpAddr, Place>>,
    /// When the counts were last taken to be written.
    taken_at: AtomicI64,
}

/// The counts of one address, whose client is among the places.
#[derive(Debug, Default)]
struct Slot {
    /// The hash of the address; 0 for a free slot.
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
            taken_at: AtomicI64::new(NEVER),
        }
    }
}

impl Tally {
    /// Counts a request. `client` is called only for an address that is not known.
    pub fn count(&self, event: Event, address: Option<IpAddr>, now: Moment, client: impl FnOnce() -> Option<String>) {
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
        let tag = tag(address);
        match self.slots.iter().find(|slot| slot.tag.load(Acquire) == tag) {
            Some(slot) => slot.count(event, at),
            None => self.meet(event, address, tag, now, client()),
        }
    }

    /// Counts a request from an address without a slot, which gets one if one is free.
    #[cold]
    fn meet(&self, event: Event, address: IpAddr, tag: u64, now: Moment, client: Option<String>) {
        let mut places = self.places();
        if !places.contains_key(&address) && !make_room(&mut places) {
            return;
        }
        let place = places.entry(address).or_insert_with(|| Place {
            client: None,
            first_at: now,
            last_at: now,
            uses: 0,
            refused: 0,
        });
        place.client = client;
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

    /// Takes the counts, to be written. A request that is counted meanwhile may lose its address.
    pub fn take(&self, now: Moment) -> Counted {
        self.taken_at.store(now.timestamp_micros(), Relaxed);
        let mut places = self.places();
        for slot in &self.slots {
            let tag = slot.tag.swap(0, Relaxed);
            let (uses, refused) = (slot.uses.swap(0, Relaxed), slot.refused.swap(0, Relaxed));
            add(&mut places, tag, uses, refused, slot.last.load(Relaxed));
        }
        PLACES.fetch_sub(places.len(), Relaxed);
        let places: Vec<(IpAddr, Place)> = places.drain().collect();
        Counted {
            uses: self.uses.swap(0, Relaxed),
            refused: self.refused.swap(0, Relaxed),
            last_use: moment(self.last_use.load(Relaxed)),
            last_refusal: self.last_refusal(),
            places: sorted(places),
        }
    }

    /// Reads the counts, for a page.
    pub fn read(&self) -> Counted {
        let mut places = self.places().clone();
        for slot in &self.slots {
            let (uses, refused) = (slot.uses.load(Relaxed), slot.refused.load(Relaxed));
            add(&mut places, slot.tag.load(Relaxed), uses, refused, slot.last.load(Relaxed));
        }
        Counted {
            uses: self.uses.load(Relaxed),
            refused: self.refused.load(Relaxed),
            last_use: moment(self.last_use.load(Relaxed)),
            last_refusal: self.last_refusal(),
            places: sorted(places.into_iter().collect()),
        }
    }

    /// Puts counts back that could not be written.
    pub fn put_back(&self, counted: Counted) {
        self.uses.fetch_add(counted.uses, Relaxed);
        self.refused.fetch_add(counted.refused, Relaxed);
        let mut places = self.places();
        for (address, old) in counted.places {
            if let Some(place) = places.get_mut(&address) {
                place.first_at = old.first_at;
                place.uses += old.uses;
                place.refused += old.refused;
            } else if make_room(&mut places) {
                places.insert(address, old);
            }
        }
    }

    fn last_refusal(&self) -> Option<(Moment, Reason)> {
        let reason = Reason::from_number(self.last_reason.load(Relaxed))?;
        moment(self.last_refusal.load(Relaxed)).map(|at| (at, reason))
    }

    fn places(&self) -> MutexGuard<'_, HashMap<IpAddr, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
fn make_room(places: &mut HashMap<IpAddr, Place>) -> bool {
    if places.len() >= MOST_PLACES {
        let oldest = places.iter().min_by_key(|(_, place)| place.last_at).map(|(address, _)| *address);
        oldest.and_then(|address| places.remove(&address));
        return true;
    }
    let has_room = PLACES.fetch_update(Relaxed, Relaxed, |all| (all < MOST_PLACES_OF_ALL).then_some(all + 1));
    has_room.is_ok()
}

/// Adds the counts of a slot to its place.
fn add(places: &mut HashMap<IpAddr, Place>, slot: u64, uses: u64, refused: u64, last: i64) {
    if slot == 0 {
        return;
    }
    if let Some((_, place)) = places.iter_mut().find(|(address, _)| tag(**address) == slot) {
        place.uses += uses;
        place.refused += refused;
        place.last_at = moment(last).unwrap_or(place.last_at).max(place.last_at);
    }
}

/// In the order of addresses, in which all processes lock the rows.
fn sorted(mut places: Vec<(IpAddr, Place)>) -> Vec<(IpAddr, Place)> {
    places.retain(|(_, place)| place.uses > 0 || place.refused > 0);
    places.sort_unstable_by_key(|(address, _)| *address);
    places
}

fn tag(address: IpAddr) -> u64 {
    HASHER.hash_one(address).max(1)
}

fn moment(micros: i64) -> Option<Moment> {
    if micros == NEVER { None } else { DateTime::from_timestamp_micros(micros) }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use chrono::TimeDelta;

    use super::*;

    fn address(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(number).into()
    }

    fn now() -> Moment {
        DateTime::from_timestamp(1_790_000_000, 0).expect("a moment")
    }

    fn client() -> Option<String> {
        Some("PMS/1".to_owned())
    }

    #[test]
    fn uses_and_refusals_are_counted_by_address_and_taken_once() {
        let tally = Tally::default();
        for number in 0..10 {
            for _ in 0..=number {
                tally.count(Event::Used, Some(address(number)), now(), client);
            }
        }
        let later = now() + TimeDelta::seconds(5);
        tally.count(Event::Refused(Reason::Withdrawn), Some(address(3)), later, client);
        tally.count(Event::Used, None, later, client);
        let read = tally.read();
        let taken = tally.take(later);
        assert_eq!((read.uses, read.refused, read.places.len()), (56, 1, 10));
        assert_eq!((taken.uses, taken.refused), (56, 1));
        assert_eq!(read.places, taken.places);
        for (number, (address_of, place)) in (0..).zip(&taken.places) {
            assert_eq!((*address_of, place.uses), (address(number), u64::from(number) + 1));
            assert_eq!(place.client.as_deref(), Some("PMS/1"));
        }
        assert_eq!(taken.last_refusal, Some((later, Reason::Withdrawn)));
        assert_eq!(taken.last_refused_from().map(|(address, _)| *address), Some(address(3)));
        assert!(!tally.is_dirty() && tally.take(later).is_empty());
        tally.put_back(taken);
        assert_eq!((tally.read().uses, tally.read().places.len()), (56, 10));
    }

    #[test]
    fn a_flood_from_many_addresses_stays_in_its_room_and_counts_on() {
        let tally = Tally::default();
        for number in 0..5_000 {
            let at = now() + TimeDelta::milliseconds(number.into());
            tally.count(Event::Refused(Reason::Withdrawn), Some(address(number)), at, client);
        }
        let taken = tally.take(now());
        assert_eq!((taken.refused, taken.places.len()), (5_000, MOST_PLACES));
        assert!(taken.places.iter().any(|(one, _)| *one == address(4_999)), "the last address is kept");
    }

    #[test]
    fn nothing_is_lost_between_threads() {
        let tally = Tally::default();
        let counted = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|thread| {
                    let tally = &tally;
                    scope.spawn(move || {
                        for number in 0..10_000 {
                            tally.count(Event::Used, Some(address(thread + number % 3)), now(), client);
                        }
                    })
                })
                .collect();
            let mut all = 0;
            while !threads.iter().all(|thread| thread.is_finished()) {
                all += tally.take(now()).uses;
            }
            all
        });
        assert_eq!(counted + tally.take(now()).uses, 40_000);
    }
}
