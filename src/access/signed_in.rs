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
        clock,
        error::{Error, Result},
        ids::UserId,
        settings::RequireSecondFactor,
    },
    people::{
        sessions::{self, Current, kept_forms},
        subscriptions::Subscription,
        users::{self, User, store::Account},
    },
    web::{body, form, page::CurrentUserName, request_log::RequestUser, state::AppState},
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
    /// Two-factor authentication is on.
    pub has_second_factor: bool,
    pub session: Current,
}

impl SignedIn {
    /// The user as a caller of the API, with all their permissions.
    pub fn caller(&self) -> Caller {
        Caller::person(self.user.id)
    }
}

/// The user of the request's session, if there is one.
async fn person(request: &HttpRequest) -> Result<Option<SignedIn>> {
    let Some(session) = sessions::current(&request.get_session()) else { return Ok(None) };
    let Some(account) = account(state(request)?, session.user).await? else { return Ok(None) };
    request.extensions_mut().insert(RequestUser(session.user, None));
    request.extensions_mut().insert(CurrentUserName(account.user.display_name().to_owned()));
    let Account { user, subscription, has_second_factor } = account;
    Ok(Some(SignedIn { user, subscription, has_second_factor, session }))
}

fn state(request: &HttpRequest) -> Result<&Data<AppState>> {
    request.app_data().ok_or_else(|| Error::Internal("no state".to_owned()))
}

/// Where a user who must first set up two-factor authentication may go.
const BEFORE_ENROLMENT: [&str; 3] = ["/user_profile/second_factor", "/confirm", "/sign_out"];

/// Rejects a user who must first set up two-factor authentication, except on the pages for it.
fn must_be_enrolled(request: &HttpRequest, person: &SignedIn) -> Result<()> {
    let is_missing = needs_second_factor(state(request)?, person.has_second_factor);
    match is_missing && !BEFORE_ENROLMENT.iter().any(|path| request.path().starts_with(path)) {
        true => Err(Error::Enrol),
        false => Ok(()),
    }
}

/// True if the host requires a second factor of this user, who has none.
pub fn needs_second_factor(state: &AppState, has_second_factor: bool) -> bool {
    !has_second_factor && state.settings.require_second_factor == RequireSecondFactor::Everybody
}

/// Receives the form of a request that will not be processed, to keep its fields.
async fn typed(typed: Option<impl Future<Output = std::result::Result<Bytes, body::Missing>>>) -> Bytes {
    match typed {
        Some(typed) => typed.await.unwrap_or_default(),
        None => Bytes::new(),
    }
}

impl FromRequest for SignedIn {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let form = sessions::current(&request.get_session())
            .is_none()
            .then(|| body::received(&request, payload, form::LIMIT, None));
        Box::pin(async move {
            if let Some(person) = person(&request).await? {
                must_be_enrolled(&request, &person)?;
                return Ok(person);
            }
            let (return_to, has_input) = kept_forms::keep(state(&request)?, &request, &typed(form).await).await?;
            Err(Error::SignIn { return_to, has_input })
        })
    }
}

/// The signed-in user, who has proved within the last ten minutes who they are. As an argument of a form's handler:
/// otherwise the form leads to the page that asks, and back with its fields kept (ASVS 5.0, 7.5). For what gives or widens
/// access; what withdraws or narrows it takes [`SignedIn`].
pub struct Confirmed(pub SignedIn);

impl FromRequest for Confirmed {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let is_confirmed =
            sessions::current(&request.get_session()).is_some_and(|session| session.is_confirmed(clock::now()));
        if is_confirmed {
            let person = SignedIn::from_request(&request, payload);
            return Box::pin(async move { person.await.map(Confirmed) });
        }
        let form = body::received(&request, payload, form::LIMIT, None);
        Box::pin(async move {
            let person = person(&request).await?;
            if let Some(person) = &person {
                must_be_enrolled(&request, person)?;
            }
            let form = typed(Some(form)).await;
            let (return_to, has_input) = kept_forms::keep(state(&request)?, &request, &form).await?;
            Err(match person {
                Some(_) => Error::Confirm { return_to },
                None => Error::SignIn { return_to, has_input },
            })
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
