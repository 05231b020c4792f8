//! The log's way to standard error. A line is written at once; those that come within the next few milliseconds are
//! written together, since a call of the kernel for each would cost a fifth of a request.

use std::{
    cell::RefCell,
    io::{self, Write},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use chrono::SecondsFormat;
use env_logger::{Builder, Target};

use crate::clock;

/// How long lines may wait for more of them.
const GATHER: Duration = Duration::from_millis(10);

/// Starts the log; `RUST_LOG` sets what is in it.
pub fn start() -> Lines {
    let lines = Lines(Arc::default());
    // A variable that is set and empty counts as not set.
    let filter = std::env::var("RUST_LOG").ok().filter(|filter| !filter.trim().is_empty());
    Builder::new()
        .parse_filters(filter.as_deref().unwrap_or("info,actix_server=warn"))
        .format(|line, record| {
            let (level, target) = (record.level(), record.target());
            at_this_second(|time| writeln!(line, "[{time} {level:<5} {target}] {}", record.args()))
        })
        .target(Target::Pipe(Box::new(lines.clone())))
        .init();
    let waiting = lines.clone();
    thread::spawn(move || waiting.write_late_ones());
    lines
}

/// The time in words, made once a second.
fn at_this_second<T>(use_it: impl FnOnce(&str) -> T) -> T {
    thread_local! {
        static NOW: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
    }
    NOW.with_borrow_mut(|(second, text)| {
        let now = clock::now();
        if now.timestamp() != *second {
            (*second, *text) = (now.timestamp(), now.to_rfc3339_opts(SecondsFormat::Secs, true));
        }
        use_it(text)
    })
}

/// A line that strangers can cause is logged once a minute at most.
#[derive(Default)]
pub struct OnceAMinute(AtomicI64);

impl OnceAMinute {
    pub const fn new() -> Self {
        OnceAMinute(AtomicI64::new(0))
    }

    /// True where the line was last logged a minute ago or more, for one of all who ask.
    pub fn is_due(&self) -> bool {
        let (last, now) = (self.0.load(Relaxed), clock::now().timestamp());
        // A clock that was set back must not silence the line.
        !(0..60).contains(&(now - last)) && self.0.compare_exchange(last, now, Relaxed, Relaxed).is_ok()
    }
}

/// Lines that are written together. Cheap to clone.
#[derive(Clone)]
pub struct Lines(Arc<(Mutex<Gathered>, Condvar)>);

#[derive(Default)]
struct Gathered {
    text: Vec<u8>,
    /// Until when lines wait.
    until: Option<Instant>,
}

impl Gathered {
    /// A log that cannot be written stops nothing.
    fn write_out(&mut self) {
        let _ = io::stderr().lock().write_all(&self.text);
        self.text.clear();
        self.until = Some(Instant::now() + GATHER);
    }
}

impl Lines {
    fn gathered(&self) -> std::sync::MutexGuard<'_, Gathered> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what waits.
    pub fn write_out(&self) {
        self.gathered().write_out();
    }

    fn write_late_ones(&self) {
        let mut gathered = self.gathered();
        loop {
            let lines = self.0.1.wait_while(gathered, |gathered| gathered.text.is_empty());
            gathered = lines.unwrap_or_else(PoisonError::into_inner);
            let left = gathered.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
            drop(gathered);
            thread::sleep(left);
            gathered = self.gathered();
            gathered.write_out();
        }
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut gathered = self.gathered();
        let is_first = gathered.text.is_empty();
        gathered.text.extend_from_slice(line);
        if gathered.until.is_none_or(|until| until <= Instant::now()) {
            gathered.write_out();
        } else if is_first {
            self.0.1.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
