//! How many connections one address may have, in the whole process. The framework counts connections, but not whose
//! they are.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use ipnet::IpNet;
use rustix::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown};
use tokio::net::TcpStream;

use crate::{base::logging::OnceAMinute, web::client_ip};

/// The response to an address that has too many connections.
const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 10\r\n\
    Content-Type: application/json\r\nContent-Length: 71\r\n\r\n\
    {\"errors\":{\"code\":\"service_unavailable\",\"title\":\"Service Unavailable\"}}";

/// Counts the connections of each address.
pub struct ConnectionLimit {
    /// Connections per address; 0 means no limit.
    limit: usize,
    exempt: Vec<IpNet>,
    /// Open connections by [`client_ip::network`].
    open: Mutex<HashMap<u128, usize>>,
    warning: OnceAMinute,
}

impl ConnectionLimit {
    /// Loopback and these proxies are exempt: they connect on behalf of many clients.
    pub fn new(limit: usize, exempt: Vec<IpNet>) -> Arc<Self> {
        Arc::new(ConnectionLimit { limit, exempt, open: Mutex::default(), warning: OnceAMinute::default() })
    }

    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<u128, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a new connection of this address: `None` if the address is exempt, `Err` if it has reached the limit.
    pub fn take(self: &Arc<Self>, address: IpAddr) -> Result<Option<Slot>, ()> {
        let address = address.to_canonical();
        if self.limit == 0 || address.is_loopback() || self.exempt.iter().any(|net| net.contains(&address)) {
            return Ok(None);
        }
        let network = client_ip::network(address);
        let mut open = self.open();
        let count = open.entry(network).or_default();
        if *count < self.limit {
            *count += 1;
            return Ok(Some(Slot { limit: self.clone(), network }));
        }
        drop(open);
        if self.warning.is_due() {
            log::warn!(
                "{address} has {} connections, the limit of LATCHKEY_CONNECTIONS_PER_ADDRESS, and more are rejected; \
                 if it is a proxy, add it to LATCHKEY_TRUSTED_PROXIES",
                self.limit
            );
        }
        Err(())
    }
}

/// One counted connection of an address; dropping it uncounts it.
pub struct Slot {
    limit: Arc<ConnectionLimit>,
    network: u128,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.limit.open();
        if let Some(count) = open.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.network);
            }
        }
    }
}

/// Answers 503 and closes, without waiting for anything. What has already arrived is read first: closing with unread
/// data would reset the connection, and the client might lose the response.
pub fn refuse(socket: &TcpStream) {
    let mut unread = [0; 4096];
    let _ = recv(socket, &mut unread[..], RecvFlags::DONTWAIT);
    let _ = send(socket, TOO_MANY, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
    let _ = shutdown(socket, Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_response_to_too_many_connections_is_as_long_as_it_says() {
        let text = String::from_utf8_lossy(TOO_MANY);
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{} bytes", body.len());
    }

    #[test]
    fn an_address_has_a_limit_of_connections_and_loopback_and_proxies_have_none() {
        let limit = ConnectionLimit::new(2, vec!["10.0.0.0/8".parse().expect("a network")]);
        let take = |address: &str| limit.take(address.parse().expect("an address"));
        for exempt in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "10.1.2.3", "::ffff:10.1.2.3"] {
            assert!((0..5).all(|_| matches!(take(exempt), Ok(None))), "{exempt}");
        }
        for (one, same, other) in
            [("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1")]
        {
            let first = take(one).expect("one");
            let second = take(same).expect("two");
            assert!(take(one).is_err() && take(same).is_err());
            assert!(take(other).is_ok());
            drop(first);
            assert!(take(one).is_ok(), "its slot is free again");
            drop(second);
        }
        assert!(limit.open().is_empty());
    }
}
