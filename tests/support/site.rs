//! A hotelier with a property, and the people with whom they share it.

use serde_json::json;

use crate::people::{Person, world};
use crate::server::Server;

/// A server, a hotelier, their property in its home group, and this many other people, who have no way to it yet.
pub struct Site<const OTHERS: usize> {
    pub server: Server,
    pub alice: Person,
    pub others: [Person; OTHERS],
    pub home: String,
    pub farol: String,
}

impl<const OTHERS: usize> Site<OTHERS> {
    /// With others of these addresses.
    pub async fn shared_with(others: [&str; OTHERS]) -> Self {
        let (server, alice) = world().await;
        let mut people = Vec::new();
        for email in others {
            people.push(server.person(email).await);
        }
        let Ok(others) = people.try_into() else { unreachable!("as many as addresses") };
        let home = alice.group().await;
        let farol = alice.has(json!({})).await;
        Self { server, alice, others, home, farol }
    }
}
