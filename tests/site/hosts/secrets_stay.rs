//! Keys, passwords, sessions and links stay with those whom they belong to: neither the log nor the database holds one,
//! however carelessly they were sent.

use std::process::Command;

use serde_json::json;

use crate::client::Client;
use crate::host::Host;
use crate::html;
use crate::page::until;
use crate::people::User;
use crate::property::{PROPERTIES, at, body};
use crate::raw;
use crate::server::Server;

const PROFILE: &str = "/user_profile";

/// What `pg_dump` writes, where it is at hand.
fn dump(url: &str) -> Option<Vec<u8>> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut programs: Vec<_> = installed.map(|version| version.path().join("bin/pg_dump")).collect();
    programs.push("pg_dump".into());
    programs.into_iter().find_map(|program| {
        let output = Command::new(program).args(["--dbname", url]).output().ok()?;
        output.status.success().then_some(output.stdout)
    })
}

fn hexadecimal(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Fails when a secret of the test is in the log of a server or in the database.
fn assert_nothing_is_kept(host: &Host, logs: &[String]) {
    for log in logs {
        host.secrets.assert_absent("a log", log.as_bytes());
    }
    let kept = host.contents();
    host.secrets.assert_absent("the database", &kept);
    assert!(kept.windows(10).any(|ten| ten == b"Front desk"), "the search finds what is there");
    if let Some(dump) = host.database_url().as_deref().and_then(dump) {
        host.secrets.assert_absent("pg_dump", &dump);
        assert!(dump.windows(10).any(|ten| ten == b"Front desk"), "the search finds what is there");
    }
}

/// Registers a secret, and how PostgreSQL would show its bytes.
fn register(host: &Host, what: &'static str, secret: &str) {
    host.secrets.register(what, secret);
    host.secrets.register(what, &hexadecimal(secret));
}

/// Sends a key everywhere but where it belongs.
async fn careless(server: &Server, client: &Client, key: &str) {
    for path in [
        format!("{PROPERTIES}?user-api-key={key}"),
        format!("{PROPERTIES}?filter[{key}]=1&order[{key}]=asc&pagination[{key}]=1"),
        format!("{PROPERTIES}?filter[id]={key}&pagination[page]={key}"),
        at(key),
        format!("/{key}"),
        format!("/api/{key}"),
        format!("/api/v1/{key}/{key}?{key}"),
        format!("/user_profile/api_keys/{key}/withdraw"),
        format!("/user_profile?order={key}&notice={key}"),
        format!("/sign_in?return_to=/{key}&notice={key}"),
        format!("/welcome/{key}"),
        format!("/static/{key}/{key}"),
        format!("/{}", "%41".repeat(2000) + key),
    ] {
        client.get(&path).await;
        client.head(&path).await;
        client.post(&path, &json!({ "user_api_key": key })).await;
        client.post_form(&path, &[("title", ""), (key, key)]).await;
    }
    for name in ["authorization", "x-api-key", "cookie", "referer", "origin", "x-forwarded-for", "x-request-id", "host"]
    {
        client.get(PROPERTIES).header(name, key).await;
        client.get(PROFILE).header(name, key).await;
        client.get(PROFILE).header(name, format!("latchkey={key}")).await;
    }
    client.get(PROPERTIES).header(key, key).await;
    client.post(PROPERTIES, &json!({ key: key, "property": key })).await;
    client.call("POST".parse().expect("a method"), PROPERTIES).body(format!("{{\"{key}\": {key}")).await;
    let address = server.base_url.strip_prefix("http://").and_then(|address| address.parse().ok());
    let address = address.expect("an address");
    for broken in [
        format!("GET {PROPERTIES} HTTP/1.1\r\nuser-api-key {key}\r\n\r\n"),
        format!("GET {PROPERTIES} HTTP/9.{key}\r\nHost: x\r\n\r\n"),
        format!("{key}\r\n\r\n"),
        format!("GET {key} HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {key}\r\nX-{key}: {}\r\n\r\n", key.repeat(4000)),
        format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{key}\r\n"),
    ] {
        raw::send_and_leave(address, broken.as_bytes());
    }
}

/// A day's work with every kind of secret, and every kind of mistake with them.
async fn rich_run(host: &Host, server: &Server, user: &User) {
    let wrong = host.new_password();
    for secret in [&user.password, &wrong] {
        register(host, "password", secret);
    }
    // Signing in: wrongly, into the wrong field, rightly.
    let stranger = server.browser();
    stranger.sign_in(&user.email, &wrong).await.is(422);
    let swapped = [("email", &*user.password), ("password", &*user.email)];
    stranger.post_form("/sign_in", &swapped).await.is(422);
    stranger.sign_in("nobody@farol.example", &user.password).await.is(422);
    let browser = server.signed_in(user).await;

    // Keys: made, used, sent carelessly, withdrawn, used again.
    let key = browser.create_key("Front desk").await;
    let lost = browser.create_key("Lost").await;
    for key in [&key, &lost] {
        register(host, "API key", key);
        register(host, "API key without its prefix", &key[3..]);
        register(host, "start of an API key", &key[..key.len() - 6]);
    }
    let api = server.with_key(&key).always("user-agent", "FarolPMS/2.1");
    let id = api.post(PROPERTIES, &body(json!({}))).await.is(201).id();
    api.get(&at(&id)).await.is(200);
    careless(server, &server.anonymous().always("sec-fetch-site", "same-origin"), &key).await;
    careless(server, &browser, &key).await;
    careless(server, &api, &key).await;
    for malformed in [&key[..40], &key[3..], &format!("{key}{key}"), &key.to_lowercase(), &format!("Bearer {key}")] {
        server.with_key(malformed).get(PROPERTIES).await.is(401);
    }
    browser.withdraw_key(&lost).await;
    server.with_key(&lost).get(PROPERTIES).await.is(401);

    // A session: stolen, mangled, ended.
    let cookies = browser.cookies().expect("a session");
    let nobody = server.anonymous();
    nobody.get(PROFILE).header("cookie", &cookies).await.is(200);
    nobody.get(PROFILE).header("cookie", cookies.replace('=', "=x")).await.is(303);
    nobody.get(&format!("/{cookies}?{cookies}")).await.is(404);

    // Passwords: changed wrongly, then rightly; a form that meets an ended session.
    let new = host.new_password();
    register(host, "password", &new);
    let change = |old: &str, new: &str| {
        browser.post_form("/user_profile/password", &[("old_password", old), ("new_password", new)])
    };
    change(&wrong, &new).await.is(422);
    change(&user.password, "latchkey-2026-11").await.is(422);
    change(&user.password, &new).await.is(303);
    let late = nobody
        .post_form("/user_profile/password", &[("old_password", &new), ("new_password", &wrong)])
        .header("sec-fetch-site", "same-origin")
        .await
        .is(303);
    let leads_to = late.header("location").expect("where it leads");
    assert!(leads_to.starts_with("/sign_in?") && !leads_to.contains(&new) && !leads_to.contains(&wrong), "{late}");

    // A one-use link.
    let link = host.run(&["--base-url", &server.base_url, "user", "link", &user.email]).ok();
    let token = crate::command::first_line(&link).rsplit('/').next().expect("a token").to_owned();
    register(host, "one-use link", &token);
    let path = format!("/welcome/{token}");
    browser.get(&path).await.is(200);
    browser.post_form(&path, &[("password", "short")]).await.is(422);
    browser.post_form(&path, &[("password", &wrong)]).await.is(303);
    browser.get(&path).await.is(404);
    let browser = server.signed_in(&User { email: user.email.clone(), password: wrong }).await;
    browser.post_form("/sign_out", &[]).await.is(303);
}

#[actix_web::test]
async fn no_secret_is_written_down() {
    let host = Host::new().await;
    let user = host.add_subscriber("desk@farol.example");
    let mut server = host.serve(&[]);
    rich_run(&host, &server, &user).await;
    until("the log tells of the last request", async || server.log().contains("/sign_out").then_some(())).await;
    assert_nothing_is_kept(&host, &[server.log()]);
    let log = server.log();
    assert!(server.terminate().success());
    assert_nothing_is_kept(&host, &[log]);
}

#[actix_web::test]
async fn no_secret_is_written_down_by_a_talkative_log_either() {
    let host = Host::new().await;
    let user = host.add_subscriber("desk@farol.example");
    let mut command = host.latchkey(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("RUST_LOG", "debug");
    let server = host.start(command).serving();
    rich_run(&host, &server, &user).await;
    until("the log tells of the last request", async || server.log().contains("/sign_out").then_some(())).await;
    assert_nothing_is_kept(&host, &[server.log()]);
}

#[actix_web::test]
async fn the_demo_writes_neither_its_key_nor_its_password_down() {
    let host = Host::new().await;
    let server = host.start(host.latchkey(&["demo", "--listen", "127.0.0.1:0"])).serving();
    let lines = [server.line(), server.line(), server.line()];
    let password = lines[1].strip_prefix("Password: ").expect("a password");
    register(&host, "password", password);
    let key = html::keys(&lines[2])[0];
    register(&host, "API key", key);
    server.with_key(key).get(PROPERTIES).await.is(200);
    let email = lines[0].strip_prefix("Email: ").expect("an email");
    server.browser().sign_in(email, password).await.is(303);
    host.secrets.assert_absent("the log", server.log().as_bytes());
    host.secrets.assert_absent("the database", &host.contents());
}
