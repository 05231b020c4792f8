//! The User Profile page: details, API keys and password of the signed-in user, and the one dialog that may be open on
//! it. `details.rs` and `keys.rs` both respond with it.

pub mod confirm;
pub mod details;
pub mod email;
pub mod key_edit;
pub mod key_list;
pub mod key_rotation;
pub mod key_row;
pub mod key_shown;
pub mod key_use;
pub mod keys;
pub mod second_factor;
pub mod sessions;

use actix_web::{HttpResponse, http::StatusCode};
use askama::Template;
use chrono_tz::TZ_VARIANTS;

use crate::{
    access::signed_in::SignedIn,
    base::{clock, error::Result},
    host::profile::{
        key_list::{KeyList, ListView},
        key_row::{Ending, KeyRow, KeyStatus},
        key_shown::ShownKey,
        key_use::KeyUse,
    },
    keys::{
        access_form::AccessFields, expiry::ExpiryFields, life_form::LifeFields, made::Made, rotate::OverlapField, store,
    },
    people::{sessions::notice::Notice, subscriptions},
    web::{
        form::Field,
        page::{self, Layout},
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
    /// What the list of keys shows. Dialogs lead back to it.
    pub view: ListView,
    pub dialog: Dialog,
}

/// The section of API keys; without an active subscription, the reason instead of the keys.
pub enum KeysSection {
    Open(Box<KeyList>),
    Closed {
        reason: String,
        /// Active keys that are suspended.
        paused: i64,
    },
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
    Created(ShownKey),
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
        key_use: KeyUse,
        made: Made,
    },
    /// A key that may be withdrawn.
    Details {
        row: KeyRow,
        key_use: KeyUse,
        made: Made,
    },
    WithdrawAll {
        active: i64,
    },
}

impl ProfilePage {
    /// The page with stored values and no open dialog.
    pub async fn new(state: &AppState, person: &SignedIn, view: &ListView) -> Result<Self> {
        let user = &person.user;
        let now = clock::now();
        let grace = state.settings.grace();
        let mut tx = state.db.read().await?;
        let keys = if subscriptions::is_active(person.subscription.as_ref(), grace, now) {
            KeysSection::Open(Box::new(KeyList::read(&mut tx, state, person, view, now).await?))
        } else {
            let reason = subscriptions::why_not(person.subscription.as_ref(), grace, user.zone());
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
            view: view.clone(),
            dialog: Dialog::None,
        })
    }

    /// The page with this dialog open.
    pub async fn with(state: &AppState, person: &SignedIn, view: &ListView, dialog: Dialog) -> Result<Self> {
        Ok(ProfilePage { dialog, ..Self::new(state, person, view).await? })
    }

    pub fn answer(&self, status: StatusCode) -> Result<HttpResponse> {
        page::html(status, self)
    }
}

/// The zones of the list: those named after places, and UTC. Any other IANA name is accepted too.
fn time_zones() -> Vec<&'static str> {
    let places = ["Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"];
    let is_place = |name: &&str| name.split_once('/').is_some_and(|(region, _)| places.contains(&region));
    std::iter::once("UTC").chain(TZ_VARIANTS.iter().map(|zone| zone.name()).filter(is_place)).collect()
}
