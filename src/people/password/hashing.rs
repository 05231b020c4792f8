//! The threads that hash, and the queue before them. They take the processor where nobody else wants it, so that
//! requests with keys go before them even where there is one core. Those who wait are served by turns, one of each
//! asker: whoever asks often waits behind his own and not before others.
//!
//! Where the processor never rests, be it for other programs of the machine, such threads get almost nothing of it. Then
//! one more thread, with a small share of its own, hashes what they do not: nobody is locked out by a busy machine.

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
    /// A stranger who signs in, by the network of the address.
    Network(u128),
    /// Somebody who is known already: signed in, or invited.
    User(UserId),
}

/// Hashes that one asker may wait for.
const OF_ONE: usize = 8;

/// Hashes that may wait: of strangers, and of those who are known.
const OF_STRANGERS: usize = 512;
const OF_KNOWN: usize = 128;

/// How long the threads may finish nothing before the processor counts as busy.
const LATE: Duration = Duration::from_secs(1);

/// The nice value of the thread for a busy processor: about a tenth of a core beside one other thread.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// The way to the threads. They end when it is dropped.
pub struct Threads(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    /// There is work, or the end.
    came: Condvar,
    /// The same for the thread for a busy processor.
    came_for_late: Condvar,
}

/// Nothing came of it: there was no room, or whoever asked for less was served before.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused;

/// The work ended in a panic.
#[derive(Debug, PartialEq, Eq)]
pub struct Panicked;

/// What there is to do. Two threads may do the same; the first answers.
trait Work: Send + Sync {
    /// False where nobody waits for it any more.
    fn is_wanted(&self) -> bool;
    fn run(&self);
}

struct Job<F, T> {
    work: F,
    /// `None` once it was answered.
    answer: Mutex<Option<oneshot::Sender<Result<T, Panicked>>>>,
}

impl<F: Fn() -> T + Send + Sync, T: Send> Work for Job<F, T> {
    fn is_wanted(&self) -> bool {
        locked(&self.answer).as_ref().is_some_and(|answer| !answer.is_closed())
    }

    fn run(&self) {
        // The thread goes on after a panic. Whoever went away meanwhile does not miss the answer.
        let done = catch_unwind(AssertUnwindSafe(&self.work)).map_err(|_| Panicked);
        if let Some(answer) = locked(&self.answer).take() {
            let _ = answer.send(done);
        }
    }
}

/// Those who wait. Strangers and known ones take turns, so that neither keeps out the other.
struct Queue {
    strangers: Waiting,
    known: Waiting,
    known_are_next: bool,
    is_over: bool,
    /// What the threads are doing, the oldest first.
    running: Vec<Arc<dyn Work>>,
    /// When they last finished something, or began after a rest.
    progress: Instant,
}

/// Work of one kind of askers.
struct Waiting {
    most: usize,
    count: usize,
    of: HashMap<Asker, VecDeque<Arc<dyn Work>>>,
    /// Whose turn is next; each once.
    turns: VecDeque<Asker>,
}

impl Waiting {
    fn new(most: usize) -> Self {
        Waiting { most, count: 0, of: HashMap::new(), turns: VecDeque::new() }
    }

    /// Puts work at the end of what its asker waits for. Where there is no room, the last of whoever waits for most
    /// makes place, if that is more than this asker waits for.
    fn put(&mut self, asker: Asker, work: Arc<dyn Work>) -> Result<(), Refused> {
        if self.count >= self.most || self.of.get(&asker).is_some_and(|own| own.len() >= OF_ONE) {
            self.forget_unwanted();
        }
        let own = self.of.get(&asker).map_or(0, VecDeque::len);
        if own >= OF_ONE {
            return Err(Refused);
        }
        if self.count >= self.most {
            let longest = self.of.values_mut().max_by_key(|work| work.len());
            let last = longest.filter(|work| work.len() > own + 1).and_then(VecDeque::pop_back);
            last.ok_or(Refused)?;
            self.count -= 1;
        }
        let work_of_asker = self.of.entry(asker).or_default();
        if work_of_asker.is_empty() {
            self.turns.push_back(asker);
        }
        work_of_asker.push_back(work);
        self.count += 1;
        Ok(())
    }

    fn forget_unwanted(&mut self) {
        self.of.retain(|_, work| {
            work.retain(|work| work.is_wanted());
            !work.is_empty()
        });
        self.turns.retain(|asker| self.of.contains_key(asker));
        self.count = self.of.values().map(VecDeque::len).sum();
    }

    /// The next work that somebody waits for.
    fn take(&mut self) -> Option<Arc<dyn Work>> {
        while let Some(asker) = self.turns.pop_front() {
            let Some(work) = self.of.get_mut(&asker) else { continue };
            let next = work.pop_front();
            match work.is_empty() {
                true => drop(self.of.remove(&asker)),
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
        self.known_are_next = !self.known_are_next;
        let (first, second) = match self.known_are_next {
            true => (&mut self.known, &mut self.strangers),
            false => (&mut self.strangers, &mut self.known),
        };
        first.take().or_else(|| second.take())
    }

    fn is_empty(&self) -> bool {
        self.running.is_empty() && self.strangers.count + self.known.count == 0
    }

    /// What the threads do not come to: what one of them began and somebody still waits for, or what is next.
    fn take_late(&mut self) -> Option<Arc<dyn Work>> {
        let begun = self.running.iter().find(|work| work.is_wanted()).cloned();
        begun.or_else(|| self.take())
    }
}

impl Threads {
    /// Starts so many threads, and the one for a busy processor.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(count: usize) -> Result<Self, String> {
        Self::start_with(count, LATE)
    }

    fn start_with(count: usize, late: Duration) -> Result<Self, String> {
        let queue = Queue {
            strangers: Waiting::new(OF_STRANGERS),
            known: Waiting::new(OF_KNOWN),
            known_are_next: false,
            is_over: false,
            running: Vec::new(),
            progress: Instant::now(),
        };
        let shared = Shared { queue: Mutex::new(queue), came: Condvar::new(), came_for_late: Condvar::new() };
        let threads = Threads(Arc::new(shared));
        for _ in 0..count {
            threads.spawn(work)?;
        }
        threads.spawn(move |shared| work_late(shared, late))?;
        Ok(threads)
    }

    fn spawn(&self, work: impl FnOnce(&Shared) + Send + 'static) -> Result<(), String> {
        let shared = self.0.clone();
        let thread = thread::Builder::new().name("hashing".to_owned()).spawn(move || work(&shared));
        thread.map(drop).map_err(|error| format!("No thread for hashing could be started: {error}."))
    }

    /// Puts work into the queue. What comes of it is `Err` where it made place for others.
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
            Asker::Network(_) => &mut queue.strangers,
            Asker::User(_) => &mut queue.known,
        };
        waiting.put(asker, Arc::new(Job { work, answer: Mutex::new(Some(answer)) }))?;
        drop(queue);
        self.0.came.notify_one();
        self.0.came_for_late.notify_one();
        Ok(receiver)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        locked(&self.0.queue).is_over = true;
        self.0.came.notify_all();
        self.0.came_for_late.notify_all();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn work(shared: &Shared) {
    #[cfg(target_os = "linux")]
    give_way();
    loop {
        let mut queue = locked(&shared.queue);
        let next = loop {
            if queue.is_over {
                return;
            }
            match queue.take() {
                Some(next) => break next,
                None => queue = shared.came.wait(queue).unwrap_or_else(PoisonError::into_inner),
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

/// Works while the other threads finish nothing for so long.
fn work_late(shared: &Shared, late: Duration) {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        log::warn!("could not lower the priority of hashing on a busy processor: {error}");
    }
    loop {
        let mut queue = locked(&shared.queue);
        let next = loop {
            if queue.is_over {
                return;
            }
            let rest = late.saturating_sub(queue.progress.elapsed());
            queue = if queue.is_empty() {
                shared.came_for_late.wait(queue).unwrap_or_else(PoisonError::into_inner)
            } else if !rest.is_zero() {
                shared.came_for_late.wait_timeout(queue, rest).unwrap_or_else(PoisonError::into_inner).0
            } else if let Some(next) = queue.take_late() {
                break next;
            } else {
                shared.came_for_late.wait_timeout(queue, late).unwrap_or_else(PoisonError::into_inner).0
            };
        };
        drop(queue);
        next.run();
    }
}

/// Lets all other threads go first, at once. (One that is merely nice keeps the processor for some milliseconds when it
/// has it.) Where the processor never rests, about a third of a percent of it is left for this thread.
#[cfg(target_os = "linux")]
fn give_way() {
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

    /// One thread that is busy until something is sent.
    fn busy() -> (Threads, Sender<()>, impl Sized) {
        busy_with(Duration::MAX)
    }

    /// The same, with a thread that helps when so much time has passed.
    fn busy_with(late: Duration) -> (Threads, Sender<()>, impl Sized) {
        let threads = Threads::start_with(1, late).expect("threads");
        let (go, wait) = channel::<()>();
        let (begun, is_busy) = channel::<()>();
        let wait = Mutex::new(wait);
        let first = threads.run(network(u32::MAX), move || (begun.send(()), locked(&wait).recv()).1);
        is_busy.recv().expect("it began");
        (threads, go, first)
    }

    #[test]
    fn askers_take_turns_and_each_is_served_in_the_order_in_which_it_asked() {
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
    fn what_the_threads_do_not_come_to_is_done_all_the_same() {
        let (threads, _go, first) = busy_with(Duration::from_millis(10));
        // Nobody waits for what keeps the thread busy: it is not done twice.
        drop(first);
        let (stranger, known) = (threads.run(network(1), || 7), threads.run(Asker::User(UserId::new()), || 8));
        assert_eq!(stranger.expect("room").blocking_recv(), Ok(Ok(7)));
        assert_eq!(known.expect("room").blocking_recv(), Ok(Ok(8)));
    }

    #[test]
    fn an_asker_has_a_share_and_what_nobody_waits_for_takes_no_room() {
        let (threads, go, _first) = busy();
        let ask = |asker| threads.run(asker, || 7);
        let mut waiting: Vec<_> = (0..OF_ONE).map(|_| ask(network(1)).expect("room")).collect();
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
    fn where_all_room_is_taken_those_who_wait_for_most_make_place() {
        let (threads, go, _first) = busy();
        let ask = |asker| threads.run(asker, || 7);
        let of_flood = (0..OF_STRANGERS / OF_ONE).map(|number| number as u32);
        let flood: Vec<_> = of_flood.flat_map(|number| (0..OF_ONE).map(move |_| network(number))).map(&ask).collect();
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
