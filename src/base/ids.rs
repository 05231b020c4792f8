//! A newtype for each table's key, so that the id of one kind cannot be passed for that of another.

use sha2::{Digest, Sha256};

/// Parses a UUID: with hyphens, in any letter case (docs/contract/README.md, section 9).
pub fn parse(text: &str) -> Option<uuid::Uuid> {
    if text.len() == uuid::fmt::Hyphenated::LENGTH { text.parse().ok() } else { None }
}

/// Declares ids: UUIDs, created in time order (version 7), written in lower case with hyphens.
macro_rules! id {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl $name {
            /// A new id.
            #[allow(dead_code, reason = "the collections that are declared make theirs without their type")]
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7())
            }
        }

        impl From<$name> for uuid::Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = &'static str;
            fn from_str(text: &str) -> Result<Self, &'static str> {
                crate::base::ids::parse(text).map(Self).ok_or("not a valid id; ids look like 0197a3b2-5c1e-7d34-8a86-2e8f4d6a1b37")
            }
        }
    )* };
}

id! {
    /// A person who signs in.
    UserId;
    /// A browser session, as pages name it; not the secret in its cookie.
    SessionId;
    /// An API key; the id is no secret.
    ApiKeyId;
    /// A property.
    PropertyId;
    /// A group of properties.
    GroupId;
    /// The link between a user and a property or a group.
    MemberId;
    /// A room type.
    RoomTypeId;
    /// A rate plan.
    RatePlanId;
}

impl RatePlanId {
    /// The id of this plan's option for an occupancy. It is derived from both, so it never changes
    /// (docs/contract/README.md, section 15, 117).
    pub fn of_option(self, occupancy: i64) -> uuid::Uuid {
        let mut hash = Sha256::new();
        hash.update(b"option of a rate plan");
        hash.update(self.0.as_bytes());
        hash.update(occupancy.to_be_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        // Version 8 (RFC 9562): custom bytes.
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}
