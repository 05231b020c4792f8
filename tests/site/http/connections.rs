//! Connections that are held: heads and bodies that never end, and more connections than one address may have.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use crate::host::Host;
use crate::page::until;
use crate::program::free_port;
use crate::property::PROPERTIES;
use crate::raw;
use crate::server::Server;

/// Longer than any connection should be held here.
const TOO_LONG: Duration = Duration::from_secs(40);

const UNASKED: &str = "POST /api/v1/properties HTTP/1.1\r\nHost: farol\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A connection on which one request was answered, and with which status.
fn answered(server: SocketAddr, request: &str) -> (TcpStream, u16) {
    let mut stream = raw::connect(server);
    stream.set_read_timeout(Some(TOO_LONG)).expect("a setting");
    stream.write_all(request.as_bytes()).expect("a request");
    let answer = raw::read_response(&mut stream, request).expect("an answer");
    (stream, answer.status)
}

/// Sends `piece` again and again until the server ends the connection.
fn dribble(mut stream: TcpStream, piece: &'static str) -> thread::JoinHandle<()> {
    stream.set_read_timeout(Some(TOO_LONG)).expect("a setting");
    let mut writing = stream.try_clone().expect("a stream");
    thread::spawn(move || {
        while writing.write_all(piece.as_bytes()).is_ok() {
            thread::sleep(Duration::from_millis(100));
        }
    });
    thread::spawn(move || {
        let mut said = Vec::new();
        // A reset is an end as well; waiting in vain is none.
        if let Err(error) = stream.read_to_end(&mut said) {
            assert!(error.kind() == std::io::ErrorKind::ConnectionReset, "the connection goes on: {error}");
        }
    })
}

#[actix_web::test]
async fn heads_and_bodies_that_come_slowly_end_and_connections_that_wait_stay() {
    let server = Server::options().arg("--head-seconds").arg("1").start().await;
    let at = server.address();
    let healthy = "GET /healthz HTTP/1.1\r\nHost: farol\r\n\r\n";
    let (mut idle, status) = answered(at, healthy);
    assert_eq!(status, 200);
    let mut slow = vec![dribble(raw::connect(at), "G")];
    for (request, status, piece) in [
        (healthy, 200, "G"),
        (healthy, 200, "\r\n"),
        (UNASKED, 401, "1\r\n \r\n"),
        (&*UNASKED.replace("/api/v1/properties", "/nothing"), 403, "1\r\n \r\n"),
        (&*UNASKED.replace("POST", "BREW"), 401, "1\r\n \r\n"),
    ] {
        let (stream, answer) = answered(at, request);
        assert_eq!(answer, status, "{request}");
        slow.push(dribble(stream, piece));
    }
    for slow in slow {
        slow.join().expect("the connection ends");
    }
    // Between two requests a connection has longer than a head has.
    idle.write_all(healthy.as_bytes()).expect("it is open");
    assert_eq!(raw::read_response(&mut idle, "the next request").expect("an answer").status, 200);
}

#[actix_web::test]
async fn a_body_that_was_answered_early_does_not_go_on_for_ever() {
    let server = Server::options().arg("--head-seconds").arg("3600").start().await;
    let (mut stream, status) = answered(server.address(), UNASKED);
    assert_eq!(status, 401);
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let sent = (0..2_000).take_while(|_| stream.write_all(chunk.as_bytes()).is_ok()).count();
    assert!(sent < 1_000, "{sent} chunks of 64 KiB were taken after the answer");
    server.anonymous().get(PROPERTIES).await.is(401);
}

/// The address of this machine that is not loopback: what strangers come from.
pub fn own_address() -> IpAddr {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    // Nothing is sent.
    socket.connect("203.0.113.1:9").expect("a machine with a network");
    socket.local_addr().expect("an address").ip()
}

/// A server that listens on all addresses; those of loopback and of a stranger.
pub fn open_to_all(host: &Host, base_url: &str, args: &[&str]) -> (Server, SocketAddr, SocketAddr) {
    let port = free_port();
    let base_url = if base_url.is_empty() { format!("http://localhost:{port}") } else { base_url.to_owned() };
    let mut command = host.latchkey(&["serve", "--listen", &format!("0.0.0.0:{port}"), "--base-url", &base_url]);
    command.args(args);
    (host.start(command).serving(), SocketAddr::new([127, 0, 0, 1].into(), port), SocketAddr::new(own_address(), port))
}

#[actix_web::test]
async fn connections_of_one_address_shut_out_nobody_else() {
    let host = Host::new().await;
    let (server, own, strange) = open_to_all(&host, "", &["--max-connections", "60", "--head-seconds", "3600"]);
    let healthy = "GET /healthz HTTP/1.1\r\nHost: farol\r\n\r\n";
    // A quarter of all.
    let mut held = Vec::new();
    for _ in 0..15 {
        let (mut stream, status) = answered(strange, healthy);
        assert_eq!(status, 200);
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: farol\r\nX-Slow: ").expect("a part of a head");
        held.push(stream);
    }
    for _ in 0..55 {
        let mut stream = raw::connect(strange);
        let answer = raw::read_response(&mut stream, "a connection too many").expect("an answer");
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("10")), "{answer}");
    }
    // Loopback is exempt: a proxy on this machine has all clients behind it.
    let local: Vec<_> = (0..20).map(|_| answered(own, healthy)).collect();
    assert!(local.iter().all(|(_, status)| *status == 200));
    let told = || server.log().matches("LATCHKEY_TRUSTED_PROXIES").count();
    until("the log tells of the many", async || (told() > 0).then_some(())).await;
    assert_eq!(told(), 1, "{}", server.log());
    held.clear();
    until("there is room again", async || {
        let mut stream = raw::connect(strange);
        let _ = stream.write_all(healthy.as_bytes());
        (raw::read_response(&mut stream, healthy).ok()?.status == 200).then_some(())
    })
    .await;
}
