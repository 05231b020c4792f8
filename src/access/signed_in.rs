//! The signed-in user, for pages.

use std::pin::Pin;

use actix_session::SessionExt;
use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    web::{Bytes, Data},
};

use crate::{
    access::caller::Caller,
    base::{
        error::{Error, Result},
        ids::UserId,
    },
    people::{
        sessions,
        subscriptions::Subscription,
        users::{self, User, store::Account},
    },
    web::{
        body, form,
        page::{CurrentUserName, Resume},
        request_log::RequestUser,
        state::AppState,
    },
};

/// The account of a signed-in user, unless it was deactivated.
pub async fn account(state: &AppState, user: UserId) -> Result<Option<Account>> {
    let mut tx = state.db.read_latest().await?;
    let account = users::store::by_id(&mut tx, user).await?;
    Ok(account.filter(|account| account.user.deactivated_at.is_none()))
}

/// The signed-in user. As an argument of a page: without a session, the page redirects to the sign-in and back.
pub struct SignedIn {
    pub user: User,
    pub subscription: Option<Subscription>,
}

impl SignedIn {
    /// The user as a caller of the API, with all their permissions.
    pub fn caller(&self) -> Caller {
        Caller::person(self.user.id)
    }
}

/// The user of the request's session, if there is one.
async fn person(request: &HttpRequest) -> Result<Option<SignedIn>> {
    let Some(user) = sessions::user(&request.get_session()) else { return Ok(None) };
    let state = request.app_data::<Data<AppState>>().ok_or_else(|| Error::Internal("no state".to_owned()))?;
    let Some(account) = account(state, user).await? else { return Ok(None) };
    request.extensions_mut().insert(RequestUser(user, None));
    request.extensions_mut().insert(CurrentUserName(account.user.display_name().to_owned()));
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
            Err(Error::SignIn { return_to: Resume::of(&request, &typed), has_input: !typed.is_empty() })
        })
    }
}

/// The signed-in user or nobody, for pages that are open to everyone. (With `Option<SignedIn>` the framework would log
/// where the sign-in leads, which may contain what somebody pasted into an address.)
pub struct OptionalUser(pub Option<SignedIn>);

impl FromRequest for OptionalUser {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            // These pages work without the database, only without the name in the header.
            let found = person(&request).await.unwrap_or_else(|error| {
                log::error!("could not look up the signed-in user: {error}");
                None
            });
            Ok(OptionalUser(found))
        })
    }
}
