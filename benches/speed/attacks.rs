//! How long a quiet reader and a quiet writer wait beside requests that are made to cost much, and what memory these take.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    load::Request,
    machine,
    program::{Host, Program},
    rows::{self, PROPERTIES},
    seed::{Person, Seeds},
};

/// A wait that is too long (CONTRIBUTING.md, Speed).
const LONGEST: Duration = Duration::from_millis(250);

/// Memory that is too much, in MB.
const MOST_MEMORY: f64 = 64.0 * 1.048_576;

struct Site {
    server: Program,
    me: Person,
    quiet: Person,
    theirs: String,
    _host: Host,
}

/// The attacks whose names contain `only`, on SQLite or on PostgreSQL.
pub async fn measure(on_postgres: bool, only: &str) -> io::Result<()> {
    let host = Host::new(on_postgres)?;
    let (server, _) = host.serve()?;
    let mut people = Seeds::into(&host).await?.people(2).await?;
    let (quiet, me) = (people.remove(0), people.remove(0));
    let theirs = made(server.address, &rows::create(0, &quiet.key))?;
    let site = Site { server, me, quiet, theirs, _host: host };
    println!(
        "\n| attack, {} | answer | took ms | longest read ms | longest write ms | resident MB | peak MB | |",
        if on_postgres { "PostgreSQL" } else { "SQLite" }
    );
    println!("|---|---|---:|---:|---:|---:|---:|---|");
    site.beside("nothing", only, || {
        thread::sleep(Duration::from_secs(1));
        Ok(0)
    })?;
    site.bodies(only)?;
    site.queries(only)?;
    site.photos(only)?;
    site.plans(only)?;
    site.answers(only)?;
    Ok(())
}

fn made(server: SocketAddr, request: &Request) -> io::Result<String> {
    let (head, body) = rows::ask(server, request)?;
    let answer: Value = serde_json::from_slice(&body)?;
    answer["data"]["id"].as_str().map(str::to_owned).ok_or_else(|| io::Error::other(format!("{head}\n{answer}")))
}

fn status(server: SocketAddr, request: &Request) -> io::Result<u16> {
    let (head, _) = rows::ask(server, request)?;
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| io::Error::other(head))
}

/// Asks again and again; the longest wait, and whether all was answered as it should be.
fn watch(server: SocketAddr, request: Request, over: Arc<AtomicBool>) -> thread::JoinHandle<(Duration, bool)> {
    thread::spawn(move || {
        let (mut longest, mut good) = (Duration::ZERO, true);
        while !over.load(Relaxed) {
            let began = Instant::now();
            good &= status(server, &request).is_ok_and(|status| status == request.status);
            longest = longest.max(began.elapsed());
        }
        (longest, good)
    })
}

impl Site {
    fn send(&self, method: &str, path: &str, body: Option<&str>) -> Request {
        let headers = [("user-api-key", self.me.key.as_str()), ("content-type", "application/json")];
        Request::new(method, path, &headers, body, 0)
    }

    fn make(&self, path: &str, body: &Value) -> io::Result<String> {
        made(self.server.address, &self.send("POST", path, Some(&body.to_string())))
    }

    /// One line of the table.
    fn beside(&self, what: &str, only: &str, attack: impl FnOnce() -> io::Result<u16>) -> io::Result<()> {
        if !what.contains(only) {
            return Ok(());
        }
        let over = Arc::new(AtomicBool::new(false));
        let headers = [("user-api-key", self.quiet.key.as_str()), ("content-type", "application/json")];
        let change = json!({ "property": { "phone": "+351 289 123456" } }).to_string();
        let write = Request::new("PUT", &format!("{PROPERTIES}/{}", self.theirs), &headers, Some(&change), 200);
        let before = machine::memory(self.server.id(), "VmHWM")?;
        let read = watch(self.server.address, Request::get(PROPERTIES, &self.quiet.key), over.clone());
        let write = watch(self.server.address, write, over.clone());
        thread::sleep(Duration::from_millis(100));
        let began = Instant::now();
        let status = attack();
        let took = began.elapsed();
        over.store(true, Relaxed);
        let watched =
            |thread: thread::JoinHandle<(Duration, bool)>| thread.join().map_err(|_| io::Error::other("lost"));
        let ((read, good), (write, also_good)) = (watched(read)?, watched(write)?);
        let resident = machine::memory(self.server.id(), "VmRSS")?;
        let peak = machine::memory(self.server.id(), "VmHWM")?;
        let late = read.max(write) > LONGEST || !good || !also_good || peak - before > MOST_MEMORY;
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        println!(
            "| {what} | {} | {:.0} | {:.0} | {:.0} | {resident:.0} | {peak:.0} | {} |",
            status.map_or_else(|error| error.to_string(), |status| status.to_string()),
            ms(took),
            ms(read),
            ms(write),
            if late { "too much" } else { "" }
        );
        Ok(())
    }

    fn one(&self, what: &str, only: &str, request: &Request) -> io::Result<()> {
        self.beside(what, only, || status(self.server.address, request))
    }

    fn bodies(&self, only: &str) -> io::Result<()> {
        const MANY: usize = 10 * 1024 * 1024 - 100;
        let post = |text: &str| self.send("POST", PROPERTIES, Some(text));
        let objects = format!("{{\"property\":{{\"x\":[{}]}}}}", ["{\"\":1}"; 1].repeat(MANY / 7 - 10).join(","));
        self.one("body: 1.5 million objects", only, &post(&objects))?;
        let nested = format!("{{\"property\":{}{}}}", "[".repeat(MANY / 2), "]".repeat(MANY / 2));
        self.one("body: lists in lists", only, &post(&nested))?;
        let title = json!({ "property": { "title": "a".repeat(MANY), "currency": "EUR" } }).to_string();
        self.one("body: a title of 10 MiB", only, &post(&title))?;
        let escaped = format!("{{\"property\":{{\"title\":\"{}\"}}}}", "\\u0041".repeat(MANY / 6 - 10));
        self.one("body: escaped characters", only, &post(&escaped))?;
        let number = format!("{{\"property\":{{\"latitude\":{}}}}}", "1".repeat(MANY - 100));
        self.one("body: a number of 10 MiB", only, &post(&number))?;
        let email = json!({ "property": { "email": format!("{}@b.example", "a".repeat(MANY - 100)) } }).to_string();
        self.one("body: an address of 10 MiB", only, &post(&email))
    }

    fn queries(&self, only: &str) -> io::Result<()> {
        let four = |count: usize| {
            let commas = ",".repeat(count);
            ["title", "currency", "country", "city"].map(|field| format!("filter[{field}]={commas}")).join("&")
        };
        self.one(
            "query: four filters of 250 entries",
            only,
            &Request::get(&format!("{PROPERTIES}?{}", four(249)), &self.me.key),
        )?;
        self.beside("query: filters and orders of changing shapes", only, || {
            let mut last = 0;
            for count in 1..249 {
                let mut fields = ["id", "title", "email", "phone", "currency", "country", "state", "city"];
                fields.rotate_left(count % 8);
                fields[1..].rotate_left(count % 7);
                let orders = fields.map(|field| format!("order[{field}]=asc")).join("&");
                let path = format!("{PROPERTIES}?{}&{orders}", four(count));
                last = status(self.server.address, &Request::get(&path, &self.me.key))?;
            }
            Ok(last)
        })
    }

    fn photos(&self, only: &str) -> io::Result<()> {
        let photo =
            |n: usize| json!({ "url": format!("https://img.load.example/{n}"), "description": "d".repeat(250) });
        let photos: Vec<Value> = (0..100).map(photo).collect();
        let body = json!({ "property": { "title": "P", "currency": "EUR", "content": { "photos": photos } } });
        let id = self.make(PROPERTIES, &body)?;
        let (_, answer) = rows::ask(self.server.address, &Request::get(&format!("{PROPERTIES}/{id}"), &self.me.key))?;
        let there: Value = serde_json::from_slice(&answer)?;
        let there = there["data"]["attributes"]["content"]["photos"].as_array().cloned().unwrap_or_default();
        let put = |photos: Vec<Value>| {
            let body = json!({ "property": { "content": { "photos": photos } } }).to_string();
            self.send("PUT", &format!("{PROPERTIES}/{id}"), Some(&body))
        };
        let long = json!({ "id": there[0]["id"], "description": "x".repeat(9_900_000) });
        self.one("photos: a description of 9.9 MB", only, &put(vec![long]))?;
        let again = vec![json!({ "id": there[0]["id"] }); 1_000];
        self.one("photos: one a thousand times", only, &put(again))?;
        let turned =
            there.iter().rev().enumerate().map(|(place, photo)| json!({ "id": photo["id"], "position": place }));
        self.one("photos: a hundred turned round", only, &put(turned.collect()))
    }

    fn plans(&self, only: &str) -> io::Result<()> {
        let property = self.make(PROPERTIES, &json!({ "property": { "title": "Plans", "currency": "EUR" } }))?;
        let room = json!({ "room_type": { "property_id": property, "title": "R", "count_of_rooms": 1, "occ_adults": 2,
            "occ_children": 0, "occ_infants": 0, "default_occupancy": 2 } });
        let room_type = self.make("/api/v1/room_types", &room)?;
        let rules: Vec<Value> =
            (0..2_000).map(|n| json!(["increase_by_percent", format!("0.{:010}", 1_234_567_891_u64 + n)])).collect();
        let plan = |title: String, parent: Option<&str>, rules: &[Value]| {
            let options: Vec<Value> = [(2, true), (1, false)]
                .into_iter()
                .zip(rules.chunks(1_000).chain([&[][..], &[][..]]))
                .map(|((occupancy, is_primary), rules)| {
                    json!({ "occupancy": occupancy, "is_primary": is_primary, "rate": "80.00", "derived_option": { "rate": rules } })
                })
                .collect();
            let mut body = json!({ "rate_plan": { "title": title, "property_id": property, "room_type_id": room_type, "options": options } });
            if let Some(parent) = parent {
                body["rate_plan"]["parent_rate_plan_id"] = parent.into();
                body["rate_plan"]["rate_mode"] = "cascade".into();
            }
            self.make("/api/v1/rate_plans", &body)
        };
        let delete = |id: &str| self.send("DELETE", &format!("/api/v1/rate_plans/{id}"), None);
        let root = plan("Root".to_owned(), None, &[])?;
        for number in 0..100 {
            plan(format!("Child {number}"), Some(&root), &rules)?;
        }
        self.one("plans: the parent of 100 with 2,000 percentages", only, &delete(&root))?;
        let mut last = plan("Line".to_owned(), None, &[])?;
        for number in 0..100 {
            last = plan(format!("Line {number}"), Some(&last), &rules)?;
        }
        plan("Leaf".to_owned(), Some(&last), &rules)?;
        self.one("plans: the end of a line of 100", only, &delete(&last))?;
        let list = Request::get("/api/v1/rate_plans?pagination[limit]=100", &self.me.key);
        self.one("plans: a list of 100", only, &list)?;
        let property = self.send("DELETE", &format!("{PROPERTIES}/{property}"), None);
        self.one("plans: their property", only, &property)
    }

    fn answers(&self, only: &str) -> io::Result<()> {
        let text = "\u{20ac}".repeat(20_000);
        let content = json!({ "description": text, "important_information": text });
        let body = json!({ "property": { "title": "Long", "currency": "EUR", "content": content } });
        let ids: Vec<String> = (0..100).map(|_| self.make(PROPERTIES, &body)).collect::<io::Result<_>>()?;
        let list = Request::get(&format!("{PROPERTIES}?pagination[limit]=100"), &self.me.key);
        self.one("answers: 100 properties of 120 kB", only, &list)?;
        self.beside("answers: the same, four times at once", only, || {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    let (server, list) = (self.server.address, list.clone());
                    thread::spawn(move || status(server, &list))
                })
                .collect();
            let mut last = 0;
            for thread in threads {
                last = thread.join().map_err(|_| io::Error::other("lost"))??;
            }
            Ok(last)
        })?;
        let photos: Vec<Value> = (0..100)
            .map(|n| json!({ "url": format!("https://img.load.example/{n}"), "description": "d".repeat(250) }))
            .collect();
        for number in 0..150 {
            let room = json!({ "room_type": { "property_id": ids[0], "title": format!("R {number}"), "count_of_rooms": 1,
                "occ_adults": 2, "occ_children": 0, "occ_infants": 0, "default_occupancy": 2,
                "content": { "description": text, "photos": photos } } });
            self.make("/api/v1/room_types", &room)?;
        }
        let list = Request::get("/api/v1/room_types?pagination[limit]=100", &self.me.key);
        self.one("answers: 100 room types with 100 photos", only, &list)?;
        for path in ["/api/v1/properties/options", "/api/v1/groups", "/api/v1/property_users"] {
            self.one(&format!("answers: {path}"), only, &Request::get(path, &self.me.key))?;
        }
        let property = self.send("DELETE", &format!("{PROPERTIES}/{}", ids[0]), None);
        self.one("answers: the property of 150 room types and 15,000 photos deleted", only, &property)
    }
}
