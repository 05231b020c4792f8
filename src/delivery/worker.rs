//! Takes mails of the outbox one after the other and sends them, beside requests. Each process has one worker; a lease keeps
//! two from sending the same mail. A mail that was handed over and whose row could not be marked, since the process was
//! killed, is sent once more, with the same Message-ID: none is lost.

use std::{sync::Arc, time::Duration};

use actix_web::{rt, web::Data};
use lettre::Message;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    base::{clock, logging::OnceAMinute},
    delivery::{
        compose::{Composed, Composer},
        letter,
        queue::{self, Leased},
        server::MailServer,
        smtp::{self, Failure},
    },
    record::outbox::PENDING,
    web::state::AppState,
};

/// How often the outbox is looked into without being woken: for mails of commands and of other processes, and those to be
/// tried again.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long the result of an attempt is written again if the database is unavailable: within the lease.
const WRITE_FOR: u32 = 60;

/// Asks the worker to stop after the mail that it is sending.
#[derive(Clone, Default)]
pub struct Stop(Arc<Notify>);

impl Stop {
    pub fn stop(&self) {
        self.0.notify_one();
    }
}

/// Sends mails until it is asked to stop.
pub async fn keep_sending(state: Data<AppState>, server: MailServer, stop: Stop) {
    let server = Arc::new(server);
    loop {
        let look = look(&state, &server);
        let more = tokio::select! {
            biased;
            () = stop.0.notified() => return,
            more = look => more,
        };
        for id in more {
            let (in_task, to) = (state.clone(), server.clone());
            // In a task of its own: a fault in one mail must not end the worker.
            match rt::spawn(async move { send(&in_task, &to, id).await }).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => log::warn!("mail {id}: {error}"),
                Err(_) => give_up(&state, id).await,
            }
            if stopped(&stop).await {
                return;
            }
        }
    }
}

async fn give_up(state: &AppState, id: Uuid) {
    log::error!("mail {id} is given up: the program has failed to compose or send it");
    let given_up = async {
        let mut tx = state.db.write().await?;
        queue::give_up(&mut tx, id, "a fault of the program", clock::now()).await?;
        tx.commit().await
    };
    if let Err(error) = given_up.await {
        log::warn!("mail {id}: {error}");
    }
}

async fn stopped(stop: &Stop) -> bool {
    tokio::select! {
        biased;
        () = stop.0.notified() => true,
        () = std::future::ready(()) => false,
    }
}

/// Waits for mails that are due.
async fn look(state: &AppState, server: &MailServer) -> Vec<Uuid> {
    static WARN: OnceAMinute = OnceAMinute::new();
    loop {
        let due = async { queue::due(&mut state.db.read_latest().await?, server.per_minute, clock::now()).await };
        match due.await {
            Ok(due) if !due.is_empty() => return due,
            Ok(_) => {}
            Err(error) if WARN.is_due() => log::warn!("the outbox cannot be read: {error}"),
            Err(_) => {}
        }
        tokio::select! {
            () = PENDING.notified() => {}
            () = rt::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Sends one mail, unless another process does.
///
/// # Errors
/// If the database is unavailable: then the mail stays in the outbox.
pub async fn send(state: &AppState, server: &MailServer, id: Uuid) -> sqlx::Result<()> {
    let Some((mail, message)) = prepare(state, server, id).await? else { return Ok(()) };
    let sent = smtp::send(server, message.envelope(), &message.formatted()).await;
    let mut written = write(state, &mail, &sent).await;
    for _ in 0..WRITE_FOR {
        if written.is_ok() {
            break;
        }
        rt::time::sleep(Duration::from_secs(1)).await;
        written = write(state, &mail, &sent).await;
    }
    written
}

/// Leases a mail and composes it, both in one transaction. `None` if there is nothing to be sent.
async fn prepare(state: &AppState, server: &MailServer, id: Uuid) -> sqlx::Result<Option<(Leased, Message)>> {
    let now = clock::now();
    let mut tx = state.db.write().await?;
    let Some(mut mail) = queue::lease(&mut tx, id, now).await? else { return Ok(None) };
    let composed = Composer { state, mail: &mut mail, now }.compose(&mut tx).await?;
    let message = match composed {
        Composed::Letter { letter, to } => letter::message(&letter, state, server, id, &to, now),
        Composed::Nobody => {
            mail.remove(&mut tx).await?;
            tx.commit().await?;
            return Ok(None);
        }
        Composed::Pointless(reason) => Err(reason.to_owned()),
    };
    let message = match message {
        Ok(message) => Some(message),
        Err(reason) => {
            log::warn!("mail {id} ({}) is given up: {reason}", mail.name());
            mail.give_up(&mut tx, &reason, now).await?;
            None
        }
    };
    tx.commit().await?;
    Ok(message.map(|message| (mail, message)))
}

/// Writes what became of an attempt.
async fn write(state: &AppState, mail: &Leased, sent: &Result<(), Failure>) -> sqlx::Result<()> {
    let now = clock::now();
    let mut tx = state.db.write().await?;
    let (id, name) = (mail.id, mail.name());
    match sent {
        Ok(()) => mail.sent(&mut tx, now).await?,
        Err(Failure { is_final: false, reason }) if mail.try_again(&mut tx, reason, now).await? => {
            log::warn!("mail {id} ({name}) was not sent, and will be tried again: {reason}");
        }
        Err(Failure { is_final, reason }) => {
            log::error!("mail {id} ({name}) was not sent, and is given up: {reason}");
            if *is_final {
                mail.give_up(&mut tx, reason, now).await?;
            }
        }
    }
    tx.commit().await?;
    if sent.is_ok() {
        log::info!("mail {id} ({name}) sent, attempt {}", mail.tries);
    }
    Ok(())
}
