//! Who is asking. The one knot between `http` and the features: it reads the stores of `users` and `api_keys`.

use std::{
    future::{Ready, ready},
    pin::Pin,
};

use actix_session::SessionExt;
use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::{Bytes, Data},
};

use crate::{
    app::site::Site,
    base::{
        clock::{self, Moment},
        error::{Error, Result},
        ids::{ApiKeyId, UserId},
    },
    keys::{PlainKey, last_use::LastUse},
    people::{
        sessions,
        subscriptions::{self, Subscription},
        users::{self, User},
    },
    web::{
        body, csrf, etag, form,
        page::{Greeted, Resume},
        request_log::{self, Asking},
    },
};

/// The header of a key; the only place keys are taken from.
pub const USER_API_KEY: HeaderName = HeaderName::from_static("user-api-key");

/// What anybody may read (contract/README.md, section 15, 2).
const OPEN: &str = "/api/v1/openapi.json";

/// Who calls the API, from a key or from a session: nobody behind this can tell which.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    pub user: UserId,
    /// The key that the request came with; `None` for a session.
    pub key: Option<ApiKeyId>,
    pub reach: Reach,
    pub read_only: bool,
    pub manage_users: bool,
}

/// Which of the user's properties exist for this caller.
#[derive(Clone, Copy, Debug)]
pub enum Reach {
    All,
    /// Those this key is limited to.
    Chosen(ApiKeyId),
}

impl Caller {
    /// A user with all their powers.
    pub fn person(user: UserId) -> Self {
        Caller { user, key: None, reach: Reach::All, read_only: false, manage_users: true }
    }

    /// The key that limits the reach, as store queries take it.
    pub fn limit(&self) -> Option<ApiKeyId> {
        match self.reach {
            Reach::All => None,
            Reach::Chosen(key) => Some(key),
        }
    }

    /// Refuses what the key's rights forbid: the first that applies is named (contract/README.md, section 3).
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

/// Finds the caller before anything else of an API request is looked at.
pub async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> std::result::Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let site = request.app_data::<Data<Site>>().cloned().ok_or_else(|| Error::Internal("no site".to_owned()))?;
    if request.path() == OPEN && matches!(*request.method(), Method::GET | Method::HEAD) {
        return etag::answer(&site, None, request, next).await;
    }
    match caller(&site, &request).await {
        Ok(caller) => {
            request.extensions_mut().insert(Asking(caller.user, caller.key));
            request.extensions_mut().insert(caller);
            etag::answer(&site, Some(&caller), request, next).await
        }
        Err(error) => Ok(request.error_response(error)),
    }
}

async fn caller(site: &Site, request: &ServiceRequest) -> Result<Caller> {
    let now = clock::now();
    let mut keys = request.headers().get_all(USER_API_KEY);
    match (keys.next(), keys.next()) {
        (None, _) => by_session(request, site).await,
        (Some(sent), None) => {
            let key = PlainKey::parse(sent.as_bytes()).ok_or_else(|| Error::Unauthorized(wrong_form(sent)))?;
            by_key(request, site, key, now).await
        }
        (Some(_), Some(_)) => Err(Error::Unauthorized(None)),
    }
}

/// What is wrong with the form of a key that is none; never anything of what it says.
fn wrong_form(sent: &HeaderValue) -> Option<&'static str> {
    let sent = sent.as_bytes().trim_ascii();
    let is_quote = |byte: Option<&u8>| matches!(byte, Some(b'"' | b'\''));
    if sent.get(..7).is_some_and(|begin| begin.eq_ignore_ascii_case(b"bearer ")) {
        Some("send the API key without \"Bearer\"")
    } else if is_quote(sent.first()) || is_quote(sent.last()) {
        Some("remove the quotes around the API key")
    } else {
        None
    }
}

async fn by_key(request: &ServiceRequest, site: &Site, key: PlainKey, now: Moment) -> Result<Caller> {
    let holder = site.callers.holder(&site.db, key.digest()).await?.ok_or(Error::Unauthorized(None))?;
    if holder.withdrawn_at.is_some() {
        return Err(Error::Unauthorized(Some("the API key was withdrawn")));
    }
    if holder.expires_at.is_some_and(|end| end <= now) {
        return Err(Error::Unauthorized(Some("the API key has expired")));
    }
    if holder.deactivated_at.is_some() {
        return Err(Error::Unauthorized(None));
    }
    if !subscriptions::is_active(holder.subscription.as_ref(), site.settings.grace(), now) {
        return Err(Error::Forbidden(Some("the subscription is not active")));
    }
    site.gate.key(holder.key)?;
    site.last_uses.note(holder.key, &holder.last_use, || used_by(request, now), now);
    let reach = if holder.all_properties { Reach::All } else { Reach::Chosen(holder.key) };
    Ok(Caller {
        user: holder.user,
        key: Some(holder.key),
        reach,
        read_only: holder.read_only,
        manage_users: holder.manage_users,
    })
}

fn used_by(request: &ServiceRequest, now: Moment) -> LastUse {
    let client = request.headers().get(header::USER_AGENT).map(|agent| {
        let agent = String::from_utf8_lossy(agent.as_bytes());
        agent.chars().filter(|c| !c.is_control()).take(255).collect()
    });
    let address = request_log::client(request.request());
    LastUse { at: now, address: address.map(|address| address.to_string()), client }
}

async fn by_session(request: &ServiceRequest, site: &Site) -> Result<Caller> {
    let user = sessions::user(&request.get_session()).ok_or(Error::Unauthorized(None))?;
    csrf::check(request.request(), &site.base_url)?;
    site.gate.user(user)?;
    account(site, user).await?.ok_or(Error::Unauthorized(None))?;
    Ok(Caller::person(user))
}

/// The account of a signed-in person, unless it was deactivated.
async fn account(site: &Site, user: UserId) -> Result<Option<users::store::Account>> {
    let mut tx = site.db.glance().await?;
    let account = users::store::by_id(&mut tx, user).await?;
    Ok(account.filter(|account| account.user.deactivated_at.is_none()))
}

impl FromRequest for Caller {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Caller>().copied().ok_or(Error::Unauthorized(None)))
    }
}

/// A person signed in with a browser. Pages take this; without it they lead to sign-in and then back.
pub struct SignedIn {
    pub user: User,
    pub subscription: Option<Subscription>,
}

impl SignedIn {
    /// The person as a caller of the API: with all their powers.
    pub fn caller(&self) -> Caller {
        Caller::person(self.user.id)
    }
}

/// Who has signed in with this browser, if anybody.
async fn person(request: &HttpRequest) -> Result<Option<SignedIn>> {
    let Some(user) = sessions::user(&request.get_session()) else { return Ok(None) };
    let site = request.app_data::<Data<Site>>().ok_or_else(|| Error::Internal("no site".to_owned()))?;
    let Some(account) = account(site, user).await? else { return Ok(None) };
    request.extensions_mut().insert(Asking(user, None));
    request.extensions_mut().insert(Greeted(account.user.called().to_owned()));
    Ok(Some(SignedIn { user: account.user, subscription: account.subscription }))
}

impl FromRequest for SignedIn {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let typed = sessions::user(&request.get_session())
            .is_none()
            .then(|| body::received(&request, payload, form::LIMIT, None));
        Box::pin(async move {
            if let Some(person) = person(&request).await? {
                return Ok(person);
            }
            let typed = match typed {
                Some(typed) => typed.await.unwrap_or_default(),
                None => Bytes::new(),
            };
            Err(Error::SignIn { return_to: Resume::of(&request, &typed), kept: !typed.is_empty() })
        })
    }
}

/// A person signed in, or nobody: for pages that are open to all. (`Option<SignedIn>` would have the framework log
/// where a sign-in leads, which may hold what somebody has pasted into an address.)
pub struct MaybeSignedIn(pub Option<SignedIn>);

impl FromRequest for MaybeSignedIn {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            // Whom to greet is not worth a failed page: without the database these pages are there.
            let found = person(&request).await.unwrap_or_else(|error| {
                log::error!("who is signed in could not be found: {error}");
                None
            });
            Ok(MaybeSignedIn(found))
        })
    }
}
