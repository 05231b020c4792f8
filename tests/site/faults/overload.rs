//! More at once than the server can do: what is too much is refused at once, the rest goes on.

use std::future::IntoFuture;
use std::io::Write;
use std::net::TcpStream;

use actix_web::rt::spawn;
use serde_json::json;

use crate::page::{seen, until};
use crate::property::PROPERTIES;
use crate::raw;
use crate::server::Server;

#[actix_web::test]
async fn where_writes_of_pages_stand_still_more_pages_are_refused_at_once_and_programs_go_on() {
    let server = Server::options().arg("--max-requests").arg("8").start().await;
    let me = server.person("desk@farol.example").await;
    let other = me.browser.create_key("Other").await;
    let withdraw = format!("/user_profile/api_keys/{}/withdraw", me.browser.key_id(&other).await);
    let held = server.hold_keys().await;
    let mut waiting = Vec::new();
    let refused = until("a page is refused", async || {
        // On a slow machine one may have given up before the other has come.
        waiting.retain(|write: &actix_web::rt::task::JoinHandle<_>| !write.is_finished());
        while waiting.len() < 2 {
            waiting.push(spawn(me.browser.post_form(&withdraw, &[]).into_future()));
        }
        let answer = server.anonymous().get("/docs").await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    assert!(waiting.iter().any(|write| !write.is_finished()), "it was refused because of those that wait");
    assert!(refused.header("retry-after").is_some(), "{refused}");
    assert!(seen(refused.text()).contains("try again in a few seconds"), "{refused}");
    me.api.get(PROPERTIES).await.is(200);
    server.anonymous().get("/readyz").await.is(200);
    held.release().await;
    for write in waiting {
        write.await.expect("an answer");
    }
    server.anonymous().get("/docs").await.is(200);
}

#[actix_web::test]
async fn bodies_that_are_too_much_together_are_refused_at_once_and_small_ones_are_not() {
    let server = Server::start().await;
    let me = server.person("desk@farol.example").await;
    let large = vec![b' '; 9_900_000];
    let key = format!("user-api-key: {}", me.key);
    let send = || server.raw(&raw::request("POST /api/v1/properties", &[key.as_bytes()], &large));
    // Many that promise 10 MB and send next to nothing take next to nothing.
    let promised: Vec<_> = (0..12).map(|_| unfinished(&server, "/api/v1/properties", &key, 10_000_000, b"{")).collect();
    assert_eq!(send().status, 400, "there is room");
    drop(promised);
    // Each round has its own: one of them may come while the body before it still counts, and be refused itself.
    let (three, refused) = until("a large body is refused", async || {
        let send_part = |_| unfinished(&server, "/api/v1/properties", &key, 10_000_000, &large);
        let three: Vec<_> = (0..3).map(send_part).collect();
        let answer = send();
        (answer.status == 503).then_some((three, answer))
    })
    .await;
    assert!(refused.header("retry-after").is_some(), "{refused}");
    me.api.get(PROPERTIES).await.is(200);
    me.api.post(PROPERTIES, &json!({})).await.is(400);
    drop(three);
    until("there is room again", async || (send().status == 400).then_some(())).await;
}

#[actix_web::test]
async fn those_who_send_their_bodies_slowly_keep_out_nobody() {
    let server = Server::options().arg("--max-requests").arg("8").start().await;
    let me = server.person("desk@farol.example").await;
    let key = format!("user-api-key: {}", me.key);
    let from_us = format!("Origin: {}", server.base_url);
    let server = &server;
    let slow = |path, header| (0..20).map(move |_| unfinished(server, path, header, 100, b"{")).collect::<Vec<_>>();
    let slow = (slow("/api/v1/properties", &key), slow("/sign_in", &from_us));
    until("they all wait", async || {
        let write = me.api.post(PROPERTIES, &json!({})).await.status;
        let page = server.anonymous().get("/sign_in").await.status;
        (write == 400 && page == 200).then_some(())
    })
    .await;
    for _ in 0..20 {
        me.api.post(PROPERTIES, &json!({})).await.is(400);
        server.anonymous().get("/sign_in").await.is(200);
    }
    drop(slow);
}

/// The beginning of a request, whose body stays behind what was promised.
fn unfinished(server: &Server, path: &str, header: &str, promised: usize, sent: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).expect("the server listens");
    let head = format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}\r\nContent-Length: {promised}\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("a head");
    stream.write_all(sent).expect("a part of the body");
    stream
}
