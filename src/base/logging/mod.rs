//! The log on standard error: lines of text, or one JSON object per line.

mod lines;

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    cell::RefCell,
    collections::HashMap,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
};

use chrono::SecondsFormat;
use clap::ValueEnum;
use env_logger::{Builder, Logger, Target};
use log::{Level, Log, Metadata, Record};

use crate::base::clock;
pub use crate::base::logging::lines::Lines;

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A line of text per event
    #[default]
    Text,
    /// A JSON object per event, one per line
    Json,
}

/// Lines per minute from one place in the code of a library: anybody can cause them, for example with malformed
/// cookies.
const LIBRARY_LINES: u32 = 10;

static OUT: OnceLock<(Format, Lines)> = OnceLock::new();

/// Starts the log; `RUST_LOG` sets its filter, unless it is empty.
pub fn start(format: Format) -> Lines {
    let lines = Lines::start();
    let filter = std::env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty());
    let logger = Builder::new()
        .parse_filters(filter.as_deref().unwrap_or("info,actix_server=warn"))
        .format(move |line, record| write_record(line, format, record))
        .target(Target::Pipe(Box::new(lines.clone())))
        .build();
    let most = logger.filter();
    let _ = OUT.set((format, lines.clone()));
    if log::set_boxed_logger(Box::new(Throttled { logger, places: Mutex::default() })).is_ok() {
        log::set_max_level(most);
    }
    // The default hook would block on standard error if nobody reads it.
    let last = lines.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let backtrace = Backtrace::capture();
        match backtrace.status() {
            BacktraceStatus::Captured => log::error!("{panic}\n{backtrace}"),
            _ => log::error!("{panic}"),
        }
        last.flush_all();
    }));
    lines
}

fn write_record(line: &mut impl Write, format: Format, record: &Record) -> std::io::Result<()> {
    write_line(line, format, record.level(), record.target(), |line| match format {
        Format::Text => write!(line, "{}", record.args()),
        Format::Json => {
            line.write_all(b"\"message\":")?;
            Ok(serde_json::to_writer(line, record.args())?)
        }
    })
}

/// Writes a line: time, level and target, then what `inside` writes, which is text or members of a JSON object.
fn write_line<W: Write>(
    line: &mut W,
    format: Format,
    level: Level,
    target: &str,
    inside: impl FnOnce(&mut W) -> std::io::Result<()>,
) -> std::io::Result<()> {
    at_this_second(|time| match format {
        Format::Text => {
            write!(line, "[{time} {level:<5} {target}] ")?;
            inside(line)?;
            line.write_all(b"\n")
        }
        Format::Json => {
            write!(line, r#"{{"time":"{time}","level":"{level}","target":"{target}","#)?;
            inside(line)?;
            line.write_all(b"}\n")
        }
    })
}

/// Logs a line that is written in parts, without a `Record`: for the line of each request.
pub fn write(level: Level, target: &'static str, inside: impl FnOnce(&mut Vec<u8>, Format) -> std::io::Result<()>) {
    thread_local! {
        static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    let Some((format, lines)) = OUT.get() else { return };
    if !log::log_enabled!(target: target, level) {
        return;
    }
    LINE.with_borrow_mut(|line| {
        line.clear();
        if write_line(line, *format, level, target, |line| inside(line, *format)).is_ok() {
            lines.put(line);
        }
    });
}

/// The time as text, formatted once a second.
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

/// The logger; it throttles lines of libraries, and logs how many were left out.
struct Throttled {
    logger: Logger,
    /// For each place in the code, by hash: the minute, the lines logged in it, and those left out.
    places: Mutex<HashMap<u64, (i64, u32, u32)>>,
}

impl Throttled {
    /// How many lines of this place were left out before this one; `None` if this one is left out too.
    fn left_out(&self, record: &Record) -> Option<u32> {
        if record.target().starts_with("latchkey") || record.level() > Level::Info {
            return Some(0);
        }
        let mut hasher = DefaultHasher::new();
        (record.target(), record.line()).hash(&mut hasher);
        let minute = clock::now().timestamp() / 60;
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, lines, left_out) = places.entry(hasher.finish()).or_insert((minute, 0, 0));
        if *of != minute {
            (*of, *lines) = (minute, 0);
        }
        if *lines >= LIBRARY_LINES {
            *left_out += 1;
            return None;
        }
        *lines += 1;
        Some(std::mem::take(left_out))
    }
}

impl Log for Throttled {
    fn enabled(&self, metadata: &Metadata) -> bool {
        self.logger.enabled(metadata)
    }

    fn log(&self, record: &Record) {
        if !self.logger.matches(record) {
            return;
        }
        let Some(left_out) = self.left_out(record) else { return };
        if left_out > 0 {
            log::warn!("{left_out} lines of {} like the next one were left out", record.target());
        }
        self.logger.log(record);
    }

    fn flush(&self) {}
}

/// Writes a text as a JSON string.
pub fn json_text(line: &mut Vec<u8>, text: impl fmt::Display) -> std::io::Result<()> {
    Ok(serde_json::to_writer(line, &format_args!("{text}"))?)
}

/// Limits a line that anybody can cause to one per minute.
#[derive(Default)]
pub struct OnceAMinute(AtomicI64);

impl OnceAMinute {
    /// Due at once.
    pub const fn new() -> Self {
        OnceAMinute(AtomicI64::new(0))
    }

    /// True for exactly one concurrent caller, if the line was last logged a minute ago or more.
    pub fn is_due(&self) -> bool {
        let (last, now) = (self.0.load(Relaxed), clock::now().timestamp());
        // A clock that was set back must not silence the line.
        !(0..60).contains(&(now - last)) && self.0.compare_exchange(last, now, Relaxed, Relaxed).is_ok()
    }
}
