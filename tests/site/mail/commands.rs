//! `latchkey mail`.

use serde_json::json;

use crate::host::Host;
use crate::mails::{FROM, MailServer, outbox};
use crate::server::Server;

#[actix_web::test]
async fn a_test_mail_says_what_the_mail_server_answers() {
    let mail = MailServer::start();
    let server = mail.serve().await;
    // By the running server, where the command has no settings of mail.
    let said = server.run(&["mail", "test", "rita@farol.example"]).ok();
    assert!(said.contains("has accepted a mail to rita@farol.example"), "{said}");
    let test = mail.mail("rita@farol.example", "Test mail of Latchkey").await;
    assert!(test.text().contains("can send mail"));
    mail.answer(&json!({ "rcpt": "451 4.2.1 Try again later" }));
    let refused = server.run(&["mail", "test", "rita@farol.example"]).refused(1);
    assert!(refused.contains("Try again later"), "{refused}");
    // It is not tried again.
    outbox(&server, "test", "given_up_at", 1).await;
    assert!(server.run(&["mail", "test", "rita"]).refused(2).contains("not an email address"));
}

#[actix_web::test]
async fn a_command_with_settings_sends_a_test_without_a_server() {
    let mail = MailServer::start();
    let host = Host::new().await;
    host.migrate();
    let refused = host.run(&["mail", "test", "rita@farol.example"]).refused(1);
    assert!(refused.contains("set LATCHKEY_MAIL_HOST"), "{refused}");
    let port = mail.port.to_string();
    let args = ["--mail-host", "localhost", "--mail-port", &port, "--mail-tls", "none", "--mail-from", FROM];
    host.run(&[&["mail", "test", "rita@farol.example"], &args[..]].concat()).ok();
    mail.mails("rita@farol.example", 1).await;
}

#[actix_web::test]
async fn what_was_given_up_is_tried_again_when_the_host_says_so() {
    let mail = MailServer::start();
    let server: Server = mail.serve().await;
    mail.answer(&json!({ "rcpt": "550 5.1.1 No such user" }));
    let user = server.add_user("rita@farol.example");
    server.signed_in(&user).await;
    outbox(&server, "new_browser", "given_up_at", 1).await;
    let listed = server.run(&["mail", "list"]).ok();
    let line = listed.lines().find(|line| line.contains("new_browser")).expect("a line");
    assert!(line.contains("given up") && line.contains(&user.email), "{line}");
    let id = line.split('\t').next().expect("an id");
    mail.answer(&json!({}));
    server.run(&["mail", "retry", id]).ok();
    mail.mails(&user.email, 1).await;
    outbox(&server, "new_browser", "sent_at", 1).await;
    assert!(server.run(&["mail", "list"]).ok().contains("\tsent "));
    assert!(server.run(&["mail", "retry", id]).refused(1).contains("was sent"));
    let unknown = server.run(&["mail", "retry", "00000000-0000-0000-0000-000000000000"]).refused(1);
    assert!(unknown.contains("There is no mail"), "{unknown}");
}
