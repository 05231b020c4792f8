//! Every setting: its name on the command line and in the environment, its default, what it means.

use std::{net::SocketAddr, path::PathBuf};

use chrono::Duration;
use clap::{Args, ValueEnum, builder::FalseyValueParser};
use ipnet::IpNet;
use sqlx::sqlite::SqliteSynchronous;
use url::{Host, Url};

use crate::base::logging;

/// Settings, read once at start. None is needed.
#[derive(Args, Clone)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "LATCHKEY_LISTEN", default_value = "127.0.0.1:8080", global = true, value_name = "ADDRESS")]
    pub listen: String,

    /// Folder of the SQLite database, made when missing [default: ./latchkey-data]
    #[arg(long, env = "LATCHKEY_DATA_DIR", global = true, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,

    /// PostgreSQL to use instead of SQLite: postgres://user:password@host:5432/latchkey
    #[arg(long, env = "DATABASE_URL", global = true, value_name = "URL")]
    pub database_url: Option<String>,

    /// Address at which browsers and programs reach the site [default: http:// and the listening address]
    #[arg(long, env = "LATCHKEY_BASE_URL", global = true, value_name = "URL")]
    pub base_url: Option<String>,

    /// Allow a base URL that is plain http and not loopback: passwords and keys cross the network readable
    #[arg(long, env = "LATCHKEY_ALLOW_HTTP", global = true, value_parser = FalseyValueParser::new())]
    pub allow_http: bool,

    /// The host's name, on every page
    #[arg(long, env = "LATCHKEY_HOST_NAME", default_value = "Latchkey", global = true, value_name = "NAME")]
    pub host_name: String,

    /// Whom users ask for help: an email address or a URL
    #[arg(long, env = "LATCHKEY_SUPPORT", global = true, value_name = "ADDRESS")]
    pub support: Option<String>,

    /// Letters that new API keys begin with
    #[arg(long, env = "LATCHKEY_KEY_PREFIX", default_value = "lk", global = true, value_parser = key_prefix, value_name = "LETTERS")]
    pub key_prefix: String,

    /// Active API keys a user may have
    #[arg(long, env = "LATCHKEY_MAX_KEYS", default_value_t = 100, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(i64).range(0..))]
    pub max_keys: i64,

    /// Properties that a user may have made and that still exist; 0 is no limit
    #[arg(long, env = "LATCHKEY_MAX_PROPERTIES", default_value_t = 2_000, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(i64).range(0..))]
    pub max_properties: i64,

    /// Groups that a user may own; 0 is no limit
    #[arg(long, env = "LATCHKEY_MAX_GROUPS", default_value_t = 2_000, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(i64).range(0..))]
    pub max_groups: i64,

    /// Room types that a property may have; 0 is no limit
    #[arg(long, env = "LATCHKEY_MAX_ROOM_TYPES", default_value_t = 200, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(i64).range(0..))]
    pub max_room_types: i64,

    /// Rate plans that a property may have; 0 is no limit
    #[arg(long, env = "LATCHKEY_MAX_RATE_PLANS", default_value_t = 1_000, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(i64).range(0..))]
    pub max_rate_plans: i64,

    /// Days for which a subscription whose payment failed stays active
    #[arg(long, env = "LATCHKEY_GRACE_DAYS", default_value_t = 7, global = true, value_name = "DAYS",
          value_parser = clap::value_parser!(u16))]
    pub grace_days: u16,

    /// Minutes after which an unused session ends
    #[arg(long, env = "LATCHKEY_SESSION_IDLE_MINUTES", default_value_t = 30, global = true, value_name = "MINUTES",
          value_parser = clap::value_parser!(u32).range(1..=525_600))]
    pub session_idle_minutes: u32,

    /// Hours after which every session ends
    #[arg(long, env = "LATCHKEY_SESSION_HOURS", default_value_t = 12, global = true, value_name = "HOURS",
          value_parser = clap::value_parser!(u32).range(1..=8_760))]
    pub session_hours: u32,

    /// Proxies whose X-Forwarded-For (or Forwarded) and X-Forwarded-Proto are believed: addresses or networks, separated by commas
    #[arg(long, env = "LATCHKEY_TRUSTED_PROXIES", global = true, value_delimiter = ',', value_parser = network, value_name = "NETWORKS")]
    pub trusted_proxies: Vec<IpNet>,

    /// How the log is written on standard error: lines of text, or one JSON object a line
    #[arg(long, env = "LATCHKEY_LOG_FORMAT", default_value = "text", global = true, value_name = "FORMAT")]
    pub log_format: logging::Format,

    /// Tell browsers that all names below that of the base URL are reached by https alone, too
    #[arg(long, env = "LATCHKEY_HSTS_SUBDOMAINS", global = true, value_parser = FalseyValueParser::new())]
    pub hsts_subdomains: bool,

    /// Seconds in which the head of a request must arrive, and what is left of a body that was answered before its end
    #[arg(long, env = "LATCHKEY_HEAD_SECONDS", default_value_t = 10, global = true, value_name = "SECONDS",
          value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub head_seconds: u16,

    /// Seconds in which the body of a request must arrive
    #[arg(long, env = "LATCHKEY_BODY_SECONDS", default_value_t = 60, global = true, value_name = "SECONDS",
          value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub body_seconds: u16,

    /// Seconds after which an answer that its client does not take is given up
    #[arg(long, env = "LATCHKEY_UNREAD_SECONDS", default_value_t = 30, global = true, value_name = "SECONDS",
          value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub unread_seconds: u16,

    /// Requests a minute with one API key, and of one signed-in user to the API; 0 is no limit
    #[arg(long, env = "LATCHKEY_REQUESTS_PER_KEY", default_value_t = 6_000, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub requests_per_key: u32,

    /// Requests a minute from one address (IPv6: one /64); 0 is no limit. All that an unlisted proxy sends counts as one
    #[arg(long, env = "LATCHKEY_REQUESTS_PER_ADDRESS", default_value_t = 60_000, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub requests_per_address: u32,

    /// Requests under way at a time: half of them reads, a quarter writes, a quarter pages; more are answered 503
    #[arg(long, env = "LATCHKEY_MAX_REQUESTS", default_value_t = 512, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub max_requests: u32,

    /// Connections of clients at a time
    #[arg(long, env = "LATCHKEY_MAX_CONNECTIONS", default_value_t = 25_000, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,

    /// Connections of one address at a time (IPv6: one /64), loopback and trusted proxies excepted; 0 is no limit
    /// [default: a quarter of all]
    #[arg(long, env = "LATCHKEY_CONNECTIONS_PER_ADDRESS", global = true, value_name = "NUMBER")]
    pub connections_per_address: Option<u32>,

    /// Connections to PostgreSQL at most
    #[arg(long, env = "LATCHKEY_DATABASE_CONNECTIONS", default_value_t = 10, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub database_connections: u32,

    /// The pooler before PostgreSQL: `transaction` where it gives each transaction another session (PgBouncer)
    #[arg(long, env = "LATCHKEY_DATABASE_POOLER", global = true, value_name = "HOW")]
    pub database_pooler: Option<Pooler>,

    /// SQLite: `full` keeps every answered write through a power cut, `normal` may lose the last ones
    #[arg(long, env = "LATCHKEY_SQLITE_SYNCHRONOUS", default_value = "full", global = true, value_name = "HOW")]
    pub sqlite_synchronous: Synchronous,

    /// Memory of one password hash (argon2id), in KiB
    #[arg(long, env = "LATCHKEY_ARGON2_MEMORY_KIB", default_value_t = 47_104, global = true, value_name = "KIB")]
    pub argon2_memory_kib: u32,

    /// Passes of one password hash (argon2id)
    #[arg(long, env = "LATCHKEY_ARGON2_ITERATIONS", default_value_t = 1, global = true, value_name = "NUMBER")]
    pub argon2_iterations: u32,

    /// Password hashes at a time
    #[arg(long, env = "LATCHKEY_ARGON2_AT_ONCE", default_value_t = 2, global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u16).range(1..))]
    pub argon2_at_once: u16,
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

impl From<Synchronous> for SqliteSynchronous {
    fn from(setting: Synchronous) -> Self {
        match setting {
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Normal => SqliteSynchronous::Normal,
        }
    }
}

impl Settings {
    pub fn data_dir(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(|| PathBuf::from("latchkey-data"))
    }

    pub fn grace(&self) -> Duration {
        Duration::days(self.grace_days.into())
    }

    pub fn cost(&self) -> Cost {
        Cost { memory_kib: self.argon2_memory_kib, iterations: self.argon2_iterations }
    }

    /// The base URL, without a path; `bound` is the address listened on, where it is known already.
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
                "The base URL {text} is plain http on a network: passwords and keys would cross it readable. Put a \
                 proxy with TLS in front and set --base-url https://…, or set LATCHKEY_ALLOW_HTTP=1 if you must."
            ));
        }
        Ok(url)
    }
}

/// How much work one password hash is.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub memory_kib: u32,
    pub iterations: u32,
}

/// Characters of a key's prefix at most.
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
    let fits = (1..=LONGEST_PREFIX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphabetic());
    if fits { Ok(text.to_owned()) } else { Err(format!("a prefix is 1 to {LONGEST_PREFIX} letters")) }
}

fn network(text: &str) -> Result<IpNet, String> {
    text.trim()
        .parse::<IpNet>()
        .or_else(|_| text.trim().parse().map(|address: std::net::IpAddr| address.into()))
        .map_err(|_| "not an address or a network such as 10.0.0.0/8".to_owned())
}
