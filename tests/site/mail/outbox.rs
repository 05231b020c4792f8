//! What is written is sent: after the commit, whatever happens to the mail server or the program, and once.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::host::Host;
use crate::html;
use crate::mails::{FROM, MailServer, outbox};
use crate::people::User;
use crate::server::Server;

const CREATED: &str = "An API key was created";

async fn subscriber(server: &Server) -> User {
    server.add_subscriber("rita@farol.example")
}

#[actix_web::test]
async fn a_mail_has_what_mail_programs_expect() {
    let mail = MailServer::start();
    let server = mail
        .options()
        .env("LATCHKEY_HOST_NAME", "Farol Channels")
        .env("LATCHKEY_MAIL_REPLY_TO", "desk@farol.example")
        .env("LATCHKEY_SUPPORT", "help@farol.example")
        .start()
        .await;
    let user = subscriber(&server).await;
    let browser = server.signed_in(&user).await;
    let key = browser.create_key("Front desk").await;
    let mail = mail.mail(&user.email, CREATED).await;
    assert_eq!(mail.0["from"], FROM);
    assert_eq!(mail.header("from"), format!("Farol Channels <{FROM}>"));
    assert_eq!(mail.header("to"), user.email);
    assert_eq!(mail.header("reply-to"), "desk@farol.example");
    assert_eq!(mail.header("auto-submitted"), "auto-generated");
    assert!(!mail.header("date").is_empty() && mail.header("date").ends_with("+0000"), "{mail:?}");
    let id = mail.header("message-id");
    if server.database_url().is_some() {
        let row = &server.texts("select cast(id as text) from outbox where kind = 'key_created'").await[0];
        assert_eq!(id, format!("<{row}@farol.example>"));
    }
    assert!(id.starts_with('<') && id.ends_with("@farol.example>"), "{id}");
    assert_eq!(mail.0["types"], json!(["multipart/alternative", "text/plain", "text/html"]));
    for part in [mail.text(), mail.html().to_owned()] {
        for words in ["Front desk", &user.email, "Farol Channels", "help@farol.example", &server.base_url] {
            assert!(part.contains(words), "{words}: {part}");
        }
        assert!(!part.contains(&key), "{part}");
    }
    // Nothing is loaded from elsewhere, and nothing tells who has read it.
    for remote in ["<img", "src=", "url(", "@import", "<script", "<link"] {
        assert!(!mail.html().contains(remote), "{remote}: {}", mail.html());
    }
}

#[actix_web::test]
async fn nothing_is_sent_of_what_was_not_committed() {
    let mail = MailServer::start();
    let server = mail.serve().await;
    let user = subscriber(&server).await;
    let browser = server.signed_in(&user).await;
    mail.mails(&user.email, 1).await;
    // The commit of what writes this mail fails, after all its statements have succeeded.
    let broken = match server.database_url() {
        Some(_) => {
            "create function stop() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
            create constraint trigger stop after insert on outbox deferrable initially deferred
                for each row when (new.kind = 'key_created') execute function stop()"
        }
        None => {
            "create table broken (id blob references users (id) deferrable initially deferred);
            create trigger stop after insert on outbox when new.kind = 'key_created'
                begin insert into broken values (x'00'); end"
        }
    };
    server.sql_batch(broken).await;
    let form = browser.get("/user_profile/api_keys/new").await.is(200);
    let token = html::input_value(form.text(), "form_token").expect("a form token");
    let failed = browser.post_form("/user_profile/api_keys/new", &[("title", "Lost"), ("form_token", &token)]).await;
    assert!(failed.status >= 500, "{failed}");
    assert_eq!(server.count("api_keys").await, 0);
    server
        .sql_batch(if server.database_url().is_some() { "drop trigger stop on outbox" } else { "drop trigger stop" })
        .await;
    browser.create_key("Front desk").await;
    let all = mail.mails(&user.email, 2).await;
    assert!(all.iter().all(|mail| !mail.text().contains("Lost")), "{all:?}");
}

#[actix_web::test]
async fn a_server_that_is_away_loses_nothing_and_slows_no_request() {
    let mut mail = MailServer::start();
    mail.end();
    let server = mail.serve().await;
    let user = subscriber(&server).await;
    let browser = server.signed_in(&user).await;
    for number in 0..5 {
        browser.create_key(&format!("Key {number}")).await;
    }
    outbox(&server, "key_created", "last_error", 5).await;
    let waiting = server.run(&["mail", "list"]).ok();
    assert!(waiting.contains("waiting after 1 attempt") && waiting.contains("cannot connect"), "{waiting}");
    // An hour later it is back.
    server.sql("update outbox set tries = 4").await;
    server.set_moment("outbox", "created_at", -3_600).await;
    server.set_moment("outbox", "next_try_at", -1).await;
    mail.begin();
    let all = mail.mails(&user.email, 6).await;
    assert_eq!(all.iter().filter(|mail| mail.subject() == CREATED).count(), 5);
    outbox(&server, "key_created", "sent_at", 5).await;
}

#[actix_web::test]
async fn a_slow_mail_server_slows_no_request() {
    let mail = MailServer::start();
    mail.answer(&json!({ "slow": 5 }));
    let server = mail.serve().await;
    let user = subscriber(&server).await;
    let browser = server.signed_in(&user).await;
    mail.received().await;
    // The worker waits for the server now.
    assert_eq!(mail.accepted().len(), 0);
    browser.create_key("Front desk").await;
    browser.get("/user_profile").await.is(200);
    assert_eq!(mail.accepted().len(), 0, "the first mail was answered before the requests were");
    mail.answer(&json!({}));
    mail.mails(&user.email, 2).await;
}

#[actix_web::test]
async fn what_was_being_sent_when_the_program_was_killed_is_sent_again_with_the_same_id() {
    let mail = MailServer::start();
    mail.answer(&json!({ "slow": 60 }));
    let mut server = mail.serve().await;
    let user = subscriber(&server).await;
    server.signed_in(&user).await;
    mail.received().await;
    let leased = "select kind from outbox where sent_at is null and lease is not null";
    assert_eq!(server.texts(leased).await, ["new_browser"]);
    server.kill();
    mail.answer(&json!({}));
    // Its lease is over.
    server.set_moment("outbox", "leased_until", -1).await;
    server.restart();
    let again = mail.mails(&user.email, 1).await;
    assert_eq!(server.texts("select cast(tries as text) from outbox").await, ["2"]);
    assert!(again[0].header("message-id").ends_with("@farol.example>"));
    outbox(&server, "new_browser", "sent_at", 1).await;
}

#[actix_web::test]
async fn nothing_is_lost_when_the_program_is_killed_again_and_again() {
    const KEYS: usize = 12;
    let mail = MailServer::start();
    let mut server = mail.serve().await;
    let user = subscriber(&server).await;
    let titles: Vec<String> = (0..KEYS).map(|number| format!("Key {number:02}")).collect();
    for (number, title) in titles.iter().enumerate() {
        let browser = server.signed_in(&user).await;
        browser.create_key(title).await;
        if number % 2 == 0 {
            server.kill();
            server.set_moment("outbox", "leased_until", -1).await;
            server.restart();
        }
    }
    outbox(&server, "key_created", "sent_at", KEYS).await;
    let all = mail.accepted();
    for title in &titles {
        let copies: Vec<_> =
            all.iter().filter(|mail| mail.subject() == CREATED && mail.text().contains(title)).collect();
        assert!(!copies.is_empty(), "{title} was lost");
        // A copy has the id of the first one.
        assert!(copies.iter().all(|mail| mail.header("message-id") == copies[0].header("message-id")), "{copies:?}");
    }
}

#[actix_web::test]
async fn a_server_that_is_asked_to_end_finishes_the_mail_that_it_sends() {
    let mail = MailServer::start();
    mail.answer(&json!({ "slow": 1 }));
    let mut server = mail.serve().await;
    let user = subscriber(&server).await;
    server.signed_in(&user).await;
    mail.received().await;
    assert!(server.terminate().success());
    assert_eq!(mail.accepted().len(), 1);
    assert_eq!(server.texts("select kind from outbox where sent_at is not null").await, ["new_browser"]);
}

#[actix_web::test]
async fn many_processes_send_each_mail_once_on_postgresql() {
    const KEYS: usize = 20;
    let mail = MailServer::start();
    let host = Host::new().await;
    let user = host.add_subscriber("rita@farol.example");
    let url = "http://127.0.0.1:7411";
    let servers: Vec<Server> = (0..8)
        .map(|_| mail.options().env("LATCHKEY_MAIL_PER_MINUTE", "1000").public_url(url).start_on(&host))
        .map(|starting| starting.serving())
        .collect();
    for number in 0..KEYS {
        let browser = servers[number % servers.len()].signed_in(&user).await;
        browser.create_key(&format!("Key {number}")).await;
    }
    let server = &servers[0];
    outbox(server, "key_created", "sent_at", KEYS).await;
    outbox(server, "new_browser", "sent_at", KEYS).await;
    let mut ids: Vec<String> = mail.accepted().iter().map(|mail| mail.header("message-id").to_owned()).collect();
    assert_eq!(ids.len(), 2 * KEYS);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 2 * KEYS, "a mail was sent twice");
}

#[actix_web::test]
async fn no_more_mails_are_sent_in_a_minute_than_the_host_allows() {
    let mail = MailServer::start();
    let server = mail.options().env("LATCHKEY_MAIL_PER_MINUTE", "4").start().await;
    let users: Vec<User> = (0..6).map(|number| server.add_user(&format!("guest{number}@farol.example"))).collect();
    let began = Instant::now();
    for user in &users {
        server.browser().post_form("/reset_password", &[("email", &user.email)]).await.is(200);
    }
    // Those that strangers can ask for get half of it.
    outbox(&server, "reset", "sent_at", 2).await;
    let browser = server.signed_in(&users[0]).await;
    outbox(&server, "new_browser", "sent_at", 1).await;
    drop(browser);
    if began.elapsed() < Duration::from_secs(50) {
        assert_eq!(server.texts("select kind from outbox where kind = 'reset' and sent_at is not null").await.len(), 2);
    }
    // A minute later there is room again.
    server.set_moment_where("outbox", "sent_at", -61, "sent_at is not null").await;
    outbox(&server, "reset", "sent_at", 4).await;
}

#[actix_web::test]
async fn a_clock_that_was_ahead_holds_no_mail_back() {
    let mut mail = MailServer::start();
    mail.end();
    let server = mail.serve().await;
    let user = subscriber(&server).await;
    server.signed_in(&user).await;
    outbox(&server, "new_browser", "last_error", 1).await;
    mail.begin();
    server.set_moment("outbox", "next_try_at", 86_400).await;
    server.set_moment("outbox", "leased_until", 86_400).await;
    mail.mails(&user.email, 1).await;
}

#[actix_web::test]
async fn without_a_mail_server_nothing_is_written_and_everything_else_works() {
    let server = Server::start().await;
    let user = subscriber(&server).await;
    let browser = server.signed_in(&user).await;
    browser.create_key("Front desk").await;
    let page = browser.get("/user_profile").await.is(200);
    assert!(page.text().contains("This site sends no mail"), "{page}");
    assert!(!server.browser().get("/sign_in").await.is(200).text().contains("Forgot"), "no link to what cannot work");
    let page = server.browser().get("/reset_password").await.is(200);
    assert!(page.text().contains("This site sends no mail"), "{page}");
    server.browser().post_form("/reset_password", &[("email", &user.email)]).await.is(200);
    assert_eq!(server.count("outbox").await, 0);
    assert!(server.run(&["mail", "list"]).ok().contains("LATCHKEY_MAIL_HOST is not set"));
    // The host's links work without mail.
    assert!(server.run(&["user", "link", &user.email]).ok().contains("/welcome/"));
}
