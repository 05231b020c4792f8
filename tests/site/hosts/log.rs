//! The log: what a line tells, and that it never stops the service.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::Stdio;

use serde_json::Value;

use crate::host::Host;
use crate::page::until;
use crate::property::PROPERTIES;
use crate::raw;
use crate::server::Server;

/// The lines of requests, as soon as there is one that tells of this.
async fn lines(server: &Server, last: &str) -> Vec<String> {
    until(&format!("the log tells of {last}"), async || {
        let log = server.log();
        log.contains(last).then(|| log.lines().map(str::to_owned).collect())
    })
    .await
}

#[actix_web::test]
async fn a_log_that_nobody_reads_stops_nothing_and_then_tells_how_much_it_left_out() {
    let host = Host::new().await;
    let (mut reader, writer) = io::pipe().expect("a pipe");
    let mut command = host.latchkey(&["serve", "--listen", "127.0.0.1:0"]);
    let mut server = command.stdout(Stdio::piped()).stderr(writer).spawn().expect("latchkey runs");
    // The writing end must be the server's alone.
    drop(command);
    let mut printed = BufReader::new(server.stdout.take().expect("its output")).lines();
    let line = printed.find_map(|line| Some(line.ok()?.strip_prefix("Latchkey is serving http://")?.to_owned()));
    let at = line.expect("its address").parse().expect("an address");
    let mut stream = raw::connect(at);
    let healthy = raw::standing_request("GET /healthz", &[], b"").repeat(10);
    for _ in 0..1_400 {
        stream.write_all(&healthy).expect("a request");
        let mut answers = String::new();
        while answers.matches("ok\n").count() < 10 {
            let mut chunk = [0; 16 * 1024];
            let count = stream.read(&mut chunk).expect("answers");
            assert!(count > 0, "{answers}");
            answers += &String::from_utf8_lossy(&chunk[..count]);
        }
    }
    let reading = std::thread::spawn(move || {
        let mut lines = BufReader::new(&mut reader).lines().map_while(Result::ok);
        lines.find(|line| line.contains("log lines were dropped"))
    });
    // The count comes with the next lines that are written.
    until("the log tells what it left out", async || reading.is_finished().then_some(())).await;
    assert!(reading.join().expect("lines").is_some());
    server.kill().expect("it ends");
    server.wait().expect("it ended");
}

#[actix_web::test]
async fn a_line_tells_who_asked_from_where_with_which_key_and_why_it_was_refused() {
    let server = Server::start().await;
    let me = server.person("desk@farol.example").await;
    let key = me.browser.key_id(&me.key).await;
    let user = server.texts(match server.database_url() {
        Some(_) => "select id::text from users",
        None => "select lower(hex(id)) from users",
    });
    let user = user.await.remove(0).replace('-', "");
    me.api.get(PROPERTIES).await.is(200);
    server.browser().sign_in(&me.user.email, "not the password 7").await.is(422);
    server.browser().sign_in("nobody@farol.example", "not the password 7").await.is(422);
    server.run(&["user", "deactivate", "desk@farol.example"]).ok();
    server.browser().sign_in(&me.user.email, &me.user.password).await.is(422);
    server.run(&["user", "activate", "desk@farol.example"]).ok();
    let page = server.anonymous().get("/sign_in").await.is(200);
    let file = page.text().split('"').find(|part| part.starts_with("/static/")).expect("a file").to_owned();
    server.anonymous().get(&file).await.is(200);
    me.api.get(&format!("{PROPERTIES}?filter[Secret-1]=a")).await.is(400);
    me.api.post(PROPERTIES, &serde_json::json!({ "property": { "title": "" } })).await.is(422);
    me.api.get(&format!("{PROPERTIES}/x")).await.is(404);
    server.signed_in(&me.user).await.withdraw_key(&me.key).await;
    me.api.get(PROPERTIES).await.is(401);
    server.anonymous().get("/docs").await.is(200);
    let lines = lines(&server, "/docs").await;
    let line = |parts: &[&str]| {
        let found = lines.iter().find(|line| parts.iter().all(|part| line.contains(part)));
        found.unwrap_or_else(|| panic!("no line with {parts:?} in {lines:#?}")).replace('-', "")
    };
    let own = format!("key={key}");
    assert!(line(&["GET /api/v1/properties 200", &own, "from=127.0.0.1", "ms request="]).contains(&user));
    assert!(line(&["POST /sign_in 303", "reason=\"sign-in: ok\"", "from=127.0.0.1"]).contains(&user));
    assert!(line(&["POST /sign_in 422", "reason=\"sign-in: wrong\"", "user=0"]).contains(&user));
    line(&["POST /sign_in 422", "reason=\"sign-in: wrong\"", "user=- "]);
    assert!(line(&["POST /sign_in 422", "reason=\"sign-in: deactivated\""]).contains(&user));
    line(&["GET /api/v1/properties 400", "reason=\"filter[…] is not supported\"", &own]);
    line(&["POST /api/v1/properties 422", "invalid: ", "title", &own]);
    line(&["GET - 401", "reason=\"the API key was withdrawn\""]);
    let whole = lines.join("\n");
    for not_there in [file.rsplit('/').next().expect("a name"), "/static/", "farol.example", "Secret-1"] {
        assert!(!whole.contains(not_there), "{not_there} in {whole}");
    }
}

#[actix_web::test]
async fn as_json_each_line_is_one_object() {
    let server = Server::options().arg("--log-format").arg("json").start().await;
    let me = server.person("desk@farol.example").await;
    let key = me.browser.key_id(&me.key).await;
    me.api.get(PROPERTIES).await.is(200);
    server
        .anonymous()
        .get("/sign_in")
        .header("cookie", format!("latchkey-{}=junk", server.address().port()))
        .await
        .is(200);
    server.anonymous().get("/docs").await.is(200);
    let lines = lines(&server, "\"/docs\"").await;
    let read = |line: &String| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let lines: Vec<Value> = lines.iter().map(read).collect();
    for line in &lines {
        for part in ["time", "level", "target", "message"] {
            assert!(line[part].is_string(), "{part} of {line}");
        }
    }
    let of_key = lines.iter().find(|line| line["key"] == *key && line["status"] == 200).expect("a line with the key");
    assert_eq!((&of_key["route"], &of_key["method"]), (&PROPERTIES.into(), &"GET".into()), "{of_key}");
    assert_eq!(of_key["address"], "127.0.0.1", "{of_key}");
    assert!(of_key["ms"].is_number() && of_key["user"].is_string() && of_key["request_id"].is_string(), "{of_key}");
    assert!(lines.iter().any(|line| line["reason"] == "sign-in: ok"), "{lines:#?}");
    assert!(lines.iter().any(|line| line["level"] == "WARN" && line["target"] != "latchkey"), "{lines:#?}");
}

#[actix_web::test]
async fn what_strangers_send_that_is_no_cookie_fills_no_log() {
    let server = Server::start().await;
    let cookie = format!("latchkey-{}=junk", server.address().port());
    for _ in 0..100 {
        server.anonymous().get("/sign_in").header("cookie", &cookie).await.is(200);
    }
    server.anonymous().get("/docs").await.is(200);
    lines(&server, "/docs").await;
    let told = server.log().matches("cryptographic checks").count();
    // Ten in one minute, and the requests may be in two.
    assert!((1..=20).contains(&told), "{told} of 100");
}

#[actix_web::test]
async fn what_the_host_does_by_commands_is_in_the_log_too() {
    let server = Server::start().await;
    let me = server.person("desk@farol.example").await;
    let key = me.browser.key_id(&me.key).await;
    for (command, says) in [
        (vec!["user", "link", "desk@farol.example"], "user link: created a one-time link user="),
        (vec!["user", "deactivate", "desk@farol.example"], "user deactivate: done user="),
        (vec!["user", "activate", "desk@farol.example"], "user activate: done user="),
        (vec!["subscription", "cancel", "desk@farol.example"], "subscription cancel: cancelled"),
        (vec!["key", "withdraw", &*key], &*format!("key withdraw: withdrawn key={key}")),
    ] {
        let said = server.run(&command);
        assert!(said.err.contains(says) && !said.err.contains("farol.example"), "{said:?}");
        if let Some(token) = said.out.lines().next().and_then(|line| line.split("/welcome/").nth(1)) {
            server.secrets.register("one-use link", token);
            server.secrets.assert_absent("the log", said.err.as_bytes());
        }
        said.ok();
    }
}
