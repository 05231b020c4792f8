//! The text and HTML of a mail, in the host's name.

use askama::Template;
use chrono_tz::Tz;
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};
use uuid::Uuid;

use crate::{
    base::clock::Moment,
    delivery::server::MailServer,
    web::{page, state::AppState},
};

/// What a mail says.
#[derive(Default)]
pub struct Letter {
    pub subject: String,
    /// The paragraphs before the facts.
    pub text: Vec<String>,
    /// Labels with what is known, such as when and from where.
    pub facts: Vec<(&'static str, String)>,
    /// The label of a link, and its address.
    pub button: Option<(&'static str, String)>,
    /// The paragraphs after the link.
    pub closing: Vec<String>,
}

impl Letter {
    pub fn new(subject: impl Into<String>, text: impl Into<String>) -> Self {
        Letter { subject: subject.into(), text: vec![text.into()], ..Letter::default() }
    }

    pub fn say(mut self, text: impl Into<String>) -> Self {
        self.text.push(text.into());
        self
    }

    pub fn fact(mut self, label: &'static str, value: Option<impl Into<String>>) -> Self {
        self.facts.extend(value.map(|value| (label, value.into())));
        self
    }

    pub fn button(mut self, label: &'static str, address: String) -> Self {
        self.button = Some((label, address));
        self
    }

    pub fn close(mut self, text: impl Into<String>) -> Self {
        self.closing.push(text.into());
        self
    }
}

/// The host, at the end of a mail.
struct Host<'a> {
    name: &'a str,
    address: &'a str,
    support: Option<&'a str>,
}

impl<'a> Host<'a> {
    fn of(state: &'a AppState) -> Self {
        let (name, support) = (&*state.settings.host_name, state.settings.support.as_deref());
        Host { name, address: state.address(), support }
    }

    /// The support contact as a link.
    fn support_href(&self) -> Option<String> {
        self.support.map(page::contact_href)
    }
}

#[derive(Template)]
#[template(path = "mail/message.txt", escape = "none")]
struct Text<'a> {
    letter: &'a Letter,
    host: Host<'a>,
}

#[derive(Template)]
#[template(path = "mail/message.html")]
struct Html<'a> {
    letter: &'a Letter,
    host: Host<'a>,
}

/// A moment in the time zone of the reader.
pub fn time(moment: Moment, zone: Tz) -> String {
    let there = moment.with_timezone(&zone);
    format!("{} ({})", there.format("%-d %b %Y, %H:%M"), if zone == Tz::UTC { "UTC" } else { zone.name() })
}

/// The message of a mail. It has the same id at each attempt, so that a copy can be recognised.
///
/// # Errors
/// Why there is none: such a mail will never be sent.
pub fn message(
    letter: &Letter,
    state: &AppState,
    server: &MailServer,
    id: Uuid,
    to: &str,
    at: Moment,
) -> Result<Message, String> {
    let to: Address = to.parse().map_err(|error| format!("the address cannot be mailed to: {error}"))?;
    let host = || Host::of(state);
    let text = Text { letter, host: host() }.render().map_err(|error| format!("a template failed: {error}"))?;
    let html = Html { letter, host: host() }.render().map_err(|error| format!("a template failed: {error}"))?;
    let header = |name, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned());
    let mut message = Message::builder()
        .from(server.from.clone())
        .to(Mailbox::new(None, to))
        .subject(&letter.subject)
        .date(at.into())
        .message_id(Some(format!("<{id}@{}>", server.from.email.domain())));
    if let Some(reply_to) = &server.reply_to {
        message = message.reply_to(reply_to.clone());
    }
    message
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Auto-Response-Suppress", "All"))
        .multipart(MultiPart::alternative().singlepart(SinglePart::plain(text)).singlepart(SinglePart::html(html)))
        .map_err(|error| format!("the message cannot be built: {error}"))
}
