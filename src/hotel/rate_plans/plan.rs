//! A rate plan and its fields.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    base::{
        error::Result,
        ids::{PropertyId, RatePlanId, RoomTypeId},
        settings::Settings,
    },
    db::Tx,
    hotel::rate_plans::options::{AutoSettings, Nothing, Occupancy, Options},
    resource::{
        amount::Amount,
        attribute::{Attribute, field},
        collection::{self, Name, Related, Relationship, Resource, Stored},
        fields::Need,
        value::{Currency, Positive, Title, words},
    },
};

/// A rate plan. `Default` has the values of a new one, whose currency is found in its property.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RatePlan {
    pub property_id: PropertyId,
    pub room_type_id: RoomTypeId,
    pub title: Title,
    pub parent_rate_plan_id: Option<RatePlanId>,
    pub currency: Currency,
    pub sell_mode: SellMode,
    pub rate_mode: RateMode,
    pub meal_type: MealType,
    pub options: Options,
    /// Of the primary option.
    #[serde(skip)]
    pub occupancy: Positive,
    pub auto_rate_settings: Option<AutoSettings>,
    pub children_fee: Amount,
    pub infant_fee: Amount,
    #[serde(flatten)]
    pub inherit: Inherit,
    #[serde(skip)]
    pub rate_category_id: Nothing,
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

words! {
    /// Whether prices are for a room or for a person.
    SellMode { PerRoom = "per_room", PerPerson = "per_person" }
}

words! {
    /// How prices are set.
    RateMode { Manual = "manual", Derived = "derived", Auto = "auto", Cascade = "cascade" }
}

words! {
    /// Meals that are included, spelled as documented.
    MealType {
        None = "none", AllInclusive = "all_inclusive", Breakfast = "breakfast", Lunch = "lunch", Dinner = "dinner",
        American = "american", BedAndBreakfast = "bed_and_breakfast", BuffetBreakfast = "buffet_breakfast",
        CarribeanBreakfast = "carribean_breakfast", ContinentalBreakfast = "continental_breakfast",
        EnglishBreakfast = "english_breakfast", EuropeanPlan = "european_plan", FamilyPlan = "family_plan",
        FullBoard = "full_board", FullBreakfast = "full_breakfast", HalfBoard = "half_board", RoomOnly = "room_only",
        SelfCatering = "self_catering", Bermuda = "bermuda",
        DinnerBedAndBreakfastPlan = "dinner_bed_and_breakfast_plan", FamilyAmerican = "family_american",
        BreakfastAndLunch = "breakfast_and_lunch", LunchAndDinner = "lunch_and_dinner",
    }
}

impl Resource for RatePlan {
    const NAME: Name = Name { one: "rate_plan", many: "rate_plans" };
    /// Restrictions by weekday are among the fields that are ignored (docs/contract/rate-plans.md, quirk 15).
    const FIELDS: &'static [Attribute<Self>] = &[
        field!(title).required().filter().about("Name of the rate plan, unique within the room type."),
        field!(sell_mode).filter().about("Whether prices are per room or per person.").says_default(),
        field!(rate_mode).filter().about("How prices are set. `derived` and `cascade` need a parent.").says_default(),
        field!(currency).about("ISO 4217 code. Default: the property's currency."),
        field!(children_fee).about("Added for each child. Default: 0."),
        field!(infant_fee).about("Added for each infant. Default: 0."),
        field!(options).required().about("One option per occupancy (number of guests) with its own price."),
        field!(inherit.inherit_rate).about("Take rates from the parent. Default: `true` with a parent."),
        field!(inherit.inherit_closed_to_arrival).about("Take `closed_to_arrival` from the parent."),
        field!(inherit.inherit_closed_to_departure).about("Take `closed_to_departure` from the parent."),
        field!(inherit.inherit_stop_sell).about("Take `stop_sell` from the parent."),
        field!(inherit.inherit_min_stay_arrival).about("Take `min_stay_arrival` from the parent."),
        field!(inherit.inherit_min_stay_through).about("Take `min_stay_through` from the parent."),
        field!(inherit.inherit_max_stay).about("Take `max_stay` from the parent."),
        field!(inherit.inherit_max_sell).about("Take `max_sell` from the parent."),
        field!(inherit.inherit_max_availability).about("Take `max_availability` from the parent."),
        field!(inherit.inherit_availability_offset).about("Take `availability_offset` from the parent."),
        field!(auto_rate_settings)
            .about("How other occupancies derive from the primary one; at most 16,384 bytes of JSON."),
        field!(meal_type).about("Meal plan.").says_default(),
        field!(parent_rate_plan_id).filter().about("A rate plan of the same property to derive from."),
        field!(property_id).required().filter().hidden().about("The property; cannot be changed."),
        field!(room_type_id)
            .required()
            .filter()
            .hidden()
            .about("The room type sold, one of that property; cannot be changed."),
        field!(occupancy).need(Need::ReadOnly).column("primary_occupancy").hidden().about("Of the primary option."),
        field!(rate_category_id).need(Need::ReadOnly).hidden().about("There are no categories."),
    ];
    const RELATIONSHIPS: &'static [Relationship<Self>] = &[
        Relationship { name: "room_type", of: "room_type", data: Related::One(|plan| plan.room_type_id.0) },
        Relationship { name: "property", of: "property", data: Related::One(|plan| plan.property_id.0) },
        Relationship {
            name: "parent_rate_plan",
            of: "rate_plan",
            data: Related::Maybe(|plan| plan.parent_rate_plan_id.map(|id| id.0)),
        },
    ];
    const OPTION: &'static [&'static str] = &[
        "id",
        "occupancy",
        "parent_rate_plan_id",
        "property_id",
        "rate_category_id",
        "room_type_id",
        "sell_mode",
        "title",
    ];
    const TAG: &'static str = "Rate plans";
    const DELETED: &'static str =
        "Deletes it permanently. Rate plans derived from it keep their current prices as their own.";
    const FORCE: bool = true;
    // Each may have 2,000 rules, and options of some 300 kB in all.
    const STEP: usize = 10;

    fn property(&self) -> Option<PropertyId> {
        Some(self.property_id)
    }

    fn currency(&self) -> &str {
        &self.currency
    }

    fn limit(settings: &Settings) -> i64 {
        settings.max_rate_plans
    }

    /// Null where the default hangs on the parent, or on the property.
    fn defaults() -> Map<String, Value> {
        let mut defaults = collection::defaults::<Self>();
        for flag in INHERIT {
            defaults.insert(flag.to_owned(), Value::Null);
        }
        defaults
    }

    async fn complete(_: &mut Tx, found: &mut [Stored<Self>]) -> Result<()> {
        found.iter_mut().for_each(|stored| stored.resource.options.plan = RatePlanId(stored.id));
        Ok(())
    }
}

/// True for a rate mode that takes prices from a parent.
pub fn follows_parent(rate_mode: &str) -> bool {
    matches!(rate_mode, "derived" | "cascade")
}

impl RatePlan {
    /// True where prices can only come from a parent's.
    pub fn needs_parent(&self) -> bool {
        follows_parent(self.rate_mode.word())
    }

    /// The option that derivation starts from.
    pub fn primary(&self) -> Option<&Occupancy> {
        self.options.iter().find(|option| option.is_primary)
    }
}
