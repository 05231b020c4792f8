//! Every setting: its flag, environment variable, default and meaning.

use std::{net::SocketAddr, path::PathBuf};

use chrono::Duration;
use clap::{Args, ValueEnum, builder::FalseyValueParser};
use ipnet::IpNet;
use url::{Host, Url};

use crate::base::{logging, mail_settings::MailSettings};

/// Settings, read once at start. None is required.
#[derive(Args, Clone)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, env = "LATCHKEY_LISTEN", default_value = "127.0.0.1:8080", global = true, value_name = "ADDRESS")]
    pub listen: String,

    /// Folder of the SQLite database, created if missing [default: ./latchkey-data]
    #[arg(long, env = "LATCHKEY_DATA_DIR", global = true, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,

    /// PostgreSQL to use instead of SQLite: postgres://user:password@host:5432/latchkey
    #[arg(long, env = "DATABASE_URL", global = true, value_name = "URL")]
    pub database_url: Option<String>,

    /// Base URL by which browsers and programs access the site [default: http:// and the listening address]
    #[arg(long, env = "LATCHKEY_BASE_URL", global = true, value_name = "URL")]
    pub base_url: Option<String>,

    /// Allow a plain http base URL that is not loopback: passwords and keys would be sent unencrypted
    #[arg(long, env = "LATCHKEY_ALLOW_HTTP", global = true, value_parser = FalseyValueParser::new())]
    pub allow_http: bool,

    /// The host's name, shown on every page
    #[arg(long, env = "LATCHKEY_HOST_NAME", default_value = "Latchkey", global = true, value_name = "NAME")]
    pub host_name: String,

    /// Support contact for users: an email address or a URL
    #[arg(long, env = "LATCHKEY_SUPPORT", global = true, value_name = "ADDRESS")]
    pub support: Option<String>,

    /// Prefix for new API keys (1–8 letters)
    #[arg(long, env = "LATCHKEY_KEY_PREFIX", default_value = "lk", global = true, value_parser = key_prefix, value_name = "LETTERS")]
    pub key_prefix: String,

    /// Prefixes that API keys had before, comma-separated: `scan` and `scan-rules` find these keys, too
    #[arg(long, env = "LATCHKEY_FORMER_KEY_PREFIXES", global = true, value_delimiter = ',', value_parser = key_prefix, value_name = "LETTERS")]
    pub former_key_prefixes: Vec<String>,

    /// Maximum number of active API keys per user
    #[arg(long, env = "LATCHKEY_MAX_KEYS", default_value_t = 100, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(i64).range(0..))]
    pub max_keys: i64,

    /// Maximum number of days until a new API key expires; 0 means no limit, and keys need not expire
    #[arg(long, env = "LATCHKEY_MAX_KEY_DAYS", default_value_t = 0, global = true, value_name = "DAYS",
          value_parser = clap::value_parser!(u16))]
    pub max_key_days: u16,

    /// Maximum number of existing properties created by one user; 0 means no limit
    #[arg(long, env = "LATCHKEY_MAX_PROPERTIES", default_value_t = 2_000, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(i64).range(0..))]
    pub max_properties: i64,

    /// Maximum number of groups owned by one user; 0 means no limit
    #[arg(long, env = "LATCHKEY_MAX_GROUPS", default_value_t = 2_000, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(i64).range(0..))]
    pub max_groups: i64,

    /// Maximum number of room types per property; 0 means no limit
    #[arg(long, env = "LATCHKEY_MAX_ROOM_TYPES", default_value_t = 200, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(i64).range(0..))]
    pub max_room_types: i64,

    /// Maximum number of rate plans per property; 0 means no limit
    #[arg(long, env = "LATCHKEY_MAX_RATE_PLANS", default_value_t = 1_000, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(i64).range(0..))]
    pub max_rate_plans: i64,

    /// Grace period after a failed payment, in days
    #[arg(long, env = "LATCHKEY_GRACE_DAYS", default_value_t = 7, global = true, value_name = "DAYS",
          value_parser = clap::value_parser!(u16))]
    pub grace_days: u16,

    /// Session idle timeout, in minutes
    #[arg(long, env = "LATCHKEY_SESSION_IDLE_MINUTES", default_value_t = 30, global = true, value_name = "MINUTES",
          value_parser = clap::value_parser!(u32).range(1..=525_600))]
    pub session_idle_minutes: u32,

    /// Maximum session lifetime, in hours
    #[arg(long, env = "LATCHKEY_SESSION_HOURS", default_value_t = 12, global = true, value_name = "HOURS",
          value_parser = clap::value_parser!(u32).range(1..=8_760))]
    pub session_hours: u32,

    /// Who must set up two-factor authentication before they can use the site
    #[arg(long, env = "LATCHKEY_REQUIRE_SECOND_FACTOR", default_value = "hosts", global = true, value_name = "WHO")]
    pub require_second_factor: RequireSecondFactor,

    /// Steps of 30 seconds by which a clock may differ that makes one-time codes
    #[arg(long, env = "LATCHKEY_TOTP_DRIFT_STEPS", default_value_t = 1, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u16).range(0..=1))]
    pub totp_drift_steps: u16,

    /// File of the secret keys with which secrets in the database are encrypted: one per line, `id:base64 of 32 bytes`,
    /// the first one encrypts. LATCHKEY_SECRET_KEYS has the keys themselves [default: with SQLite, `secret.keys` in the
    /// data folder, created when needed]
    #[arg(long, env = "LATCHKEY_SECRET_KEYS_FILE", global = true, value_name = "FILE")]
    pub secret_keys_file: Option<PathBuf>,

    /// Days after which entries of the record of activity are deleted
    #[arg(long, env = "LATCHKEY_ACTIVITY_DAYS", default_value_t = 400, global = true, value_name = "DAYS",
          value_parser = clap::value_parser!(u16).range(1..))]
    pub activity_days: u16,

    /// Trusted proxies (IP addresses or CIDR networks), comma-separated: their X-Forwarded-For, Forwarded and
    /// X-Forwarded-Proto are used
    #[arg(long, env = "LATCHKEY_TRUSTED_PROXIES", global = true, value_delimiter = ',', value_parser = network, value_name = "NETWORKS")]
    pub trusted_proxies: Vec<IpNet>,

    /// Log format on standard error: lines of text, or one JSON object per line
    #[arg(long, env = "LATCHKEY_LOG_FORMAT", default_value = "text", global = true, value_name = "FORMAT")]
    pub log_format: logging::Format,

    /// Tell browsers to use https only for all subdomains of the base URL's host, too
    #[arg(long, env = "LATCHKEY_HSTS_SUBDOMAINS", global = true, value_parser = FalseyValueParser::new())]
    pub hsts_subdomains: bool,

    /// Timeout for the head of a request, and for the rest of a body that was answered before its end, in seconds
    #[arg(long, env = "LATCHKEY_HEAD_SECONDS", default_value_t = 10, global = true, value_name = "SECONDS",
          value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub head_seconds: u16,

    /// Timeout for the body of a request, in seconds
    #[arg(long, env = "LATCHKEY_BODY_SECONDS", default_value_t = 60, global = true, value_name = "SECONDS",
          value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub body_seconds: u16,

    /// Close a connection whose client has read nothing for this many seconds
    #[arg(long, env = "LATCHKEY_UNREAD_SECONDS", default_value_t = 30, global = true, value_name = "SECONDS",
          value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub unread_seconds: u16,

    /// Rate limit per API key, and per signed-in user of the API, in requests per minute; 0 means no limit
    #[arg(long, env = "LATCHKEY_REQUESTS_PER_KEY", default_value_t = 6_000, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub requests_per_key: u32,

    /// Rate limit per IP address (IPv6: per /64), in requests per minute; 0 means no limit. An untrusted proxy counts
    /// as one address
    #[arg(long, env = "LATCHKEY_REQUESTS_PER_ADDRESS", default_value_t = 60_000, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub requests_per_address: u32,

    /// Maximum number of concurrent requests (half reads, a quarter writes, a quarter pages); more get 503
    #[arg(long, env = "LATCHKEY_MAX_REQUESTS", default_value_t = 512, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub max_requests: u32,

    /// Maximum number of concurrent client connections
    #[arg(long, env = "LATCHKEY_MAX_CONNECTIONS", default_value_t = 25_000, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,

    /// Maximum number of concurrent connections per IP address (IPv6: per /64), except loopback and trusted proxies;
    /// 0 means no limit
    /// [default: a quarter of all]
    #[arg(long, env = "LATCHKEY_CONNECTIONS_PER_ADDRESS", global = true, value_name = "NUMBER")]
    pub connections_per_address: Option<u32>,

    /// Maximum number of connections to PostgreSQL
    #[arg(long, env = "LATCHKEY_DATABASE_CONNECTIONS", default_value_t = 10, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub database_connections: u32,

    /// Pooler in front of PostgreSQL: `transaction` if it pools transactions (PgBouncer)
    #[arg(long, env = "LATCHKEY_DATABASE_POOLER", global = true, value_name = "HOW")]
    pub database_pooler: Option<Pooler>,

    /// SQLite: with `full`, every acknowledged write survives a power failure; with `normal`, the last ones may be lost
    #[arg(long, env = "LATCHKEY_SQLITE_SYNCHRONOUS", default_value = "full", global = true, value_name = "HOW")]
    pub sqlite_synchronous: Synchronous,

    /// Memory per password hash (argon2id), in KiB
    #[arg(long, env = "LATCHKEY_ARGON2_MEMORY_KIB", default_value_t = 47_104, global = true, value_name = "KIB")]
    pub argon2_memory_kib: u32,

    /// Iterations per password hash (argon2id)
    #[arg(long, env = "LATCHKEY_ARGON2_ITERATIONS", default_value_t = 1, global = true, value_name = "NUMBER")]
    pub argon2_iterations: u32,

    /// Maximum number of concurrent password hashes
    #[arg(long, env = "LATCHKEY_ARGON2_AT_ONCE", default_value_t = 1, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u16).range(1..))]
    pub argon2_at_once: u16,

    #[command(flatten)]
    pub mail: MailSettings,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RequireSecondFactor {
    Nobody,
    /// People who administer the site
    Hosts,
    Everybody,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Pooler {
    Transaction,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Synchronous {
    Full,
    Normal,
}

impl Synchronous {
    /// As `pragma synchronous` calls it.
    pub fn word(self) -> &'static str {
        match self {
            Synchronous::Full => "full",
            Synchronous::Normal => "normal",
        }
    }
}

impl Settings {
    pub fn data_dir(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(|| PathBuf::from("latchkey-data"))
    }

    /// The prefixes of API keys, of new ones first.
    pub fn key_prefixes(&self) -> Vec<&str> {
        let mut prefixes = vec![&*self.key_prefix];
        for former in &self.former_key_prefixes {
            if !prefixes.contains(&&**former) {
                prefixes.push(former);
            }
        }
        prefixes
    }

    pub fn grace(&self) -> Duration {
        Duration::days(self.grace_days.into())
    }

    pub fn cost(&self) -> Cost {
        Cost { memory_kib: self.argon2_memory_kib, iterations: self.argon2_iterations }
    }

    /// The base URL, without a path; `bound` is the address listened on, if it is known already.
    ///
    /// # Errors
    /// A sentence for the host if it is invalid, or plain http on a network without `allow_http`.
    pub fn base_url(&self, bound: Option<SocketAddr>) -> Result<Url, String> {
        let text = match (&self.base_url, bound) {
            (Some(text), _) => text.trim_end_matches('/').to_owned(),
            (None, Some(address)) => format!("http://{address}"),
            (None, None) => format!("http://{}", self.listen),
        };
        let url: Url = text.parse().map_err(|error| format!("The base URL {text} is not a URL: {error}."))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(format!("The base URL {text} is not an http or https address."));
        }
        if url.as_str().trim_end_matches('/') != url.origin().ascii_serialization() {
            return Err("The base URL must be scheme, host and port only, such as https://pms.example.".to_owned());
        }
        if url.scheme() == "http" && !is_loopback(&url) && !self.allow_http {
            return Err(format!(
                "The base URL {text} is plain http on a network: passwords and keys would be sent unencrypted. Put a \
                 proxy with TLS in front and set --base-url https://…, or set LATCHKEY_ALLOW_HTTP=1 if you must."
            ));
        }
        Ok(url)
    }
}

/// The cost of one password hash.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub memory_kib: u32,
    pub iterations: u32,
}

/// Maximum number of characters of a key's prefix.
pub const LONGEST_PREFIX: usize = 8;

/// True for `localhost` and the loopback addresses.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn key_prefix(text: &str) -> Result<String, String> {
    let text = text.trim();
    let fits = (1..=LONGEST_PREFIX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphabetic());
    if fits { Ok(text.to_owned()) } else { Err(format!("a prefix is 1 to {LONGEST_PREFIX} letters")) }
}

fn network(text: &str) -> Result<IpNet, String> {
    text.trim()
        .parse::<IpNet>()
        .or_else(|_| text.trim().parse().map(|address: std::net::IpAddr| address.into()))
        .map_err(|_| "not an IP address or a CIDR network such as 10.0.0.0/8".to_owned())
}
