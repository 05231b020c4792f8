//! The threads that hash passwords, and their queue. They run at idle priority, so that requests with keys come first
//! even on a single core. The queue is fair: askers take turns, so that one with many requests delays only itself.
//!
//! If the processor is busy all the time, whatever with, idle threads get almost nothing of it. Then one more thread, with
//! a small share of its own, computes what they do not: a busy machine locks nobody out.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use crate::people::password::hash_queue::{Asker, Job, Panicked, Queue, Refused, locked};

/// How long the threads may finish nothing before the processor counts as busy.
const STARVED: Duration = Duration::from_secs(1);

/// The nice value of the fallback thread: beside one busy thread it gets about a tenth of a core.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// The threads. They end when it is dropped.
pub struct Threads(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    /// Notified of new work, and of the end.
    changed: Condvar,
    /// The same for the fallback thread.
    changed_for_fallback: Condvar,
}

impl Threads {
    /// Starts this many threads, and the fallback thread.
    ///
    /// # Errors
    /// If the system refuses a thread.
    pub fn start(count: usize) -> Result<Self, String> {
        Self::start_with(count, STARVED)
    }

    fn start_with(count: usize, starved: Duration) -> Result<Self, String> {
        let shared =
            Shared { queue: Mutex::new(Queue::new()), changed: Condvar::new(), changed_for_fallback: Condvar::new() };
        let threads = Threads(Arc::new(shared));
        for _ in 0..count {
            threads.spawn(work)?;
        }
        threads.spawn(move |shared| work_as_fallback(shared, starved))?;
        Ok(threads)
    }

    fn spawn(&self, work: impl FnOnce(&Shared) + Send + 'static) -> Result<(), String> {
        let shared = self.0.clone();
        let thread = thread::Builder::new().name("hashing".to_owned()).spawn(move || work(&shared));
        thread.map(drop).map_err(|error| format!("Cannot start a thread for hashing passwords: {error}."))
    }

    /// Queues work. The receiver gets an error if the work is dropped for that of others.
    ///
    /// # Errors
    /// If the queue is full.
    pub fn run<T: Send + 'static>(
        &self,
        asker: Asker,
        work: impl Fn() -> T + Send + Sync + 'static,
    ) -> Result<oneshot::Receiver<Result<T, Panicked>>, Refused> {
        let (answer, receiver) = oneshot::channel();
        let mut queue = locked(&self.0.queue);
        queue.put(asker, Arc::new(Job { work, answer: Mutex::new(Some(answer)) }))?;
        drop(queue);
        self.0.changed.notify_one();
        self.0.changed_for_fallback.notify_one();
        Ok(receiver)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        locked(&self.0.queue).is_closed = true;
        self.0.changed.notify_all();
        self.0.changed_for_fallback.notify_all();
    }
}

fn work(shared: &Shared) {
    #[cfg(target_os = "linux")]
    set_idle_priority();
    loop {
        let mut queue = locked(&shared.queue);
        let next = loop {
            if queue.is_closed {
                return;
            }
            match queue.take() {
                Some(next) => break next,
                None => queue = shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
            }
        };
        queue.running.push(next.clone());
        drop(queue);
        next.run();
        let mut queue = locked(&shared.queue);
        queue.running.retain(|other| !Arc::ptr_eq(other, &next));
        queue.progress = Instant::now();
    }
}

/// Works while the idle threads finish nothing for this long.
fn work_as_fallback(shared: &Shared, starved: Duration) {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        log::warn!("could not lower the priority of hashing on a busy processor: {error}");
    }
    loop {
        let mut queue = locked(&shared.queue);
        let next = loop {
            if queue.is_closed {
                return;
            }
            let rest = starved.saturating_sub(queue.progress.elapsed());
            queue = if queue.is_empty() {
                shared.changed_for_fallback.wait(queue).unwrap_or_else(PoisonError::into_inner)
            } else if !rest.is_zero() {
                shared.changed_for_fallback.wait_timeout(queue, rest).unwrap_or_else(PoisonError::into_inner).0
            } else if let Some(next) = queue.take_starved() {
                break next;
            } else {
                shared.changed_for_fallback.wait_timeout(queue, starved).unwrap_or_else(PoisonError::into_inner).0
            };
        };
        drop(queue);
        next.run();
    }
}

/// Sets idle priority, so that all other threads run first. (A thread that is merely nice keeps the processor for some
/// milliseconds once it has it.) On a busy processor this thread still gets about a third of a percent.
#[cfg(target_os = "linux")]
fn set_idle_priority() {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
        thread_native_id,
    };
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    if let Err(error) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle) {
        log::warn!("could not lower the priority of hashing: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;
    use crate::{
        base::ids::UserId,
        people::password::hash_queue::{MAX_OF_NETWORKS, MAX_PER_ASKER},
    };

    fn network(number: u32) -> Asker {
        Asker::Network(number.into())
    }

    /// One thread that is busy until a message is sent.
    fn busy() -> (Threads, Sender<()>, impl Sized) {
        busy_with(Duration::MAX)
    }

    /// The same, with a fallback thread that works after this long.
    fn busy_with(starved: Duration) -> (Threads, Sender<()>, impl Sized) {
        let threads = Threads::start_with(1, starved).expect("threads");
        let (go, wait) = channel::<()>();
        let (begun, is_busy) = channel::<()>();
        let wait = Mutex::new(wait);
        let first = threads.run(network(u32::MAX), move || (begun.send(()), locked(&wait).recv()).1);
        is_busy.recv().expect("it began");
        (threads, go, first)
    }

    #[test]
    fn askers_take_turns_and_each_is_served_in_order() {
        let (threads, go, _first) = busy();
        let (done, order) = channel();
        let ask = |asker, name: &'static str| {
            let done = done.clone();
            threads.run(asker, move || done.send(name))
        };
        let user = Asker::User(UserId::new());
        let kept: Vec<_> = [
            (network(1), "flood 1"),
            (network(1), "flood 2"),
            (network(1), "flood 3"),
            (network(2), "honest"),
            (user, "change 1"),
            (user, "change 2"),
            (network(3), "honest too"),
        ]
        .map(|(asker, name)| ask(asker, name).expect("room"))
        .into();
        go.send(()).expect("it waits");
        let order: Vec<_> = order.iter().take(kept.len()).collect();
        let of = |names: &[&str]| order.iter().filter(|name| names.contains(name)).copied().collect::<Vec<_>>();
        assert_eq!(
            of(&["flood 1", "flood 2", "flood 3", "honest", "honest too"]),
            ["flood 1", "honest", "honest too", "flood 2", "flood 3"]
        );
        assert!(order.iter().position(|name| *name == "change 2") <= Some(4), "{order:?}");
    }

    #[test]
    fn what_starved_threads_do_not_finish_is_done_by_the_fallback_thread() {
        let (threads, _go, first) = busy_with(Duration::from_millis(10));
        // Nobody waits for what keeps the thread busy, so it is not done twice.
        drop(first);
        let (stranger, known) = (threads.run(network(1), || 7), threads.run(Asker::User(UserId::new()), || 8));
        assert_eq!(stranger.expect("room").blocking_recv(), Ok(Ok(7)));
        assert_eq!(known.expect("room").blocking_recv(), Ok(Ok(8)));
    }

    #[test]
    fn an_asker_has_a_limit_and_unwanted_work_takes_no_room() {
        let (threads, go, _first) = busy();
        let ask = |asker| threads.run(asker, || 7);
        let mut waiting: Vec<_> = (0..MAX_PER_ASKER).map(|_| ask(network(1)).expect("room")).collect();
        assert_eq!(ask(network(1)).err(), Some(Refused));
        assert!(ask(network(2)).is_ok(), "others have their own");
        drop(waiting.pop());
        waiting.push(ask(network(1)).expect("room again"));
        let bad = threads.run(network(3), || -> u32 { panic!("a test") }).expect("room");
        drop(threads.run(network(3), || panic!("nobody waits for this")));
        go.send(()).expect("it waits");
        for waiting in waiting {
            assert_eq!(waiting.blocking_recv(), Ok(Ok(7)));
        }
        assert_eq!(bad.blocking_recv(), Ok(Err(Panicked)));
    }

    #[test]
    fn in_a_full_queue_the_askers_with_the_most_work_lose_some() {
        let (threads, go, _first) = busy();
        let ask = |asker| threads.run(asker, || 7);
        let of_flood = (0..MAX_OF_NETWORKS / MAX_PER_ASKER).map(|number| number as u32);
        let flood: Vec<_> =
            of_flood.flat_map(|number| (0..MAX_PER_ASKER).map(move |_| network(number))).map(&ask).collect();
        assert!(flood.iter().all(Result::is_ok));
        let honest: Vec<_> = (1_000..1_060).map(|number| ask(network(number)).expect("place")).collect();
        let known = ask(Asker::User(UserId::new())).expect("room of its own");
        go.send(()).expect("it waits");
        for waiting in honest.into_iter().chain([known]) {
            assert_eq!(waiting.blocking_recv(), Ok(Ok(7)));
        }
        let lost = flood.into_iter().filter_map(Result::ok).filter_map(|waiting| waiting.blocking_recv().err()).count();
        assert_eq!(lost, 60);
    }
}
