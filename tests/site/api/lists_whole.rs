//! Lists without pages of a large account: whole, each row once, and with little memory, whatever others change meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::access::{GROUP_USERS, PROPERTY_USERS};
use crate::client::Client;
use crate::memory::peak;
use crate::people::Person;
use crate::property::{GROUPS, OPTIONS, PROPERTIES, at, body};
use crate::response::Response;
use crate::server::Server;
use crate::site::Site;

/// More than one block has (`src/resource/blocks.rs`).
const MANY: usize = 52_000;

/// KiB that a list may add to the memory of the server, in which the program of the tests, which is not optimised, takes
/// more than a released one.
const MOST_MORE: u64 = 24 * 1024;

/// The ids of a list, of which none may be there twice.
fn once(answer: &Response) -> BTreeSet<String> {
    let ids = answer.column("id");
    let set: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(ids.len(), set.len(), "{}", answer.call);
    set
}

/// The ids of the properties of each group.
fn of_groups(answer: &Response) -> BTreeSet<String> {
    let mut ids = Vec::new();
    for group in answer.data().as_array().expect("a list") {
        let properties = group["relationships"]["properties"]["data"].as_array().expect("a list");
        ids.extend(properties.iter().map(|property| format!("{} {}", group["id"], property["id"])));
    }
    let set: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(ids.len(), set.len());
    set
}

/// Creates and deletes properties, in between those that stay, until it is told to end; how many.
async fn changes(api: Client, ended: Arc<AtomicBool>) -> usize {
    for number in 0.. {
        let made = api.post(PROPERTIES, &body(json!({ "title": format!("Item {}x", number * 731 % 9_000) }))).await;
        api.delete(&at(&made.is(201).id())).await.is(200);
        if ended.load(Ordering::Relaxed) {
            return number;
        }
    }
    0
}

/// A server, and a person with very many properties.
async fn large() -> (Server, Person) {
    let Site { server, alice, .. } = Site::<0>::shared_with([]).await;
    server.copy_property(MANY).await;
    (server, alice)
}

#[actix_web::test]
async fn lists_of_more_than_a_block_have_each_row_once_while_others_change() {
    let (server, me) = large().await;
    let small = me.has_group("Small").await;
    let lists = [OPTIONS, PROPERTY_USERS.path, GROUP_USERS.path];
    let mut before: Vec<BTreeSet<String>> = Vec::new();
    for list in lists {
        before.push(once(&me.api.get(list).await.is(200)));
    }
    before.push(of_groups(&me.api.get(GROUPS).await.is(200)));
    let lengths: Vec<usize> = before.iter().map(BTreeSet::len).collect();
    assert_eq!(lengths, [MANY + 1, MANY + 1, 2, MANY + 1], "{small}");

    let memory = peak(&server);
    let ended = Arc::new(AtomicBool::new(false));
    let changing = actix_web::rt::spawn(changes(me.api.clone(), ended.clone()));
    for (list, before) in lists.iter().zip(&before) {
        let answer = me.api.get(list).await.is(200);
        assert_eq!(answer.header("etag").is_none(), before.len() > 2, "{list}");
        let now = once(&answer);
        assert!(before.is_subset(&now), "{list}: {:?}", before.difference(&now).take(3).collect::<Vec<_>>());
        assert!(now.len() - before.len() < 40, "{list}");
    }
    let answer = me.api.get(GROUPS).await.is(200);
    assert!(before[3].is_subset(&of_groups(&answer)));
    ended.store(true, Ordering::Relaxed);
    assert!(changing.await.expect("it ends") > 3);
    let more = peak(&server).saturating_sub(memory);
    assert!(more <= MOST_MORE, "{more} KiB more");
}

#[actix_web::test]
async fn a_whole_list_is_in_the_order_that_is_asked_for_and_has_what_is_asked_for() {
    let (_server, me) = large().await;
    let titles = async |query: &str| {
        let answer = me.api.get(&format!("{OPTIONS}?{query}")).await.is(200);
        once(&answer);
        answer.column("title")
    };
    let mut sorted = titles("").await;
    assert!(sorted.is_sorted_by_key(|title| title.to_lowercase()));
    sorted.reverse();
    assert_eq!(titles("order[title]=desc").await, sorted);
    assert_eq!(titles("order[currency]=asc&order[title]=desc").await, sorted);
    sorted.retain(|title| title != "Item 7" && title != "Item 51999");
    assert_eq!(titles("order[title]=desc&filter[title][not]=Item%207,Item%2051999").await, sorted);
    assert_eq!(titles("filter[title]=Item%2051999").await, ["Item 51999"]);
}
