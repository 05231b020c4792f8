//! Demo data: a user with an active subscription, an API key, and hotels in two groups.

mod hotels;

use uuid::Uuid;

use crate::{
    access::{caller::Caller, totals::TotalChanges},
    base::{
        clock::{self, Moment},
        error::{Error, Problems, Result},
        ids::{GroupId, PropertyId, UserId},
        secret::{self, Digest},
    },
    db::{Tx, host_values},
    demo::hotels::{ALPS, COAST},
    hotel::{
        accounts,
        groups::{self, Group, placements::Giver},
        properties::{self, Property},
    },
    keys::{
        self, PlainKey, Withdrawal,
        create::{self, Creation, Submission, Wanted},
        life::KeyLife,
        scope::KeyAccess,
    },
    people::{
        password::Password,
        sessions,
        subscriptions::{self, State},
        users::{self, Email},
    },
    record::origin::Origin,
    resource::collection::Stored,
    web::state::AppState,
};

const EMAIL: &str = "demo@latchkey.example";

/// The message for a database with other data.
pub const NOT_OURS: &str = "This database contains data that no demo created, so the demo leaves it alone. Name an empty \
    folder or database, or run `latchkey demo` without one.";

/// The shared value that marks a database of a demo.
const MARK: &str = "demo_user";

/// The title of its API key.
const KEY: &str = "Demo";

/// The credentials of the demo's user.
pub struct Demo {
    pub email: String,
    pub password: String,
    pub key: PlainKey,
}

/// Fills an empty database, or reuses the data of an earlier demo.
///
/// # Errors
/// A sentence for the host, also if there is other data.
pub async fn prepare(state: &AppState) -> std::result::Result<Demo, String> {
    fill(state).await.map_err(|error| match error {
        Error::Forbidden(Some(reason)) => reason.to_owned(),
        other => format!("Cannot create the demo data: {other}."),
    })
}

async fn fill(state: &AppState) -> Result<Demo> {
    let password = secret::random().split_off(23);
    let hash = Password::typed(password.clone()).hashed(state.settings.cost()).map_err(Error::Internal)?;
    let now = clock::now();
    let mut tx = state.db.write().await?;
    let mut totals = TotalChanges::default();
    let user = match host_values::find_value(&mut tx, MARK).await? {
        Some(_) => earlier(&mut tx, &hash, now).await?,
        None if users::store::all(&mut tx).await?.is_empty() => fresh(&mut tx, &mut totals, &hash, now).await?,
        None => {
            return Err(Error::Forbidden(Some(NOT_OURS)));
        }
    };
    totals.commit(tx).await?;
    let wanted = Wanted { title: KEY, access: &KeyAccess::unrestricted(), life: &KeyLife::default() };
    let (caller, form) = (Caller::person(user), Digest::of(&secret::random()));
    let origin = Origin::default();
    let sent = Submission { caller: &caller, form: &form, origin: &origin, at: now };
    let creation = create::create(&state.db, &state.settings, &sent, &wanted).await?;
    let Creation::Created(_, key) = creation else {
        return Err(Error::Forbidden(Some("The demo's user has as many API keys as allowed. Withdraw one.")));
    };
    Ok(Demo { email: EMAIL.to_owned(), password, key })
}

/// The user of an earlier demo, with a new password and without the old key, since neither is stored in plain text.
async fn earlier(tx: &mut Tx, hash: &str, now: Moment) -> Result<UserId> {
    let user = users::store::by_email(tx, &email()?).await?.ok_or(Error::Internal("no demo user".to_owned()))?;
    users::store::set_password(tx, user.id, hash).await?;
    sessions::store::end_all(tx, user.id).await?;
    for key in keys::store::of_user(tx, user.id).await? {
        if key.title == KEY {
            keys::store::mark_withdrawn(tx, key.id, Withdrawal::Command, now).await?;
        }
    }
    tx.revoke_cached_access().await?;
    Ok(user.id)
}

async fn fresh(tx: &mut Tx, totals: &mut TotalChanges, hash: &str, now: Moment) -> Result<UserId> {
    let user = accounts::open(tx, &email()?, Some("Demo".to_owned()), Some(hash), now).await?;
    let user = user.ok_or(Error::Internal("a demo user before the demo".to_owned()))?;
    host_values::shared_value(tx, MARK, user.0.as_bytes().to_vec()).await?;
    subscriptions::store::set(tx, user, State::Active, None, now).await?;
    let caller = Caller::person(user);
    let first = groups::store::lock_default_group(tx, &caller).await?;
    let first = first.ok_or(Error::Internal("no default group".to_owned()))?;
    let alps = Group::titled("Alpine houses");
    groups::store::insert(tx, &alps, user, Giver::of(&caller), now).await?;
    for (group, hotel) in
        [(first, COAST), (GroupId(alps.id), ALPS)].into_iter().flat_map(|(g, list)| list.iter().map(move |h| (g, h)))
    {
        let mut problems = Problems::default();
        let resource = Property::create(hotel.body(), &mut problems);
        problems.none_or_invalid()?;
        let stored = Stored { id: Uuid::now_v7(), version: rand::random(), resource };
        properties::store::insert(tx, totals, &caller, &stored, group, now).await?;
        hotels::furnish(tx, PropertyId(stored.id), hotel.currency, hotel.from, now).await?;
    }
    Ok(user)
}

fn email() -> Result<Email> {
    EMAIL.parse().map_err(|_| Error::Internal("the demo's address".to_owned()))
}
