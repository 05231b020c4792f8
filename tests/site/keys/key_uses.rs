//! What the list of keys tells of their use, and to whom.

use crate::browser::NEW_KEY;
use crate::client::{Call, Client};
use crate::html;
use crate::page::{face, key_rows, key_titles, seen, until};
use crate::people::{Person, world};
use crate::property::{PROPERTIES, UNKNOWN_ID};
use crate::response::Response;
use crate::server::Server;

const PROFILE: &str = "/user_profile";

fn key_at(id: &str, what: &str) -> String {
    format!("/user_profile/api_keys/{id}/{what}")
}

/// The page that waits for a key's first request, as soon as it has come.
async fn first_use(me: &Person, id: &str) -> Response {
    until("the first request of the key is seen", async || {
        let page = me.browser.get(&key_at(id, "first_use")).await.is(200);
        page.text().contains("data-first-use=\"seen\"").then_some(page)
    })
    .await
}

/// The row of a key, once it tells that it was used from this address.
async fn used_from(me: &Person, address: &str) -> String {
    until(&format!("a use from {address} is listed"), async || {
        let rows = key_rows(&me.browser.get(PROFILE).await.is(200));
        rows.into_iter().find(|row| row.contains(&format!(" {address} ")))
    })
    .await
}

#[actix_web::test]
async fn the_first_request_of_a_key_appears_beside_it() {
    let (_server, me) = world().await;
    let id = me.browser.key_id(&me.key).await;
    let waiting = me.browser.get(&key_at(&id, "first_use")).await.is(200);
    assert!(waiting.text().contains("data-first-use=\"waiting\""), "{waiting}");
    assert!(seen(waiting.text()).contains("No request with this key yet"), "{waiting}");
    let policy = waiting.header("content-security-policy").expect("a policy").to_owned();
    assert!(policy.contains("frame-ancestors 'self'"), "the dialog frames it: {policy}");

    me.api.get(PROPERTIES).header("user-agent", "FarolPMS/2.1").await.is(200);
    let page = first_use(&me, &id).await;
    let text = seen(page.text());
    for part in ["The first request with this key arrived on", "127.0.0.1", "FarolPMS/2.1", "The key works"] {
        assert!(text.contains(part), "no {part} in {page}");
    }
}

#[actix_web::test]
async fn a_refused_request_is_no_first_use() {
    let (server, me) = world().await;
    let id = me.browser.key_id(&me.key).await;
    server.run(&["subscription", "cancel", &me.user.email, "--now"]).ok();
    me.api.get(PROPERTIES).await.is(403);
    server.subscribe(&me.user.email);
    let other = me.browser.create_key("Other").await;
    let other_id = me.browser.key_id(&other).await;
    server.with_key(&other).get(PROPERTIES).await.is(200);
    // Uses are written in the order of their requests: when the other's is there, this one's would be.
    first_use(&me, &other_id).await;
    let page = me.browser.get(&key_at(&id, "first_use")).await.is(200);
    assert!(page.text().contains("data-first-use=\"waiting\""), "{page}");
}

#[actix_web::test]
async fn the_last_use_tells_when_from_where_and_by_which_client() {
    let (_server, me) = world().await;
    me.api.get(PROPERTIES).header("user-agent", "<b>FarolPMS</b>/2.1 \"night\"").await.is(200);
    let row = used_from(&me, "127.0.0.1").await;
    assert!(row.contains("<b>FarolPMS</b>/2.1 \"night\""), "{row}");
    assert!(!row.contains("never"), "{row}");
    let list = me.browser.get(PROFILE).await.is(200);
    assert!(!list.text().contains("<b>FarolPMS"), "a client's name is markup in {list}");
    let id = me.browser.key_id(&me.key).await;
    let question = me.browser.get(&key_at(&id, "withdraw")).await.is(200);
    assert!(seen(question.text()).contains("from 127.0.0.1 by <b>FarolPMS</b>/2.1"), "{question}");
}

#[actix_web::test]
async fn a_client_without_a_name_or_with_a_wild_one_is_listed_too() {
    let (server, me) = world().await;
    let other = me.browser.create_key("Other").await;
    me.api.get(PROPERTIES).await.is(200);
    let long = format!("{}\u{e9}\t", "x".repeat(4000));
    server.with_key(&other).get(PROPERTIES).header("user-agent", long.as_bytes()).await.is(200);
    let rows = until("both uses are listed", async || {
        let rows = key_rows(&me.browser.get(PROFILE).await.is(200));
        rows.iter().all(|row| row.contains("127.0.0.1")).then_some(rows)
    })
    .await;
    assert!(rows[0].contains(&"x".repeat(255)) && !rows[0].contains(&"x".repeat(256)), "{rows:?}");
}

#[actix_web::test]
async fn behind_a_trusted_proxy_the_address_is_the_one_it_forwards() {
    let server = Server::options().env("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8").start().await;
    let me = server.person("desk@farol.example").await;
    for (forwarded, address) in [
        ("203.0.113.1", "203.0.113.1"),
        ("198.51.100.7, 203.0.113.2", "203.0.113.2"),
        ("198.51.100.7, 203.0.113.3, 10.1.2.3", "203.0.113.3"),
        ("2001:db8::17", "2001:db8::17"),
        ("nonsense, 203.0.113.4", "203.0.113.4"),
        ("nonsense", "127.0.0.1"),
    ] {
        let key = me.browser.create_key("Behind a proxy").await;
        server.with_key(&key).get(PROPERTIES).header("x-forwarded-for", forwarded).await.is(200);
        used_from(&me, address).await;
    }
}

#[actix_web::test]
async fn a_forwarded_address_that_no_trusted_proxy_sent_is_not_believed() {
    for options in [Server::options(), Server::options().arg("--trusted-proxies").arg("203.0.113.1")] {
        let server = options.start().await;
        let me = server.person("desk@farol.example").await;
        me.api.get(PROPERTIES).header("x-forwarded-for", "203.0.113.9").await.is(200);
        used_from(&me, "127.0.0.1").await;
    }
}

#[actix_web::test]
async fn a_key_of_another_user_is_like_one_that_does_not_exist() {
    let (server, me) = world().await;
    let other = server.person("owner@aurora.example").await;
    let theirs = other.browser.key_id(&other.key).await;
    let get = |client: &Client, path: &str| client.get(path);
    let head = |client: &Client, path: &str| client.head(path);
    let post = |client: &Client, path: &str| client.post_form(path, &[("form_token", "a-token-of-this-test")]);
    let ways: [fn(&Client, &str) -> Call; 3] = [get, head, post];
    for what in ["withdraw", "first_use", "replace", "", "nothing"] {
        for way in ways {
            let unknown = way(&me.browser, &key_at(UNKNOWN_ID, what)).await;
            for id in [theirs.clone(), theirs.to_uppercase()] {
                let answer = way(&me.browser, &key_at(&id, what)).await;
                assert_eq!(face(&answer), face(&unknown), "{answer}");
            }
        }
    }
    for what in ["withdraw", "replace"] {
        me.browser.post_form(&key_at(&theirs, what), &[("form_token", "another")]).await.is(404);
    }
    me.browser.get(&key_at(&theirs, "withdraw")).await.is(404);
    me.browser.get(&key_at(&theirs, "first_use")).await.is(404);
    other.api.get(PROPERTIES).await.is(200);
    assert_eq!(key_titles(&other.browser.get(PROFILE).await), ["Front desk"]);
    assert_eq!(key_rows(&me.browser.get(PROFILE).await).len(), 1);
}

#[actix_web::test]
async fn the_list_shows_the_keys_of_nobody_else() {
    let (server, me) = world().await;
    let other = server.person("owner@aurora.example").await;
    other.browser.create_key("Aurora's own").await;
    assert_eq!(key_titles(&me.browser.get(PROFILE).await), ["Front desk"]);
    me.browser.withdraw_key(&me.key).await;
    me.browser.post_form("/user_profile/withdraw_all_keys", &[]).await.is(303);
    other.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn an_address_of_no_key_is_a_page_that_says_so() {
    let (_server, me) = world().await;
    for id in [UNKNOWN_ID, "1", "new", "%00", "%FF", "..%2f..", "\u{1f3e8}", "0197a3b2-0000-7000-8000-00000000000g"] {
        for what in ["withdraw", "first_use"] {
            let answer = me.browser.get(&key_at(id, what)).await.is(404);
            assert!(seen(answer.text()).contains("Page not found"), "{answer}");
        }
        me.browser.post_form(&key_at(id, "withdraw"), &[]).await.is(404);
        me.browser.post_form(&key_at(id, "replace"), &[]).await.is(404);
    }
}

#[actix_web::test]
async fn a_form_token_of_another_user_makes_no_key_and_shows_none() {
    let (server, me) = world().await;
    let other = server.person("owner@aurora.example").await;
    let form = other.browser.get(NEW_KEY).await.is(200);
    let token = html::input_value(form.text(), "form_token").expect("a form token");
    other.browser.send_new_key("Aurora's own", &token).await.is(200);
    let answer = me.browser.send_new_key("Mine", &token).await;
    assert!((400..500).contains(&answer.status), "{answer}");
    assert_eq!(html::keys(answer.text()), Vec::<&str>::new(), "{answer}");
    assert!(!answer.text().contains("Aurora"), "{answer}");
    assert_eq!(key_titles(&me.browser.get(PROFILE).await), ["Front desk"]);
    assert_eq!(key_titles(&other.browser.get(PROFILE).await), ["Aurora's own", "Front desk"]);
}
