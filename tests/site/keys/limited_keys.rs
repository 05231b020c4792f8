//! What keys limited to chosen properties, and keys that only read, get from every operation of the API.

use std::collections::BTreeSet;

use serde_json::json;

use crate::access::{GROUP_USERS, PROPERTY_USERS};
use crate::api::operations::Gets::{Absent, Done};
use crate::api::operations::{OPERATIONS, Things};
use crate::client::Client;
use crate::people::{Person, world};
use crate::property::{GROUPS, PROPERTIES, at, group_at};
use crate::raw;
use crate::server::Server;

/// A server, somebody, and keys of theirs: full, limited, and both again for reading only.
struct Keys {
    server: Server,
    me: Person,
    limited: Client,
    read_only: Client,
    read_only_key: String,
    limited_read_only: Client,
    /// May do everything but manage users.
    no_users: Client,
    /// The ids of the two limited keys.
    ids: [String; 2],
}

impl Keys {
    async fn new() -> Self {
        let (server, me) = world().await;
        let (mut keys, mut texts) = (Vec::new(), Vec::new());
        for (title, all, read_only, manage_users) in [
            ("Limited", false, false, false),
            ("Reads", true, true, false),
            ("Limited, reads", false, true, false),
            ("No users", true, false, false),
        ] {
            let key = me.browser.create_key(title).await;
            let id = me.browser.key_id(&key).await;
            let sql = format!(
                "update api_keys set all_properties = {all}, read_only = {read_only}, manage_users = {manage_users}
                 where id = {}",
                server.literal(&id)
            );
            assert_eq!(server.sql(&sql).await, 1);
            keys.push((server.with_key(&key), id));
            texts.push(key);
        }
        let [(limited, first), (read_only, _), (limited_read_only, second), (no_users, _)] =
            <[_; 4]>::try_from(keys).unwrap_or_else(|_| panic!("four keys"));
        let read_only_key = texts.swap_remove(1);
        Self { server, me, limited, read_only, read_only_key, limited_read_only, no_users, ids: [first, second] }
    }

    /// Adds a property to the selections of the limited keys.
    async fn choose(&self, property: &str) {
        for id in &self.ids {
            let (key, property) = (self.server.literal(id), self.server.literal(property));
            let sql = format!("insert into api_key_properties (key_id, property_id) values ({key}, {property})");
            assert_eq!(self.server.sql(&sql).await, 1);
        }
    }

    async fn chosen(&self) -> Things {
        let things = Things::new(&self.me, "Casa do Farol").await;
        self.choose(&things.property).await;
        things
    }

    /// Those of before, or new ones: what an operation has written would be in the way of the next one.
    async fn chosen_or(&self, before: Option<Things>) -> Things {
        match before {
            Some(things) => things,
            None => self.chosen().await,
        }
    }

    async fn other(&self) -> Things {
        Things::new(&self.me, "Aurora").await
    }
}

#[actix_web::test]
async fn a_full_key_does_it_all() {
    let keys = Keys::new().await;
    let mut unchanged = None;
    for operation in OPERATIONS {
        let things = keys.chosen_or(unchanged.take()).await;
        Done(operation.full).check(operation.call(&keys.me.api, &things).await, operation);
        unchanged = (!operation.writes()).then_some(things);
    }
}

#[actix_web::test]
async fn for_a_limited_key_only_the_chosen_properties_exist() {
    let keys = Keys::new().await;
    let (mut unchanged, other) = (None, keys.other().await);
    for operation in OPERATIONS {
        let chosen = keys.chosen_or(unchanged.take()).await;
        operation.chosen.check(operation.call(&keys.limited, &chosen).await, operation);
        let before = keys.me.api.get(&at(&other.property)).await.is(200).json();
        let answer = operation.call(&keys.limited, &other).await;
        assert!(!answer.text().contains(&other.property) && !answer.text().contains("Aurora"), "{answer}");
        operation.other.check(answer, operation);
        if operation.other == Absent {
            keys.me.api.get(&at(&other.property)).await.is(200).says(before);
        }
        unchanged = (!operation.writes()).then_some(chosen);
    }
}

#[actix_web::test]
async fn a_read_only_key_reads_everything_and_writes_nothing() {
    let keys = Keys::new().await;
    let (things, _) = (keys.chosen().await, keys.other().await);
    for operation in OPERATIONS {
        let before = keys.me.api.get(&at(&things.property)).await.is(200).json();
        let answer = operation.call(&keys.read_only, &things).await;
        operation.read_only(Done(operation.full)).check(answer, operation);
        keys.me.api.get(&at(&things.property)).await.is(200).says(before);
    }
    for (path, count) in [(GROUPS, 1), (PROPERTY_USERS.path, 2), (GROUP_USERS.path, 2)] {
        let read = keys.read_only.get(path).await.is(200).column("id");
        assert_eq!(read, keys.me.api.get(path).await.column("id"));
        assert!(read.len() > count);
    }
}

#[actix_web::test]
async fn a_key_that_may_not_manage_users_does_everything_else() {
    let keys = Keys::new().await;
    let mut unchanged = None;
    for operation in OPERATIONS {
        let things = keys.chosen_or(unchanged.take()).await;
        let answer = operation.call(&keys.no_users, &things).await;
        unchanged = (!operation.writes()).then_some(things);
        if operation.method != "GET" && operation.path.contains("_users") {
            answer.error_with("forbidden", json!(["the API key may not manage users"]));
        } else {
            Done(operation.full).check(answer, operation);
        }
    }
}

#[actix_web::test]
async fn what_a_key_may_not_do_is_told_whatever_the_id_and_before_the_body_is_read() {
    let keys = Keys::new().await;
    for operation in OPERATIONS.iter().filter(|operation| operation.method != "GET") {
        // The body is promised and never comes.
        let path = operation.path.replace(['{', '}'], "");
        let key = format!("user-api-key: {}", keys.read_only_key);
        let lines: [&[u8]; 2] = [key.as_bytes(), b"Content-Length: 10485760"];
        let answer = raw::exchange(
            keys.server.address(),
            &raw::standing_request(&format!("{} /api/v1{path}", operation.method), &lines, b""),
        );
        answer.error_with("forbidden", json!(["the API key is read-only"]));
    }
}

#[actix_web::test]
async fn a_limited_key_that_only_reads_reads_what_is_chosen() {
    let keys = Keys::new().await;
    let (chosen, other) = (keys.chosen().await, keys.other().await);
    for operation in OPERATIONS {
        let answer = operation.call(&keys.limited_read_only, &chosen).await;
        operation.read_only(operation.chosen).check(answer, operation);
        let answer = operation.call(&keys.limited_read_only, &other).await;
        assert!(!answer.text().contains(&other.property) && !answer.text().contains("Aurora"), "{answer}");
        operation.read_only(operation.other).check(answer, operation);
    }
}

#[actix_web::test]
async fn lists_and_relationships_hold_what_is_chosen() {
    let keys = Keys::new().await;
    let (me, limited) = (&keys.me, &keys.limited);
    let none = limited.get(PROPERTIES).await.is(200);
    assert_eq!(none.json(), json!({ "data": [], "meta": { "page": 1, "limit": 10, "total": 0 } }));
    let (farol, aurora) = (me.has(json!({})).await, me.has(json!({ "title": "Aurora" })).await);
    keys.choose(&farol).await;
    let group = me.group().await;
    let list = limited.get(PROPERTIES).await.is(200);
    assert_eq!((list.column("id"), list.json()["meta"]["total"].clone()), (vec![farol.clone()], json!(1)));
    for query in [format!("filter[id]={farol},{aurora}"), format!("filter[group_id]={group}")] {
        assert_eq!(limited.get(&format!("{PROPERTIES}?{query}")).await.column("id"), [&*farol]);
    }
    let not = limited.get(&format!("{PROPERTIES}?filter[id][not]={farol}")).await;
    assert_eq!(not.column("id"), Vec::<String>::new());
    for path in [GROUPS, &group_at(&group)] {
        let answer = limited.get(path).await.is(200);
        assert!(answer.text().contains(&farol) && !answer.text().contains(&aurora), "{answer}");
    }
    assert_eq!(limited.get(PROPERTY_USERS.path).await.column("property_id"), [&*farol]);
    let groups = limited.get(&at(&farol)).await.is(200).data()["relationships"]["groups"]["data"].clone();
    assert_eq!(groups[0]["id"], json!(group));
    // Of two chosen ones, one that is deleted leaves the other.
    keys.choose(&aurora).await;
    assert_eq!(limited.get(PROPERTIES).await.column("title"), ["Aurora", "Casa do Farol"]);
    limited.delete(&at(&farol)).await.is(200);
    assert_eq!(limited.get(PROPERTIES).await.column("title"), ["Aurora"]);
}

#[actix_web::test]
async fn a_chosen_property_that_its_user_has_lost_is_lost_for_the_key() {
    let keys = Keys::new().await;
    let owner = keys.server.person("owner@aurora.example").await;
    let aurora = owner.has(json!({ "title": "Aurora" })).await;
    let entry = owner.gives(&PROPERTY_USERS, &aurora, &keys.me, "user").await;
    keys.choose(&aurora).await;
    keys.limited.get(&at(&aurora)).await.is(200);
    // The key has its user's role, nothing more.
    keys.limited.delete(&at(&aurora)).await.error("forbidden");
    owner.api.delete(&PROPERTY_USERS.at(&entry)).await.is(200);
    for client in [&keys.limited, &keys.limited_read_only] {
        client.get(&at(&aurora)).await.error("not_found");
        assert_eq!(client.get(PROPERTIES).await.column("id"), Vec::<String>::new());
    }
}

#[actix_web::test]
async fn no_operation_of_the_api_is_missing_above() {
    /// Templates name their parts differently; what counts is where they are.
    fn place(path: &str) -> String {
        let path = path.split('?').next().unwrap_or(path);
        let path = path.strip_prefix("/api/v1").unwrap_or(path);
        let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
        parts.collect::<Vec<_>>().join("/")
    }
    let server = Server::start().await;
    let document = server.anonymous().get("/api/v1/openapi.json").await.is(200).json();
    let paths = document["paths"].as_object().expect("paths");
    let offered: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, operations)| {
            let methods = operations.as_object().expect("operations").keys();
            let methods = methods.map(|method| method.to_uppercase());
            methods
                .filter(|method| ["GET", "POST", "PUT", "DELETE"].contains(&&**method))
                .map(|method| (place(path), method))
                .collect::<Vec<_>>()
        })
        .filter(|(path, _)| path != "/openapi.json")
        .collect();
    let known: BTreeSet<(String, String)> =
        OPERATIONS.iter().map(|operation| (place(operation.path), operation.method.to_owned())).collect();
    let missing: Vec<_> = offered.difference(&known).collect();
    assert!(missing.is_empty(), "what do limited and read-only keys get from {missing:?}?");
    let unknown: Vec<_> = known.difference(&offered).collect();
    assert!(unknown.is_empty(), "the document does not know {unknown:?}");
}
