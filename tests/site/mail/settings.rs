//! Settings of mail: what is missing or does not fit together is refused at start, in words.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::mails::{FROM, MailServer, Tls};
use crate::options::Options;
use crate::page::until;
use crate::server::Server;

fn with(settings: &[(&str, &str)]) -> Options {
    settings.iter().fold(Options::default(), |options, (name, value)| options.env(&format!("LATCHKEY_{name}"), value))
}

#[actix_web::test]
async fn settings_that_cannot_work_are_refused_at_start() {
    let server = ("MAIL_HOST", "smtp.farol.example");
    let from = ("MAIL_FROM", FROM);
    let missing = tempfile::tempdir().expect("a folder").path().join("none").display().to_string();
    for (settings, words) in [
        (vec![from], "LATCHKEY_MAIL_HOST is not"),
        (vec![("SIGN_UP", "open")], "LATCHKEY_MAIL_HOST is not"),
        (vec![server], "LATCHKEY_MAIL_FROM is missing"),
        (vec![server, ("MAIL_FROM", "Farol")], "LATCHKEY_MAIL_FROM is not an address"),
        (vec![server, from, ("MAIL_REPLY_TO", "desk")], "LATCHKEY_MAIL_REPLY_TO is not an address"),
        (vec![server, from, ("MAIL_PORT", "465"), ("MAIL_TLS", "starttls")], "LATCHKEY_MAIL_TLS=tls"),
        (vec![server, from, ("MAIL_PORT", "587"), ("MAIL_TLS", "tls")], "LATCHKEY_MAIL_TLS=starttls"),
        (vec![server, from, ("MAIL_TLS", "none")], "only for a mail server on this machine"),
        (vec![server, from, ("MAIL_USER", "latchkey")], "there is no password"),
        (vec![server, from, ("MAIL_PASSWORD", "of-the-mail-server")], "LATCHKEY_MAIL_USER is not set"),
        (
            vec![server, from, ("MAIL_USER", "latchkey"), ("MAIL_PASSWORD_FILE", &missing)],
            "Cannot read the mail password",
        ),
        (vec![server, from, ("MAIL_CA_FILE", &missing)], "Cannot read the certificates"),
        (vec![server, from, ("MAIL_CA_FILE", "/etc/hostname")], "no certificates"),
        (vec![("MAIL_HOST", "smtp://farol.example"), from], "a name or an address alone"),
    ] {
        let said = with(&settings).start_refused().await;
        assert!(said.contains(words), "{settings:?}: {said}");
        assert!(!said.contains("of-the-mail-server"), "{said}");
    }
}

#[actix_web::test]
async fn a_password_comes_from_a_file_too_without_its_line_break() {
    let mail = MailServer::with(Tls::Starttls, Some(("latchkey", "of-the-mail-server")));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    fs::write(&file, "of-the-mail-server\r\n").expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("a file");
    let options = || {
        mail.options()
            .env("LATCHKEY_MAIL_USER", "latchkey")
            .env("LATCHKEY_MAIL_PASSWORD_FILE", &file.display().to_string())
    };
    let server = options().start().await;
    until("a warning", async || server.log().contains("can read the mail password: chmod 600").then_some(())).await;
    let user = server.add_user("rita@farol.example");
    server.signed_in(&user).await;
    mail.mails(&user.email, 1).await;
    drop(server);
    let said = options().env("LATCHKEY_MAIL_PASSWORD", "of-the-mail-server").start_refused().await;
    assert!(said.contains("not both"), "{said}");
    fs::write(&file, "\n").expect("a file");
    assert!(options().start_refused().await.contains("it is empty"));
}

#[actix_web::test]
async fn a_sender_may_have_a_name_and_a_port_chooses_the_encryption() {
    let mail = MailServer::with(Tls::FromTheStart, None);
    let server: Server = mail.options().env("LATCHKEY_MAIL_FROM", &format!("Farol: Rooms <{FROM}>")).start().await;
    let user = server.add_user("rita@farol.example");
    server.signed_in(&user).await;
    let mails = mail.mails(&user.email, 1).await;
    assert_eq!(mails[0].header("from"), format!("\"Farol: Rooms\" <{FROM}>"));
}
