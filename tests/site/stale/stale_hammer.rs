//! No read that begins after the answer to a write shows what was before it, however many ask meanwhile, at whatever
//! process: writes of every kind in turn, each with a higher number, while everything that shows them is asked for without
//! a pause.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use actix_web::rt;
use serde_json::{Value, json};

use crate::access::{GROUP_USERS, PROPERTY_USERS, part};
use crate::api::operations::{tax, tax_set};
use crate::client::Client;
use crate::instances::Instances;
use crate::people::Person;
use crate::property::{GROUPS, OPTIONS, PROPERTIES, at, body, group_at};
use crate::rate_plan::{RATE_PLANS, option, rate_plan_at};
use crate::room_type::{ROOM_TYPES, room_type_at, room_type_body};
use crate::rounds::rounds;

/// Something that is written with one number after another.
struct Numbered {
    /// The text before the number, wherever it is shown.
    name: &'static str,
    /// Addresses that show it.
    shown_at: Vec<String>,
    write: Write,
    /// The number of the last write that was answered.
    answered: Cell<usize>,
}

enum Write {
    /// This address, and the resource and its field that has the text.
    Put(String, &'static str, &'static str),
    /// Another property, in place of the one before.
    Replace,
    /// The name of the user, on a page.
    Name,
}

impl Numbered {
    fn new<const N: usize>(name: &'static str, write: Write, shown_at: [&str; N]) -> Self {
        let shown_at = shown_at.into_iter().map(str::to_owned).collect();
        Self { name, shown_at, write, answered: Cell::new(0) }
    }

    /// A resource of a collection, shown in its list and by its id.
    fn put(name: &'static str, collection: &str, id: &str, resource: &'static str, field: &'static str) -> Self {
        let at = format!("/api/v1/{collection}/{id}");
        Self::new(name, Write::Put(at.clone(), resource, field), [&format!("/api/v1/{collection}"), &at])
    }

    fn text(&self, number: usize) -> String {
        format!("{} {number}", self.name)
    }

    /// The highest number that is shown.
    fn number(&self, shown: &str) -> usize {
        let begin = format!("{} ", self.name);
        let numbers = shown.split(&begin).skip(1).filter_map(|rest| {
            let digits = rest.find(|c: char| !c.is_ascii_digit())?;
            rest[..digits].parse().ok()
        });
        numbers.max().unwrap_or_else(|| panic!("no {} in {shown}", self.name))
    }

    async fn write(&self, me: &Person, api: &Client, number: usize, replaced: &mut Option<String>) {
        match &self.write {
            Write::Put(address, resource, field) => {
                api.put(address, &json!({ *resource: { *field: self.text(number) } })).await.is(200);
            }
            Write::Replace => {
                let made = api.post(PROPERTIES, &body(json!({ "title": self.text(number) }))).await.is(201).id();
                if let Some(last) = replaced.replace(made) {
                    api.delete(&at(&last)).await.is(200);
                }
            }
            Write::Name => {
                let form = [("name", &*self.text(number)), ("time_zone", "Europe/Lisbon")];
                me.browser.post_form("/user_profile", &form).await.is(303);
            }
        }
        self.answered.set(number);
    }
}

/// One of everything, all with the number 0.
async fn one_of_everything(me: &Person) -> Vec<Rc<Numbered>> {
    let post = async |path: &str, body: &Value| me.api.post(path, body).await.is(201).id();
    let property = me.has(json!({ "title": "House 0" })).await;
    let group = post(GROUPS, &json!({ "group": { "title": "Group 0" } })).await;
    me.api.post(&part(&group, &property), &json!({})).await.is(200);
    let room = post(ROOM_TYPES, &room_type_body(&property, json!({ "title": "Room 0" }))).await;
    let plan =
        json!({ "property_id": property, "room_type_id": room, "title": "Plan 0", "options": [option(2, "9.00")] });
    let plan = post(RATE_PLANS, &json!({ "rate_plan": plan })).await;
    let vat = post("/api/v1/taxes", &tax(&property)).await;
    let set = post("/api/v1/tax_sets", &tax_set(&property, &vat)).await;
    let photo = json!({ "property_id": property, "url": "https://farol.example/1.jpg", "description": "Photo 0" });
    let photo = post("/api/v1/photos", &json!({ "photo": photo })).await;
    let (house, plain) = (at(&property), format!("{PROPERTIES}?filter[id]={property}"));
    let put = |at: String, resource| Write::Put(at, resource, "title");
    let all = [
        Numbered::new("House", put(house.clone(), "property"), [PROPERTIES, OPTIONS, &house, &plain]),
        Numbered::new("Group", put(group_at(&group), "group"), [GROUPS, &group_at(&group), &house, PROPERTIES]),
        Numbered::new("Room", put(room_type_at(&room), "room_type"), [ROOM_TYPES, &room_type_at(&room)]),
        Numbered::new("Plan", put(rate_plan_at(&plan), "rate_plan"), [RATE_PLANS, &rate_plan_at(&plan)]),
        Numbered::put("Tax", "taxes", &vat, "tax", "title"),
        Numbered::put("Set", "tax_sets", &set, "tax_set", "title"),
        Numbered::put("Photo", "photos", &photo, "photo", "description"),
        Numbered::new("Made", Write::Replace, [PROPERTIES, OPTIONS]),
        Numbered::new("Rita", Write::Name, [PROPERTY_USERS.path, GROUP_USERS.path]),
    ];
    let all: Vec<_> = all.into_iter().map(Rc::new).collect();
    for one in &all {
        one.write(me, &me.api, 0, &mut None).await;
    }
    all
}

/// Reads of each address between two writes: the last of them are answered from memory.
const READS: usize = 2;

/// Asks one process for one address until it has ended.
struct Reader {
    reads: Rc<Cell<usize>>,
    running: rt::task::JoinHandle<()>,
}

impl Reader {
    /// With pauses of at most this length, so that requests begin at any moment.
    fn start(api: Client, one: Rc<Numbered>, address: String, pause: Duration, ended: Rc<Cell<bool>>) -> Self {
        let reads = Rc::new(Cell::new(0));
        let counted = reads.clone();
        let running = rt::spawn(async move {
            while !ended.get() {
                let least = one.answered.get();
                let answer = api.get(&address).await.is(200);
                let shown = one.number(answer.text());
                assert!(shown >= least, "{address} showed {} {shown} after the answer to {least}", one.name);
                counted.set(counted.get() + 1);
                rt::time::sleep(pause.mul_f64(rand::random())).await;
            }
        });
        Self { reads, running }
    }
}

/// Waits until all of them have read some more times.
async fn go_on(readers: &[Reader]) {
    let enough: Vec<usize> = readers.iter().map(|reader| reader.reads.get() + READS).collect();
    for (reader, enough) in readers.iter().zip(enough) {
        while reader.reads.get() < enough && !reader.running.is_finished() {
            rt::task::yield_now().await;
        }
    }
}

/// Writes so many times in turn, while each of these processes is asked for everything.
async fn hammer(instances: &Instances, me: &Person, pause: Duration, writes: usize) {
    let all = one_of_everything(me).await;
    let ended = Rc::new(Cell::new(false));
    let mut readers = Vec::new();
    for server in &instances.servers {
        for one in &all {
            for address in &one.shown_at {
                let api = server.with_key(&me.key);
                readers.push(Reader::start(api, one.clone(), address.clone(), pause, ended.clone()));
            }
        }
    }
    let writers: Vec<Client> = instances.servers.iter().map(|server| server.with_key(&me.key)).collect();
    let mut replaced = None;
    for number in 1..=writes {
        go_on(&readers).await;
        let one = &all[number % all.len()];
        one.write(me, &writers[number / all.len() % writers.len()], number, &mut replaced).await;
    }
    ended.set(true);
    let mut reads = 0;
    for reader in readers {
        reader.running.await.expect("no stale response");
        reads += reader.reads.get();
    }
    println!("{writes} writes, {reads} reads, none of what was before");
}

#[actix_web::test]
async fn a_read_that_begins_after_the_answer_to_a_write_shows_it_however_many_ask_meanwhile() {
    let instances = Instances::start().await;
    let me = instances.first().person("desk@farol.example").await;
    hammer(&instances, &me, Duration::from_millis(5), rounds(54)).await;
}

#[actix_web::test]
async fn the_same_where_what_the_database_says_arrives_late_at_one_process_on_postgresql() {
    let Some((instances, wire)) = Instances::with_wire().await else { return };
    let me = instances.first().person("desk@farol.example").await;
    let late = Duration::from_millis(20);
    wire.slow(late);
    hammer(&instances, &me, late * 2, rounds(18)).await;
}
