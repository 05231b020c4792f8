//! The queue before the threads that hash passwords: askers take turns.

use std::{
    collections::{HashMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
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
pub const MAX_PER_ASKER: usize = 8;

/// Queued hashes of all networks, and of all users.
pub const MAX_OF_NETWORKS: usize = 512;
const MAX_OF_USERS: usize = 128;

/// The work was not queued: the queue is full.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused;

/// The work panicked.
#[derive(Debug, PartialEq, Eq)]
pub struct Panicked;

/// Queued work. Two threads may do the same; the first one answers.
pub trait Work: Send + Sync {
    /// False if nobody waits for the result any more.
    fn is_wanted(&self) -> bool;
    fn run(&self);
}

pub struct Job<F, T> {
    pub work: F,
    /// `None` after the answer.
    pub answer: Mutex<Option<oneshot::Sender<Result<T, Panicked>>>>,
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
pub struct Queue {
    networks: Waiting,
    users: Waiting,
    users_are_next: bool,
    pub is_closed: bool,
    /// What the idle threads are working on, oldest first.
    pub running: Vec<Arc<dyn Work>>,
    /// When the idle threads last finished something, or got work after a pause.
    pub progress: Instant,
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
    pub fn new() -> Self {
        Queue {
            networks: Waiting::new(MAX_OF_NETWORKS),
            users: Waiting::new(MAX_OF_USERS),
            users_are_next: false,
            is_closed: false,
            running: Vec::new(),
            progress: Instant::now(),
        }
    }

    /// Queues work.
    ///
    /// # Errors
    /// If the queue is full.
    pub fn put(&mut self, asker: Asker, work: Arc<dyn Work>) -> Result<(), Refused> {
        if self.is_empty() {
            self.progress = Instant::now();
        }
        match asker {
            Asker::Network(_) => self.networks.put(asker, work),
            Asker::User(_) => self.users.put(asker, work),
        }
    }

    /// The next work; networks and users take turns.
    pub fn take(&mut self) -> Option<Arc<dyn Work>> {
        self.users_are_next = !self.users_are_next;
        let (first, second) = match self.users_are_next {
            true => (&mut self.users, &mut self.networks),
            false => (&mut self.networks, &mut self.users),
        };
        first.take().or_else(|| second.take())
    }

    /// True if there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.running.is_empty() && self.networks.count + self.users.count == 0
    }

    /// What the idle threads do not finish: work that one of them has begun and whose result is wanted, or the next.
    pub fn take_starved(&mut self) -> Option<Arc<dyn Work>> {
        let begun = self.running.iter().find(|work| work.is_wanted()).cloned();
        begun.or_else(|| self.take())
    }
}

/// Locks, whatever became of the last holder.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
