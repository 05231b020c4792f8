//! The load: connections that each send their requests in turn and wait for every answer, on one thread.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Builder,
    task::LocalSet,
    time::{sleep, timeout},
};

/// An answer that takes longer ends the benchmark.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request as it is sent, and the status that its answer must have; 0 for any.
#[derive(Clone)]
pub struct Request {
    pub bytes: Arc<[u8]>,
    pub status: u16,
    /// It counts, and its time does.
    pub counts: bool,
    /// How long its connection waits after the answer.
    pub pause: Duration,
}

impl Request {
    /// A request with these header lines, and a JSON body where there is one.
    pub fn new(method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>, status: u16) -> Self {
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        match body {
            Some(body) => text.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len())),
            None => text.push_str("\r\n"),
        }
        Request { bytes: text.into_bytes().into(), status, counts: true, pause: Duration::ZERO }
    }

    /// A GET with a key.
    pub fn get(path: &str, key: &str) -> Self {
        Self::new("GET", path, &[("user-api-key", key)], None, 200)
    }

    /// The same, beside what is measured.
    pub fn beside(self) -> Self {
        Request { counts: false, ..self }
    }

    /// The same, at most so many times a second.
    pub fn times_a_second(self, times: u32) -> Self {
        Request { pause: Duration::from_secs(1) / times, ..self }
    }
}

/// What one connection sends.
pub type Script = Vec<Request>;

/// How long a load goes on.
#[derive(Clone, Copy)]
pub enum Until {
    /// Every script again and again, for so long.
    Over(Duration),
    /// Every script once.
    Done,
}

/// What a load has met with.
#[derive(Clone, Default)]
pub struct Outcome {
    /// Of the requests that count.
    pub answers: u64,
    pub took: Duration,
    /// Theirs, in nanoseconds, sorted.
    pub times: Vec<u64>,
    /// Answers of another status than was to come, whichever request's.
    pub others: u64,
}

impl Outcome {
    pub fn rate(&self) -> f64 {
        self.answers as f64 / self.took.as_secs_f64()
    }

    /// The time within which this part of the answers came.
    pub fn within(&self, part: f64) -> Duration {
        let place = (self.times.len() as f64 * part) as usize;
        Duration::from_nanos(self.times.get(place.min(self.times.len().saturating_sub(1))).copied().unwrap_or_default())
    }
}

/// Sends for a while; each connection ends with an answer.
pub fn run(server: SocketAddr, scripts: &[Script], until: Until) -> io::Result<Outcome> {
    // On a thread of its own: whoever asks may be in a runtime already.
    thread::scope(|scope| scope.spawn(|| all(server, scripts, until)).join())
        .map_err(|_| io::Error::other("the load failed"))?
}

fn all(server: SocketAddr, scripts: &[Script], until: Until) -> io::Result<Outcome> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let mut open = Vec::new();
        for script in scripts {
            let mut script = script.clone();
            // Each round begins elsewhere: a key whose use was just written is not written again for a minute.
            if let (Until::Over(_), 1..) = (until, script.len()) {
                let first = rand::random_range(0..script.len());
                script.rotate_left(first);
            }
            open.push((connect(server).await?, script));
        }
        let began = Instant::now();
        let running: Vec<_> = open
            .into_iter()
            .map(|(stream, script)| tokio::task::spawn_local(one(stream, script, until, began)))
            .collect();
        let mut whole = Outcome::default();
        for connection in running {
            let part = connection.await.map_err(io::Error::other)??;
            whole.answers += part.answers;
            whole.others += part.others;
            whole.times.extend(part.times);
        }
        whole.took = began.elapsed();
        whole.times.sort_unstable();
        Ok(whole)
    })
}

/// Opens connections that say nothing, and keeps them open.
pub fn idle(server: SocketAddr, count: usize) -> io::Result<Vec<std::net::TcpStream>> {
    (0..count).map(|_| std::net::TcpStream::connect_timeout(&server, PATIENCE)).collect()
}

async fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn one(mut stream: TcpStream, script: Script, until: Until, began: Instant) -> io::Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut buffer = Vec::with_capacity(64 * 1024);
    let mut left = script.len();
    for request in script.iter().cycle() {
        let sent = Instant::now();
        let go_on = match until {
            Until::Over(long) => sent < began + long,
            Until::Done => left > 0,
        };
        if !go_on {
            break;
        }
        left = left.saturating_sub(1);
        let answer = async {
            stream.write_all(&request.bytes).await?;
            answer(&mut stream, &mut buffer).await
        };
        let status = timeout(PATIENCE, answer).await.map_err(|_| io::Error::other("no answer"))??;
        if request.status != 0 && status != request.status {
            outcome.others += 1;
        }
        if request.counts {
            outcome.answers += 1;
            outcome.times.push(u64::try_from(sent.elapsed().as_nanos()).unwrap_or(u64::MAX));
        }
        if !request.pause.is_zero() {
            sleep(request.pause).await;
        }
    }
    Ok(outcome)
}

/// Reads one answer to its end; its status.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<u16> {
    buffer.clear();
    let (head, length) = loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break (end + 4, content_length(&buffer[..end])?);
        }
    };
    let mut missing = (head + length).saturating_sub(buffer.len());
    let status = std::str::from_utf8(&buffer[9..12]).ok().and_then(|status| status.parse().ok());
    while missing > 0 {
        buffer.clear();
        let read = stream.read_buf(buffer).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        missing = missing.saturating_sub(read);
    }
    status.ok_or_else(|| io::Error::other("no status"))
}

/// 0 where there is no such line, as in a 304.
fn content_length(head: &[u8]) -> io::Result<usize> {
    const NAME: &[u8] = b"content-length:";
    for line in head.split(|byte| *byte == b'\n') {
        if line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME) {
            let value = std::str::from_utf8(&line[NAME.len()..]).map_err(io::Error::other)?;
            return value.trim().parse().map_err(io::Error::other);
        }
        if line.len() > 18 && line[..18].eq_ignore_ascii_case(b"transfer-encoding:") {
            return Err(io::Error::other("an answer in chunks"));
        }
    }
    Ok(0)
}
