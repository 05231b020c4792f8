//! The User Profile page: details, API keys and password of the signed-in user, and the one dialog that may be open on
//! it. `details.rs` and `keys.rs` both respond with it.

pub mod confirm;
pub mod details;
pub mod keys;
pub mod second_factor;
pub mod sessions;

use actix_web::{HttpResponse, http::StatusCode};
use askama::Template;
use chrono_tz::{TZ_VARIANTS, Tz};

use crate::{
    access::signed_in::SignedIn,
    base::{clock, error::Result},
    keys::{
        ApiKey,
        access_form::AccessFields,
        leaks::LEAK_BOX,
        made::Made,
        scope::{self, KeyScope},
        store::{self, Order},
    },
    people::{sessions::notice::Notice, subscriptions},
    web::{
        form::Field,
        page::{self, Layout, SortableColumn, When, counted},
        state::AppState,
    },
};

#[derive(Template)]
#[template(path = "users/profile.html")]
pub struct ProfilePage {
    pub layout: Layout,
    pub notice: Notice,
    pub email: String,
    pub name: Field,
    pub time_zone: Field,
    pub time_zones: Vec<&'static str>,
    pub old_password_problem: Option<String>,
    pub new_password_problem: Option<String>,
    pub password_rules: &'static str,
    pub keys: KeysSection,
    pub has_second_factor: bool,
    pub dialog: Dialog,
}

/// The section of API keys; without an active subscription, the reason instead of the keys.
pub enum KeysSection {
    Open {
        rows: Vec<KeyRow>,
        columns: [SortableColumn; 1],
        /// The limit of active keys is reached.
        full: bool,
        /// The limit, such as `100 active keys`.
        limit: String,
    },
    Closed {
        reason: String,
        /// Active keys that are suspended.
        paused: i64,
    },
}

/// A key, ready to be shown.
pub struct KeyRow {
    pub id: String,
    pub title: String,
    pub tail: String,
    pub scope: KeyScope,
    pub rights: &'static str,
    pub created: When,
    pub imported: bool,
    pub last_used: Option<LastUse>,
    pub withdrawn: Option<Withdrawn>,
}

pub struct LastUse {
    pub when: When,
    pub address: String,
    pub client: String,
}

pub struct Withdrawn {
    pub when: When,
    pub by: String,
}

impl KeyRow {
    pub fn new(key: ApiKey, zone: Tz) -> Self {
        let by = match key.withdrawn_by.as_deref() {
            _ if key.withdrawn_how.as_deref() == Some(LEAK_BOX) => "found, leaked",
            Some("host") => "by the host",
            _ => "by you",
        };
        KeyRow {
            id: key.id.to_string(),
            title: key.title,
            tail: key.tail,
            scope: key.scope,
            rights: scope::rights(key.read_only, key.manage_users),
            created: When::new(key.created_at, zone),
            imported: key.imported,
            last_used: key.last_used_at.map(|at| LastUse {
                when: When::new(at, zone),
                address: key.last_used_address.unwrap_or_default(),
                client: key.last_used_client.unwrap_or_default(),
            }),
            withdrawn: key.withdrawn_at.map(|at| Withdrawn { when: When::new(at, zone), by: by.to_owned() }),
        }
    }
}

/// The open dialog.
pub enum Dialog {
    None,
    Create {
        title: Field,
        access: AccessFields,
        form_token: String,
    },
    Created {
        id: String,
        title: String,
        key: String,
        curl: String,
        /// "May manage users" was ticked, but such a key never may.
        no_users: bool,
    },
    AlreadyCreated {
        row: KeyRow,
        form_token: String,
    },
    Withdraw {
        row: KeyRow,
        made: Made,
    },
    /// A key that may be withdrawn.
    Details {
        row: KeyRow,
        made: Made,
    },
    WithdrawAll {
        active: i64,
    },
}

impl ProfilePage {
    /// The page with stored values and no open dialog.
    pub async fn new(state: &AppState, person: &SignedIn, order: Order) -> Result<Self> {
        let user = &person.user;
        let zone = user.zone();
        let now = clock::now();
        let grace = state.settings.grace();
        let mut tx = state.db.read().await?;
        let keys = if subscriptions::is_active(person.subscription.as_ref(), grace, now) {
            let keys = store::of_user(&mut tx, user.id, order).await?;
            let active = keys.iter().filter(|key| key.withdrawn_at.is_none()).count();
            let limit = state.settings.max_keys;
            let rows = keys.into_iter().map(|key| KeyRow::new(key, zone)).collect();
            let full = i64::try_from(active).is_ok_and(|active| active >= limit);
            KeysSection::Open {
                rows,
                columns: [title_column(order)],
                full,
                limit: counted(limit, "active key", "active keys"),
            }
        } else {
            let reason = subscriptions::why_not(person.subscription.as_ref(), grace, zone);
            KeysSection::Closed { reason, paused: store::count_active(&mut tx, user.id).await? }
        };
        Ok(ProfilePage {
            layout: Layout::new(state, Some(user.display_name())),
            notice: Notice::default(),
            email: user.email.clone(),
            name: Field::of(user.name.clone().unwrap_or_default()),
            time_zone: Field::of(user.time_zone.clone()),
            time_zones: time_zones(),
            old_password_problem: None,
            new_password_problem: None,
            password_rules: crate::people::password::RULES,
            keys,
            has_second_factor: person.has_second_factor,
            dialog: Dialog::None,
        })
    }

    /// The page with this dialog open.
    pub async fn with(state: &AppState, person: &SignedIn, dialog: Dialog) -> Result<Self> {
        Ok(ProfilePage { dialog, ..Self::new(state, person, Order::Created).await? })
    }

    pub fn answer(&self, status: StatusCode) -> Result<HttpResponse> {
        page::html(status, self)
    }
}

fn title_column(order: Order) -> SortableColumn {
    let (sorted, next) = match order {
        Order::Created => ("none", "title"),
        Order::TitleUp => ("ascending", "-title"),
        Order::TitleDown => ("descending", "title"),
    };
    SortableColumn { title: "Title", sorted, address: format!("/user_profile?order={next}#api_keys") }
}

/// The zones of the list: those named after places, and UTC. Any other IANA name is accepted too.
fn time_zones() -> Vec<&'static str> {
    let places = ["Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"];
    let is_place = |name: &&str| name.split_once('/').is_some_and(|(region, _)| places.contains(&region));
    std::iter::once("UTC").chain(TZ_VARIANTS.iter().map(|zone| zone.name()).filter(is_place)).collect()
}
