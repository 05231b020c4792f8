//! The client's address, from the connection or from the headers of trusted proxies.

use std::{
    borrow::Cow,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use actix_web::{HttpRequest, http::header::HeaderMap};
use ipnet::IpNet;

use crate::base::logging::OnceAMinute;

const FOR: &str = "x-forwarded-for";
const PROTO: &str = "x-forwarded-proto";
/// RFC 7239.
const FORWARDED: &str = "forwarded";

static UNLISTED: OnceAMinute = OnceAMinute::new();

/// The client's address. `X-Forwarded-For`, or else `Forwarded`, is trusted only from listed proxies, and read from its
/// right end: anything left of the first address that is not a listed proxy may be forged. If both are sent,
/// `X-Forwarded-For` counts: nearly all proxies write it, and many pass the other on unread.
pub fn of(request: &HttpRequest, trusted_proxies: &[IpNet]) -> Option<IpAddr> {
    let mut client = request.peer_addr()?.ip().to_canonical();
    let headers = request.headers();
    if !is_listed(&client, trusted_proxies) {
        if looks_like_proxy(&client, headers) && UNLISTED.is_due() {
            log::warn!(
                "{client} sends client addresses as proxies do, but is not in LATCHKEY_TRUSTED_PROXIES: all its \
                 requests count as its own"
            );
        }
        return Some(client);
    }
    let mut hops: Vec<Option<IpAddr>> = match headers.contains_key(FOR) {
        true => items(headers, FOR, node),
        false => items(headers, FORWARDED, |element| node(&parameter(element, "for")?)),
    };
    // At an unreadable entry, such as `unknown`, the proxy that wrote it counts as the client.
    while is_listed(&client, trusted_proxies)
        && let Some(Some(hop)) = hops.pop()
    {
        client = hop.to_canonical();
    }
    Some(client)
}

/// True if the client that the request came from is probably a proxy, but not a listed one: then its address stands for
/// many clients.
pub fn is_unlisted_proxy(request: &HttpRequest, trusted_proxies: &[IpNet]) -> bool {
    let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
    peer.is_some_and(|peer| !is_listed(&peer, trusted_proxies) && looks_like_proxy(&peer, request.headers()))
}

/// True for an address of this machine or of a private network that sends the headers of proxies. Any client can send
/// them, but one from elsewhere is no proxy of this server.
fn looks_like_proxy(peer: &IpAddr, headers: &HeaderMap) -> bool {
    is_local(peer) && (headers.contains_key(FOR) || headers.contains_key(FORWARDED))
}

/// Whether a listed proxy says that the client's request was plain http; `None` if it does not say.
pub fn is_plain_http(headers: &HeaderMap) -> Option<bool> {
    let schemes: Vec<Option<String>> = match headers.contains_key(PROTO) {
        true => items(headers, PROTO, |item| Some(item.trim().trim_matches('"').to_owned())),
        false => items(headers, FORWARDED, |element| parameter(element, "proto").map(Cow::into_owned)),
    };
    // The last one was written by the nearest proxy.
    let scheme = schemes.into_iter().next_back().flatten().filter(|scheme| !scheme.is_empty())?;
    Some(!matches!(&*scheme.to_ascii_lowercase(), "https" | "wss"))
}

pub fn is_listed(address: &IpAddr, trusted_proxies: &[IpNet]) -> bool {
    trusted_proxies.iter().any(|net| net.contains(address))
}

/// True for this machine and private networks, where proxies usually are.
fn is_local(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
    }
}

/// The parsed items of a header, of all its lines in order.
fn items<T>(headers: &HeaderMap, name: &str, read: impl Fn(&str) -> Option<T>) -> Vec<Option<T>> {
    let lines = headers.get_all(name).map(|line| String::from_utf8_lossy(line.as_bytes()));
    lines.flat_map(|line| split(&line, ',').into_iter().map(&read).collect::<Vec<_>>()).collect()
}

/// Splits a text at separators that are not quoted.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut is_quoted, mut is_escaped) = (Vec::new(), 0, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if character == separator && !is_quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// A parameter of an element of `Forwarded`: `for="[2001:db8::1]:443";proto=https`.
fn parameter<'a>(element: &'a str, name: &str) -> Option<Cow<'a, str>> {
    split(element, ';').into_iter().find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let value = value.trim();
        key.trim().eq_ignore_ascii_case(name).then(|| match value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) {
            Some(quoted) => Cow::Owned(quoted.replace('\\', "")),
            None => Cow::Borrowed(value),
        })
    })
}

/// An address as proxies write it: with or without a port, IPv6 in brackets or not, in quotes or not.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"').trim();
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let is_valid = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return address.parse::<Ipv6Addr>().ok().filter(|_| is_valid).map(IpAddr::V6);
    }
    text.parse().ok().or_else(|| {
        let (address, port) = text.split_once(':')?;
        address.parse::<Ipv4Addr>().ok().filter(|_| is_port(port)).map(IpAddr::V4)
    })
}

/// A port number, or the obfuscated one that RFC 7239 allows.
fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok() || text.starts_with('_')
}

/// The network by which limits count an address: an IPv4 address, or the /64 of an IPv6 address, which one customer has
/// at least.
pub fn network(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => (address.to_bits() >> 64) | (1 << 64),
    }
}

/// The same as text: `203.0.113.7`, `2001:db8:1:2::/64`.
pub fn network_text(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("{}/64", Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn ipv6_addresses_count_by_their_network() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2::3"), of("2001:db8:1:2:ffff::4"));
        assert_ne!(of("2001:db8:1:2::3"), of("2001:db8:1:3::3"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_ne!(of("::1"), of("0.0.0.0"));
    }

    fn client(peer: &str, lines: &[(&str, &str)]) -> String {
        let trusted = ["10.0.0.0/8", "2001:db8:ff::/48"].map(|net| net.parse().expect("a network"));
        let request = TestRequest::default().peer_addr(format!("{peer}:5").parse().expect("an address"));
        let request = lines.iter().fold(request, |request, line| request.append_header(*line)).to_http_request();
        of(&request, &trusted).expect("an address").to_string()
    }

    #[test]
    fn addresses_are_read_as_proxies_write_them() {
        for (text, address) in [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7:51007", "203.0.113.7"),
            ("\"203.0.113.7:51007\"", "203.0.113.7"),
            (" 203.0.113.7 ", "203.0.113.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("203.0.113.9, 203.0.113.7:1, 10.9.9.9:2", "203.0.113.7"),
            ("203.0.113.9, unknown", "10.1.1.1"),
            ("unknown, 10.9.9.9", "10.9.9.9"),
            ("203.0.113.7:x", "10.1.1.1"),
            ("[203.0.113.7]", "10.1.1.1"),
            ("[2001:db8::1]x", "10.1.1.1"),
            ("203.0.113.7,", "10.1.1.1"),
            ("", "10.1.1.1"),
        ] {
            assert_eq!(client("10.1.1.1", &[("x-forwarded-for", text)]), address, "{text}");
            assert_eq!(client("198.51.100.1", &[("x-forwarded-for", text)]), "198.51.100.1", "{text}");
        }
        let lines =
            [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "203.0.113.7"), ("x-forwarded-for", "10.2.2.2")];
        assert_eq!(client("10.1.1.1", &lines), "203.0.113.7");
    }

    /// A client of the internet that sends the header counts as itself.
    #[test]
    fn only_a_neighbour_that_sends_the_headers_of_proxies_may_be_an_unlisted_one() {
        let trusted = ["10.0.0.0/8".parse().expect("a network")];
        for (peer, header, is_proxy) in [
            ("127.0.0.1", Some("x-forwarded-for"), true),
            ("192.168.1.2", Some("forwarded"), true),
            ("[fd00::1]", Some("x-forwarded-for"), true),
            ("192.168.1.2", None, false),
            ("10.1.1.1", Some("x-forwarded-for"), false),
            ("198.51.100.1", Some("x-forwarded-for"), false),
            ("[2001:db8::1]", Some("forwarded"), false),
        ] {
            let request = TestRequest::default().peer_addr(format!("{peer}:5").parse().expect("an address"));
            let request =
                header.into_iter().fold(request, |request, name| request.append_header((name, "for=1.1.1.1")));
            assert_eq!(is_unlisted_proxy(&request.to_http_request(), &trusted), is_proxy, "{peer} {header:?}");
        }
    }

    #[test]
    fn forwarded_is_read_where_there_is_no_x_forwarded_for() {
        for (text, address) in [
            ("for=203.0.113.7", "203.0.113.7"),
            ("For=\"[2001:db8::1]:443\";proto=https", "2001:db8::1"),
            ("proto=https; FOR=\"203.0.113.7:_port\" ;by=10.0.0.1", "203.0.113.7"),
            ("for=203.0.113.9, for=203.0.113.7;host=\"a, for=1.1.1.1\", for=10.2.2.2", "203.0.113.7"),
            ("for=203.0.113.9;host=\"a\\\", for=1.1.1.1\"", "203.0.113.9"),
            ("for=203.0.113.9, for=unknown", "10.1.1.1"),
            ("for=_hidden", "10.1.1.1"),
            ("proto=https", "10.1.1.1"),
            ("203.0.113.7", "10.1.1.1"),
        ] {
            assert_eq!(client("10.1.1.1", &[("forwarded", text)]), address, "{text}");
            assert_eq!(client("198.51.100.1", &[("forwarded", text)]), "198.51.100.1", "{text}");
            let both = [("forwarded", text), ("x-forwarded-for", "192.0.2.7")];
            assert_eq!(client("10.1.1.1", &both), "192.0.2.7", "{text}");
        }
    }

    #[test]
    fn the_nearest_proxy_says_whether_the_client_came_plain() {
        let plain = |lines: &[(&str, &str)]| {
            let request = lines.iter().fold(TestRequest::default(), |request, line| request.append_header(*line));
            is_plain_http(request.to_http_request().headers())
        };
        for (text, says) in [
            ("https", Some(false)),
            ("HTTPS", Some(false)),
            ("http", Some(true)),
            ("http, https", Some(false)),
            ("", None),
        ] {
            assert_eq!(plain(&[("x-forwarded-proto", text)]), says, "{text}");
        }
        assert_eq!(plain(&[("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")]), Some(true));
        assert_eq!(plain(&[("forwarded", "for=1.1.1.1;proto=https, for=2.2.2.2;Proto=\"http\"")]), Some(true));
        assert_eq!(plain(&[("forwarded", "for=1.1.1.1;proto=https")]), Some(false));
        assert_eq!(plain(&[("forwarded", "for=1.1.1.1;proto=http"), ("x-forwarded-proto", "https")]), Some(false));
        assert_eq!(plain(&[("forwarded", "for=1.1.1.1")]), None);
        assert_eq!(plain(&[]), None);
    }
}
