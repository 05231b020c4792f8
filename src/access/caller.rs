//! Who calls the API and with which rights. The middleware authenticates (`app/auth.rs`); handlers take one of these.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};

use crate::base::{
    error::{Error, Result},
    ids::{ApiKeyId, UserId},
};

/// Who calls the API, from a key or from a session: nobody behind this can tell which.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    pub user: UserId,
    /// The key that the request came with; `None` for a session.
    pub key: Option<ApiKeyId>,
    pub scope: Scope,
    pub read_only: bool,
    pub manage_users: bool,
}

/// Which of the user's properties exist for this caller.
#[derive(Clone, Copy, Debug)]
pub enum Scope {
    All,
    /// Those this key is limited to.
    Chosen(ApiKeyId),
}

impl Caller {
    /// A user with all their powers.
    pub fn person(user: UserId) -> Self {
        Caller { user, key: None, scope: Scope::All, read_only: false, manage_users: true }
    }

    /// The key that limits the scope, as store queries take it.
    pub fn limit(&self) -> Option<ApiKeyId> {
        match self.scope {
            Scope::All => None,
            Scope::Chosen(key) => Some(key),
        }
    }

    /// Refuses a key that is limited to chosen properties.
    pub fn must_be_unlimited(&self) -> Result<()> {
        self.must(Need::AllProperties)
    }

    /// Refuses what the key's rights forbid: the first that applies is named (docs/contract/README.md, section 3).
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

/// What a write needs of a key, each with what stands above it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    Write,
    /// A key limited to chosen properties could not see what it makes, or would reach beyond them.
    AllProperties,
    ManageUsers,
}

/// Declares who may call a handler: an argument that stands before the body, which is not read where it refuses.
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
    /// A caller who may write, and is not limited to chosen properties.
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
