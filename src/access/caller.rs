//! The caller of the API and its permissions. The middleware authenticates (`app/auth.rs`); handlers take `Caller` or
//! one of its stricter forms as an argument.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};

use crate::{
    base::{
        error::{Error, Result},
        ids::{ApiKeyId, UserId},
    },
    record::{activity::Actor, by::By, origin::Origin},
};

/// Who calls the API, with a key or with a session.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    pub user: UserId,
    /// The key that the request came with; `None` for a session.
    pub key: Option<ApiKeyId>,
    pub scope: Scope,
    pub read_only: bool,
    pub manage_users: bool,
    /// False for a session whose user proved who they are more than ten minutes ago: it may not give or widen access.
    pub is_confirmed: bool,
}

/// Which of the user's properties the caller can access.
#[derive(Clone, Copy, Debug)]
pub enum Scope {
    All,
    /// Those to which this key is limited.
    Selected(ApiKeyId),
}

impl Caller {
    /// A user with all their permissions.
    pub fn person(user: UserId) -> Self {
        Caller { user, key: None, scope: Scope::All, read_only: false, manage_users: true, is_confirmed: true }
    }

    /// The caller in the record of activity.
    pub fn by<'a>(&self, origin: &'a Origin) -> By<'a> {
        let actor = self.key.map_or(Actor::Person(Some(self.user)), Actor::Key);
        By { actor, account: Some(self.user), origin }
    }

    /// The key that limits the scope, for queries.
    pub fn limit(&self) -> Option<ApiKeyId> {
        match self.scope {
            Scope::All => None,
            Scope::Selected(key) => Some(key),
        }
    }

    /// Rejects a session that must be confirmed before it may give or widen access.
    ///
    /// # Errors
    /// `Forbidden` with the reason.
    pub fn must_be_confirmed(&self) -> Result<()> {
        match self.is_confirmed {
            true => Ok(()),
            false => Err(Error::Forbidden(Some("confirm it is you at /confirm first"))),
        }
    }

    /// Refuses a key that is limited to chosen properties.
    pub fn must_be_unlimited(&self) -> Result<()> {
        self.must(Need::AllProperties)
    }

    /// Checks the key's permissions.
    ///
    /// # Errors
    /// `Forbidden` with the first reason that applies (docs/contract/README.md, section 3).
    fn must(&self, need: Need) -> Result<()> {
        let refusal = if self.read_only {
            "the API key is read-only"
        } else if need >= Need::AllProperties && self.limit().is_some() {
            "the API key is limited to chosen properties"
        } else if need >= Need::ManageUsers && !self.manage_users {
            "the API key may not manage users"
        } else {
            return Ok(());
        };
        Err(Error::Forbidden(Some(refusal)))
    }
}

/// What a write requires of a key; each variant includes those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    Write,
    /// A key limited to selected properties could not see what it creates, or would change more than these.
    AllProperties,
    ManageUsers,
}

/// Declares extractors that check permissions. As an argument before the body, they reject a request before its body is
/// read.
macro_rules! callers {
    ($($(#[$doc:meta])* $name:ident($need:ident);)*) => { $(
        $(#[$doc])*
        pub struct $name(pub Caller);

        impl FromRequest for $name {
            type Error = Error;
            type Future = Ready<Result<Self>>;

            fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
                let caller = Caller::from_request(request, payload).into_inner();
                ready(caller.and_then(|caller| caller.must(Need::$need).map(|()| $name(caller))))
            }
        }
    )* };
}

callers! {
    /// A caller who may write.
    Writer(Write);
    /// A caller who may write and is not limited to selected properties.
    UnlimitedWriter(AllProperties);
    /// A caller who may also manage users.
    UserManager(ManageUsers);
}

impl FromRequest for Caller {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Caller>().copied().ok_or(Error::Unauthorized(None)))
    }
}
