//! The total of a list is stored, and changed by whatever gives or ends access: it is what a count would find. When a
//! test ends, `tests/support/derived.rs` counts for all users; here it is seen while people change the same things at
//! once.

use std::future::IntoFuture;
use std::time::Duration;

use actix_web::rt::time::sleep;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use crate::access::{GROUP_USERS, PROPERTY_USERS, Users, part};
use crate::client::{Call, at_once, warm};
use crate::people::Person;
use crate::property::{PROPERTIES, at, body};
use crate::response::Response;
use crate::rounds::rounds;
use crate::site::Site;

#[actix_web::test]
async fn a_list_of_more_properties_than_are_read_at_once_tells_their_total() {
    let Site { server, alice, others: [bob], home, farol } = &Site::shared_with(["bob@aurora.example"]).await;
    let second = alice.has_group("Second").await;
    server.copy_property(250).await;
    let total = async |person: &Person, query: &str| {
        person.api.get(&format!("{PROPERTIES}{query}")).await.is(200).json()["meta"]["total"].clone()
    };
    for query in ["", "?pagination[page]=3", "?pagination[page]=900", "?order[currency]=desc", "?pagination[page]=26"] {
        assert_eq!(total(alice, query).await, 251, "{query}");
    }
    assert_eq!(total(alice, "?filter[title][not]=x&filter[currency]=EUR").await, 251);
    assert_eq!(total(alice, "?filter[title]=x").await, 0);
    assert!(alice.browser.get("/properties").await.is(200).text().contains("251 properties"));
    let made = alice.has(json!({ "group_id": second })).await;
    alice.adds(home, &made).await.is(200);
    assert_eq!(total(alice, "").await, 252, "by two ways, and counted once");
    assert_eq!(total(bob, "").await, 0);
    let entry = alice.gives(&GROUP_USERS, home, bob, "user").await;
    assert_eq!(total(bob, "").await, 252);
    alice.gives(&PROPERTY_USERS, &made, bob, "user").await;
    assert_eq!(total(bob, "").await, 252);
    alice.takes_out(&second, &made).await.is(200);
    alice.api.delete(&at(farol)).await.is(200);
    assert_eq!((total(alice, "").await, total(bob, "").await), (json!(251), json!(251)));
    alice.api.delete(&GROUP_USERS.at(&entry)).await.is(200);
    assert_eq!((total(alice, "").await, total(bob, "").await), (json!(251), json!(1)));
}

/// Two changes, of which neither alone tells whether somebody still sees a property.
#[actix_web::test]
async fn ways_that_begin_and_end_at_once_are_counted_once() {
    let site = Site::shared_with(["bob@aurora.example"]).await;
    let Site { server, alice, others: [bob], home, .. } = &site;
    let second = alice.has_group("Second").await;
    for round in 0..rounds(12) {
        server.another_day().await;
        let farol = alice.has(json!({})).await;
        let invite =
            |users: &Users, id: &str| alice.api.post(users.path, &users.invitation(id, &bob.user.email, "user"));
        let put = |group: &str| alice.api.post(part(group, &farol).as_str(), &json!({}));
        let take = |group: &str| alice.api.delete(&part(group, &farol));
        let gives = async |users: &Users, id: &str| users.at(&alice.gives(users, id, bob, "user").await);
        let kind = round % 6;
        let (mut calls, entries): ([Call; 2], Vec<String>) = match kind {
            // Into its group, and it into another one of his.
            0 => {
                let entry = gives(&GROUP_USERS, &second).await;
                ([invite(&GROUP_USERS, home), put(&second)], vec![entry])
            }
            // Out of its group, and it out of another one of his.
            1 => {
                let entry = gives(&GROUP_USERS, &second).await;
                put(&second).await.is(200);
                let other = gives(&GROUP_USERS, home).await;
                ([alice.api.delete(&other), take(&second)], vec![entry])
            }
            // Out of its group, while it is deleted.
            2 => {
                let entry = gives(&GROUP_USERS, home).await;
                ([alice.api.delete(&entry), alice.api.delete(&at(&farol))], vec![])
            }
            // To it directly, while it is put into a group of his.
            3 => {
                let entry = gives(&GROUP_USERS, &second).await;
                ([invite(&PROPERTY_USERS, &farol), put(&second)], vec![entry])
            }
            // Into two groups that have it.
            4 => {
                put(&second).await.is(200);
                ([invite(&GROUP_USERS, home), invite(&GROUP_USERS, &second)], vec![])
            }
            // Into a group that gets it.
            _ => ([invite(&GROUP_USERS, &second), put(&second)], vec![]),
        };
        warm(&[&alice.api]).await;
        // Neither can write totals before both have come as far as they can, one first or the other.
        let held = server.hold("select user_id from property_totals for update").await;
        let mut answers = Vec::new();
        if round / 6 % 2 == 1 {
            calls.reverse();
        }
        for call in calls {
            answers.push(actix_web::rt::spawn(call.into_future()));
            sleep(Duration::from_millis(80)).await;
        }
        held.release().await;
        for answer in answers {
            let answer = answer.await.expect("an answer");
            assert!([200, 201].contains(&answer.status), "{kind}: {answer}");
        }
        assert_eq!(server.wrong(), Vec::<String>::new(), "kind {kind}");
        for entry in entries {
            alice.api.delete(&entry).await.is(200);
        }
        for users in [&GROUP_USERS, &PROPERTY_USERS] {
            let mine = alice.api.get(users.path).await.is(200);
            for entry in mine.data().as_array().expect("a list") {
                if entry["relationships"]["user"]["data"]["email"] == *bob.user.email {
                    alice.api.delete(&users.at(entry["id"].as_str().expect("an id"))).await.is(200);
                }
            }
        }
        alice.api.delete(&at(&farol)).await;
    }
}

/// What several people do at once, and what they leave.
struct Crowd<'a> {
    people: Vec<&'a Person>,
    groups: Vec<String>,
    properties: Vec<String>,
    /// Addresses of links that can be ended.
    links: Vec<String>,
    random: StdRng,
}

impl Crowd<'_> {
    /// Something that one of them might do.
    fn call(&mut self) -> Call {
        let random = &mut self.random;
        let person = self.people.choose(random).expect("a person");
        let to = self.people.choose(random).expect("a person");
        let group = self.groups.choose(random).expect("a group");
        let kind = random.random_range(0..12);
        let Some(property) = self.properties.choose(random).filter(|_| kind > 1) else {
            return person.api.post(PROPERTIES, &body(json!({ "group_id": group })));
        };
        let invite =
            |users: &Users, id: &str| person.api.post(users.path, &users.invitation(id, &to.user.email, "owner"));
        match kind {
            2..=4 => person.api.post(&part(group, property), &json!({})),
            5 | 6 => person.api.delete(&part(group, property)),
            7 => invite(&PROPERTY_USERS, property),
            8 => invite(&GROUP_USERS, group),
            9 => person.api.delete(&at(property)),
            _ => match self.links.choose(random) {
                Some(link) => person.api.delete(link),
                None => invite(&PROPERTY_USERS, property),
            },
        }
    }

    /// Remembers what there is now.
    fn note(&mut self, answer: &Response) {
        assert!(answer.status < 500, "{answer}");
        if answer.status != 201 {
            return;
        }
        match answer.data()["type"].as_str() {
            Some("property") => self.properties.push(answer.id()),
            Some("property_user") => self.links.push(PROPERTY_USERS.at(&answer.id())),
            _ => self.links.push(GROUP_USERS.at(&answer.id())),
        }
    }
}

#[actix_web::test]
async fn the_totals_of_people_who_share_everything_are_those_that_a_count_finds() {
    let site = Site::shared_with(["bob@aurora.example", "carol@aurora.example", "dave@aurora.example"]).await;
    let Site { server, alice, others: [bob, carol, dave], home, farol } = &site;
    let people = vec![alice, bob, carol, dave];
    let mut groups = vec![home.clone()];
    for person in &people {
        groups.push(person.has_group("Shared").await);
        // All but one of the others own it at first.
        for other in people.iter().filter(|other| other.user.email != person.user.email).skip(1) {
            person.gives(&GROUP_USERS, groups.last().expect("it"), other, "owner").await;
        }
    }
    let random = StdRng::seed_from_u64(1_311);
    let mut crowd = Crowd { people, groups, properties: vec![farol.clone()], links: Vec::new(), random };
    for round in 0..rounds(16) {
        server.another_day().await;
        let calls: Vec<Call> = (0..24).map(|_| crowd.call()).collect();
        for answer in at_once(calls).await {
            crowd.note(&answer);
        }
        assert_eq!(server.wrong(), Vec::<String>::new(), "round {round}");
    }
}
