//! `/api/v1/me`: who calls, and with which key (docs/contract/README.md, section 3).

use actix_web::{HttpResponse, web::Data};
use serde::Serialize;

use crate::{
    access::caller::Caller,
    base::{
        clock::Moment,
        error::{Error, Result},
        ids::UserId,
    },
    db::{Bind, Statement, Tx, impl_from_row},
    people::subscriptions::Subscription,
    resource::json,
    web::state::AppState,
};

#[derive(Serialize)]
struct CallerBody {
    r#type: &'static str,
    id: UserId,
    attributes: Attributes,
}

#[derive(Serialize)]
struct Attributes {
    email: String,
    name: Option<String>,
    /// `None` for a session.
    key: Option<Key>,
}

#[derive(Serialize)]
struct Key {
    title: String,
    /// The last six characters, which the list of keys shows.
    tail: String,
    all_properties: bool,
    read_only: bool,
    manage_users: bool,
    expires_at: Option<String>,
    /// When the subscription ends and the key is suspended; `None` for one without an end.
    subscription_ends_at: Option<String>,
}

/// The calling user and key.
struct Found {
    email: String,
    name: Option<String>,
    expires_at: Option<Moment>,
    title: Option<String>,
    tail: Option<String>,
    subscription: Option<Subscription>,
}

impl_from_row!(Found, row => Found {
    email: row.try_get("email")?,
    name: row.try_get("name")?,
    expires_at: row.try_get("expires_at")?,
    title: row.try_get("title")?,
    tail: row.try_get("tail")?,
    subscription: Subscription::from_joined_row(row.try_get("state")?, row.try_get("period_ends_at")?)?,
});

async fn find(tx: &mut Tx, caller: &Caller) -> sqlx::Result<Option<Found>> {
    const SQL: &str = "
        select u.email, u.name, k.title, k.tail, k.expires_at, s.state, s.period_ends_at
        from users u
        left join api_keys k on k.id = $2
        left join subscriptions s on s.user_id = u.id
        where u.id = $1";
    let binds = vec![Bind::Id(caller.user.0), Bind::MaybeId(caller.key.map(|key| key.0))];
    Statement::new(SQL, binds).fetch_optional(tx).await
}

/// GET /me
pub async fn me(state: Data<AppState>, caller: Caller) -> Result<HttpResponse> {
    let found = find(&mut state.db.read_latest().await?, &caller).await?.ok_or(Error::Unauthorized(None))?;
    let Found { email, name, expires_at, title, tail, subscription } = found;
    let ends_at = subscription.and_then(|subscription| subscription.ends_at(state.settings.grace()));
    let key = title.zip(tail).map(|(title, tail)| Key {
        title,
        tail,
        all_properties: caller.limit().is_none(),
        read_only: caller.read_only,
        manage_users: caller.manage_users,
        expires_at: expires_at.map(json::timestamp),
        subscription_ends_at: ends_at.map(json::timestamp),
    });
    Ok(json::one(&CallerBody { r#type: "caller", id: caller.user, attributes: Attributes { email, name, key } }))
}
