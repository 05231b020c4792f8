//! One mail over SMTP (RFC 5321): over a connection of its own, step by step, so that it is known which step a refusal is of.

use std::time::Duration;

use lettre::{
    Address,
    address::Envelope,
    transport::smtp::{
        Error,
        authentication::Mechanism,
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
    },
};
use tokio::time::timeout;

use crate::{base::mail_settings::MailTls, delivery::server::MailServer};

/// Timeout for connecting, each of the steps before the mail, and the end of the mail.
const STEP: Duration = Duration::from_secs(20);

/// Timeout for one mail, shorter than its lease.
const WHOLE: Duration = Duration::from_secs(90);

/// Why a mail was not sent.
#[derive(Debug)]
pub struct Failure {
    /// Trying again would not help.
    pub is_final: bool,
    /// For the host.
    pub reason: String,
}

impl Failure {
    fn again(reason: impl Into<String>) -> Self {
        Failure { is_final: false, reason: reason.into() }
    }
}

/// Sends a mail. It is sent when the server has taken it on.
///
/// # Errors
/// Why it was not sent, and whether that is final.
pub async fn send(server: &MailServer, envelope: &Envelope, message: &[u8]) -> Result<(), Failure> {
    match timeout(WHOLE, steps(server, envelope, message)).await {
        Ok(sent) => sent,
        Err(_) => Err(Failure::again(format!("{}:{} takes too long", server.host, server.port))),
    }
}

async fn steps(server: &MailServer, envelope: &Envelope, message: &[u8]) -> Result<(), Failure> {
    let mut connection = connect(server).await?;
    let sent = deliver(&mut connection, envelope, message).await;
    // Whatever is answered to QUIT, or that nothing is: the mail was taken, or not.
    let _ = timeout(Duration::from_secs(2), connection.abort()).await;
    sent
}

async fn connect(server: &MailServer) -> Result<AsyncSmtpConnection, Failure> {
    let place = format!("{}:{}", server.host, server.port);
    let failed = |what: &str, error: Error| Failure::again(format!("{place}: {what}: {}", reason(&error)));
    let name = ClientId::Domain(server.from.email.domain().to_owned());
    let parameters = || {
        let builder = TlsParameters::builder(server.host.clone());
        let trusting =
            server.issuers.iter().fold(builder, |builder, issuer| builder.add_root_certificate(issuer.clone()));
        trusting.build_rustls().map_err(|error| failed("TLS cannot be set up", error))
    };
    let at_once = if server.tls == MailTls::Tls { Some(parameters()?) } else { None };
    let target = (server.host.as_str(), server.port);
    let connecting = AsyncSmtpConnection::connect_tokio1(target, Some(STEP), &name, at_once, None);
    let mut connection = within(connecting).await.map_err(|error| match error {
        Some(error) => failed("cannot connect", error),
        None => Failure::again(format!("{place}: no greeting within {} s", STEP.as_secs())),
    })?;
    if server.tls == MailTls::Starttls {
        if !connection.can_starttls() {
            return Err(Failure::again(format!(
                "{place} does not offer STARTTLS, and nothing is sent unencrypted. Set LATCHKEY_MAIL_TLS=tls if it is \
                 encrypted from the first byte"
            )));
        }
        within(connection.starttls(parameters()?, &name)).await.map_err(|error| match error {
            Some(error) => failed("STARTTLS", error),
            None => Failure::again(format!("{place}: STARTTLS takes too long")),
        })?;
    }
    if let Some(login) = &server.login {
        within(connection.auth(&[Mechanism::Plain, Mechanism::Login], login)).await.map_err(|error| match error {
            Some(error) => failed("sign-in at the mail server", error),
            None => Failure::again(format!("{place}: the sign-in takes too long")),
        })?;
    }
    Ok(connection)
}

async fn deliver(connection: &mut AsyncSmtpConnection, envelope: &Envelope, message: &[u8]) -> Result<(), Failure> {
    let mut parameters = Vec::new();
    let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
    if !envelope.from().into_iter().chain(envelope.to()).all(is_ascii) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            let reason = "the mail server does not deliver to addresses that are not ASCII (SMTPUTF8)";
            return Err(Failure { is_final: true, reason: reason.to_owned() });
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !message.is_ascii() && connection.server_info().supports_feature(Extension::EightBitMime) {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let sender = Mail::new(envelope.from().cloned(), parameters);
    // Whatever is wrong with the sender is for the host to mend.
    within(connection.command(sender)).await.map_err(|error| refused("sender", error, false))?;
    for to in envelope.to() {
        let recipient = Rcpt::new(to.clone(), Vec::new());
        within(connection.command(recipient)).await.map_err(|error| refused("recipient", error, true))?;
    }
    within(connection.command(Data)).await.map_err(|error| refused("DATA", error, true))?;
    // Filters may take their time.
    let taken = timeout(STEP * 3, connection.message(message)).await.map_err(|_| None);
    taken.and_then(|taken| taken.map_err(Some)).map(drop).map_err(|error| refused("mail", error, true))
}

/// Runs a step within its time; `None` if that is over.
async fn within<T>(step: impl Future<Output = Result<T, Error>>) -> Result<T, Option<Error>> {
    match timeout(STEP, step).await {
        Ok(done) => done.map_err(Some),
        Err(_) => Err(None),
    }
}

/// Why a step was refused.
fn refused(step: &str, error: Option<Error>, may_be_final: bool) -> Failure {
    let Some(error) = error else { return Failure::again(format!("{step}: no answer in time")) };
    let reason = reason(&error);
    let is_final = may_be_final && error.is_permanent() && !is_for_the_host(&error, &reason);
    Failure { is_final, reason: format!("{step}: {reason}") }
}

/// True for refusals that are about the sender's rights, whatever step they are of: the codes of RFC 4954, and 5.7.x of
/// RFC 3463 (security and policy).
fn is_for_the_host(error: &Error, reason: &str) -> bool {
    let code = error.status().map(|code| code.to_string()).unwrap_or_default();
    let is_policy = reason.split([' ', ':', '\n']).any(|word| word.starts_with("5.7."));
    matches!(&*code, "530" | "534" | "535" | "538") || is_policy
}

/// The words of the server, on one line, or those of the operating system. A server may repeat what it was sent, and a link
/// or a password in it: long runs of such characters are left out.
fn reason(error: &Error) -> String {
    const LONGEST_WORD: usize = 32;
    let words = error.to_string().replace("Connection error: ", "");
    let is_of_a_secret = |c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c);
    let mut plain = String::new();
    for part in words.split_inclusive(|c: char| !is_of_a_secret(c)) {
        let end = part.len() - part.chars().next_back().filter(|c| !is_of_a_secret(*c)).map_or(0, char::len_utf8);
        plain.push_str(if end >= LONGEST_WORD { "…" } else { &part[..end] });
        plain.push_str(&part[end..]);
    }
    let plain: String = plain.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}
