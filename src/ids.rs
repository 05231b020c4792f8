//! A newtype for each table's key, so that an id of one thing cannot be given where another's is wanted.

/// Declares ids: UUIDs, made in time order (version 7), written in lower case with hyphens.
macro_rules! id {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl $name {
            /// A new id.
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }

        crate::db::column!($name(uuid::Uuid));
    )* };
}

id! {
    /// A person who signs in.
    UserId;
    /// An API key; the id is no secret.
    ApiKeyId;
    /// A property.
    PropertyId;
    /// A group of properties.
    GroupId;
    /// The link between a property and a user.
    PropertyUserId;
    /// The link between a group and a user.
    GroupUserId;
}
