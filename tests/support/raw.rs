//! HTTP by hand, for requests that no HTTP library would send.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::AsyncWriteExt;

use crate::browser::Browser;
use crate::response::Response;

/// Long enough for a slow machine; a server that hangs still fails the test.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends the bytes over a new connection and reads one answer.
///
/// The server may answer before it has read everything, so a failed write is
/// no failure: the answer decides.
pub fn exchange(server: SocketAddr, request: &[u8]) -> Response {
    let first_line = request.split(|byte| *byte == b'\r').next().unwrap_or(b"");
    let call = format!("(raw) {}", String::from_utf8_lossy(first_line));
    let mut stream = connect(server);
    let mut writing = stream.try_clone().unwrap();
    let request = request.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = writing.write_all(&request);
    });
    let response = read_response(&mut stream, &call).unwrap_or_else(|error| panic!("{call}: {error}"));
    writer.join().unwrap();
    response
}

/// Sends the bytes and goes away without waiting for an answer.
pub fn send_and_leave(server: SocketAddr, request: &[u8]) {
    connect(server).write_all(request).unwrap();
}

/// Sends a request and resets the connection a moment later, whether the answer has come or not.
pub async fn send_and_reset(server: SocketAddr, request: &[u8], moment: Duration) {
    let mut stream = tokio::net::TcpStream::connect(server).await.expect("the server listens");
    stream.set_nodelay(true).expect("a setting");
    stream.set_zero_linger().expect("a setting");
    stream.write_all(request).await.expect("a request");
    tokio::time::sleep(moment).await;
}

/// A form as the browser would send it, byte by byte.
pub fn form(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let cookie = format!("Cookie: {}", browser.cookies().expect("a session"));
    let lines: [&[u8]; 3] =
        [cookie.as_bytes(), b"Sec-Fetch-Site: same-origin", b"Content-Type: application/x-www-form-urlencoded"];
    request(&format!("POST {path}"), &lines, body.as_bytes())
}

/// A request with these header lines, `Host` and `Connection: close`.
pub fn request(method_and_target: &str, lines: &[&[u8]], body: &[u8]) -> Vec<u8> {
    let closing: &[&[u8]] = &[b"Connection: close"];
    standing_request(method_and_target, &[closing, lines].concat(), body)
}

/// The same for a connection that stays open.
pub fn standing_request(method_and_target: &str, lines: &[&[u8]], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method_and_target} HTTP/1.1\r\nHost: 127.0.0.1\r\n").into_bytes();
    for line in lines {
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\r\n");
    }
    if !body.is_empty() {
        bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// A connection to a server.
pub fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&server, PATIENCE).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Reads one answer, after which a connection that stays open is ready for the next request.
pub fn read_response(stream: &mut TcpStream, call: &str) -> io::Result<Response> {
    let mut bytes = Vec::new();
    loop {
        if let Some(response) = parse(&bytes, call, false) {
            return Ok(response);
        }
        let mut chunk = [0; 16 * 1024];
        match stream.read(&mut chunk)? {
            0 => break,
            count => bytes.extend_from_slice(&chunk[..count]),
        }
    }
    let broken = || io::Error::new(io::ErrorKind::UnexpectedEof, String::from_utf8_lossy(&bytes).into_owned());
    parse(&bytes, call, true).ok_or_else(broken)
}

/// The answer, as soon as it is complete; at the end of the connection
/// (`ended`) a body of unstated length is complete too.
fn parse(bytes: &[u8], call: &str, ended: bool) -> Option<Response> {
    let head_end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..head_end]);
    let rest = &bytes[head_end + 4..];
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').expect("a header line");
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).expect("a header name"),
            HeaderValue::from_str(value.trim()).expect("a header value"),
        );
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let body = if call.starts_with("(raw) HEAD ") {
        Vec::new()
    } else if let Some(length) = text("content-length") {
        rest.get(..length.parse().expect("a length"))?.to_vec()
    } else if text("transfer-encoding") == Some("chunked") {
        unchunked(rest)?
    } else if ended {
        rest.to_vec()
    } else {
        return None;
    };
    Some(Response { call: call.to_owned(), status, headers, body })
}

fn unchunked(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = bytes.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(&bytes[..line_end]).expect("a chunk size");
        let size = usize::from_str_radix(size, 16).expect("a chunk size");
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(bytes.get(line_end + 2..line_end + 2 + size)?);
        bytes = bytes.get(line_end + size + 4..)?;
    }
}
