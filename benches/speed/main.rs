//! The benchmark: what requests cost, as multiples of what a bare handler costs that sends the same bytes.
//!
//!     cargo bench --bench speed
//!
//! The server runs on one core, the load on the other. All variants take turns, round after round; the figures are the
//! medians of all rounds. `docs/scaling.md` says what they mean.

mod attacks;
mod bare;
mod figures;
mod growth;
mod load;
mod machine;
mod peers;
mod postgres;
mod program;
mod rows;
mod seed;

use std::{
    collections::HashMap,
    io,
    path::PathBuf,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use clap::Parser;

use self::{
    figures::{Figures, Medians},
    program::{Host, Program},
};

/// Measures Latchkey. PostgreSQL must be installed; the tables are Markdown.
#[derive(Parser)]
struct Args {
    /// Rounds in which every variant has its turn
    #[arg(long, default_value_t = 5)]
    rounds: usize,

    /// Seconds that a variant's turn lasts
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,

    /// Rows whose names contain this text only; of attacks likewise; of growth the parts keys, properties,
    /// connections, processes
    #[arg(long, default_value = "")]
    only: String,

    /// Leave PostgreSQL out
    #[arg(long)]
    no_postgres: bool,

    /// Measure the same list from other programs beside it, which are installed from PyPI and npm
    #[arg(long)]
    peers: bool,

    /// Measure what requests cost as a host grows, instead
    #[arg(long)]
    growth: bool,

    /// Measure how long others wait beside requests that are made to cost much, and what memory these take, instead
    #[arg(long)]
    attacks: bool,

    /// Be the handler that sends the bytes of this file
    #[arg(long, hide = true)]
    bare: Option<PathBuf>,

    /// What cargo adds
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.bare {
        Some(file) => bare::serve(file),
        None => measure(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the benchmark stopped: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A server, its rows, and what was measured of them.
struct Target {
    title: &'static str,
    host: Host,
    server: Program,
    ready: Duration,
    idle: f64,
    rows: Vec<rows::Row>,
    rounds: HashMap<&'static str, Vec<Figures>>,
}

#[expect(clippy::too_many_lines, reason = "the tables of the benchmark, one after another")]
fn measure(args: &Args) -> io::Result<()> {
    machine::stay_on(machine::LOAD)?;
    println!("{}; the server on one core, the load on another", machine::words());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let long = Duration::from_secs_f64(args.seconds);
    if args.growth {
        return runtime.block_on(growth::measure(args.rounds, long, !args.no_postgres, &args.only));
    }
    if args.attacks {
        runtime.block_on(attacks::measure(false, &args.only))?;
        return if args.no_postgres { Ok(()) } else { runtime.block_on(attacks::measure(true, &args.only)) };
    }
    let mut targets = Vec::new();
    let mut list = Vec::new();
    for (title, on_postgres) in [("SQLite", false), ("PostgreSQL", true)] {
        if on_postgres && args.no_postgres {
            continue;
        }
        let host = Host::new(on_postgres)?;
        let (server, ready) = host.serve()?;
        thread::sleep(Duration::from_secs(1));
        let idle = machine::memory(server.id(), "VmRSS")?;
        let (mut rows, body) = runtime.block_on(rows::prepare(&host, server.address))?;
        rows.retain(|row| row.name.contains(&args.only));
        list = body;
        targets.push(Target { title, host, server, ready, idle, rows, rounds: HashMap::new() });
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("list.json");
    std::fs::write(&file, &list)?;
    let bare = Program::bare(&file)?;
    println!("The list has {} bytes.", list.len());

    let peers = if args.peers { peers::start(&file)? } else { Vec::new() };
    let mut of_peers: HashMap<&'static str, Vec<Figures>> = HashMap::new();

    let ask_bare = vec![vec![load::Request::new("GET", "/", &[], None, 200)]; 16];
    let mut bares = Vec::new();
    let mut syncs = Vec::new();
    let began = Instant::now();
    for round in 1..=args.rounds {
        bares.push(Figures::of(&bare, &ask_bare, long)?);
        for Target { server, rows, rounds, .. } in &mut targets {
            for row in rows {
                let figures = Figures::of(server, &row.scripts, long)
                    .map_err(|error| io::Error::other(format!("{}: {error}", row.name)))?;
                rounds.entry(row.name).or_default().push(figures);
            }
        }
        for peer in &peers {
            of_peers.entry(peer.name).or_default().push(Figures::of(&peer.server, &peer.scripts, long)?);
        }
        syncs.push(machine::syncs(targets[0].host.folder.path())?);
        eprintln!("round {round} of {} ({:.0} s)", args.rounds, began.elapsed().as_secs_f64());
    }
    let bare = Figures::median(&bares);
    for target in &targets {
        let order: Vec<&'static str> = target.rows.iter().map(|row| row.name).collect();
        let medians: Medians = target.rounds.iter().map(|(name, rounds)| (*name, Figures::median(rounds))).collect();
        figures::table(target.title, &order, &medians, bare);
        println!(
            "\n{}: ready {:.0} ms after start with migrations; idle {:.1} MB, at most {:.1} MB, at the end {:.1} MB",
            target.title,
            target.ready.as_secs_f64() * 1e3,
            target.idle,
            machine::memory(target.server.id(), "VmHWM")?,
            machine::memory(target.server.id(), "VmRSS")?
        );
    }
    if !peers.is_empty() {
        let list = targets[0].rounds.get(rows::names::LIST).map(|rounds| Figures::median(rounds));
        let rows = peers.iter().filter_map(|peer| Some((peer.name, Figures::median(of_peers.get(peer.name)?))));
        figures::beside(list.unwrap_or_default(), rows);
    }
    syncs.sort_by(f64::total_cmp);
    println!("The disk syncs {:.0} times a second, one after the other.", syncs[syncs.len() / 2]);
    Ok(())
}
