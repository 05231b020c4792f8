//! Parses `DATABASE_URL` for PostgreSQL. Error messages never contain the password, and unknown parameters are removed:
//! the driver would log them with their values.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

/// The parameters that the driver knows.
const KNOWN: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "statement-cache-capacity",
];

const EXAMPLE: &str = "Expected: postgres://user:password@host:5432/latchkey.";

const ENCODING: &str =
    "In user and password, write # as %23, / as %2F, ? as %3F, % as %25, @ as %40, : as %3A, space as %20.";

/// The connection options, and the names of parameters that have no effect.
pub fn read(text: &str) -> Result<(PgConnectOptions, Vec<String>), String> {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    if !matches!(scheme, Some("postgres" | "postgresql")) {
        return Err(format!("DATABASE_URL does not begin with postgres://. {EXAMPLE}"));
    }
    if let Some(sign) = sign_in_password(text) {
        return Err(format!("DATABASE_URL has {sign} before its @, where it ends the host. {ENCODING}"));
    }
    if text.contains('#') {
        return Err(format!("DATABASE_URL has a #, and everything after it would be ignored. {ENCODING}"));
    }
    if has_bare_percent(text) {
        return Err(format!("DATABASE_URL has a % without two hexadecimal digits after it. {ENCODING}"));
    }
    let mut url = Url::parse(&with_host(text))
        .map_err(|error| format!("DATABASE_URL is not a URL: {error}. {EXAMPLE} {ENCODING}"))?;
    let (known, unknown): (Vec<_>, Vec<_>) = url
        .query_pairs()
        .into_owned()
        .partition(|(name, _)| KNOWN.contains(&name.as_str()) || name.starts_with("options["));
    url.set_query(None);
    if !known.is_empty() {
        url.query_pairs_mut().extend_pairs(&known);
    }
    for (name, value) in &known {
        let fits = match name.as_str() {
            "sslmode" | "ssl-mode" => PgSslMode::from_str(value).is_ok(),
            "port" => value.parse::<u16>().is_ok(),
            "hostaddr" => value.parse::<std::net::IpAddr>().is_ok(),
            "statement-cache-capacity" => value.parse::<usize>().is_ok(),
            _ => true,
        };
        if !fits {
            return Err(format!("The parameter {name} of DATABASE_URL has an invalid value."));
        }
    }
    let options = PgConnectOptions::from_str(url.as_str())
        .map_err(|_| format!("DATABASE_URL is not an address of PostgreSQL. {EXAMPLE} {ENCODING}"))?;
    Ok((options, unknown.into_iter().map(|(name, _)| name).collect()))
}

/// An unencoded character of the password that ends the host: there is an @ after it, and none before.
fn sign_in_password(text: &str) -> Option<char> {
    let rest = text.split_once("://")?.1;
    let end = rest.find(['/', '?', '#'])?;
    let (before, after) = rest.split_at(end);
    // `host/db?user=a@b` has an @ too, but no password before it.
    let is_cut = !before.contains('@') && before.contains(':') && after.contains('@');
    let is_port = before.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok());
    (is_cut && !is_port).then(|| after.chars().next()).flatten()
}

fn has_bare_percent(text: &str) -> bool {
    text.split('%').skip(1).any(|rest| rest.len() < 2 || !rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}

/// Fills in a host where it is given as a parameter: `user:password@/db?host=/run/postgresql`.
fn with_host(text: &str) -> String {
    match text.split_once("@/") {
        Some((before, after)) if before.matches('/').count() == 2 => format!("{before}@localhost/{after}"),
        _ => text.to_owned(),
    }
}

/// True if traffic may cross a network unencrypted.
pub fn may_be_read(options: &PgConnectOptions) -> bool {
    let (host, mode) = (options.get_host(), options.get_ssl_mode());
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    let is_here = options.get_socket().is_some()
        || host == "localhost"
        || host.starts_with('/')
        || address.is_ok_and(|address| address.is_loopback());
    !is_here && matches!(mode, PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn what_is_wrong_with_an_address_is_told_without_its_secrets() {
        for (url, reason) in [
            ("mysql://keeper:s3cret@db/latchkey", "postgres://"),
            ("s3cret", "postgres://"),
            ("postgres://keeper:s3#cret@db/latchkey", "%23"),
            ("postgres://keeper:s3/cret@db/latchkey", "%2F"),
            ("postgres://keeper:s3?cret@db/latchkey", "%3F"),
            ("postgres://keeper:s3%cret@db/latchkey", "%25"),
            ("postgres://keeper:s3cret@db/latchkey#b", "%23"),
            ("postgres://keeper:s3cret@db:port/latchkey", "port"),
            ("postgres://keeper:s3cret@db/latchkey?sslmode=s3cret", "sslmode"),
        ] {
            let said = read(url).map(drop).expect_err(url);
            assert!(said.contains(reason) && !said.contains("cret"), "{url}: {said}");
        }
    }

    #[test]
    fn what_is_right_is_read() {
        let (socket, _) = read("postgres://keeper:pw@/latchkey?host=/run/postgresql").expect("an address");
        assert_eq!(socket.get_socket().and_then(|path| path.to_str()), Some("/run/postgresql"));
        assert_eq!(socket.get_database(), Some("latchkey"));
        let (_, unknown) =
            read("postgres://keeper:p%23w@db/latchkey?sslpassword=a&channel_binding=require").expect("one");
        assert_eq!(unknown, ["sslpassword", "channel_binding"]);
        let (at, _) = read("postgres://keeper:p@w@db:5433/latchkey").expect("an address");
        assert_eq!((at.get_host(), at.get_port()), ("db", 5433));
    }
}
