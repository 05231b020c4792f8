//! What is measured: one row a kind of request, on each server.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    load::{self, Request, Script, Until},
    program::Host,
    seed::{Person, Seeds, key},
};

pub const PROPERTIES: &str = "/api/v1/properties";

/// Connections of a row that reads.
const READERS: usize = 16;

/// Connections, each a user's of their own, of the rows that write.
const WRITERS: usize = 8;

/// Users whose keys are sent in turn.
const MANY: usize = 200;

/// Keys whose last uses are written, each once a minute.
const USED: u32 = 1_000;

/// Who signs in, and with what.
pub const EMAIL: &str = "desk@load.example";
pub const PASSWORD: &str = "a-lantern-on-the-pier-7";

/// Requests of a kind, from all its connections.
pub struct Row {
    pub name: &'static str,
    pub scripts: Vec<Script>,
}

/// The same on every database; rows that only serve to compute others have names in brackets.
pub mod names {
    pub const LIST: &str = "list of 10 properties";
    pub const MANY_KEYS: &str = "the same, 200 users' keys in turn";
    pub const WRITE: &str = "(write)";
    pub const WRITE_AND_LIST: &str = "(write, then list)";
    pub const BY_ID: &str = "property by id";
    pub const NOT_MODIFIED: &str = "list, not modified: 304";
    pub const MALFORMED: &str = "malformed key: 401";
    pub const UNKNOWN: &str = "unknown key: 401";
    pub const WITHDRAWN: &str = "withdrawn key: 401";
    pub const WRONG_METHOD: &str = "(wrong method: 405)";
    pub const BESIDE_WRITES: &str = "list, while another user writes 20 times a second";
    pub const BESIDE_USES: &str = "list, while the last uses of 1,000 keys are written";
    pub const STORM: &str = "list, beside a storm of sign-ins";
    pub const CREATE: &str = "create a property, 1 client";
    pub const CREATE_8: &str = "create a property, 8 clients";
    pub const BARE: &str = "bare handler, the same bytes";
}

/// Fills a fresh server, and makes its rows; and the answer to the list, whole.
pub async fn prepare(host: &Host, server: SocketAddr) -> io::Result<(Vec<Row>, Vec<u8>)> {
    host.run(&["user", "add", EMAIL], PASSWORD)?;
    let mut seeds = Seeds::into(host).await?;
    let people = seeds.people(1 + MANY + 1 + WRITERS).await?;
    let furnish: Vec<Script> = people.iter().map(|person| (0..10).map(|n| create(n, &person.key)).collect()).collect();
    for scripts in furnish.chunks(WRITERS) {
        let done = load::run(server, scripts, Until::Done)?;
        if done.others > 0 {
            return Err(io::Error::other("a property could not be created"));
        }
    }
    let (me, others) = people.split_first().ok_or_else(|| io::Error::other("nobody"))?;
    let (many, writers) = others.split_at(MANY);
    let used: Vec<String> = (0..USED).map(|_| key()).collect();
    let owner = many.last().ok_or_else(|| io::Error::other("nobody"))?;
    seeds.unused_keys(owner.user, &used).await?;
    let withdrawn = key();
    seeds.keys([(me.user, withdrawn.as_str())].into_iter()).await?;
    let tail = &withdrawn[withdrawn.len() - 6..];
    let withdraw = "update api_keys set withdrawn_at = created_at, withdrawn_by = 'host' where tail = ";
    seeds.run(format!("{withdraw}'{tail}'")).await?;

    let (head, body) = ask(server, &Request::get(PROPERTIES, &me.key))?;
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap_or_default().to_owned();
    let first = first_id(&body)?;
    let mut rows = rows(server, me, many, writers, &withdrawn, &tag, &first)?;
    let uses = used.iter().map(|key| Request::get(PROPERTIES, key).beside().times_a_second(USED / 60)).collect();
    let beside_uses = [vec![Request::get(PROPERTIES, &me.key)]].into_iter().cycle().take(READERS).chain([uses]);
    let place = rows.iter().position(|row| row.name == names::STORM).unwrap_or(rows.len());
    rows.insert(place, Row { name: names::BESIDE_USES, scripts: beside_uses.collect() });
    Ok((rows, body))
}

fn rows(
    server: SocketAddr,
    me: &Person,
    many: &[Person],
    writers: &[Person],
    withdrawn: &str,
    tag: &str,
    first: &str,
) -> io::Result<Vec<Row>> {
    let all = |request: Request| vec![vec![request]; READERS];
    let refused = |key: &str| Request { status: 401, ..Request::get(PROPERTIES, key) };
    let mut mistyped = me.key.clone().into_bytes();
    mistyped[20] = if mistyped[20] == b'x' { b'y' } else { b'x' };
    let mistyped = String::from_utf8(mistyped).map_err(io::Error::other)?;
    let if_changed = [("user-api-key", me.key.as_str()), ("if-none-match", tag)];
    // Who creates has thousands of properties in the end, and who changes one has ten.
    let (writer, creators) = writers.split_first().ok_or_else(|| io::Error::other("nobody"))?;
    let (_, body) = ask(server, &Request::get(PROPERTIES, &writer.key))?;
    let change = update(&first_id(&body)?, &writer.key);
    let in_turn = |offset: usize| {
        let (before, after) = many.split_at(offset * many.len() / READERS);
        after.iter().chain(before).map(|person| Request::get(PROPERTIES, &person.key)).collect()
    };
    let others_write = change.clone().beside().times_a_second(20);
    let beside_writes = all(Request::get(PROPERTIES, &me.key)).into_iter().chain(vec![vec![others_write]]);
    let browsers = (0..READERS).map(|_| known_browser(server)).collect::<io::Result<Vec<String>>>()?;
    let sign_ins = browsers.iter().map(|cookie| vec![sign_in(server, Some(cookie)).beside()]);
    let storm = all(Request::get(PROPERTIES, &me.key)).into_iter().chain(sign_ins);
    Ok(vec![
        Row { name: names::LIST, scripts: all(Request::get(PROPERTIES, &me.key)) },
        Row { name: names::MANY_KEYS, scripts: (0..READERS).map(in_turn).collect() },
        // One client: with more of them, writes that wait together would be cheaper in the one row than in the other.
        Row { name: names::WRITE, scripts: vec![vec![change.clone()]] },
        Row {
            name: names::WRITE_AND_LIST,
            scripts: vec![vec![change.beside(), Request::get(PROPERTIES, &writer.key)]],
        },
        Row { name: names::BY_ID, scripts: all(Request::get(&format!("{PROPERTIES}/{first}"), &me.key)) },
        Row { name: names::NOT_MODIFIED, scripts: all(Request::new("GET", PROPERTIES, &if_changed, None, 304)) },
        Row { name: names::MALFORMED, scripts: all(refused(&mistyped)) },
        Row { name: names::UNKNOWN, scripts: all(refused(&key())) },
        Row { name: names::WITHDRAWN, scripts: all(refused(withdrawn)) },
        Row {
            name: names::WRONG_METHOD,
            scripts: all(Request::new("PUT", PROPERTIES, &[("user-api-key", &me.key)], None, 405)),
        },
        Row { name: names::BESIDE_WRITES, scripts: beside_writes.collect() },
        Row { name: names::STORM, scripts: storm.collect() },
        Row { name: names::CREATE, scripts: vec![vec![create(1, &creators[0].key)]] },
        Row { name: names::CREATE_8, scripts: creators.iter().map(|person| vec![create(1, &person.key)]).collect() },
    ])
}

/// A property with all its fields: ten of them are a list of some 12.8 kB.
pub fn create(number: usize, key: &str) -> Request {
    let photo = |kind: &str| json!({ "url": format!("https://img.load.example/{number}/{kind}.jpg"), "kind": kind });
    let body = json!({ "property": {
        "title": format!("Pension Lindenhof {number}"), "currency": "EUR", "email": "desk@lindenhof.example",
        "phone": "+49 30 901820", "zip_code": "10117", "country": "DE", "state": "Berlin", "city": "Berlin",
        "address": "Unter den Linden 7", "longitude": "13.3888", "latitude": "52.5170", "timezone": "Europe/Berlin",
        "property_type": "hotel", "logo_url": "https://img.load.example/logo.png",
        "settings": { "min_price": "45.00", "max_price": "450.00", "min_stay_type": "both", "state_length": 500 },
        "content": {
            "description": "Twelve rooms above a courtyard with a lime tree, five minutes from the river.",
            "important_information": "The gate closes at ten; a code opens it after that.",
            "photos": [photo("photo")]
        }
    } });
    let headers = [("user-api-key", key), ("content-type", "application/json")];
    Request::new("POST", PROPERTIES, &headers, Some(&body.to_string()), 201)
}

fn update(id: &str, key: &str) -> Request {
    let body = json!({ "property": { "phone": "+49 30 901821" } }).to_string();
    let headers = [("user-api-key", key), ("content-type", "application/json")];
    Request::new("PUT", &format!("{PROPERTIES}/{id}"), &headers, Some(&body), 200)
}

/// With the right password; strangers would soon be refused.
fn sign_in(server: SocketAddr, browser: Option<&str>) -> Request {
    let origin = format!("http://{server}");
    let mut headers = vec![("origin", &*origin), ("content-type", "application/x-www-form-urlencoded")];
    headers.extend(browser.map(|cookie| ("cookie", cookie)));
    let body = format!("email={}&password={PASSWORD}", EMAIL.replace('@', "%40"));
    Request::new("POST", "/sign_in", &headers, Some(&body), 0)
}

/// The cookie of a browser that has signed in.
fn known_browser(server: SocketAddr) -> io::Result<String> {
    let (head, _) = ask(server, &sign_in(server, None))?;
    let cookie =
        head.lines().filter_map(|line| line.strip_prefix("set-cookie: ")).find(|cookie| cookie.contains("-browser"));
    let pair = cookie.and_then(|cookie| cookie.split(';').next());
    pair.map(str::to_owned).ok_or_else(|| io::Error::other(format!("no cookie: {head}")))
}

pub fn first_id(list: &[u8]) -> io::Result<String> {
    let list: Value = serde_json::from_slice(list)?;
    list["data"][0]["id"].as_str().map(str::to_owned).ok_or_else(|| io::Error::other("no property"))
}

/// One request over a connection of its own; the answer's head and body.
pub fn ask(server: SocketAddr, request: &Request) -> io::Result<(String, Vec<u8>)> {
    let mut stream = TcpStream::connect_timeout(&server, Duration::from_secs(10))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let text = String::from_utf8_lossy(&request.bytes).replacen("\r\n", "\r\nconnection: close\r\n", 1);
    stream.write_all(text.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(|| io::Error::other("no answer"))?;
    let body = answer.split_off(end + 4);
    Ok((String::from_utf8_lossy(&answer).into_owned(), body))
}
