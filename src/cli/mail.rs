//! `latchkey mail`: lists the outbox, tries a mail again, and sends a test.

use std::time::Duration;

use actix_web::rt;
use clap::Subcommand;
use uuid::Uuid;

use crate::{
    base::{clock, settings::Settings},
    cli::{Outcome, database_error, formatted},
    db::{Db, host_values},
    delivery::{
        queue::{self, Row},
        server::MailServer,
        worker,
    },
    people::users::Email,
    record::outbox,
    web::state::AppState,
};

/// Mails that are listed.
const LISTED: i64 = 1_000;

/// How long a running server may take for a test mail.
const PATIENCE: u32 = 60;

#[derive(Subcommand)]
pub enum Command {
    /// List the mails of the last 30 days, the newest first: waiting, sent or given up
    List,
    /// Try a mail again at once that waits or was given up
    Retry {
        /// The mail's id, as `mail list` shows it
        id: Uuid,
    },
    /// Send a test mail and say what the mail server answers
    Test {
        /// The email address to send it to
        address: Email,
    },
}

/// `latchkey mail …`
pub async fn run(settings: &Settings, db: &Db, command: Command) -> Outcome {
    match command {
        Command::List => list(db).await,
        Command::Retry { id } => retry(db, id).await,
        Command::Test { address } => test(settings, db, &address).await,
    }
}

async fn list(db: &Db) -> Outcome {
    let mut tx = db.read().await.map_err(database_error)?;
    let mails = queue::latest(&mut tx, LISTED).await.map_err(database_error)?;
    if mails.is_empty() {
        match host_values::sends_mail(&mut tx).await.map_err(database_error)? {
            true => println!("No mails."),
            false => println!("No mails. The server sends none: LATCHKEY_MAIL_HOST is not set there."),
        }
    }
    for mail in mails {
        let error = mail.last_error.as_deref().unwrap_or_default();
        println!(
            "{}\t{}\t{}\t{}\t{}\t{error}",
            mail.id,
            formatted(mail.created_at),
            mail.kind,
            mail.to_address,
            state(&mail)
        );
    }
    Ok(())
}

fn state(mail: &Row) -> String {
    match (mail.sent_at, mail.given_up_at, mail.tries) {
        (Some(at), _, _) => format!("sent {}", formatted(at)),
        (None, Some(_), tries) => format!("given up after {}", attempts(tries)),
        (None, None, 0) => "waiting".to_owned(),
        (None, None, tries) => format!("waiting after {}, next {}", attempts(tries), formatted(mail.next_try_at)),
    }
}

fn attempts(tries: i64) -> String {
    crate::web::page::counted(tries, "attempt", "attempts")
}

async fn retry(db: &Db, id: Uuid) -> Outcome {
    let mut tx = db.write().await.map_err(database_error)?;
    let found = queue::by_id(&mut tx, id).await.map_err(database_error)?;
    let Some(mail) = found else { return Err(format!("There is no mail {id}. List them with: latchkey mail list")) };
    if let Some(at) = mail.sent_at {
        return Err(format!("The mail {id} was sent {}.", formatted(at)));
    }
    queue::retry(&mut tx, id, clock::now()).await.map_err(database_error)?;
    tx.commit().await.map_err(database_error)?;
    log::info!("mail retry: mail {id}");
    println!("The mail to {} is tried again within seconds, if the server is running.", mail.to_address);
    Ok(())
}

/// Sends a test mail: with the mail server of this command's settings, or else by the running server.
async fn test(settings: &Settings, db: &Db, address: &Email) -> Outcome {
    let server = MailServer::of(settings)?;
    let mut tx = db.write().await.map_err(database_error)?;
    if server.is_none() && !host_values::sends_mail(&mut tx).await.map_err(database_error)? {
        return Err("There is no mail server: set LATCHKEY_MAIL_HOST, for this command or for the server.".to_owned());
    }
    let base_url = host_values::stored_base_url(&mut tx).await.map_err(database_error)?;
    let id = outbox::put_test(&mut tx, &address.text, clock::now()).await.map_err(database_error)?;
    tx.commit().await.map_err(database_error)?;
    if let Some(server) = server {
        let base_url = match base_url.filter(|_| settings.base_url.is_none()) {
            Some(stored) => stored,
            None => settings.base_url(None)?,
        };
        let state = AppState { settings: settings.clone(), base_url, db: db.clone() };
        worker::send(&state, &server, id).await.map_err(database_error)?;
    }
    let mail = wait(db, id).await?;
    match (mail.sent_at, mail.last_error) {
        (Some(_), _) => {
            println!("The mail server has accepted a mail to {}.", address.text);
            Ok(())
        }
        (None, Some(error)) => Err(format!("The test mail was not sent: {error}.")),
        (None, None) => Err("No server has sent the test mail yet. Is it running?".to_owned()),
    }
}

/// Waits until the mail was tried.
async fn wait(db: &Db, id: Uuid) -> Result<Row, String> {
    for _ in 0..PATIENCE {
        let mut tx = db.read_latest().await.map_err(database_error)?;
        let mail = queue::by_id(&mut tx, id).await.map_err(database_error)?;
        let mail = mail.ok_or_else(|| format!("The mail {id} has disappeared."))?;
        if mail.sent_at.is_some() || mail.last_error.is_some() {
            return Ok(mail);
        }
        rt::time::sleep(Duration::from_secs(1)).await;
    }
    let mut tx = db.read_latest().await.map_err(database_error)?;
    let mail = queue::by_id(&mut tx, id).await.map_err(database_error)?;
    mail.ok_or_else(|| format!("The mail {id} has disappeared."))
}
