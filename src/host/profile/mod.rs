//! The User Profile page: details, API keys and password of the signed-in user, and the one dialog that may be open on
//! it. `details.rs` and `keys.rs` both respond with it.

pub mod confirm;
pub mod details;
pub mod email;
pub mod key_edit;
pub mod key_rotation;
pub mod keys;
pub mod second_factor;
pub mod sessions;

use actix_web::{HttpResponse, http::StatusCode};
use askama::Template;
use chrono_tz::{TZ_VARIANTS, Tz};

use crate::{
    access::signed_in::SignedIn,
    base::{
        clock::{self, Moment},
        error::Result,
    },
    keys::{
        ApiKey,
        access_form::AccessFields,
        addresses,
        expiry::{self, ExpiryFields},
        life_form::LifeFields,
        made::Made,
        rotate::OverlapField,
        scope::{self, KeyScope},
        state::State,
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
    /// The new address, as entered.
    pub new_email: Field,
    pub sends_mail: bool,
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
        /// When the subscription ends, if that is soon.
        ends: Option<When>,
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
    pub status: KeyStatus,
    /// The end, of a key that has one.
    pub expires: Option<Ending>,
    /// From where it may be used; empty for anywhere.
    pub addresses: Vec<String>,
    pub is_replaced: bool,
}

/// The end of a key.
pub struct Ending {
    pub when: When,
    /// The last day, of a key that works until the end of one.
    pub day: Option<String>,
}

/// Whether a key works, ready to be shown; of a withdrawn one [`KeyRow::withdrawn`] says more.
pub enum KeyStatus {
    Active,
    /// On this day.
    ExpiresSoon(String),
    Replaced {
        until: When,
        when_unused: bool,
    },
    Expired(When),
    Withdrawn,
}

impl KeyStatus {
    fn new(state: State, zone: Tz) -> Self {
        match state {
            State::Active => KeyStatus::Active,
            State::ExpiresSoon(end) => KeyStatus::ExpiresSoon(day_text(end, zone)),
            State::Replaced { until, when_unused } => {
                KeyStatus::Replaced { until: When::new(until, zone), when_unused }
            }
            State::Expired(end) => KeyStatus::Expired(When::new(end, zone)),
            State::Withdrawn => KeyStatus::Withdrawn,
        }
    }
}

/// The last day of a key with this end.
fn day_text(end: Moment, zone: Tz) -> String {
    expiry::last_day(end, zone).format("%-d %b %Y").to_string()
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
    /// True if another key may take its place.
    pub fn can_rotate(&self) -> bool {
        !self.is_replaced && matches!(self.status, KeyStatus::Active | KeyStatus::ExpiresSoon(_))
    }

    /// True while another key has taken its place and it still works.
    pub fn is_ending(&self) -> bool {
        matches!(self.status, KeyStatus::Replaced { .. })
    }

    pub fn new(key: ApiKey, zone: Tz, now: Moment) -> Self {
        let by = match (key.withdrawn_by.as_deref(), key.withdrawn_how.as_deref()) {
            (_, Some("leak_box")) => "found, leaked",
            (Some("host"), _) => "by the host",
            (_, Some("all")) => "by you, with all keys",
            (_, Some("rotation")) => "by you, in a rotation",
            _ => "by you",
        };
        let state = key.state(now);
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
            status: KeyStatus::new(state, zone),
            expires: key.expires_at.map(|end| Ending {
                when: When::new(end, zone),
                day: expiry::is_whole_day(end, zone).then(|| day_text(end, zone)),
            }),
            addresses: key.allowed.as_deref().map(addresses::shown).unwrap_or_default(),
            is_replaced: key.replaced_by.is_some(),
        }
    }
}

/// The open dialog.
pub enum Dialog {
    None,
    Create {
        title: Field,
        access: AccessFields,
        life: LifeFields,
        form_token: String,
    },
    Created {
        id: String,
        title: String,
        key: String,
        curl: String,
        /// What becomes of the key that it replaces.
        old: Option<String>,
        /// "May manage users" was ticked, but such a key never may.
        no_users: bool,
    },
    AlreadyCreated {
        row: KeyRow,
    },
    Edit {
        id: String,
        tail: String,
        title: Field,
        life: LifeFields,
    },
    Rotate {
        row: KeyRow,
        overlap: OverlapField,
        expiry: ExpiryFields,
        form_token: String,
    },
    /// The key cannot be rotated, or has been in the meantime.
    NotRotated {
        row: KeyRow,
        reason: &'static str,
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
            let active = keys.iter().filter(|key| key.state(now).is_counted()).count();
            let limit = state.settings.max_keys;
            let rows = keys.into_iter().map(|key| KeyRow::new(key, zone, now)).collect();
            let full = i64::try_from(active).is_ok_and(|active| active >= limit);
            let end = subscriptions::ends_soon(person.subscription.as_ref(), grace, now);
            KeysSection::Open {
                ends: end.map(|end| When::new(end, zone)),
                rows,
                columns: [title_column(order)],
                full,
                limit: counted(limit, "active key", "active keys"),
            }
        } else {
            let reason = subscriptions::why_not(person.subscription.as_ref(), grace, zone);
            KeysSection::Closed { reason, paused: store::count_working(&mut tx, user.id, now).await? }
        };
        Ok(ProfilePage {
            layout: Layout::new(state, Some(user.display_name())),
            notice: Notice::default(),
            email: user.email.clone(),
            new_email: Field::default(),
            sends_mail: state.settings.mail.sends_mail(),
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
