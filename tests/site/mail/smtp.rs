//! Mail servers as they are: encrypted, refusing for a while or for good, and lying.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::mails::{FROM, MailServer, Tls, outbox};
use crate::options::Options;
use crate::page::until;
use crate::people::User;
use crate::server::Server;

/// Somebody who gets a mail at once: of a browser that was not used before.
async fn gets_a_mail(server: &Server) -> User {
    let user = server.add_user("rita@farol.example");
    server.signed_in(&user).await;
    user
}

async fn last_error(server: &Server) -> String {
    until("an error", async || server.texts("select last_error from outbox where last_error is not null").await.pop())
        .await
}

#[actix_web::test]
async fn mail_is_sent_over_starttls_and_over_tls_after_signing_in() {
    for tls in [Tls::Starttls, Tls::FromTheStart] {
        let mail = MailServer::with(tls, Some(("latchkey", "of-the-mail-server")));
        let server = mail
            .options()
            .env("LATCHKEY_MAIL_USER", "latchkey")
            .env("LATCHKEY_MAIL_PASSWORD", "of-the-mail-server")
            .start()
            .await;
        server.secrets.register("mail password", "of-the-mail-server");
        let user = gets_a_mail(&server).await;
        let mails = mail.mails(&user.email, 1).await;
        assert_eq!((&mails[0].0["encrypted"], &mails[0].0["authenticated"]), (&json!(true), &json!(true)));
    }
}

#[actix_web::test]
async fn nothing_is_sent_unencrypted_where_encryption_is_asked_for() {
    // A server that offers none, or from which somebody in between has taken the offer away.
    let mail = MailServer::start();
    for (tls, reason) in [("starttls", "does not offer STARTTLS"), ("tls", "cannot connect")] {
        let server = mail.options().env("LATCHKEY_MAIL_TLS", tls).start().await;
        gets_a_mail(&server).await;
        let error = last_error(&server).await;
        assert!(error.contains(reason), "{error}");
        assert_eq!(server.texts("select kind from outbox where given_up_at is null").await, ["new_browser"]);
    }
    assert_eq!(mail.accepted().len(), 0);
}

#[actix_web::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    for tls in [Tls::Starttls, Tls::FromTheStart] {
        let mail = MailServer::with(tls, None);
        // The issuer is unknown, or the certificate is another name's.
        for (name, value) in [("LATCHKEY_MAIL_CA_FILE", ""), ("LATCHKEY_MAIL_HOST", "127.0.0.1")] {
            let server = mail.options().env(name, value).start().await;
            gets_a_mail(&server).await;
            let error = last_error(&server).await;
            assert!(error.to_lowercase().contains("certificate"), "{error}");
        }
        assert_eq!(mail.accepted().len(), 0);
    }
}

#[actix_web::test]
async fn a_wrong_password_at_the_mail_server_is_tried_again_and_never_logged() {
    let mail = MailServer::with(Tls::Starttls, Some(("latchkey", "of-the-mail-server")));
    let wrong = "some-other-password-altogether";
    let server =
        mail.options().env("LATCHKEY_MAIL_USER", "latchkey").env("LATCHKEY_MAIL_PASSWORD", wrong).start().await;
    server.secrets.register("mail password", wrong);
    gets_a_mail(&server).await;
    let error = last_error(&server).await;
    assert!(error.contains("sign-in at the mail server") && error.contains("535"), "{error}");
    assert_eq!(server.texts("select kind from outbox where given_up_at is null").await, ["new_browser"]);
}

#[actix_web::test]
async fn a_refusal_for_a_while_is_tried_again_and_one_for_good_is_given_up() {
    let mail = MailServer::start();
    let server = mail.serve().await;
    let user = server.add_user("rita@farol.example");
    // For a while, or because of what the host has to mend.
    for (step, answer) in [
        ("rcpt", "451 4.2.1 Try again later"),
        ("data", "452 4.2.2 Mailbox full"),
        ("mail", "550 5.1.8 Sender rejected"),
        ("rcpt", "550 5.7.1 Relaying denied"),
        ("rcpt", "530 Authentication required"),
    ] {
        server.sql("delete from outbox").await;
        mail.answer(&json!({ step: answer }));
        server.signed_in(&user).await;
        let error = last_error(&server).await;
        assert!(error.contains(&answer[4..]), "{error}");
        assert_eq!(
            server.texts("select kind from outbox where given_up_at is null").await,
            ["new_browser"],
            "{answer}"
        );
        mail.answer(&json!({}));
        server.set_moment("outbox", "next_try_at", -1).await;
        outbox(&server, "new_browser", "sent_at", 1).await;
    }
    for (step, answer) in [("rcpt", "550 5.1.1 No such user"), ("data", "554 5.6.0 Spam")] {
        server.sql("delete from outbox").await;
        mail.answer(&json!({ step: answer }));
        server.signed_in(&user).await;
        outbox(&server, "new_browser", "given_up_at", 1).await;
        let listed = server.run(&["mail", "list"]).ok();
        assert!(listed.contains("given up after 1 attempt") && listed.contains(&answer[4..]), "{listed}");
    }
    // One recipient's refusal is nobody else's.
    let other = server.add_user("other@farol.example");
    mail.answer(&json!({ "rita@farol.example": "550 5.1.1 No such user" }));
    server.signed_in(&other).await;
    mail.mails(&other.email, 1).await;
}

#[actix_web::test]
async fn links_that_somebody_waits_for_are_given_up_after_an_hour_and_notices_after_three_days() {
    let mut mail = MailServer::start();
    mail.end();
    let server = mail.serve().await;
    let user = gets_a_mail(&server).await;
    server.browser().post_form("/reset_password", &[("email", &user.email)]).await.is(200);
    outbox(&server, "reset", "last_error", 1).await;
    let try_at_age = async |age: i64| {
        server.sql("update outbox set tries = 6, last_error = null").await;
        server.set_moment("outbox", "created_at", -age).await;
        server.set_moment("outbox", "next_try_at", -1).await;
        let tried = "select kind from outbox where last_error is not null";
        until("both are tried", async || (server.texts(tried).await.len() == 2).then_some(())).await;
        server.texts("select kind from outbox where given_up_at is not null order by kind").await
    };
    assert_eq!(try_at_age(60).await, ["reset"], "a link after the next pause would be too late");
    server.sql("update outbox set given_up_at = null").await;
    assert_eq!(try_at_age(3 * 86_400).await, ["new_browser", "reset"]);
}

/// A mail server that answers each line of a client with what this returns, and closes the connection after `None`; and how
/// many connections it has had.
fn lying(answer: fn(&str) -> Option<&'static str>) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = lie(stream, answer);
        }
    });
    (port, connections)
}

fn lie(mut stream: TcpStream, answer: fn(&str) -> Option<&'static str>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut line = String::from("CONNECT");
    loop {
        let Some(said) = answer(line.trim()) else { return Ok(()) };
        stream.write_all(said.as_bytes())?;
        match lines.next() {
            Some(next) => line = next?,
            None => return Ok(()),
        }
    }
}

#[actix_web::test]
async fn lying_servers_break_nothing_and_no_mail_counts_as_sent() {
    fn polite(line: &str) -> Option<&'static str> {
        Some(match line.split([' ', ':']).next().unwrap_or_default() {
            "CONNECT" => "220 mail.test\r\n",
            "EHLO" => "250-mail.test\r\n250 8BITMIME\r\n",
            "MAIL" | "RCPT" => "250 OK\r\n",
            "DATA" => "354 go on\r\n",
            "." => "250 OK\r\n",
            "QUIT" => "221 bye\r\n",
            _ => "",
        })
    }
    let lies: [fn(&str) -> Option<&'static str>; 6] = [
        |_| None,
        |_| Some("HTTP/1.1 400 Bad Request\r\n\r\n"),
        |line| if line.starts_with("EHLO") { Some("\u{0}\u{1}\u{2}\r\n") } else { polite(line) },
        |line| if line == "DATA" { None } else { polite(line) },
        |line| if line == "." { None } else { polite(line) },
        |line| {
            if line == "DATA" {
                Some("250 OK already\r\n")
            } else if line == "." {
                Some("999 what\r\n")
            } else {
                polite(line)
            }
        },
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let (port, connections) = lying(lie);
        let server = Options::default()
            .env("LATCHKEY_MAIL_HOST", "127.0.0.1")
            .env("LATCHKEY_MAIL_PORT", &port.to_string())
            .env("LATCHKEY_MAIL_TLS", "none")
            .env("LATCHKEY_MAIL_FROM", FROM)
            .start()
            .await;
        gets_a_mail(&server).await;
        let error = last_error(&server).await;
        assert!(!error.is_empty() && connections.load(Ordering::SeqCst) > 0, "{number}: {error}");
        assert_eq!(
            server.texts("select kind from outbox where sent_at is null and given_up_at is null").await,
            ["new_browser"],
            "{number}: {error}"
        );
        server.anonymous().get("/sign_in").await.is(200);
    }
}

#[actix_web::test]
async fn a_server_that_repeats_what_it_was_sent_gets_no_link_into_the_log() {
    let mail = MailServer::start();
    let server = mail.serve().await;
    let user = server.add_user("rita@farol.example");
    server.browser().post_form("/reset_password", &[("email", &user.email)]).await.is(200);
    let path = mail.link(&server, &user.email, "Set a new password").await;
    let token = path.rsplit('/').next().expect("a token");
    mail.answer(&json!({ "data": format!("554 5.6.0 I do not like {token} in a mail") }));
    server.signed_in(&user).await;
    outbox(&server, "new_browser", "given_up_at", 1).await;
    assert!(last_error(&server).await.contains("I do not like … in a mail"));
}
