//! Settings of mail: the server that sends it, and the sender.

use std::{env, fmt, fs, io, os::unix::fs::PermissionsExt, path::Path, path::PathBuf};

use clap::{Args, ValueEnum};

/// The variable of the password, which is no option: everybody on the machine can read a command line.
pub const PASSWORD: &str = "LATCHKEY_MAIL_PASSWORD";

/// The name of the password among the credentials of systemd.
const CREDENTIAL: &str = "mail_password";

/// How mail is sent. Without `mail_host`, none is.
#[derive(Args, Clone)]
#[command(next_help_heading = "Mail")]
pub struct MailSettings {
    /// Mail server (SMTP) for invitations, password resets and security notices; without one, no mail is sent
    #[arg(long, env = "LATCHKEY_MAIL_HOST", global = true, value_name = "HOST")]
    pub mail_host: Option<String>,

    /// Port of the mail server [default: 587 with STARTTLS, 465 with TLS, 25 with none]
    #[arg(long, env = "LATCHKEY_MAIL_PORT", global = true, value_name = "PORT",
          value_parser = clap::value_parser!(u16).range(1..))]
    pub mail_port: Option<u16>,

    /// Encryption to the mail server; `none` only for one on this machine [default: tls on port 465, else starttls]
    #[arg(long, env = "LATCHKEY_MAIL_TLS", global = true, value_name = "HOW")]
    pub mail_tls: Option<MailTls>,

    /// User name at the mail server. LATCHKEY_MAIL_PASSWORD has the password
    #[arg(long, env = "LATCHKEY_MAIL_USER", global = true, value_name = "NAME")]
    pub mail_user: Option<String>,

    /// File with the password for the mail server, instead of LATCHKEY_MAIL_PASSWORD
    #[arg(long, env = "LATCHKEY_MAIL_PASSWORD_FILE", global = true, value_name = "FILE")]
    pub mail_password_file: Option<PathBuf>,

    /// Sender: an address, or a name and an address: Farol Channels <mail@farol.example>
    #[arg(long, env = "LATCHKEY_MAIL_FROM", global = true, value_name = "ADDRESS")]
    pub mail_from: Option<String>,

    /// Where answers to mails go [default: the sender]
    #[arg(long, env = "LATCHKEY_MAIL_REPLY_TO", global = true, value_name = "ADDRESS")]
    pub mail_reply_to: Option<String>,

    /// Maximum number of mails per minute; those that strangers can ask for get half of it
    #[arg(long, env = "LATCHKEY_MAIL_PER_MINUTE", default_value_t = 60, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u16).range(1..))]
    pub mail_per_minute: u16,

    /// File with certificates (PEM) to trust as issuers of the mail server's, besides those of the system
    #[arg(long, env = "LATCHKEY_MAIL_CA_FILE", global = true, value_name = "FILE")]
    pub mail_ca_file: Option<PathBuf>,

    /// Who can create an account: only those who are invited, or everybody with an email address
    #[arg(long, env = "LATCHKEY_SIGN_UP", default_value = "closed", global = true, value_name = "HOW")]
    pub sign_up: SignUp,
}

/// How the connection to the mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MailTls {
    /// From the first byte
    Tls,
    /// After STARTTLS, which the server must support
    Starttls,
    None,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SignUp {
    Closed,
    Open,
}

/// The password for the mail server: a secret, which `Debug` does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct MailPassword(pub String);

impl fmt::Debug for MailPassword {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("MailPassword(..)")
    }
}

impl MailSettings {
    pub fn sends_mail(&self) -> bool {
        self.mail_host.is_some()
    }

    /// True if everybody can create an account. It takes mail.
    pub fn is_open(&self) -> bool {
        self.sign_up == SignUp::Open
    }

    /// The password: from the variable, the file, or a credential of systemd, without the line break at its end.
    ///
    /// # Errors
    /// A sentence for the host if it cannot be read, is empty, or is there twice.
    pub fn password(&self) -> Result<Option<MailPassword>, String> {
        let variable = env::var(PASSWORD).ok().filter(|password| !password.is_empty());
        let credential = env::var_os("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(CREDENTIAL));
        let file = match (&self.mail_password_file, variable, credential.filter(|file| file.exists())) {
            (Some(_), Some(_), _) => {
                return Err(format!("Set {PASSWORD} or LATCHKEY_MAIL_PASSWORD_FILE, not both."));
            }
            (None, Some(password), _) => return Ok(Some(MailPassword(password))),
            (Some(file), None, _) => file.clone(),
            (None, None, Some(file)) => file,
            (None, None, None) => return Ok(None),
        };
        let place = file.display();
        let text = read(&file).map_err(|error| format!("Cannot read the mail password from {place}: {error}."))?;
        let password = text.strip_suffix('\n').unwrap_or(&text);
        match password.strip_suffix('\r').unwrap_or(password) {
            "" => Err(format!("{place} has no mail password: it is empty.")),
            password => Ok(Some(MailPassword(password.to_owned()))),
        }
    }
}

/// Reads a file with a secret. If others can read it, the log says so.
fn read(file: &Path) -> io::Result<String> {
    if fs::metadata(file)?.permissions().mode() & 0o077 != 0 {
        log::warn!("other users of this machine can read the mail password: chmod 600 {}", file.display());
    }
    fs::read_to_string(file)
}
