//! Clients that send too slowly, that do not read, and that are too many: they are cut off, and cost others nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use actix_web::rt::{
    self,
    time::{sleep, timeout},
};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::host::Host;
use crate::page::until;
use crate::property::{PROPERTIES, body};
use crate::server::Server;

/// Longer than any client should be suffered.
const TOO_LONG: Duration = Duration::from_secs(40);

fn address(server: &Server) -> SocketAddr {
    server.base_url.trim_start_matches("http://").parse().expect("an address")
}

/// Sends `whole` at once and then `piece` again and again, until the server ends the connection; what it said.
async fn dribbled(server: SocketAddr, whole: String, piece: &'static [u8]) -> String {
    let (mut read, mut write) = TcpStream::connect(server).await.expect("the server listens").into_split();
    write.write_all(whole.as_bytes()).await.expect("the beginning");
    let writing = rt::spawn(async move {
        while write.write_all(piece).await.is_ok() {
            sleep(Duration::from_millis(200)).await;
        }
    });
    let mut said = Vec::new();
    let ended = timeout(TOO_LONG, read.read_to_end(&mut said)).await;
    let said = String::from_utf8_lossy(&said).into_owned();
    // A reset is an end as well.
    let _end = ended.unwrap_or_else(|_| panic!("the connection goes on: {said:?}"));
    timeout(TOO_LONG, writing).await.expect("the connection ends").expect("it ends well");
    said
}

#[actix_web::test]
async fn clients_that_send_a_byte_now_and_then_are_cut_off() {
    let server = Server::options().arg("--body-seconds").arg("1").start().await;
    let me = server.person("desk@farol.example").await;
    let at = address(&server);
    let key = format!("Host: farol\r\nuser-api-key: {}\r\n", me.key);
    let cookie = me.browser.cookies().expect("a session");
    let page = format!("Host: farol\r\nCookie: {cookie}\r\nSec-Fetch-Site: same-origin\r\n");
    let form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n";
    let slow = [
        (String::new(), &b"G"[..], None),
        ("GET /healthz HTTP/1.1\r\nHost: farol\r\nX-Slow: ".to_owned(), b"x", None),
        (format!("POST {PROPERTIES} HTTP/1.1\r\n{key}Content-Length: 1000\r\n\r\n"), b" ", Some("the body did not")),
        (
            format!("POST {PROPERTIES} HTTP/1.1\r\n{key}Transfer-Encoding: chunked\r\n\r\n"),
            b"1\r\n \r\n",
            Some("the body did not"),
        ),
        (format!("POST /user_profile HTTP/1.1\r\n{page}{form}"), b"x", Some("The form did not")),
        // Nobody is signed in: what was typed is read for the way back.
        (
            format!("POST /user_profile HTTP/1.1\r\nHost: farol\r\nSec-Fetch-Site: same-origin\r\n{form}"),
            b"x",
            Some("/sign_in"),
        ),
    ];
    let slow = slow.map(|(whole, piece, says)| (says, rt::spawn(dribbled(at, whole, piece))));
    // Nobody else is held up meanwhile.
    for _ in 0..5 {
        me.creates(json!({})).await.is(201);
    }
    for (says, slow) in slow {
        let said = slow.await.expect("an end");
        let Some(words) = says else { continue };
        let status = if words == "/sign_in" { "303" } else { "400" };
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")) && said.contains(words), "{said}");
        assert!(said.to_ascii_lowercase().contains("connection: close"), "{said}");
    }
    assert_eq!(me.api.get(PROPERTIES).await.is(200).json()["meta"]["total"], 5);
    // A body that takes its time, but not too much.
    let mut stream = TcpStream::connect(at).await.expect("the server listens");
    let json = body(json!({})).to_string();
    let head =
        format!("POST {PROPERTIES} HTTP/1.1\r\n{key}Connection: close\r\nContent-Length: {}\r\n\r\n", json.len());
    stream.write_all(head.as_bytes()).await.expect("a head");
    sleep(Duration::from_millis(200)).await;
    stream.write_all(json.as_bytes()).await.expect("a body");
    let mut said = String::new();
    stream.read_to_string(&mut said).await.expect("an answer");
    assert!(said.starts_with("HTTP/1.1 201 "), "{said}");
}

/// Memory of a process, in KiB.
fn memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("its status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its memory");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

#[actix_web::test]
async fn clients_that_never_read_are_given_up_and_hold_little_memory() {
    let server = Server::options().arg("--unread-seconds").arg("2").start().await;
    let me = server.person("desk@farol.example").await;
    let at = address(&server);
    let asks = "GET /api/v1/openapi.json HTTP/1.1\r\nHost: farol\r\n\r\n".repeat(1_000);
    let before = memory(server.process());
    let mut deaf = Vec::new();
    for _ in 0..20 {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a setting");
        let mut stream = socket.connect(at).await.expect("the server listens");
        let asks = asks.clone();
        deaf.push(rt::spawn(async move {
            let _ = stream.write_all(asks.as_bytes()).await;
            // What the server does to a connection is seen by who writes to it.
            loop {
                match stream.try_write(b" ") {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(_) => return,
                    Ok(_) => {}
                }
                sleep(Duration::from_millis(100)).await;
            }
        }));
    }
    for _ in 0..5 {
        me.creates(json!({})).await.is(201);
    }
    let more = memory(server.process()).saturating_sub(before) / 1024;
    assert!(more < 200, "{more} MiB for 20 clients");
    for client in deaf {
        timeout(TOO_LONG, client).await.expect("a client that does not read is given up").expect("it ends well");
    }
    me.api.get(PROPERTIES).await.is(200);
}

/// The threads of a process that run, or would if there were a processor for them.
fn running(process: u32) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("its threads");
    let stats = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("stat")).ok());
    let running = stats.filter(|stat| stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('R')));
    running.filter_map(|stat| Some(stat.split_once(' ')?.0.to_owned())).collect()
}

fn descriptors(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/fd")).expect("its files").count()
}

#[actix_web::test]
async fn a_server_that_has_no_file_left_for_connections_waits_and_takes_them_up_again() {
    let host = Host::new().await;
    let mut server = host.serve(&[]);
    let me = server.person("desk@farol.example").await;
    let process = server.process();
    let at = address(&server);
    me.creates(json!({})).await.is(201);
    let most = descriptors(process) + 10;
    let limit = ["--pid", &process.to_string(), &format!("--nofile={most}:")];
    assert!(Command::new("prlimit").args(limit).status().expect("prlimit runs").success());
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(TcpStream::connect(at).await.expect("a place in the queue"));
    }
    until("all files are used", async || (descriptors(process) >= most).then_some(())).await;
    // Nobody asks: a thread that is found running again and again spins. How much it gets done says less, on a machine
    // that has much else to do.
    let mut seen = BTreeMap::<String, u32>::new();
    for _ in 0..20 {
        for thread in running(process) {
            *seen.entry(thread).or_default() += 1;
        }
        sleep(Duration::from_millis(100)).await;
    }
    assert!(seen.values().all(|times| *times < 15), "threads seen running, of 20 looks: {seen:?}");
    // Who is connected is answered, as far as that needs no file.
    for _ in 0..10 {
        let answer = timeout(TOO_LONG, me.creates(json!({}))).await.expect("an answer");
        assert!(matches!(answer.status, 201 | 503), "{answer}");
    }
    assert!(!server.has_ended_within(Duration::ZERO).await, "{}", server.log());
    drop(idle);
    timeout(TOO_LONG, server.anonymous().get("/healthz").into_future()).await.expect("an answer").is(200);
    timeout(TOO_LONG, me.creates(json!({}))).await.expect("an answer").is(201);
    timeout(TOO_LONG, server.signed_in(&me.user)).await.expect("an answer");
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
