//! From where a key may be used: the field `allowed_addresses`, and the list that is stored.

use std::{
    fmt::Write,
    future::{Ready, ready},
    net::IpAddr,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use ipnet::{IpNet, Ipv4Net};

use crate::{
    base::error::{Error, Result},
    web::{client_ip, form::Field, request_log, state::AppState},
};

/// Maximum number of networks per key.
const MOST: usize = 50;

/// Maximum number of wrong entries that a message names.
const MOST_NAMED: usize = 10;

/// Parses what was entered: addresses and networks, separated by white space or commas. `None` if nothing was.
///
/// # Errors
/// The message for the form, which names each wrong entry.
pub fn read(text: &str) -> std::result::Result<Option<Box<[IpNet]>>, String> {
    let (mut networks, mut problems): (Vec<IpNet>, Vec<String>) = (Vec::new(), Vec::new());
    for entry in text.split(|c: char| c.is_whitespace() || c == ',').filter(|entry| !entry.is_empty()) {
        match network(entry) {
            Ok(network) if networks.contains(&network) => {}
            Ok(network) => networks.push(network),
            Err(problem) => problems.push(format!("“{}” {problem}", entry.chars().take(50).collect::<String>())),
        }
    }
    let more = problems.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        problems.truncate(MOST_NAMED);
        problems.push(format!("So are {more} more entries."));
    }
    if !problems.is_empty() {
        return Err(problems.join(" "));
    }
    if networks.len() > MOST {
        return Err(format!("Enter at most {MOST} addresses (you entered {}).", networks.len()));
    }
    Ok((!networks.is_empty()).then(|| networks.into_boxed_slice()))
}

/// Parses an entry, or says what is wrong with it. IPv4-mapped IPv6 counts as IPv4.
fn network(entry: &str) -> std::result::Result<IpNet, String> {
    const WRONG: &str = "is not an IP address or a network such as 203.0.113.0/24.";
    let Some((address, bits)) = entry.split_once('/') else {
        return match entry.parse::<IpAddr>() {
            Ok(address) => Ok(address.to_canonical().into()),
            Err(_) if is_name(entry) => Err("is a name: enter its IP address.".to_owned()),
            Err(_) => Err(WRONG.to_owned()),
        };
    };
    let sent = address.parse::<IpAddr>().ok().zip(bits.parse::<u8>().ok());
    let network =
        sent.and_then(|(address, bits)| IpNet::new(address, bits).ok()).ok_or_else(|| match is_name(address) {
            true => "is a name: enter its IP address.".to_owned(),
            false => WRONG.to_owned(),
        })?;
    let network = unmapped(network);
    if network.prefix_len() == 0 {
        Err("is everyone: leave the field empty for that.".to_owned())
    } else if network.trunc() != network {
        Err(format!("has host bits; did you mean {}?", network.trunc()))
    } else {
        Ok(network)
    }
}

fn unmapped(network: IpNet) -> IpNet {
    let (IpAddr::V4(address), Some(bits)) = (network.addr().to_canonical(), network.prefix_len().checked_sub(96))
    else {
        return network;
    };
    Ipv4Net::new(address, bits).map_or(network, IpNet::V4)
}

fn is_name(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_alphabetic()) && !text.contains(':')
}

/// As the list is stored: `203.0.113.7/32 2001:db8::/48`.
pub fn stored(networks: &[IpNet]) -> String {
    networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// As people read and enter it, one per line: single addresses without a length.
pub fn shown(networks: &[IpNet]) -> Vec<String> {
    let is_single = |network: &IpNet| network.prefix_len() == network.max_prefix_len();
    let text = |network: &IpNet| if is_single(network) { network.addr().to_string() } else { network.to_string() };
    networks.iter().map(text).collect()
}

/// Parses a stored list.
///
/// # Errors
/// If it was not written by [`stored`].
pub fn parse_stored(text: Option<String>) -> sqlx::Result<Option<Box<[IpNet]>>> {
    text.map(|text| text.split(' ').map(str::parse).collect::<std::result::Result<_, _>>())
        .transpose()
        .map_err(|error: ipnet::AddrParseError| sqlx::Error::Decode(error.into()))
}

/// Whether a key with this list may be used from a place.
pub fn includes(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// True if every address of the new list is one of the old list.
pub fn is_narrower(new: Option<&[IpNet]>, old: Option<&[IpNet]>) -> bool {
    match (new, old) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(new), Some(old)) => new.iter().all(|new| old.iter().any(|old| old.contains(new))),
    }
}

/// The address of whoever opens a page; `None` if the server cannot know where its clients are. As an argument of a
/// handler.
#[derive(Clone, Copy)]
pub struct SeenAddress(pub Option<IpAddr>);

impl SeenAddress {
    /// Of a request.
    pub fn of(request: &HttpRequest, state: &AppState) -> Self {
        let is_hidden = client_ip::is_unlisted_proxy(request, &state.settings.trusted_proxies);
        SeenAddress(if is_hidden { None } else { request_log::client(request) })
    }
}

impl FromRequest for SeenAddress {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let state = request.app_data::<Data<AppState>>();
        ready(state.map(|state| SeenAddress::of(request, state)).ok_or_else(|| Error::Internal("no state".to_owned())))
    }
}

/// The field, as the page shows it.
pub struct AddressesField {
    pub field: Field,
    /// Where the viewer is; `None` if the server cannot know, which turns the field off.
    pub you_are_at: Option<String>,
}

impl AddressesField {
    pub fn new(value: String, seen: SeenAddress, problem: Option<String>) -> Self {
        AddressesField { field: Field { value, problem }, you_are_at: seen.0.map(|address| address.to_string()) }
    }

    /// A stored list.
    pub fn of(networks: Option<&[IpNet]>) -> String {
        let mut text = String::new();
        for network in networks.map(shown).unwrap_or_default() {
            let separator = if text.is_empty() { "" } else { "\n" };
            let _ = write!(text, "{separator}{network}");
        }
        text
    }
}

/// Why a list cannot be entered where the server does not see addresses.
pub const OFF: &str = "This site cannot see where requests come from, so a list would shut out everybody, also you.";

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> String {
        read(text).map(|networks| stored(&networks.unwrap_or_default())).unwrap_or_else(|problem| problem)
    }

    #[test]
    fn lists_are_read_however_they_are_separated() {
        let entered = " 203.0.113.7,10.0.0.0/8\r\n2001:db8::/48\t2001:DB8:1::1 ,, 203.0.113.7/32";
        assert_eq!(list(entered), "203.0.113.7/32 10.0.0.0/8 2001:db8::/48 2001:db8:1::1/128");
        assert_eq!(list("::ffff:203.0.113.7 ::ffff:203.0.113.0/120 203.0.113.7"), "203.0.113.7/32 203.0.113.0/24");
        assert_eq!(read(" \r\n,"), Ok(None));
        let parsed = parse_stored(Some(list(entered))).expect("a list").expect("a list");
        assert_eq!(shown(&parsed), ["203.0.113.7", "10.0.0.0/8", "2001:db8::/48", "2001:db8:1::1"]);
        for (address, is_in) in [
            ("203.0.113.7", true),
            ("::ffff:203.0.113.7", true),
            ("203.0.113.8", false),
            ("10.255.0.1", true),
            ("2001:db8:0:ffff::1", true),
            ("2001:db8:1::2", false),
            ("::cb00:7107", false),
        ] {
            assert_eq!(includes(&parsed, address.parse().expect("an address")), is_in, "{address}");
        }
    }

    #[test]
    fn each_wrong_entry_is_named_with_what_is_wrong() {
        for (entered, words) in [
            ("10.0.0.5/8", "“10.0.0.5/8” has host bits; did you mean 10.0.0.0/8?"),
            ("2001:db8::1/48", "did you mean 2001:db8::/48?"),
            ("::ffff:10.0.0.5/104", "did you mean 10.0.0.0/8?"),
            ("0.0.0.0/0", "“0.0.0.0/0” is everyone: leave the field empty"),
            ("::/0", "is everyone"),
            ("1.2.3.4/0", "is everyone"),
            ("::ffff:0.0.0.0/96", "is everyone"),
            ("pms.example", "“pms.example” is a name"),
            ("pms.example/24", "is a name"),
            ("10.0.0.0/33", "is not an IP address"),
            ("10.0.0/24", "is not an IP address"),
            ("10.0.0.0/-1", "is not an IP address"),
            ("/8", "is not an IP address"),
            ("10.0.0.1-10.0.0.9", "is not an IP address"),
            ("203.0.113.7:443", "is not an IP address"),
            ("[2001:db8::1]", "is not an IP address"),
            ("fe80::1%eth0", "is not an IP address"),
        ] {
            let problem = read(entered).expect_err(entered);
            assert!(problem.contains(words), "{entered}: {problem}");
        }
        let problem = read("10.0.0.1 here 10.0.0.2/8").expect_err("two");
        assert!(problem.contains("“here” is a name") && problem.contains("“10.0.0.2/8” has"), "{problem}");
        let many: String = (0..51).map(|number| format!("10.0.0.{number} ")).collect();
        assert!(read(&many).is_err_and(|problem| problem.contains("at most 50 addresses (you entered 51)")));
        assert!(read(&many.replace("10.0.0.50 ", "")).is_ok());
        assert!(read(&"x ".repeat(30)).is_err_and(|problem| problem.ends_with("So are 20 more entries.")));
    }

    #[test]
    fn a_list_is_narrower_if_it_lets_nobody_else_in() {
        let list = |text: &str| read(text).expect("a list");
        for (new, old, is) in [
            ("", "", true),
            ("10.0.0.1", "", true),
            ("", "10.0.0.1", false),
            ("10.0.0.1", "10.0.0.0/8", true),
            ("10.0.0.0/8", "10.0.0.1", false),
            ("10.0.0.1 11.0.0.1", "10.0.0.0/8", false),
            ("2001:db8::1", "10.0.0.0/8", false),
        ] {
            assert_eq!(is_narrower(list(new).as_deref(), list(old).as_deref()), is, "{new} in {old}");
        }
    }
}
