//! The queue of lines before standard error. One thread writes them from a bounded buffer, so that a log that nobody
//! reads blocks no request. Lines of a few milliseconds are written together, since one system call per line would cost
//! a fifth of a request.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// How long lines are collected before they are written.
const GATHER: Duration = Duration::from_millis(10);

/// Bytes of the buffer. Lines that do not fit are dropped and counted.
const CAPACITY: usize = 1024 * 1024;

/// How long the program waits at its end until the last lines are written.
const LAST_LINES: Duration = Duration::from_secs(2);

/// The queue. Cheap to clone.
#[derive(Clone, Default)]
pub struct Lines(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    added: Condvar,
    written: Condvar,
}

#[derive(Default)]
struct Waiting {
    text: Vec<u8>,
    is_writing: bool,
    dropped: u64,
}

impl Lines {
    /// Starts the writing thread.
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

    /// Appends complete lines.
    pub fn put(&self, line: &[u8]) {
        let mut waiting = self.waiting();
        if waiting.text.len() + line.len() > CAPACITY {
            waiting.dropped += 1;
            return;
        }
        let is_first = waiting.text.is_empty();
        waiting.text.extend_from_slice(line);
        drop(waiting);
        if is_first {
            self.0.added.notify_one();
        }
    }

    /// Waits until all lines are written, for `LAST_LINES` at most.
    pub fn flush_all(&self) {
        let still = |waiting: &mut Waiting| waiting.is_writing || !waiting.text.is_empty();
        drop(self.0.written.wait_timeout_while(self.waiting(), LAST_LINES, still));
    }

    fn keep_writing(&self) {
        let mut batch = Vec::new();
        loop {
            let none = |waiting: &mut Waiting| waiting.text.is_empty();
            let mut waiting = self.0.added.wait_while(self.waiting(), none).unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut waiting.text, &mut batch);
            waiting.is_writing = true;
            drop(waiting);
            // A log that cannot be written must not stop the program.
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
    fn the_buffer_is_bounded_and_what_does_not_fit_is_counted() {
        // No thread writes.
        let lines = Lines::default();
        for _ in 0..CAPACITY / 1024 + 7 {
            lines.put(&[b'x'; 1024]);
        }
        let waiting = lines.waiting();
        assert_eq!((waiting.text.len(), waiting.dropped), (CAPACITY, 7));
    }
}
