//! Why a request with a known key was refused.

macro_rules! reasons {
    ($($(#[$doc:meta])* $reason:ident = $name:literal;)*) => {
        /// Why a request with a known key was refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Reason { $($(#[$doc])* $reason,)* }

        impl Reason {
            const ALL: &[Reason] = &[$(Reason::$reason,)*];

            /// The word that is stored.
            pub fn name(self) -> &'static str {
                match self { $(Reason::$reason => $name,)* }
            }
        }
    };
}

reasons! {
    Withdrawn = "withdrawn";
    Expired = "expired";
    /// The account of its user is deactivated.
    Deactivated = "deactivated";
    Subscription = "subscription";
    /// It came from an address from which the key may not be used.
    Address = "address";
    /// The key may only read.
    ReadOnly = "read_only";
}

impl Reason {
    /// By its place in the list.
    pub fn from_number(number: u8) -> Option<Self> {
        Reason::ALL.get(usize::from(number)).copied()
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Reason::ALL.iter().copied().find(|reason| reason.name() == name)
    }

    /// Refusals for this reason are counted from the first of them: pages tell how often a key was tried since it ended.
    pub fn counts_anew(self) -> bool {
        matches!(self, Reason::Withdrawn | Reason::Expired)
    }

    /// What pages say of it.
    pub fn words(self) -> &'static str {
        match self {
            Reason::Withdrawn => "the key is withdrawn",
            Reason::Expired => "the key has expired",
            Reason::Deactivated => "the account was deactivated",
            Reason::Subscription => "the subscription was not active",
            Reason::Address => "the key may not be used from there",
            Reason::ReadOnly => "the key may only read",
        }
    }
}
