//! Limits of a few events per client within any minute, exactly: unlike in `rate_limit.rs`, nothing is refilled before a
//! minute has passed.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{base::error::RateLimited, web::rate_limit::WINDOW_SECONDS};

/// Clients that are remembered.
const MOST_CLIENTS: usize = 4_096;

const WINDOW: Duration = Duration::from_secs(WINDOW_SECONDS);

/// The limit for clients of one kind, and when the last events of each were.
pub struct WindowLimit {
    /// Events per minute.
    limit: u32,
    start: Instant,
    events: Mutex<HashMap<u128, VecDeque<Duration>>>,
}

impl WindowLimit {
    pub fn new(limit: u32) -> Self {
        WindowLimit { limit, start: Instant::now(), events: Mutex::default() }
    }

    /// Counts one event of a client ([`client_ip::network`](crate::web::client_ip::network)).
    ///
    /// # Errors
    /// If it exceeds the limit; with the seconds until the next one is allowed. What is refused does not count.
    pub fn take(&self, client: u128) -> Result<(), RateLimited> {
        self.take_at(client, self.start.elapsed())
    }

    fn take_at(&self, client: u128, now: Duration) -> Result<(), RateLimited> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if events.len() >= MOST_CLIENTS && !events.contains_key(&client) {
            make_room(&mut events, now);
        }
        let of_client = events.entry(client).or_default();
        while of_client.front().is_some_and(|event| is_over(*event, now)) {
            of_client.pop_front();
        }
        match of_client.front() {
            Some(first) if of_client.len() >= self.limit as usize => {
                let seconds = (*first + WINDOW - now).as_secs_f64().ceil().max(1.0) as u64;
                Err(RateLimited { limit: self.limit, seconds })
            }
            _ => {
                of_client.push_back(now);
                Ok(())
            }
        }
    }
}

fn is_over(event: Duration, now: Duration) -> bool {
    event + WINDOW <= now
}

/// Forgets clients without events in the last minute, or else the one that has been silent for the longest time.
fn make_room(events: &mut HashMap<u128, VecDeque<Duration>>, now: Duration) {
    events.retain(|_, of_client| of_client.back().is_some_and(|last| !is_over(*last, now)));
    if events.len() >= MOST_CLIENTS
        && let Some(silent) =
            events.iter().min_by_key(|(_, of_client)| of_client.back().copied()).map(|(client, _)| *client)
    {
        events.remove(&silent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn no_minute_has_more_events_than_the_limit() {
        let limit = WindowLimit::new(3);
        for second in [0, 10, 59] {
            assert_eq!(limit.take_at(1, at(second)), Ok(()));
        }
        assert_eq!(limit.take_at(1, at(59)), Err(RateLimited { limit: 3, seconds: 1 }));
        assert_eq!(limit.take_at(2, at(59)), Ok(()), "another client has a limit of its own");
        assert_eq!(limit.take_at(1, at(60)), Ok(()), "what was refused has not counted");
        assert_eq!(limit.take_at(1, at(60)), Err(RateLimited { limit: 3, seconds: 10 }));
        assert_eq!(limit.take_at(1, at(70)), Ok(()));
        assert_eq!(limit.take_at(1, at(71)), Err(RateLimited { limit: 3, seconds: 48 }));
    }

    #[test]
    fn a_flood_of_other_clients_takes_no_more_memory_and_does_not_clear_the_limit_of_a_busy_one() {
        let limit = WindowLimit::new(1);
        let mut let_in = 0;
        for other in 1..20_000 {
            let now = Duration::from_millis(other);
            let_in += u32::from(limit.take_at(0, now).is_ok());
            let _ = limit.take_at(other.into(), now);
        }
        assert!(let_in <= 5, "{let_in}");
        assert_eq!(limit.events.lock().expect("no panic").len(), MOST_CLIENTS);
    }
}
