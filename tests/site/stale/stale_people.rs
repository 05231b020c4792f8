//! Nobody does what they may no longer do: no request that begins after the answer to the change, at any process. What
//! is taken away here are subscriptions, accounts, sessions, roles and links, while they are in use.

use std::rc::Rc;

use serde_json::json;

use crate::access::{GROUP_USERS, PROPERTY_USERS, TWINS, part};
use crate::browser::Browser;
use crate::hammer::{Hammer, list_with, read_with, rounds, write_with};
use crate::instances::Instances;
use crate::people::Person;
use crate::property::{PROPERTIES, at};
use crate::raw::{self, form};

/// Servers and some people.
struct People {
    instances: Rc<Instances>,
    people: Vec<Person>,
}

impl People {
    async fn new(count: usize) -> Rc<Self> {
        let instances = Instances::start().await;
        let mut people = Vec::new();
        for number in 0..count {
            people.push(instances.first().person(&format!("desk{number}@farol.example")).await);
        }
        Rc::new(Self { instances, people })
    }
}

/// The list of properties, asked for by the scripts of a page.
fn list_in(browser: &Browser) -> Vec<u8> {
    let cookie = format!("Cookie: {}", browser.cookies().expect("a session"));
    raw::standing_request(&format!("GET {PROPERTIES}"), &[cookie.as_bytes(), b"Sec-Fetch-Site: same-origin"], b"")
}

#[actix_web::test]
async fn a_key_lets_nobody_in_once_the_subscription_has_ended() {
    let people = People::new(2).await;
    rounds("subscription ended", 6, 2, move |lane, _| {
        let people = people.clone();
        async move {
            let (instances, me) = (&people.instances, &people.people[lane]);
            let hammer = Hammer::start(&instances.addresses(), list_with(&me.key));
            hammer.is_let_in().await;
            let ended = instances.command(&["subscription", "cancel", &me.user.email, "--now"]).await;
            hammer.goes_on(ended).await;
            let judged = hammer.judge(ended, &[403]);
            instances.command(&["subscription", "activate", &me.user.email]).await;
            judged
        }
    })
    .await;
}

#[actix_web::test]
async fn neither_key_nor_session_of_a_deactivated_user_lets_anybody_in() {
    let people = People::new(2).await;
    rounds("user deactivated", 4, 2, move |lane, _| {
        let people = people.clone();
        async move {
            let (instances, me) = (&people.instances, &people.people[lane]);
            let browser = instances.first().signed_in(&me.user).await;
            let hammer = Hammer::of(&instances.addresses(), &[list_with(&me.key), list_in(&browser)]);
            hammer.is_let_in().await;
            let ended = instances.command(&["user", "deactivate", &me.user.email]).await;
            hammer.goes_on(ended).await;
            let judged = hammer.judge(ended, &[401]);
            instances.command(&["user", "activate", &me.user.email]).await;
            judged
        }
    })
    .await;
}

#[actix_web::test]
async fn a_session_that_was_ended_lets_nobody_in() {
    let people = People::new(2).await;
    rounds("session ended", 4, 2, move |lane, number| {
        let people = people.clone();
        async move {
            let (instances, me) = (&people.instances, &people.people[lane]);
            let browser = instances.first().signed_in(&me.user).await;
            let hammer = Hammer::start(&instances.addresses(), list_in(&browser));
            hammer.is_let_in().await;
            let anew = format!("{}-anew", me.user.password);
            let ended = match number / 2 % 2 {
                0 => instances.change(form(&browser, "/sign_out", &[]), 303).await,
                _ => instances.command_with(&["user", "password", &me.user.email], &anew).await,
            };
            hammer.goes_on(ended).await;
            if number / 2 % 2 != 0 {
                instances.command_with(&["user", "password", &me.user.email], &me.user.password).await;
            }
            hammer.judge(ended, &[401])
        }
    })
    .await;
}

#[actix_web::test]
async fn an_owner_who_was_made_a_user_does_nothing_more_as_an_owner() {
    let people = People::new(3).await;
    let me = &people.people[2];
    let mut things = Vec::new();
    for night in &people.people[..2] {
        let mut entries = Vec::new();
        for users in TWINS {
            let thing = users.thing(me).await;
            entries.push(me.gives(users, &thing, night, "owner").await);
        }
        things.push(entries);
    }
    let things = Rc::new(things);
    rounds("role lowered", 8, 2, move |lane, number| {
        let (people, things) = (people.clone(), things.clone());
        async move {
            let (instances, night, me) = (&people.instances, &people.people[lane], &people.people[2]);
            let twin = number / 2 % 2;
            let (users, entry) = (TWINS[twin], &things[lane][twin]);
            let target = format!("PUT {}", users.at(entry));
            let change = |fields| users.change(fields);
            let write = write_with(&night.key, &target, &change(json!({ "overrides": { "shift": "late" } })));
            let hammer = Hammer::start(&instances.addresses(), write);
            hammer.is_let_in().await;
            let lower = write_with(&me.key, &target, &change(json!({ "role": "user" })));
            let answered = instances.change(lower, 200).await;
            hammer.goes_on(answered).await;
            let judged = hammer.judge(answered, &[403]);
            me.changes(users, entry, json!({ "role": "owner" })).await.is(200);
            judged
        }
    })
    .await;
}

#[actix_web::test]
async fn a_property_out_of_reach_is_reached_with_no_key() {
    let people = People::new(3).await;
    rounds("out of reach", 8, 2, move |lane, number| {
        let people = people.clone();
        async move {
            let (instances, night, me) = (&people.instances, &people.people[lane], &people.people[2]);
            let property = me.has(json!({})).await;
            let take = taken(me, night, &property, number / 2 % 4).await;
            let limited = night.browser.create_key_for(&property).await;
            let read = [&night.key, &limited].map(|key| read_with(key, &at(&property)));
            let hammer = Hammer::of(&instances.addresses(), &read);
            hammer.is_let_in().await;
            let answered = instances.change(take, 200).await;
            hammer.goes_on(answered).await;
            hammer.judge(answered, &[404])
        }
    })
    .await;
}

/// Lets somebody reach a property in one of four ways; the request that ends this.
async fn taken(me: &Person, night: &Person, property: &str, way: usize) -> Vec<u8> {
    let path = match way {
        0 => PROPERTY_USERS.at(&me.gives(&PROPERTY_USERS, property, night, "user").await),
        1 => {
            me.gives(&PROPERTY_USERS, property, night, "owner").await;
            at(property)
        }
        _ => {
            let group = me.has_group("Ours").await;
            let entry = me.gives(&GROUP_USERS, &group, night, "user").await;
            me.adds(&group, property).await.is(200);
            if way == 2 { GROUP_USERS.at(&entry) } else { part(&group, property) }
        }
    };
    write_with(&me.key, &format!("DELETE {path}"), &json!({}))
}
