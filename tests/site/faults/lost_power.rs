//! What a power cut would take: a killed process loses nothing that it has written, so whether the disk has it is seen
//! in the system calls. (PostgreSQL does this itself.)

use std::fs::read_to_string;

use serde_json::json;

use crate::command::run_by;
use crate::host::Host;
use crate::page::until;
use crate::property::PROPERTIES;
use crate::server::Server;

/// The calls of a server, as strace tells them: each line a call, its files by name.
const TRACE: [&str; 10] = [
    "strace",
    "-D",
    "-f",
    "-y",
    "-qq",
    "-s",
    "32",
    "-e",
    "trace=pwrite64,fsync,fdatasync,write,writev,sendto,sendmsg",
    "-o",
];

fn traced(host: &Host, file: &str, args: &[&str]) -> Server {
    let mut serve = host.latchkey(&["serve", "--listen", "127.0.0.1:0"]);
    serve.args(args);
    let mut outer = TRACE.to_vec();
    outer.push(file);
    let started = host.start(run_by(&outer, &serve)).ready();
    started.unwrap_or_else(|log| panic!("no server under strace, which must be installed and allowed to trace: {log}"))
}

/// Of the calls of one create: the place of the last write to the log, of the end of the last sync of it before the
/// answer, and of the answer.
fn places(lines: &[&str]) -> (usize, Option<usize>, usize) {
    let log = "latchkey.db-wal>";
    let answer = lines.iter().position(|line| line.contains("\"HTTP/1.1 201")).expect("an answer");
    let before = &lines[..answer];
    let written = before.iter().rposition(|line| line.contains("pwrite64(") && line.contains(log)).expect("a write");
    let ended = |line: &str| {
        let process = line.split(' ').next().expect("a process");
        let own = |other: &&&str| other.starts_with(process) && other.contains("sync(");
        match line.contains("sync resumed>") {
            // The file stands where the call began.
            true => before.iter().filter(own).any(|began| began.contains(log) && began.contains("<unfinished")),
            false => line.contains("sync(") && line.contains(log) && !line.contains("<unfinished"),
        }
    };
    let synced = before.iter().rposition(|line| ended(line) && line.ends_with("= 0"));
    (written, synced, answer)
}

/// Whether each of some creates was on the disk before its answer was sent.
async fn synced_before_answers(args: &[&str]) -> Option<Vec<bool>> {
    let host = Host::new().await;
    if host.database_url().is_some() {
        return None;
    }
    let file = host.data_dir().with_file_name("trace");
    let server = traced(&host, file.to_str().expect("a name"), args);
    let me = server.person("desk@farol.example").await;
    let mut found = Vec::new();
    for number in 0..3 {
        let begun = read_to_string(&file).expect("a trace").len();
        me.creates(json!({ "title": format!("Casa do Farol {number}") })).await.is(201);
        let calls = until("the answer stands in the trace", async || {
            let trace = read_to_string(&file).expect("a trace");
            trace[begun..].contains("\"HTTP/1.1 201").then(|| trace[begun..].to_owned())
        })
        .await;
        let (written, synced, answer) = places(&calls.lines().collect::<Vec<_>>());
        found.push(synced.is_some_and(|synced| written < synced && synced < answer));
    }
    assert_eq!(me.api.get(PROPERTIES).await.is(200).column("id").len(), 3);
    Some(found)
}

#[actix_web::test]
async fn what_is_answered_is_on_the_disk_before_the_answer_is_sent_on_sqlite() {
    let Some(found) = synced_before_answers(&[]).await else { return };
    assert_eq!(found, [true; 3]);
}

#[actix_web::test]
async fn a_host_may_trade_the_last_writes_before_a_power_cut_for_speed_on_sqlite() {
    // And the trace tells one from the other.
    let Some(found) = synced_before_answers(&["--sqlite-synchronous", "normal"]).await else { return };
    assert_eq!(found, [false; 3]);
}
