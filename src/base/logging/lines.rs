//! Lines on their way to standard error. One thread writes them, in bounded room: a log that nobody reads stops no
//! request. Those that come within a few milliseconds are written together, since a call of the kernel for each would
//! cost a fifth of a request.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// How long lines may wait for more of them.
const GATHER: Duration = Duration::from_millis(10);

/// Bytes that may wait. What does not fit is dropped and counted.
const ROOM: usize = 1024 * 1024;

/// How long the end of the program waits for the last lines to be read.
const LAST_LINES: Duration = Duration::from_secs(2);

/// The way to standard error. Cheap to clone.
#[derive(Clone, Default)]
pub struct Lines(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    came: Condvar,
    written: Condvar,
}

#[derive(Default)]
struct Waiting {
    text: Vec<u8>,
    is_writing: bool,
    dropped: u64,
}

impl Lines {
    /// Starts the thread that writes.
    pub fn start() -> Self {
        let lines = Lines::default();
        let writer = lines.clone();
        let started = thread::Builder::new().name("log".to_owned()).spawn(move || writer.keep_writing());
        if let Err(error) = started {
            eprintln!("Cannot write the log: {error}.");
        }
        lines
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts whole lines behind those that wait.
    pub fn put(&self, line: &[u8]) {
        let mut waiting = self.waiting();
        if waiting.text.len() + line.len() > ROOM {
            waiting.dropped += 1;
            return;
        }
        let is_first = waiting.text.is_empty();
        waiting.text.extend_from_slice(line);
        drop(waiting);
        if is_first {
            self.0.came.notify_one();
        }
    }

    /// Waits until all is written, but not for ever.
    pub fn write_out(&self) {
        let still = |waiting: &mut Waiting| waiting.is_writing || !waiting.text.is_empty();
        drop(self.0.written.wait_timeout_while(self.waiting(), LAST_LINES, still));
    }

    fn keep_writing(&self) {
        let mut batch = Vec::new();
        loop {
            let none = |waiting: &mut Waiting| waiting.text.is_empty();
            let mut waiting = self.0.came.wait_while(self.waiting(), none).unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut waiting.text, &mut batch);
            waiting.is_writing = true;
            drop(waiting);
            // A log that cannot be written stops nothing.
            let _ = io::stderr().lock().write_all(&batch);
            batch.clear();
            let mut waiting = self.waiting();
            waiting.is_writing = false;
            let dropped = std::mem::take(&mut waiting.dropped);
            drop(waiting);
            self.0.written.notify_all();
            if dropped > 0 {
                log::warn!("{dropped} log lines were dropped, since standard error was not read");
            }
            thread::sleep(GATHER);
        }
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_bounded_and_what_does_not_fit_is_counted() {
        // Nobody writes.
        let lines = Lines::default();
        for _ in 0..ROOM / 1024 + 7 {
            lines.put(&[b'x'; 1024]);
        }
        let waiting = lines.waiting();
        assert_eq!((waiting.text.len(), waiting.dropped), (ROOM, 7));
    }
}
