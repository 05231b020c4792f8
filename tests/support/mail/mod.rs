//! A real mail server for the tests (aiosmtpd), and the mails that it has accepted.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::options::Options;
use crate::page::until;
use crate::program::free_port;
use crate::server::Server;

/// The sender of every mail.
pub const FROM: &str = "mail@farol.example";

/// How connections to the mail server are encrypted, as `LATCHKEY_MAIL_TLS` says it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    None,
    Starttls,
    FromTheStart,
}

impl Tls {
    fn word(self) -> &'static str {
        match self {
            Tls::None => "none",
            Tls::Starttls => "starttls",
            Tls::FromTheStart => "tls",
        }
    }
}

/// A mail server on this machine. It ends when it is dropped.
pub struct MailServer {
    pub port: u16,
    tls: Tls,
    login: Option<(String, String)>,
    folder: TempDir,
    child: Option<Child>,
    lines: Arc<Mutex<Vec<Value>>>,
}

/// A mail that the server has accepted.
#[derive(Clone, Debug)]
pub struct Mail(pub Value);

impl Mail {
    pub fn to(&self) -> &str {
        self.0["to"][0].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.0["headers"][name].as_str().unwrap_or_default()
    }

    pub fn subject(&self) -> &str {
        self.header("subject")
    }

    pub fn text(&self) -> String {
        self.0["text"].as_str().unwrap_or_default().replace("\r\n", "\n")
    }

    pub fn html(&self) -> &str {
        self.0["html"].as_str().unwrap_or_default()
    }

    /// The path of the one-time link in the mail, whose address begins with this base URL.
    pub fn path(&self, base_url: &str) -> String {
        let text = self.text();
        let links: Vec<&str> = text.lines().filter(|line| line.starts_with(base_url)).collect();
        let link = links.iter().find(|link| link.len() > base_url.len() + 40);
        link.unwrap_or_else(|| panic!("no link of {base_url} in {text}"))[base_url.len()..].to_owned()
    }
}

impl MailServer {
    /// A server without encryption or sign-in.
    pub fn start() -> Self {
        Self::with(Tls::None, None)
    }

    /// With a user name and a password.
    pub fn with(tls: Tls, login: Option<(&str, &str)>) -> Self {
        let folder = TempDir::new().expect("a folder");
        if tls != Tls::None {
            certificate(&folder);
        }
        let login = login.map(|(user, password)| (user.to_owned(), password.to_owned()));
        let mut server = MailServer { port: free_port(), tls, login, folder, child: None, lines: Arc::default() };
        server.answer(&json!({}));
        server.begin();
        server
    }

    /// Starts it, at the port of before.
    pub fn begin(&mut self) {
        let python = std::env::var("LATCHKEY_TEST_PYTHON")
            .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/target/mail/venv/bin/python").to_owned());
        let mut settings = json!({
            "port": self.port,
            "tls": self.tls.word(),
            "certificate": self.file("certificate.pem"),
            "key": self.file("key.pem"),
            "control": self.file("control.json"),
        });
        if let Some((user, password)) = &self.login {
            settings["user"] = Value::from(user.as_str());
            settings["password"] = Value::from(password.as_str());
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/mail/smtp_server.py");
        let mut command = Command::new(python);
        command.args([script, &settings.to_string()]).env("PYTHONDONTWRITEBYTECODE", "1");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("no Python with aiosmtpd ({error}): run tests/run tools"));
        let mut reader = BufReader::new(child.stdout.take().expect("its output"));
        let mut port = String::new();
        reader.read_line(&mut port).expect("its port");
        assert_eq!(port.trim(), self.port.to_string(), "no mail server: run tests/run tools");
        let lines = self.lines.clone();
        std::thread::spawn(move || {
            for line in reader.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).expect("JSON");
                lines.lock().expect("the lines").push(line);
            }
        });
        self.child = Some(child);
    }

    /// Ends it: nothing listens at its port.
    pub fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The certificate of the server, which is its own issuer.
    pub fn certificate(&self) -> PathBuf {
        self.file("certificate.pem")
    }

    /// What it answers from now on, by step (`mail`, `rcpt`, `data`) or by recipient; `slow` are seconds before the answer
    /// to a mail.
    pub fn answer(&self, answers: &Value) {
        let (new, file) = (self.file("control.new"), self.file("control.json"));
        std::fs::write(&new, answers.to_string()).expect("a file");
        std::fs::rename(new, file).expect("a file");
    }

    /// Settings of a server that sends with it.
    pub fn options(&self) -> Options {
        let options = Options::default()
            .env("LATCHKEY_MAIL_HOST", "localhost")
            .env("LATCHKEY_MAIL_PORT", &self.port.to_string())
            .env("LATCHKEY_MAIL_TLS", self.tls.word())
            .env("LATCHKEY_MAIL_FROM", FROM);
        match self.tls {
            Tls::None => options,
            _ => options.env("LATCHKEY_MAIL_CA_FILE", &self.certificate().display().to_string()),
        }
    }

    /// A server that sends with it.
    pub async fn serve(&self) -> Server {
        self.options().start().await
    }

    fn lines(&self) -> Vec<Value> {
        self.lines.lock().expect("the lines").clone()
    }

    /// All mails that were accepted so far.
    pub fn accepted(&self) -> Vec<Mail> {
        self.lines().into_iter().filter(|line| line["received"].is_null()).map(Mail).collect()
    }

    /// Waits until a mail was received that the server is slow to answer.
    pub async fn received(&self) {
        until("a mail is received", async || self.lines().iter().any(|line| !line["received"].is_null()).then_some(()))
            .await;
    }

    /// Waits for so many mails to an address, and returns them.
    pub async fn mails(&self, to: &str, count: usize) -> Vec<Mail> {
        let mails = until(&format!("{count} mails to {to}"), async || {
            let mails: Vec<Mail> = self.accepted().into_iter().filter(|mail| mail.to() == to).collect();
            (mails.len() >= count).then_some(mails)
        })
        .await;
        assert_eq!(mails.len(), count, "{mails:?}");
        mails
    }

    /// Waits for a mail to an address with this subject.
    pub async fn mail(&self, to: &str, subject: &str) -> Mail {
        until(&format!("a mail to {to}: {subject}"), async || {
            self.accepted().into_iter().rev().find(|mail| mail.to() == to && mail.subject() == subject)
        })
        .await
    }

    /// The path of the one-time link in a mail, which no log and no table may contain.
    pub async fn link(&self, server: &Server, to: &str, subject: &str) -> String {
        let path = self.mail(to, subject).await.path(&server.base_url);
        server.secrets.register("link", path.rsplit('/').next().unwrap_or_default());
        path
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.end();
    }
}

/// A certificate for `localhost`, and its key.
fn certificate(folder: &TempDir) {
    let file = |name: &str| folder.path().join(name).display().to_string();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=CA:FALSE",
        ])
        .args(["-keyout", &file("key.pem"), "-out", &file("certificate.pem")])
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{made:?}");
}

/// Waits until the outbox has this many mails of a kind in a state (`sent_at`, `given_up_at`).
pub async fn outbox(server: &Server, kind: &str, state: &str, count: usize) {
    let sql = format!("select kind from outbox where kind = '{kind}' and {state} is not null");
    until(&format!("{count} mails of {kind} with {state}"), async || {
        (server.texts(&sql).await.len() == count).then_some(())
    })
    .await;
}
