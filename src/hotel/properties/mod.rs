//! Properties: one physical place each (docs/contract/properties.md).

pub mod api;
pub mod list_index;
pub mod pages;
mod render;
pub mod search;
pub mod store;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    base::{
        error::{Problems, Result},
        ids::GroupId,
        money,
    },
    hotel::{facilities, photos},
    resource::{
        fields::{Field, Kind, LARGEST, LONG_TEXT, not_null, on_create, optional, read_only, required},
        validate::{self, Operation},
    },
};

/// The fields of a property (docs/contract/properties.md).
pub const FIELDS: &[Field] = &[
    read_only("id", Kind::Id, "The property's ID."),
    required("title", Kind::Title, "Name of the property."),
    required("currency", Kind::Currency, "ISO 4217 code; the default for everything in the property."),
    not_null("is_active", Kind::Boolean, "Inactive properties remain accessible but are hidden from shopping results."),
    optional("email", Kind::Email, "Contact address given to channels."),
    optional("phone", Kind::Phone, "Contact phone."),
    optional("zip_code", Kind::Text { max: 32 }, "Postal code."),
    optional("country", Kind::Country, "ISO 3166-1 alpha-2 code."),
    optional("state", Kind::Text { max: 255 }, "State or region."),
    optional("city", Kind::Text { max: 255 }, "City."),
    optional("address", Kind::Text { max: 255 }, "Street and number."),
    optional("longitude", Kind::Decimal { min: -180, max: 180, places: 7 }, "Degrees east, returned as sent."),
    optional("latitude", Kind::Decimal { min: -90, max: 90, places: 7 }, "Degrees north, returned as sent."),
    optional("timezone", Kind::TimeZone, "IANA time zone name. Without one, UTC applies."),
    optional("facilities", Kind::Ids(facilities::is_of_properties), "IDs from `/property_facilities`.").hidden(),
    optional("property_type", Kind::OneOf(TYPES), "Kind of property. Default: `hotel`."),
    on_create("group_id", Kind::Id, "The first group of the property. Default: the caller's first group.").hidden(),
    optional("settings", Kind::Object(|| SETTINGS.iter().collect()), "Switches and limits."),
    optional("content", Kind::Object(|| CONTENT.iter().collect()), "Texts and photos."),
    optional("logo_url", Kind::Url, "URL of the logo."),
    read_only("acc_channels_count", Kind::Integer { min: 0, max: LARGEST }, "Number of connected channels."),
];

const TYPES: &[&str] = &[
    "apart_hotel",
    "apartment",
    "boat",
    "camping",
    "capsule_hotel",
    "chalet",
    "country_house",
    "farm_stay",
    "guest_house",
    "holiday_home",
    "holiday_park",
    "homestay",
    "hostel",
    "hotel",
    "inn",
    "lodge",
    "motel",
    "resort",
    "riad",
    "ryokan",
    "tent",
    "villa",
];

const SETTINGS: &[Field] = &[
    optional(SWITCHES[0], Kind::Boolean, "A new booking lowers availability. Default: `true`."),
    optional(SWITCHES[1], Kind::Boolean, "A modified booking adjusts availability. Default: `true`."),
    optional(SWITCHES[2], Kind::Boolean, "A cancelled booking raises availability again. Default: `true`."),
    optional(OLD_SWITCH, Kind::Boolean, "Deprecated: sets whichever of the three switches are omitted.").hidden(),
    optional(
        "min_stay_type",
        Kind::OneOf(&["both", "arrival", "through"]),
        "Which minimum stay restriction the property uses. Default: `both`.",
    ),
    optional("min_price", Kind::Price, "Lower prices are raised to this."),
    optional("max_price", Kind::Price, "Higher prices are lowered to this; at least `min_price`."),
    optional("state_length", Kind::Integer { min: 100, max: 730 }, "Days of inventory. Default: 500."),
];

const SWITCHES: [&str; 3] = [
    "allow_availability_autoupdate_on_confirmation",
    "allow_availability_autoupdate_on_modification",
    "allow_availability_autoupdate_on_cancellation",
];

/// Deprecated: sets those of [`SWITCHES`] that the same body leaves out.
const OLD_SWITCH: &str = "allow_availability_autoupdate";

const CONTENT: &[Field] = &[
    optional("description", LONG_TEXT, "Description for guests."),
    optional("important_information", LONG_TEXT, "Included in booking confirmations."),
    optional(
        "photos",
        Kind::Batch(photos::fields_of_entry),
        "Photos to add, change or remove, each once; photos not listed stay unchanged. At most 100 in all.",
    ),
];

/// What can be written of a property. Its defaults are those of a new one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Property {
    pub title: String,
    pub is_active: bool,
    /// ISO 4217, upper case.
    pub currency: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub zip_code: Option<String>,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: Option<String>,
    pub state: Option<String>,
    pub city: Option<String>,
    pub address: Option<String>,
    /// Decimals as sent, trailing zeros kept.
    pub longitude: Option<String>,
    pub latitude: Option<String>,
    /// IANA name; none is treated as UTC.
    pub timezone: Option<String>,
    /// Ids of the catalogue, in the order sent.
    pub facilities: Vec<Uuid>,
    pub property_type: String,
    pub logo_url: Option<String>,
    pub settings: Settings,
    pub content: Content,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    pub allow_availability_autoupdate_on_confirmation: bool,
    pub allow_availability_autoupdate_on_modification: bool,
    pub allow_availability_autoupdate_on_cancellation: bool,
    pub min_stay_type: String,
    /// In the currency's smallest unit.
    pub min_price: Option<i64>,
    pub max_price: Option<i64>,
    /// Days in the inventory.
    pub state_length: i64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Content {
    pub description: Option<String>,
    pub important_information: Option<String>,
}

impl Default for Property {
    fn default() -> Self {
        Property {
            title: String::new(),
            is_active: true,
            currency: String::new(),
            email: None,
            phone: None,
            zip_code: None,
            country: None,
            state: None,
            city: None,
            address: None,
            longitude: None,
            latitude: None,
            timezone: None,
            facilities: Vec::new(),
            property_type: "hotel".to_owned(),
            logo_url: None,
            settings: Settings {
                allow_availability_autoupdate_on_confirmation: true,
                allow_availability_autoupdate_on_modification: true,
                allow_availability_autoupdate_on_cancellation: true,
                min_stay_type: "both".to_owned(),
                min_price: None,
                max_price: None,
                state_length: 500,
            },
            content: Content::default(),
        }
    }
}

/// What a body makes of a property.
pub struct Draft {
    pub property: Property,
    /// The group that a new property goes to, where one is named.
    pub group: Option<GroupId>,
    /// The entries of `content.photos`.
    pub photos: Vec<Value>,
}

impl Property {
    /// A new property from a body. What is wrong goes to `problems`.
    pub fn create(sent: &Map<String, Value>, problems: &mut Problems) -> Result<Draft> {
        Self::default().draft(sent, Operation::Create, problems)
    }

    /// This property with what a body changes. What is wrong goes to `problems`.
    pub fn update(self, sent: &Map<String, Value>, problems: &mut Problems) -> Result<Draft> {
        self.draft(sent, Operation::Update, problems)
    }

    fn draft(self, sent: &Map<String, Value>, operation: Operation, problems: &mut Problems) -> Result<Draft> {
        let mut validated = validate::validate(FIELDS, sent, &validate::object(&Self::default())?, operation, problems);
        let group = validated.remove("group_id").and_then(|id| serde_json::from_value(id).ok());
        let photos = photos::take(&mut validated);
        Ok(Draft { property: self.changed(validated, problems)?, group, photos })
    }

    fn changed(self, mut validated: Map<String, Value>, problems: &mut Problems) -> Result<Self> {
        let currency = validated.get("currency").and_then(Value::as_str).unwrap_or(&self.currency).to_owned();
        let mut old = validate::object(&self)?;
        let mut wrong = Problems::default();
        let mut none = Map::new();
        let settings = validated.get_mut("settings").and_then(Value::as_object_mut).unwrap_or(&mut none);
        spread_old_switch(settings);
        let mut in_minor_units = |price: &mut Value, field: &str| match (&*price, money::to_minor(price, &currency)) {
            (Value::Null, _) => {}
            (_, Some(minor)) => *price = minor.into(),
            (_, None) => wrong.add(field, "is invalid"),
        };
        // A price that stays keeps its amount in major units when the currency changes.
        let rescaled = currency != self.currency;
        for field in ["min_price", "max_price"] {
            match (settings.get_mut(field), old["settings"].get_mut(field)) {
                // Without a currency nobody knows the price's decimals; the currency's own message is enough.
                (Some(price), _) if currency.is_empty() => *price = Value::Null,
                (Some(price), _) => in_minor_units(price, field),
                (None, Some(price)) if rescaled => {
                    if let Some(minor) = price.as_i64() {
                        *price = money::to_short_text(minor, &self.currency).into();
                        in_minor_units(price, field);
                    }
                }
                _ => {}
            }
        }
        if wrong.is_empty() {
            let bound = |field: &str| settings.get(field).unwrap_or(&old["settings"][field]).as_i64();
            if let (Some(min), Some(max)) = (bound("min_price"), bound("max_price"))
                && max < min
            {
                let min = money::to_text(min, &currency);
                wrong.add("max_price", format!("must be greater than or equal to {min}"));
            }
        }
        problems.merge_inside("settings", wrong);
        if !problems.is_empty() {
            return Ok(self);
        }
        validate::merge(&mut old, validated);
        Ok(serde_json::from_value(old.into())?)
    }
}

fn spread_old_switch(settings: &mut Map<String, Value>) {
    if let Some(Value::Bool(on)) = settings.remove(OLD_SWITCH) {
        for switch in SWITCHES {
            settings.entry(switch).or_insert(on.into());
        }
    }
}
