//! More at once than the server can do: what is too much is refused at once, the rest goes on.

use std::future::IntoFuture;
use std::io::Write;
use std::net::TcpStream;

use actix_web::rt::spawn;
use serde_json::json;

use crate::app::TestApp;
use crate::host::Host;
use crate::page::{seen, until};
use crate::property::PROPERTIES;
use crate::raw;

#[actix_web::test]
async fn where_writes_of_pages_stand_still_more_pages_are_refused_at_once_and_programs_go_on() {
    let host = Host::new().await;
    let server = host.serve(&["--max-requests", "8"]);
    let me = server.person(&host, "desk@farol.example").await;
    let other = me.browser.create_key("Other").await;
    let withdraw = format!("/user_profile/api_keys/{}/withdraw", me.browser.key_id(&other).await);
    let held = host.hold_keys().await;
    let mut waiting = Vec::new();
    let refused = until("a page is refused", async || {
        // On a slow machine one may have given up before the other has come.
        waiting.retain(|write: &actix_web::rt::task::JoinHandle<_>| !write.is_finished());
        while waiting.len() < 2 {
            waiting.push(spawn(me.browser.post_form(&withdraw, &[]).into_future()));
        }
        let answer = server.client().get("/docs").await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    assert!(waiting.iter().any(|write| !write.is_finished()), "it was refused because of those that wait");
    assert!(refused.header("retry-after").is_some(), "{refused}");
    assert!(seen(refused.text()).contains("try again in a few seconds"), "{refused}");
    me.api.get(PROPERTIES).await.is(200);
    server.client().get("/readyz").await.is(200);
    held.release().await;
    for write in waiting {
        write.await.expect("an answer");
    }
    server.client().get("/docs").await.is(200);
}

#[actix_web::test]
async fn bodies_that_are_too_much_together_are_refused_at_once_and_small_ones_are_not() {
    let app = TestApp::start().await;
    let me = app.person("desk@farol.example").await;
    let head = format!(
        "POST /api/v1/properties HTTP/1.1\r\nHost: 127.0.0.1\r\nuser-api-key: {}\r\nContent-Length: 10000000\r\n\r\n{{",
        me.key
    );
    // Each promises 10 MB and sends one byte.
    let open = |count| -> Vec<TcpStream> {
        let one = |_| {
            let mut stream = TcpStream::connect(app.address()).expect("the server listens");
            stream.write_all(head.as_bytes()).expect("a head");
            stream
        };
        (0..count).map(one).collect()
    };
    let six = open(6);
    let large = vec![b' '; 9_000_000];
    let key = format!("user-api-key: {}", me.key);
    let send = || app.raw(&raw::request("POST /api/v1/properties", &[key.as_bytes()], &large));
    until("a large body is refused", async || {
        let answer = send();
        (answer.status == 503 && answer.header("retry-after").is_some()).then_some(())
    })
    .await;
    me.api.get(PROPERTIES).await.is(200);
    me.api.post(PROPERTIES, &json!({})).await.is(400);
    drop(six);
    until("there is room again", async || (send().status == 400).then_some(())).await;
}
