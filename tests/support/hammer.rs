//! Programs that ask without a pause while something is taken away from them, and the judge of what they got: a request
//! whose first byte was sent after the answer to such a change is refused, by every process.

use std::io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::page::until;
use crate::property::PROPERTIES;
use crate::raw;

/// Connections that ask at once.
const CONNECTIONS: usize = 8;

/// Requests of each connection that are waited for after a change.
const AFTERWARDS: usize = 3;

/// The list of properties, asked for with a key.
pub fn list_with(key: &str) -> Vec<u8> {
    read_with(key, PROPERTIES)
}

/// Something asked for with a key.
pub fn read_with(key: &str, path: &str) -> Vec<u8> {
    raw::standing_request(&format!("GET {path}"), &[format!("user-api-key: {key}").as_bytes()], b"")
}

/// Something written with a key.
pub fn write_with(key: &str, method_and_target: &str, body: &Value) -> Vec<u8> {
    let key = format!("user-api-key: {key}");
    raw::standing_request(method_and_target, &[key.as_bytes()], body.to_string().as_bytes())
}

/// What became of one request.
#[derive(Clone, Copy)]
struct Shot {
    /// Before its first byte was sent.
    began: Instant,
    status: u16,
}

impl Shot {
    fn is_let_in(self) -> bool {
        matches!(self.status, 200 | 201)
    }
}

/// Connections that send one request after another.
pub struct Hammer {
    ended: Arc<AtomicBool>,
    hands: Vec<Hand>,
}

struct Hand {
    shots: Arc<Mutex<Vec<Shot>>>,
    thread: JoinHandle<()>,
}

/// What a round has shown.
#[derive(Default)]
pub struct Judged {
    /// Requests let in before the change.
    pub before: usize,
    /// Requests that began after it, all of them refused.
    pub after: usize,
}

impl Hammer {
    /// Hammers these servers with one request.
    pub fn start(servers: &[SocketAddr], request: Vec<u8>) -> Self {
        Self::of(servers, &[request])
    }

    /// The same with several requests, which the connections share out.
    pub fn of(servers: &[SocketAddr], requests: &[Vec<u8>]) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let hands = (0..CONNECTIONS.max(servers.len() * requests.len())).map(|number| {
            let server = servers[number % servers.len()];
            let request = requests[number / servers.len() % requests.len()].clone();
            let (ended, shots) = (ended.clone(), Arc::new(Mutex::new(Vec::new())));
            let kept = shots.clone();
            let thread = std::thread::spawn(move || hammer(server, &request, &ended, &kept));
            Hand { shots, thread }
        });
        Self { hands: hands.collect(), ended }
    }

    /// Waits until every connection has been let in.
    pub async fn is_let_in(&self) {
        self.each("let in", |shots| shots.iter().any(|shot| shot.is_let_in())).await;
    }

    /// Waits until every connection has asked some more times.
    pub async fn goes_on(&self, since: Instant) {
        self.each("answered", |shots| shots.iter().filter(|shot| shot.began > since).count() >= AFTERWARDS).await;
    }

    /// Waits until every connection has been answered so, by a request that began later than this.
    pub async fn gets(&self, status: u16, since: Instant) {
        let got = |shot: &Shot| shot.began > since && shot.status == status;
        self.each(&format!("answered {status}"), |shots| shots.iter().rev().any(got)).await;
    }

    async fn each(&self, what: &str, so: impl Fn(&[Shot]) -> bool) {
        until(&format!("every connection is {what}"), async || {
            for hand in &self.hands {
                assert!(!hand.thread.is_finished(), "a connection has ended");
                if !so(&hand.shots.lock().unwrap()) {
                    return None;
                }
            }
            Some(())
        })
        .await;
    }

    /// Ends it. Of the requests that began after the change was answered, each must have been refused so.
    #[track_caller]
    pub fn judge(mut self, answered: Instant, refusals: &[u16]) -> Judged {
        self.ended.store(true, Ordering::Relaxed);
        let mut judged = Judged::default();
        let mut wrong = Vec::new();
        for Hand { shots, thread } in self.hands.drain(..) {
            thread.join().expect("a connection that goes on");
            for shot in shots.lock().unwrap().iter() {
                if shot.began <= answered {
                    judged.before += usize::from(shot.is_let_in());
                } else if refusals.contains(&shot.status) {
                    judged.after += 1;
                } else {
                    wrong.push((shot.began - answered, shot.status));
                }
            }
        }
        wrong.sort();
        assert!(
            wrong.is_empty(),
            "of {} requests that began after the answer {} were not refused ({refusals:?}). After it, and status: {:?}",
            judged.after + wrong.len(),
            wrong.len(),
            &wrong[..wrong.len().min(20)]
        );
        judged
    }
}

impl Drop for Hammer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

fn hammer(server: SocketAddr, request: &[u8], ended: &AtomicBool, shots: &Mutex<Vec<Shot>>) {
    let open = || {
        let stream = raw::connect(server);
        stream.set_nodelay(true).expect("a setting");
        stream
    };
    let mut stream = open();
    while !ended.load(Ordering::Relaxed) {
        let began = Instant::now();
        let answer = stream.write_all(request).and_then(|()| raw::read_response(&mut stream, "a request of many"));
        match answer {
            Ok(answer) => shots.lock().unwrap().push(Shot { began, status: answer.status }),
            // A server that stood still for seconds gives up the connections on which it finds somebody waiting.
            Err(error) if matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof) => stream = open(),
            Err(error) => panic!("a request of many: {error}"),
        }
    }
}

/// Runs rounds in so many lanes at once, since most of a round is waiting; each is told its lane and its number. There
/// are `LATCHKEY_TEST_ROUNDS` times as many as usual. Prints how much was judged.
pub async fn rounds<R, F>(what: &str, usual: usize, lanes: usize, round: R)
where
    R: Fn(usize, usize) -> F + Clone + 'static,
    F: Future<Output = Judged>,
{
    let (all, began) = (crate::rounds::rounds(usual), Instant::now());
    let running: Vec<_> = (0..lanes)
        .map(|lane| {
            let round = round.clone();
            actix_web::rt::spawn(async move {
                let mut sum = Judged::default();
                for number in (lane..all).step_by(lanes) {
                    let judged = round(lane, number).await;
                    assert!(judged.after > 0, "nobody asked after the change");
                    sum.before += judged.before;
                    sum.after += judged.after;
                }
                sum
            })
        })
        .collect();
    let mut sum = Judged::default();
    for lane in running {
        let judged = lane.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        sum.before += judged.before;
        sum.after += judged.after;
    }
    assert!(sum.before > 0, "nobody was ever let in");
    let Judged { before, after } = sum;
    println!("{what}: {all} rounds in {:.1?}: {before} let in before, {after} refused after", began.elapsed());
}

/// A moment between at once and this, which differs from round to round.
pub fn moment(number: usize, longest: Duration) -> Duration {
    longest * u32::try_from(number % 16).expect("a small number") / 16
}
