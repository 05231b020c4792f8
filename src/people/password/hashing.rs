//! The threads that hash passwords, and their queue. They run at idle priority, so that requests with keys come first
//! even on a single core. The queue is fair: askers take turns, so that one with many requests delays only itself.
//!
//! If the processor is busy all the time, whatever with, idle threads get almost nothing of it. Then one more thread, with
//! a small share of its own, computes what they do not: a busy machine locks nobody out.

use std::{
    collections::{HashMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use crate::base::ids::UserId;

/// Who asks for a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asker {
    /// An unauthenticated client that signs in, by its network.
    Network(u128),
    /// A known user: signed in, or invited.
    User(UserId),
}

/// Queued hashes per asker.
const MAX_PER_ASKER: usize = 8;

/// Queued hashes of all networks, and of all users.
const MAX_OF_NETWORKS: usize = 512;
const MAX_OF_USERS: usize = 128;

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

/// The work was not queued: the queue is full.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused;

/// The work panicked.
#[derive(Debug, PartialEq, Eq)]
pub struct Panicked;

/// Queued work. Two threads may do the same; the first one answers.
trait Work: Send + Sync {
    /// False if nobody waits for the result any more.
    fn is_wanted(&self) -> bool;
    fn run(&self);
}

struct Job<F, T> {
    work: F,
    /// `None` after the answer.
    answer: Mutex<Option<oneshot::Sender<Result<T, Panicked>>>>,
}

impl<F: Fn() -> T + Send + Sync, T: Send> Work for Job<F, T> {
    fn is_wanted(&self) -> bool {
        locked(&self.answer).as_ref().is_some_and(|answer| !answer.is_closed())
    }

    fn run(&self) {
        // The thread survives a panic. The receiver may have been dropped meanwhile.
        let done = catch_unwind(AssertUnwindSafe(&self.work)).map_err(|_| Panicked);
        if let Some(answer) = locked(&self.answer).take() {
            let _ = answer.send(done);
        }
    }
}

/// The queue. Networks and users take turns, so that neither can starve the other.
struct Queue {
    networks: Waiting,
    users: Waiting,
    users_are_next: bool,
    is_closed: bool,
    /// What the idle threads are working on, oldest first.
    running: Vec<Arc<dyn Work>>,
    /// When the idle threads last finished something, or got work after a pause.
    progress: Instant,
}

/// The work of one kind of askers.
struct Waiting {
    max: usize,
    count: usize,
    by_asker: HashMap<Asker, VecDeque<Arc<dyn Work>>>,
    /// Askers in the order of their turns, each once.
    turns: VecDeque<Asker>,
}

impl Waiting {
    fn new(max: usize) -> Self {
        Waiting { max, count: 0, by_asker: HashMap::new(), turns: VecDeque::new() }
    }

    /// Queues work behind that of the same asker. If the queue is full, the last work of the asker with the most is
    /// dropped, if that is more than this asker has.
    fn put(&mut self, asker: Asker, work: Arc<dyn Work>) -> Result<(), Refused> {
        if self.count >= self.max || self.by_asker.get(&asker).is_some_and(|own| own.len() >= MAX_PER_ASKER) {
            self.drop_unwanted();
        }
        let own = self.by_asker.get(&asker).map_or(0, VecDeque::len);
        if own >= MAX_PER_ASKER {
            return Err(Refused);
        }
        if self.count >= self.max {
            let longest = self.by_asker.values_mut().max_by_key(|work| work.len());
            let last = longest.filter(|work| work.len() > own + 1).and_then(VecDeque::pop_back);
            last.ok_or(Refused)?;
            self.count -= 1;
        }
        let work_of_asker = self.by_asker.entry(asker).or_default();
        if work_of_asker.is_empty() {
            self.turns.push_back(asker);
        }
        work_of_asker.push_back(work);
        self.count += 1;
        Ok(())
    }

    fn drop_unwanted(&mut self) {
        self.by_asker.retain(|_, work| {
            work.retain(|work| work.is_wanted());
            !work.is_empty()
        });
        self.turns.retain(|asker| self.by_asker.contains_key(asker));
        self.count = self.by_asker.values().map(VecDeque::len).sum();
    }

    /// The next work whose result is still wanted.
    fn take(&mut self) -> Option<Arc<dyn Work>> {
        while let Some(asker) = self.turns.pop_front() {
            let Some(work) = self.by_asker.get_mut(&asker) else { continue };
            let next = work.pop_front();
            match work.is_empty() {
                true => drop(self.by_asker.remove(&asker)),
                false => self.turns.push_back(asker),
            }
            self.count -= usize::from(next.is_some());
            if let Some(next) = next.filter(|next| next.is_wanted()) {
                return Some(next);
            }
        }
        None
    }
}

impl Queue {
    fn take(&mut self) -> Option<Arc<dyn Work>> {
        self.users_are_next = !self.users_are_next;
        let (first, second) = match self.users_are_next {
            true => (&mut self.users, &mut self.networks),
            false => (&mut self.networks, &mut self.users),
        };
        first.take().or_else(|| second.take())
    }

    fn is_empty(&self) -> bool {
        self.running.is_empty() && self.networks.count + self.users.count == 0
    }

    /// What the idle threads do not finish: work that one of them has begun and whose result is wanted, or the next.
    fn take_starved(&mut self) -> Option<Arc<dyn Work>> {
        let begun = self.running.iter().find(|work| work.is_wanted()).cloned();
        begun.or_else(|| self.take())
    }
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
        let queue = Queue {
            networks: Waiting::new(MAX_OF_NETWORKS),
            users: Waiting::new(MAX_OF_USERS),
            users_are_next: false,
            is_closed: false,
            running: Vec::new(),
            progress: Instant::now(),
        };
        let shared = Shared { queue: Mutex::new(queue), changed: Condvar::new(), changed_for_fallback: Condvar::new() };
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
        if queue.is_empty() {
            queue.progress = Instant::now();
        }
        let waiting = match asker {
            Asker::Network(_) => &mut queue.networks,
            Asker::User(_) => &mut queue.users,
        };
        waiting.put(asker, Arc::new(Job { work, answer: Mutex::new(Some(answer)) }))?;
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

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
