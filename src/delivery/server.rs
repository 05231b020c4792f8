//! The mail server of the settings, checked at start.

use std::{fs, net::IpAddr};

use lettre::{
    Address,
    message::Mailbox,
    transport::smtp::{authentication::Credentials, client::Certificate},
};

use crate::base::{
    mail_settings::{MailSettings, MailTls},
    settings::Settings,
};

/// The mail server, and how it is used.
pub struct MailServer {
    pub host: String,
    pub port: u16,
    pub tls: MailTls,
    pub login: Option<Credentials>,
    /// Issuers of certificates that are trusted besides those of the system.
    pub issuers: Vec<Certificate>,
    pub from: Mailbox,
    pub reply_to: Option<Mailbox>,
    pub per_minute: i64,
}

impl MailServer {
    /// `None` if the host has set up none.
    ///
    /// # Errors
    /// A sentence for the host if a setting is invalid, or two do not fit together.
    pub fn of(settings: &Settings) -> Result<Option<Self>, String> {
        let mail = &settings.mail;
        let Some(host) = mail.mail_host.clone() else {
            return match without_host(mail) {
                Some(name) => Err(format!("{name} is set, but LATCHKEY_MAIL_HOST is not: no mail would be sent.")),
                None if mail.is_open() => Err(
                    "LATCHKEY_SIGN_UP is open, but LATCHKEY_MAIL_HOST is not set: addresses could not be confirmed."
                        .to_owned(),
                ),
                None => Ok(None),
            };
        };
        if host.contains("://") || host.contains('/') || host.trim().is_empty() {
            return Err(format!(
                "LATCHKEY_MAIL_HOST is a name or an address alone, such as smtp.farol.example, not {host}."
            ));
        }
        let tls = tls(mail);
        let port = mail.mail_port.unwrap_or(match tls {
            MailTls::Tls => 465,
            MailTls::Starttls => 587,
            MailTls::None => 25,
        });
        match (port, tls) {
            (465, MailTls::Starttls) => {
                return Err(
                    "Port 465 of mail servers is encrypted from the first byte: set LATCHKEY_MAIL_TLS=tls, or \
                            LATCHKEY_MAIL_PORT=587 for STARTTLS."
                        .to_owned(),
                );
            }
            (25 | 587, MailTls::Tls) => {
                return Err(format!(
                    "Port {port} of mail servers begins unencrypted: set LATCHKEY_MAIL_TLS=starttls, or \
                     LATCHKEY_MAIL_PORT=465 for TLS."
                ));
            }
            _ => {}
        }
        if tls == MailTls::None && !is_loopback(&host) {
            return Err(format!(
                "LATCHKEY_MAIL_TLS=none is only for a mail server on this machine: mails to {host} would cross the network \
                 unencrypted, with links that set passwords."
            ));
        }
        let Some(from) = &mail.mail_from else {
            return Err("LATCHKEY_MAIL_FROM is missing: the address from which mails are sent.".to_owned());
        };
        let mut from = mailbox("LATCHKEY_MAIL_FROM", from)?;
        let host_name: String = settings.host_name.chars().filter(|c| !c.is_control()).collect();
        from.name = from.name.or(Some(host_name));
        let reply_to = mail.mail_reply_to.as_ref().map(|text| mailbox("LATCHKEY_MAIL_REPLY_TO", text)).transpose()?;
        let (login, issuers) = (login(mail)?, issuers(mail)?);
        let per_minute = mail.mail_per_minute.into();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Some(MailServer { host, port, tls, login, issuers, from, reply_to, per_minute }))
    }
}

/// The first setting that only makes sense with a mail server.
fn without_host(mail: &MailSettings) -> Option<&'static str> {
    [
        (mail.mail_from.is_some(), "LATCHKEY_MAIL_FROM"),
        (mail.mail_user.is_some(), "LATCHKEY_MAIL_USER"),
        (mail.mail_port.is_some(), "LATCHKEY_MAIL_PORT"),
        (mail.mail_tls.is_some(), "LATCHKEY_MAIL_TLS"),
    ]
    .into_iter()
    .find_map(|(is_set, name)| is_set.then_some(name))
}

fn tls(mail: &MailSettings) -> MailTls {
    mail.mail_tls.unwrap_or(if mail.mail_port == Some(465) { MailTls::Tls } else { MailTls::Starttls })
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Parses `Name <address>`, or an address alone. A name need not be quoted.
fn mailbox(setting: &str, text: &str) -> Result<Mailbox, String> {
    let (name, address) = match text.trim().strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, address)) => (name.trim().trim_matches('"').trim(), address.trim()),
        None => ("", text.trim()),
    };
    if name.chars().any(char::is_control) {
        return Err(format!("{setting} has a control character in its name."));
    }
    let address: Address = address.parse().map_err(|_| {
        format!("{setting} is not an address such as mail@farol.example, or Farol Channels <mail@farol.example>.")
    })?;
    Ok(Mailbox::new((!name.is_empty()).then(|| name.to_owned()), address))
}

fn login(mail: &MailSettings) -> Result<Option<Credentials>, String> {
    match (&mail.mail_user, mail.password()?) {
        (None, None) => Ok(None),
        (Some(user), Some(password)) => Ok(Some(Credentials::new(user.clone(), password.0))),
        (Some(_), None) => {
            Err("LATCHKEY_MAIL_USER is set, but there is no password: set LATCHKEY_MAIL_PASSWORD.".to_owned())
        }
        (None, Some(_)) => Err("There is a mail password, but LATCHKEY_MAIL_USER is not set.".to_owned()),
    }
}

fn issuers(mail: &MailSettings) -> Result<Vec<Certificate>, String> {
    let Some(file) = &mail.mail_ca_file else { return Ok(Vec::new()) };
    let place = file.display();
    let text = fs::read(file).map_err(|error| format!("Cannot read the certificates in {place}: {error}."))?;
    // A file without any is read as one with none.
    if !text.windows(27).any(|part| part == b"-----BEGIN CERTIFICATE-----") {
        return Err(format!("{place} has no certificates in PEM (LATCHKEY_MAIL_CA_FILE)."));
    }
    match Certificate::from_pem(&text) {
        Ok(certificate) => Ok(vec![certificate]),
        Err(error) => Err(format!("Cannot read the certificates in {place}: {error}.")),
    }
}
