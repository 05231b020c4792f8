//! A server that is killed at any moment, under writes of several clients: what was answered is there as it was
//! answered, and of what was not answered there is all or nothing.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use actix_web::rt::{self, task::JoinHandle};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::browser::NEW_KEY;
use crate::client::Client;
use crate::host::Host;
use crate::html;
use crate::page::until;
use crate::people::Person;
use crate::property::{PROPERTIES, at, body};
use crate::rounds::rounds;
use crate::server::Server;

/// Kills in the ordinary test command.
const KILLS: usize = 16;

/// A server is killed after so many milliseconds of writing at most.
const LONGEST_LIFE: u128 = 300;

/// What nobody must ever see, as SQL that finds it.
const HALVES: [&str; 3] = [
    "select title from properties p where (select count(*) from photos f where f.property_id = p.id) <> 2",
    "select title from properties p
     where not exists (select 1 from group_properties g where g.property_id = p.id)
        or not exists (select 1 from property_users u where u.property_id = p.id)",
    "select title from api_keys k where title = 'Limited'
        and (all_properties or (select count(*) from api_key_properties c where c.key_id = k.id) <> 1)",
];

/// Where a write stands in the eyes of the client that sent it.
#[derive(Clone, Copy, PartialEq)]
enum Told {
    Nothing,
    Sent,
    Answered,
}

#[derive(Clone)]
struct Key {
    text: String,
    withdrawal: Rc<Cell<Told>>,
}

/// What the clients of one server have been told.
#[derive(Clone, Default)]
struct Answers {
    properties: Rc<RefCell<Vec<Value>>>,
    keys: Rc<RefCell<Vec<Key>>>,
    /// The version of the property that is changed again and again: answered, and sent.
    version: Rc<Cell<(usize, usize)>>,
}

impl Answers {
    fn count(&self) -> usize {
        self.properties.borrow().len() + self.keys.borrow().len()
    }
}

/// The fields of a property of which a half would be seen.
fn fields(name: &str) -> Value {
    let photo = |number: usize| json!({ "url": format!("https://img.example/{number}.jpg"), "description": name });
    let content = json!({ "description": name, "photos": [photo(0), photo(1)] });
    json!({ "title": name, "city": name, "content": content })
}

async fn makes_properties(api: Client, name: String, answers: Answers) {
    for number in 0.. {
        let call = api.post(PROPERTIES, &body(fields(&format!("{name} {number}"))));
        let Some(answer) = call.answer().await else { return };
        answers.properties.borrow_mut().push(answer.is(201).data());
    }
}

async fn changes_one(api: Client, id: String, answers: Answers) {
    loop {
        let (answered, next) = (answers.version.get().0, answers.version.get().1 + 1);
        answers.version.set((answered, next));
        let name = next.to_string();
        let changed = json!({ "title": name, "city": name, "content": { "description": name } });
        let Some(answer) = api.put(&at(&id), &json!({ "property": changed })).answer().await else { return };
        answer.is(200);
        answers.version.set((next, next));
    }
}

/// Makes keys for one property by the page, and withdraws every other.
async fn makes_keys(page: Client, property: String, answers: Answers) {
    for number in 0.. {
        let token = Uuid::new_v4().simple().to_string();
        let fields = [("title", "Limited"), ("form_token", &token), ("access", "chosen"), ("properties[]", &property)];
        let Some(answer) = page.post_form(NEW_KEY, &fields).answer().await else { return };
        let answer = answer.is(200);
        let text = (*html::keys(answer.text()).first().expect("a key")).to_owned();
        let (_, after) = answer.text().split_once("/user_profile/api_keys/").expect("its id");
        let withdraw = format!("/user_profile/api_keys/{}/withdraw", &after[..36]);
        let withdrawal = Rc::new(Cell::new(Told::Nothing));
        answers.keys.borrow_mut().push(Key { text, withdrawal: withdrawal.clone() });
        if number % 2 == 0 {
            withdrawal.set(Told::Sent);
            let Some(answer) = page.post_form(&withdraw, &[]).answer().await else { return };
            answer.is(303);
            withdrawal.set(Told::Answered);
        }
    }
}

/// The property with this id says one version in all its parts, and not one older than was answered.
async fn is_whole(api: &Client, id: &str, answers: &Answers) {
    let found = api.get(&at(id)).await.is(200).attributes();
    let version: usize = found["title"].as_str().and_then(|title| title.parse().ok()).expect("a version");
    let (answered, sent) = answers.version.get();
    assert!((answered..=sent).contains(&version), "{version} is not {answered} to {sent}: {found}");
    assert_eq!([&found["city"], &found["content"]["description"]], [&found["title"]; 2], "{found}");
    answers.version.set((version, sent));
}

async fn are_there(server: &Server, me: &Person, property: &str, answers: &Answers) {
    let api = server.with_key(&me.key);
    let (properties, keys) = (answers.properties.borrow().clone(), answers.keys.borrow().clone());
    for made in &properties {
        let id = made["id"].as_str().expect("an id");
        assert_eq!(&api.get(&at(id)).await.is(200).data(), made);
    }
    for key in &keys {
        let answer = server.with_key(&key.text).get(PROPERTIES).await;
        match (key.withdrawal.get(), answer.status) {
            (Told::Nothing | Told::Sent, 200) => assert_eq!(answer.column("id"), [property]),
            (Told::Sent | Told::Answered, 401) => {}
            (Told::Answered, _) => panic!("an answered withdrawal is lost: {answer}"),
            _ => panic!("a key that was shown is lost: {answer}"),
        }
    }
}

async fn nothing_is_there_by_half(host: &Host) {
    for half in HALVES {
        assert_eq!(host.texts(half).await, Vec::<String>::new(), "{half}");
    }
    if host.database_url().is_none() {
        assert_eq!(host.texts("pragma integrity_check").await, ["ok"]);
        assert_eq!(host.texts("pragma foreign_key_check").await, Vec::<String>::new());
    }
}

#[actix_web::test]
async fn nothing_that_was_answered_is_lost_when_the_server_is_killed_again_and_again() {
    let host = Host::new().await;
    let serve = || {
        let options = Server::options().public_url("http://localhost:7001").env("LATCHKEY_MAX_KEYS", "1000000");
        options.start_on(&host).serving()
    };
    let mut server = serve();
    let (me, other) = (server.person("desk@farol.example").await, server.person("b@farol.example").await);
    let property = other.has(fields("Aurora")).await;
    let changed = me.has(fields("0")).await;
    let cookies = other.browser.cookies().expect("a session");
    let last = Rc::new(Cell::new((0, 0)));
    let (mut written, mut all) = (0, Vec::new());
    for round in 0..rounds(KILLS) {
        let answers = Answers { version: last.clone(), ..Answers::default() };
        let api = server.with_key(&me.key);
        let page = server.anonymous().always("cookie", &cookies).always("sec-fetch-site", "same-origin");
        let mut clients: Vec<JoinHandle<()>> =
            (0..3).map(|n| rt::spawn(makes_properties(api.clone(), format!("{round} {n}"), answers.clone()))).collect();
        clients.push(rt::spawn(changes_one(api.clone(), changed.clone(), answers.clone())));
        clients.push(rt::spawn(makes_keys(page, property.clone(), answers.clone())));
        if round % 2 == 0 {
            until("a write is answered", async || (answers.count() > 0).then_some(())).await;
        }
        let life = Uuid::new_v4().as_u128() % (LONGEST_LIFE * 1000);
        rt::time::sleep(Duration::from_micros(u64::try_from(life).expect("a short time"))).await;
        drop(server);
        for client in clients {
            client.await.expect("only answers that are right");
        }
        server = serve();
        let api = server.with_key(&me.key);
        is_whole(&api, &changed, &answers).await;
        are_there(&server, &me, &property, &answers).await;
        nothing_is_there_by_half(&host).await;
        written += answers.count();
        all.push(answers);
    }
    // What survived one kill survived those after it.
    for answers in &all {
        are_there(&server, &me, &property, answers).await;
    }
    assert!(written >= rounds(KILLS) / 2, "the servers did not live long enough to write: {written}");
}
