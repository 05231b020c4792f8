//! What a load costs, and the tables.

use std::{collections::HashMap, io, time::Duration};

use crate::{
    load::{self, Script, Until},
    machine,
    program::Program,
    rows::names,
};

/// Of one round, or the medians of several.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Answers a second.
    pub rate: f64,
    /// Processor time of the server for one answer, in microseconds.
    pub cpu: f64,
    /// Milliseconds.
    pub p50: f64,
    pub p99: f64,
}

impl Figures {
    /// Puts a load on a server. Its first part is not counted: what has not been asked for lately is read then.
    pub fn of(server: &Program, scripts: &[Script], long: Duration) -> io::Result<Self> {
        load::run(server.address, scripts, Until::Over(long / 8))?;
        let before = machine::cpu(server.id())?;
        let outcome = load::run(server.address, scripts, Until::Over(long))?;
        let used = machine::cpu(server.id())?.saturating_sub(before);
        if outcome.others > 0 || outcome.answers == 0 {
            return Err(io::Error::other(format!("{} of {} answers were others", outcome.others, outcome.answers)));
        }
        Ok(Figures {
            rate: outcome.rate(),
            cpu: used.as_secs_f64() * 1e6 / outcome.answers as f64,
            p50: outcome.within(0.5).as_secs_f64() * 1e3,
            p99: outcome.within(0.99).as_secs_f64() * 1e3,
        })
    }

    pub fn median(rounds: &[Figures]) -> Self {
        let of = |field: fn(&Figures) -> f64| {
            let mut values: Vec<f64> = rounds.iter().map(field).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or_default()
        };
        Figures { rate: of(|f| f.rate), cpu: of(|f| f.cpu), p50: of(|f| f.p50), p99: of(|f| f.p99) }
    }
}

/// The medians of one server's rows, by name.
pub type Medians = HashMap<&'static str, Figures>;

/// One table: every row, and those computed from others.
pub fn table(title: &str, order: &[&'static str], of: &Medians, bare: Figures) {
    println!("\n| {title} | req/s | × bare | CPU µs | × bare | p50 ms | p99 ms |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    line(names::BARE, bare, bare);
    for name in order.iter().filter(|name| !name.starts_with('(')) {
        if let Some(figures) = of.get(name) {
            line(name, *figures, bare);
        }
    }
    let cpu = |name| of.get(name).map_or(f64::NAN, |figures: &Figures| figures.cpu);
    let after_write = cpu(names::WRITE_AND_LIST) - cpu(names::WRITE);
    println!("| list right after a write (computed) | | | {after_write:.1} | {:.2} | | |", after_write / bare.cpu);
    // A request that is let in and finds nothing to do, against one whose key is no key: the finding of its route, too.
    let authentication = cpu(names::WRONG_METHOD) - cpu(names::MALFORMED);
    println!(
        "| authentication alone, on top of the bare handler (computed) | | | {authentication:.2} | {:.2} | | |",
        1.0 + authentication / bare.cpu
    );
}

/// The same list from other programs, and how many times as much Latchkey does on SQLite.
pub fn beside<'a>(list: Figures, peers: impl Iterator<Item = (&'a str, Figures)>) {
    println!("\n| list of 10 properties, SQLite | req/s | Latchkey does | CPU µs | Latchkey takes | p50 ms | p99 ms |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for (name, Figures { rate, cpu, p50, p99 }) in std::iter::once(("Latchkey", list)).chain(peers) {
        let (more, less) = (list.rate / rate, cpu / list.cpu);
        println!("| {name} | {rate:.0} | {more:.1} × | {cpu:.1} | 1/{less:.1} | {p50:.2} | {p99:.2} |");
    }
}

fn line(name: &str, figures: Figures, bare: Figures) {
    println!(
        "| {name} | {:.0} | {:.2} | {:.1} | {:.2} | {:.2} | {:.2} |",
        figures.rate,
        figures.rate / bare.rate,
        figures.cpu,
        figures.cpu / bare.cpu,
        figures.p50,
        figures.p99
    );
}
