//! Rate plans: how a room type is sold (docs/contract/rate-plans.md).

pub mod api;
mod chain; // rules applied one after the other, in bounded work
pub mod derive;
pub mod detach;
pub mod rules;
pub mod store;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    base::ids::RatePlanId,
    resource::fields::{Field, Kind, optional, read_only, required},
};

/// The fields of a rate plan. Restrictions by weekday are among those that are ignored (docs/contract/rate-plans.md,
/// quirk 15).
pub const FIELDS: &[Field] = &[
    read_only("id", Kind::Id, "The rate plan's ID."),
    required("title", Kind::Title, "Name of the rate plan, unique within the room type."),
    required("property_id", Kind::Id, "The property; cannot be changed.").hidden(),
    required("room_type_id", Kind::Id, "The room type sold, one of that property; cannot be changed.").hidden(),
    required(
        "options",
        Kind::List(|| OPTION.iter().collect()),
        "One option per occupancy (number of guests) with its own price.",
    ),
    optional("parent_rate_plan_id", Kind::Id, "A rate plan of the same property to derive from."),
    optional("currency", Kind::Currency, "ISO 4217 code. Default: the property's currency."),
    optional(
        "sell_mode",
        Kind::OneOf(&["per_room", "per_person"]),
        "Whether prices are per room or per person. Default: `per_room`.",
    ),
    optional(
        "rate_mode",
        Kind::OneOf(&["manual", "derived", "auto", "cascade"]),
        "How prices are set. `derived` and `cascade` need a parent. Default: `manual`.",
    ),
    optional("meal_type", Kind::OneOf(MEALS), "Meal plan. Default: `none`."),
    optional(
        "auto_rate_settings",
        Kind::Json(&derive::AUTO),
        "How other occupancies derive from the primary one; at most 16,384 bytes of JSON.",
    ),
    optional(INHERIT[0], Kind::Boolean, "Take rates from the parent. Default: `true` with a parent."),
    optional(INHERIT[1], Kind::Boolean, "Take `closed_to_arrival` from the parent."),
    optional(INHERIT[2], Kind::Boolean, "Take `closed_to_departure` from the parent."),
    optional(INHERIT[3], Kind::Boolean, "Take `stop_sell` from the parent."),
    optional(INHERIT[4], Kind::Boolean, "Take `min_stay_arrival` from the parent."),
    optional(INHERIT[5], Kind::Boolean, "Take `min_stay_through` from the parent."),
    optional(INHERIT[6], Kind::Boolean, "Take `max_stay` from the parent."),
    optional(INHERIT[7], Kind::Boolean, "Take `max_sell` from the parent."),
    optional(INHERIT[8], Kind::Boolean, "Take `max_availability` from the parent."),
    optional(INHERIT[9], Kind::Boolean, "Take `availability_offset` from the parent."),
    optional("children_fee", Kind::Fee, "Added for each child. Default: 0."),
    optional("infant_fee", Kind::Fee, "Added for each infant. Default: 0."),
];

const OPTION: &[Field] = &[
    read_only("id", Kind::Id, "The option's ID; stays the same for this occupancy of the rate plan."),
    required("occupancy", Kind::Positive, "Number of guests that this option prices."),
    optional("is_primary", Kind::Boolean, "The option that others derive from; exactly one option is primary."),
    optional(
        "rate",
        Kind::Fee,
        "Default price for dates without one. If omitted, the occupancy keeps its price, initially 0.",
    ),
    optional(
        "derived_option",
        Kind::Json(&derive::DERIVED),
        "How to derive from the parent, or from the primary option; at most 2,000 rules across all options.",
    ),
];

/// The switches that take something from the parent.
pub const INHERIT: [&str; 10] = [
    "inherit_rate",
    "inherit_closed_to_arrival",
    "inherit_closed_to_departure",
    "inherit_stop_sell",
    "inherit_min_stay_arrival",
    "inherit_min_stay_through",
    "inherit_max_stay",
    "inherit_max_sell",
    "inherit_max_availability",
    "inherit_availability_offset",
];

/// Spelled as documented.
const MEALS: &[&str] = &[
    "none",
    "all_inclusive",
    "breakfast",
    "lunch",
    "dinner",
    "american",
    "bed_and_breakfast",
    "buffet_breakfast",
    "carribean_breakfast",
    "continental_breakfast",
    "english_breakfast",
    "european_plan",
    "family_plan",
    "full_board",
    "full_breakfast",
    "half_board",
    "room_only",
    "self_catering",
    "bermuda",
    "dinner_bed_and_breakfast_plan",
    "family_american",
    "breakfast_and_lunch",
    "lunch_and_dinner",
];

/// What can be written of a rate plan. Its defaults are those of a new one, whose currency is found in its property.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RatePlan {
    pub title: String,
    pub parent_rate_plan_id: Option<RatePlanId>,
    /// ISO 4217, upper case.
    pub currency: String,
    pub sell_mode: String,
    pub rate_mode: String,
    pub meal_type: String,
    pub options: Vec<Occupancy>,
    /// A JSON object.
    pub auto_rate_settings: Option<Value>,
    /// In the currency's smallest unit.
    pub children_fee: i64,
    pub infant_fee: i64,
    #[serde(flatten)]
    pub inherit: Inherit,
}

/// What is taken from the parent.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Inherit {
    pub inherit_rate: bool,
    pub inherit_closed_to_arrival: bool,
    pub inherit_closed_to_departure: bool,
    pub inherit_stop_sell: bool,
    pub inherit_min_stay_arrival: bool,
    pub inherit_min_stay_through: bool,
    pub inherit_max_stay: bool,
    pub inherit_max_sell: bool,
    pub inherit_max_availability: bool,
    pub inherit_availability_offset: bool,
}

/// The price for one number of guests.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Occupancy {
    /// In the currency's smallest unit.
    #[serde(default)]
    pub rate: i64,
    pub occupancy: i64,
    #[serde(default)]
    pub is_primary: bool,
    /// A JSON object as `derive::DERIVED` has it.
    #[serde(default)]
    pub derived_option: Option<Value>,
}

impl Default for RatePlan {
    fn default() -> Self {
        RatePlan {
            title: String::new(),
            parent_rate_plan_id: None,
            currency: String::new(),
            sell_mode: "per_room".to_owned(),
            rate_mode: "manual".to_owned(),
            meal_type: "none".to_owned(),
            options: Vec::new(),
            auto_rate_settings: None,
            children_fee: 0,
            infant_fee: 0,
            inherit: Inherit::default(),
        }
    }
}

/// True for a rate mode that takes prices from a parent.
pub fn follows_parent(rate_mode: &str) -> bool {
    matches!(rate_mode, "derived" | "cascade")
}

impl RatePlan {
    /// True where prices can only come from a parent's.
    pub fn needs_parent(&self) -> bool {
        follows_parent(&self.rate_mode)
    }

    /// The option that derivation starts from.
    pub fn primary(&self) -> Option<&Occupancy> {
        self.options.iter().find(|option| option.is_primary)
    }
}
