//! What requests cost as a host grows: more keys, more properties, more connections, more processes.

use std::{io, thread, time::Duration};

use rand::seq::IndexedRandom;

use crate::{
    figures::Figures,
    load::{self, Request, Script, Until},
    machine,
    program::{Host, Program},
    rows::{self, PROPERTIES},
    seed::{Person, Seeds},
};

const CONNECTIONS: usize = 16;

/// Keys that are sent in turn where there are more: twice what a process remembers of callers.
const SENT: usize = 40_000;

/// The parts whose names contain `only`, each a table; the medians of `rounds`.
pub async fn measure(rounds: usize, long: Duration, on_postgres: bool, only: &str) -> io::Result<()> {
    if "keys".contains(only) {
        keys(rounds, long).await?;
    }
    if "properties".contains(only) {
        properties(rounds, long).await?;
    }
    if "connections".contains(only) {
        connections(rounds, long).await?;
    }
    if on_postgres && "processes".contains(only) {
        processes(rounds, long).await?;
    }
    Ok(())
}

fn heading(what: &str) {
    println!("\n| {what} | req/s | CPU µs | p50 ms | p99 ms | resident MB |");
    println!("|---|---:|---:|---:|---:|---:|");
}

fn median(server: &Program, scripts: &[Script], rounds: usize, long: Duration) -> io::Result<Figures> {
    let rounds: io::Result<Vec<Figures>> = (0..rounds).map(|_| Figures::of(server, scripts, long)).collect();
    Ok(Figures::median(&rounds?))
}

fn line(what: &str, server: &Program, figures: Figures) -> io::Result<()> {
    let resident = machine::memory(server.id(), "VmRSS")?;
    let Figures { rate, cpu, p50, p99 } = figures;
    println!("| {what} | {rate:.0} | {cpu:.1} | {p50:.2} | {p99:.2} | {resident:.1} |");
    Ok(())
}

/// Gives a person ten properties through the API.
fn furnish(server: &Program, person: &Person) -> io::Result<()> {
    let script = (0..10).map(|number| rows::create(number, &person.key)).collect();
    match load::run(server.address, &[script], Until::Done)?.others {
        0 => Ok(()),
        _ => Err(io::Error::other("a property could not be created")),
    }
}

/// Every key is a user's of their own, who sees the ten properties of one group.
async fn keys(rounds: usize, long: Duration) -> io::Result<()> {
    heading("keys in the database (SQLite), sent in turn; list of 10 properties");
    let host = Host::new(false)?;
    let (server, _) = host.serve()?;
    let mut seeds = Seeds::into(&host).await?;
    let me = seeds.people(1).await?;
    furnish(&server, &me[0])?;
    let mut people = me.clone();
    for count in [1, 1_000, 1_000_000] {
        while people.len() < count {
            let new = seeds.people((count - people.len()).min(20_000)).await?;
            seeds.join(&new, me[0].group).await?;
            people.extend(new);
        }
        let mut rng = rand::rng();
        let sent: Vec<&Person> = people.sample(&mut rng, SENT.min(count)).collect();
        let scripts: Vec<Script> = (0..CONNECTIONS)
            .map(|connection| {
                let (before, after) = sent.split_at(connection * sent.len() / CONNECTIONS);
                after.iter().chain(before).map(|person| Request::get(PROPERTIES, &person.key)).collect()
            })
            .collect();
        // Every key once: its last use is written then, and the last write is waited for.
        load::run(
            server.address,
            &[sent.iter().map(|person| Request::get(PROPERTIES, &person.key)).collect()],
            Until::Done,
        )?;
        line(&format!("{count}"), &server, median(&server, &scripts, rounds, long)?)?;
    }
    Ok(())
}

/// Of others, and of the one who asks.
async fn properties(rounds: usize, long: Duration) -> io::Result<()> {
    heading("properties (SQLite), of others or of the one who asks");
    for of_others in [true, false] {
        let host = Host::new(false)?;
        let (server, _) = host.serve()?;
        let mut seeds = Seeds::into(&host).await?;
        let people = seeds.people(2).await?;
        let (me, other) = (&people[0], &people[1]);
        furnish(&server, me)?;
        let id = rows::first_id(&rows::ask(server.address, &Request::get(PROPERTIES, &me.key))?.1)?;
        let list = vec![vec![Request::get(PROPERTIES, &me.key)]; CONNECTIONS];
        let one = vec![vec![Request::get(&format!("{PROPERTIES}/{id}"), &me.key)]; CONNECTIONS];
        let (mut there, whose) = (10, if of_others { "of others" } else { "of the one who asks" });
        for count in [10, 1_000, 100_000, 1_000_000] {
            seeds.copies(count - there, if of_others { other.group } else { me.group }).await?;
            there = count;
            line(&format!("{count} {whose}: list of 10"), &server, median(&server, &list, rounds, long)?)?;
            line(&format!("{count} {whose}: by id"), &server, median(&server, &one, rounds, long)?)?;
        }
    }
    Ok(())
}

/// Connections that say nothing beside sixteen that do.
async fn connections(rounds: usize, long: Duration) -> io::Result<()> {
    heading("open connections (SQLite); list of 10 properties over 16 of them");
    let host = Host::new(false)?;
    let (server, _) = host.serve()?;
    let me = Seeds::into(&host).await?.people(1).await?.remove(0);
    furnish(&server, &me)?;
    let mut idle = Vec::new();
    for count in [16, 1_000, 10_000] {
        idle.extend(load::idle(server.address, count - CONNECTIONS - idle.len())?);
        let scripts = vec![vec![Request::get(PROPERTIES, &me.key)]; CONNECTIONS];
        line(&format!("{count}"), &server, median(&server, &scripts, rounds, long)?)?;
    }
    Ok(())
}

/// Processes on one PostgreSQL share a core here: what is to be seen is what each request costs, and that none waits
/// for another process.
async fn processes(rounds: usize, long: Duration) -> io::Result<()> {
    heading("processes on one PostgreSQL, one core; list of 10 properties from the last of them");
    let host = Host::new(true)?;
    let mut servers = vec![host.serve()?.0];
    let me = Seeds::into(&host).await?.people(1).await?.remove(0);
    furnish(&servers[0], &me)?;
    for count in 1..=3 {
        while servers.len() < count {
            servers.push(host.serve()?.0);
        }
        // All are loaded; the last is read.
        let scripts = vec![vec![Request::get(PROPERTIES, &me.key)]; CONNECTIONS];
        let (others, last) = servers.split_at(count - 1);
        let all = Until::Over(long * 9 / 8 * u32::try_from(rounds).map_err(io::Error::other)?);
        let beside: Vec<_> = others
            .iter()
            .map(|server| {
                let (address, scripts) = (server.address, scripts[..4].to_vec());
                thread::spawn(move || load::run(address, &scripts, all))
            })
            .collect();
        line(&format!("{count}"), &last[0], median(&last[0], &scripts, rounds, long)?)?;
        for load in beside {
            load.join().map_err(|_| io::Error::other("a load failed"))??;
        }
    }
    Ok(())
}
