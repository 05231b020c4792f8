//! Counting by several clients and threads.

use std::net::{IpAddr, Ipv4Addr};

use chrono::{DateTime, TimeDelta};

use crate::{
    base::clock::Moment,
    keys::{
        refused::Reason,
        tally::{Event, MOST_PLACES, Tally},
    },
};

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
            tally.count(Event::Used, Some(address(number)), Some(b"PMS/1"), now(), client);
        }
    }
    let later = now() + TimeDelta::seconds(5);
    tally.count(Event::Refused(Reason::Withdrawn), Some(address(3)), Some(b"PMS/1"), later, client);
    tally.count(Event::Used, None, None, later, client);
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
    assert!(!tally.is_dirty() && tally.read().uses == 56, "what is being written is shown");
    tally.put_back(taken);
    assert_eq!((tally.read().uses, tally.read().places.len()), (56, 10));
    let taken = tally.take(later);
    tally.written();
    assert!(tally.read().is_empty() && tally.take(later).is_empty());
    tally.put_back(taken);
    assert_eq!((tally.read().uses, tally.read().places.len()), (56, 10));
}

#[test]
fn an_address_has_the_name_of_the_client_that_came_last() {
    let tally = Tally::default();
    for (second, name) in [(1, "A"), (2, "B"), (3, "C"), (4, "D"), (5, "E"), (6, "F"), (7, "A"), (8, "B")] {
        let (at, client) = (now() + TimeDelta::seconds(second), || Some(name.to_owned()));
        tally.count(Event::Used, Some(address(1)), Some(name.as_bytes()), at, client);
    }
    let taken = tally.take(now());
    assert_eq!(taken.places.len(), 1);
    let (_, place) = &taken.places[0];
    assert_eq!((place.client.as_deref(), place.uses), (Some("B"), 8));
    assert_eq!((place.first_at, place.last_at), (now() + TimeDelta::seconds(1), now() + TimeDelta::seconds(8)));
}

#[test]
fn a_flood_from_many_addresses_stays_in_its_room_and_counts_on() {
    let tally = Tally::default();
    for number in 0..5_000 {
        let at = now() + TimeDelta::milliseconds(number.into());
        tally.count(Event::Refused(Reason::Withdrawn), Some(address(number)), None, at, client);
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
                        tally.count(Event::Used, Some(address(thread + number % 3)), None, now(), client);
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
