//! Requests as the clients in the field send them, to groups and users. Those to properties are in `api_requests.rs`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::access::{GROUP_USERS, PROPERTY_USERS, part, success};
use crate::people::{Person, world};
use crate::property::{GROUPS, PROPERTIES, at, body, group_at};
use crate::raw;
use crate::response::Response;
use crate::server::Server;

/// A server, somebody with a property, and the four lists and reads about it.
async fn furnished() -> (Server, Person, String, Vec<String>) {
    let (server, me) = world().await;
    let farol = me.has(json!({})).await;
    let group = me.group().await;
    let property_user = me.entry(&PROPERTY_USERS, &farol, &me.user.email).await;
    let group_user = me.entry(&GROUP_USERS, &group, &me.user.email).await;
    let reads = vec![
        GROUPS.to_owned(),
        group_at(&group),
        PROPERTY_USERS.path.to_owned(),
        PROPERTY_USERS.at(&property_user),
        GROUP_USERS.path.to_owned(),
        GROUP_USERS.at(&group_user),
    ];
    (server, me, farol, reads)
}

const LISTS: [&str; 3] = [GROUPS, PROPERTY_USERS.path, GROUP_USERS.path];

fn sent(server: &Server, me: &Person, head: &str, lines: &[&str], body: &[u8]) -> Response {
    let key = format!("user-api-key:{}", me.key);
    let mut lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
    lines.push(key.as_bytes());
    server.raw(&raw::request(head, &lines, body))
}

#[actix_web::test]
async fn a_key_without_a_space_before_it_opens_every_collection() {
    let (server, me, farol, reads) = furnished().await;
    for path in reads {
        sent(&server, &me, &format!("GET {path}"), &[], b"").is(200);
    }
    let group = br#"{"group":{"title":"Spare"}}"#;
    let id = sent(&server, &me, &format!("POST {GROUPS}"), &[], group).is(201).id();
    sent(&server, &me, &format!("POST {}", part(&id, &farol)), &[], b"").is(200).says(success());
    sent(&server, &me, &format!("DELETE {}", part(&id, &farol)), &[], b"").is(200).says(success());
    sent(&server, &me, &format!("DELETE {}", group_at(&id)), &[], b"").is(200).says(success());
}

#[actix_web::test]
async fn a_get_with_the_body_null_and_a_content_type_is_a_get() {
    let (_server, me, _farol, reads) = furnished().await;
    for path in reads {
        let plain = me.api.get(&path).await.is(200);
        for body in ["null", "[]", "{}", "{"] {
            let call = me.api.get(&path).header("content-type", "application/json").body(body);
            assert_eq!(call.await.face(), plain.face());
        }
        let call = me.api.get(&path).header("content-type", "application/json");
        assert_eq!(call.await.face(), plain.face());
    }
}

#[actix_web::test]
async fn an_action_needs_no_body_and_takes_any_empty_one() {
    let (server, me, farol, _) = furnished().await;
    for empty in [None, Some(""), Some("[]"), Some("{}"), Some("null"), Some("\"\""), Some(" ")] {
        let group = me.has_group("Spare").await;
        let guest = me.invites(&GROUP_USERS, &group, "guest@farol.example", "user").await.is(201).id();
        for (method, path) in [
            (Method::POST, part(&group, &farol)),
            (Method::DELETE, part(&group, &farol)),
            (Method::DELETE, GROUP_USERS.at(&guest)),
            (Method::DELETE, group_at(&group)),
        ] {
            let mut call = me.api.call(method, &path).header("content-type", "application/json");
            if let Some(body) = empty {
                call = call.body(body);
            }
            call.await.is(200).says(success());
        }
    }
    // Without a length, with a length of nothing, and in chunks of nothing.
    let group = me.has_group("Spare").await;
    let path = part(&group, &farol);
    for (lines, end) in [
        (&[][..], &b""[..]),
        (&["Content-Length: 0"], b""),
        (&["Content-Type: application/json", "Content-Length: 0"], b""),
        (&["Transfer-Encoding: chunked"], b"0\r\n\r\n"),
        (&["Content-Type: application/x-www-form-urlencoded", "Content-Length:0"], b""),
    ] {
        for method in ["POST", "DELETE"] {
            let key = format!("user-api-key:{}", me.key);
            let mut all: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
            all.push(key.as_bytes());
            let mut request = raw::request(&format!("{method} {path}"), &all, b"");
            request.extend_from_slice(end);
            server.raw(&request).is(200).says(success());
        }
    }
}

#[actix_web::test]
async fn stray_arguments_change_nothing_anywhere() {
    let (_server, me, farol, reads) = furnished().await;
    let stray =
        ["?", "?&&", "?&", "?relationships=all", "?relationships[]=all", "?include=users&fields[group]=title", "?_=1"];
    for path in reads {
        let plain = me.api.get(&path).await.is(200);
        for query in stray {
            for slash in ["", "/"] {
                let answer = me.api.get(&format!("{path}{slash}{query}")).await;
                assert_eq!(answer.face(), plain.face(), "{answer}");
            }
        }
    }
    for query in stray {
        for slash in ["", "/"] {
            let end = format!("{slash}{query}");
            let group = json!({ "group": { "title": "Spare" } });
            let id = me.api.post(&format!("{GROUPS}{end}"), &group).await.is(201).id();
            me.api.put(&format!("{}{end}", group_at(&id)), &group).await.is(200);
            me.api.post(&format!("{}{end}", part(&id, &farol)), &json!([])).await.is(200);
            me.api.delete(&format!("{}{end}", part(&id, &farol))).await.is(200);
            let invitation = GROUP_USERS.invitation(&id, "guest@farol.example", "user");
            let guest = me.api.post(&format!("{}{end}", GROUP_USERS.path), &invitation).await.is(201).id();
            let change = GROUP_USERS.change(json!({ "role": "user" }));
            me.api.put(&format!("{}{end}", GROUP_USERS.at(&guest)), &change).await.is(200);
            me.api.delete(&format!("{}{end}", GROUP_USERS.at(&guest))).await.is(200);
            me.api.delete(&format!("{}{end}", group_at(&id))).await.is(200);
        }
    }
}

#[actix_web::test]
async fn brackets_arrive_raw_and_encoded() {
    let (server, me, farol, _) = furnished().await;
    me.has(json!({ "title": "Aurora" })).await;
    let (open, close) = (["[", "%5B", "%5b"], ["]", "%5D", "%5d"]);
    for (open, close) in open.iter().zip(close).chain([(&"[", "%5D"), (&"%5b", "]")]) {
        for slash in ["", "/"] {
            let query = format!("filter{open}property_id{close}={farol}&order{open}role{close}=asc");
            let head = format!("GET {}{slash}?{query}", PROPERTY_USERS.path);
            assert_eq!(sent(&server, &me, &head, &[], b"").is(200).column("property_id"), [&*farol]);
            let query = format!("filter{open}title{close}{open}not{close}=User+Group&pagination{open}page{close}=1");
            let answer = sent(&server, &me, &format!("GET {GROUPS}{slash}?{query}"), &[], b"").is(200);
            answer.says(json!({ "data": [], "meta": { "page": 1, "limit": 10, "total": 0 } }));
        }
    }
}

#[actix_web::test]
async fn pages_may_be_asked_for_in_short() {
    let (_server, me, _farol, _) = furnished().await;
    for list in LISTS {
        let whole = me.api.get(list).await.is(200);
        for query in ["?page=1&limit=100", "/?page=1&limit=100", "/?limit=100&page=1&&", "?limit=100"] {
            let page = me.api.get(&format!("{list}{query}")).await.is(200);
            assert_eq!(page.data(), whole.data());
            assert_eq!(page.json()["meta"], json!({ "page": 1, "limit": 100, "total": 1 }));
        }
        let second = me.api.get(&format!("{list}?page=2&limit=100")).await.is(200);
        second.says(json!({ "data": [], "meta": { "page": 2, "limit": 100, "total": 1 } }));
        for query in ["page=0", "page=", "limit=-1", "limit=ten", "page=1.5"] {
            let argument = query.split('=').next().expect("an argument");
            let answer = me.api.get(&format!("{list}?{query}")).await;
            answer.error_with("bad_request", json!([format!("pagination[{argument}] is invalid")]));
        }
    }
}

#[actix_web::test]
async fn json_is_said_of_everything() {
    let (_server, me, farol, reads) = furnished().await;
    let api = me.api.clone().always("content-type", "application/json").always("accept", "application/json");
    for path in reads {
        api.get(&path).await.is(200);
        api.head(&path).await.is(200);
    }
    let id = api.post(GROUPS, &json!({ "group": { "title": "Spare" } })).await.is(201).id();
    api.call(Method::POST, &part(&id, &farol)).await.is(200);
    api.delete(&part(&id, &farol)).await.is(200);
    api.delete(&group_at(&id)).await.is(200);
}

/// Makes a property unless it is there, as a client does that keeps no ids.
async fn found_or_made(me: &Person, title: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(title.as_bytes()).collect();
    let found = me.api.get(&format!("{PROPERTIES}/?filter%5Btitle%5D={encoded}&page=1&limit=100")).await.is(200);
    match found.column("id").first() {
        Some(id) => id.clone(),
        None => me.api.post(&format!("{PROPERTIES}/"), &body(json!({ "title": title }))).await.is(201).id(),
    }
}

#[actix_web::test]
async fn a_client_without_memory_finds_what_it_made() {
    let (_server, me) = world().await;
    for title in ["Casa do Farol", "Inn, North & South", "100% Ärger + mehr", "Zimmer [7]", "a=b", "東京 🏨"] {
        let made = found_or_made(&me, title).await;
        assert_eq!(found_or_made(&me, title).await, made);
    }
    assert_eq!(me.api.get(PROPERTIES).await.json()["meta"]["total"], 6);
    // The same with people: whoever is listed is not invited again.
    let farol = found_or_made(&me, "Casa do Farol").await;
    for _ in 0..2 {
        let users = me.roles(&PROPERTY_USERS, &farol).await;
        if !users.iter().any(|(email, _)| email == "guest@farol.example") {
            me.invites(&PROPERTY_USERS, &farol, "guest@farol.example", "user").await.is(201);
        }
    }
    assert_eq!(me.roles(&PROPERTY_USERS, &farol).await.len(), 2);
}

#[actix_web::test]
async fn what_was_read_can_be_sent_back() {
    let (_server, me, farol, reads) = furnished().await;
    for (path, key) in [(&reads[1], "group"), (&reads[3], "property_user"), (&reads[5], "group_user")] {
        let read = me.api.get(path).await.is(200);
        // As attributes, and as the whole resource with everything else in it.
        for sent in [read.attributes(), with(read.attributes(), &read.data())] {
            let body = json!({ key: sent, "data": read.data() });
            me.api.put(path, &body).await.is(200).says(read.json());
        }
    }
    let read = me.api.get(&at(&farol)).await.is(200);
    me.updates(&farol, read.attributes()).await.is(200).says(read.json());
}

/// These attributes with the other keys of a resource beside them.
fn with(mut attributes: Value, resource: &Value) -> Value {
    for (name, value) in resource.as_object().expect("a resource") {
        attributes[name] = value.clone();
    }
    attributes
}

#[actix_web::test]
async fn an_etag_is_that_of_what_the_caller_sees() {
    let (_server, me, farol, reads) = furnished().await;
    for path in &reads {
        let read = me.api.get(path).await.is(200);
        let etag = read.header("etag").expect("an ETag").to_owned();
        me.api.get(path).header("if-none-match", &etag).await.is(304);
    }
    let etags = async || {
        let mut etags = Vec::new();
        for path in &reads {
            etags.push(me.api.get(path).await.is(200).header("etag").expect("an ETag").to_owned());
        }
        etags
    };
    let before = etags().await;
    let names = [("name", "Rita"), ("time_zone", "UTC")];
    me.browser.post_form("/user_profile", &names).await.is(303);
    me.updates(&farol, json!({ "title": "Farol" })).await.is(200);
    let after = etags().await;
    for ((before, after), path) in before.iter().zip(&after).zip(&reads) {
        assert_ne!(before, after, "{path}");
    }
}
