//! The threads that hash. They take the processor where nobody else wants it, so that requests with keys go before them
//! even where there is one core, and have a short queue, so that nobody waits for what cannot be done soon.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use tokio::sync::oneshot;

/// Hashes that may wait for each thread: about half a second's worth where there is nothing else to do.
const QUEUE: usize = 16;

type Work = Box<dyn FnOnce() + Send>;

/// The way to the threads. They end when it is dropped.
pub struct Threads(SyncSender<Work>);

impl Threads {
    pub fn start(count: usize) -> Result<Self, String> {
        let (sender, receiver) = sync_channel::<Work>(count * QUEUE);
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..count {
            let receiver = receiver.clone();
            thread::Builder::new()
                .name("hashing".to_owned())
                .spawn(move || work(&receiver))
                .map_err(|error| format!("No thread for hashing could be started: {error}."))?;
        }
        Ok(Threads(sender))
    }

    /// Puts work into the queue; `None` where it is full. Work that nobody waits for any more is not begun.
    pub fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<oneshot::Receiver<T>> {
        let (sender, receiver) = oneshot::channel();
        let work = move || {
            if !sender.is_closed() {
                // Whoever went away meanwhile does not miss it.
                let _ = sender.send(work());
            }
        };
        self.0.try_send(Box::new(work)).ok().map(|()| receiver)
    }
}

fn work(receiver: &Mutex<Receiver<Work>>) {
    #[cfg(target_os = "linux")]
    give_way();
    loop {
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(next) = next else { return };
        // Whoever waits learns of a panic, since nothing is sent; the thread goes on.
        let _ = catch_unwind(AssertUnwindSafe(next));
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
        log::warn!("hashing keeps the usual priority: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn what_does_not_fit_into_the_queue_is_refused_at_once_and_a_panic_stops_nothing() {
        let threads = Threads::start(1).expect("threads");
        let (go, wait) = channel::<()>();
        let (begun, is_busy) = channel::<()>();
        let first = threads.run(move || (begun.send(()), wait.recv()).1).expect("the queue is empty");
        is_busy.recv().expect("it began");
        let bad = threads.run(|| -> u32 { panic!("a test") }).expect("room");
        let given_up = threads.run(|| panic!("nobody waits for this")).expect("room");
        drop::<oneshot::Receiver<()>>(given_up);
        let waiting: Vec<_> = (2..QUEUE).map(|number| threads.run(move || number).expect("room")).collect();
        assert!(threads.run(|| ()).is_none());
        go.send(()).expect("it waits");
        assert!(first.blocking_recv().expect("done").is_ok());
        assert!(bad.blocking_recv().is_err());
        for (number, done) in (2..QUEUE).zip(waiting) {
            assert_eq!(done.blocking_recv(), Ok(number));
        }
    }
}
