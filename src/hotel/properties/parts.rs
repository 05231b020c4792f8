//! The parts of a property: its settings, and its texts and photos.

use serde_json::{Map, Value};

use crate::{
    base::{error::Problems, money},
    hotel::photos::{self, Batch},
    resource::{
        amount::Price,
        attribute::{Attribute, field},
        object::object,
        value::{Bounded, LongText, Unstored, words},
    },
};

/// Switches and limits. `Default` has those of a new property.
#[derive(Clone, Debug)]
pub struct Settings {
    pub autoupdate_on_confirmation: bool,
    pub autoupdate_on_modification: bool,
    pub autoupdate_on_cancellation: bool,
    /// Deprecated: sets those of the three switches that the same body leaves out.
    pub autoupdate: Unstored<Option<bool>>,
    pub min_stay_type: MinStayType,
    pub min_price: Option<Price>,
    /// At least `min_price`.
    pub max_price: Option<Price>,
    /// Days in the inventory.
    pub state_length: Bounded<100, 730>,
}

words! {
    /// Which minimum stay restrictions a property uses.
    MinStayType { Both = "both", Arrival = "arrival", Through = "through" }
}

const SWITCHES: [&str; 3] = [
    "allow_availability_autoupdate_on_confirmation",
    "allow_availability_autoupdate_on_modification",
    "allow_availability_autoupdate_on_cancellation",
];
const OLD_SWITCH: &str = "allow_availability_autoupdate";

impl Default for Settings {
    fn default() -> Self {
        Settings {
            autoupdate_on_confirmation: true,
            autoupdate_on_modification: true,
            autoupdate_on_cancellation: true,
            autoupdate: Unstored(None),
            min_stay_type: MinStayType::Both,
            min_price: None,
            max_price: None,
            state_length: Bounded(500),
        }
    }
}

object!(Settings);

impl Settings {
    const FIELDS: &'static [Attribute<Self>] = &[
        field!(autoupdate_on_confirmation as SWITCHES[0])
            .column("autoupdate_on_confirmation")
            .about("A new booking lowers availability.")
            .says_default(),
        field!(autoupdate_on_modification as SWITCHES[1])
            .column("autoupdate_on_modification")
            .about("A modified booking adjusts availability.")
            .says_default(),
        field!(autoupdate_on_cancellation as SWITCHES[2])
            .column("autoupdate_on_cancellation")
            .about("A cancelled booking raises availability again.")
            .says_default(),
        field!(autoupdate as OLD_SWITCH)
            .hidden()
            .about("Deprecated: sets whichever of the three switches are omitted."),
        field!(min_stay_type).about("Which minimum stay restriction the property uses.").says_default(),
        field!(min_price).about("Lower prices are raised to this."),
        field!(max_price).about("Higher prices are lowered to this; at least `min_price`."),
        field!(state_length).about("Days of inventory. Default: 500."),
    ];

    /// Puts the deprecated switch in place of those that the body leaves out.
    pub fn normalize(sent: &mut Map<String, Value>) {
        if let Some(Value::Bool(on)) = sent.get(OLD_SWITCH).cloned() {
            for switch in SWITCHES {
                sent.entry(switch).or_insert(on.into());
            }
        }
    }

    /// The rule between the prices.
    pub fn check(&self, currency: &str, problems: &mut Problems) {
        if let (Some(min), Some(max)) = (self.min_price, self.max_price)
            && max < min
        {
            let min = money::to_text(min.0, currency);
            problems.add("max_price", format!("must be greater than or equal to {min}"));
        }
    }
}

/// Texts and photos.
#[derive(Clone, Debug, Default)]
pub struct Content {
    pub description: Option<LongText>,
    pub photos: Batch,
    pub important_information: Option<LongText>,
}

object!(Content);

impl Content {
    const FIELDS: &'static [Attribute<Self>] = &[
        field!(description).about("Description for guests."),
        field!(photos).about(photos::ABOUT),
        field!(important_information).about("Included in booking confirmations."),
    ];
}

words! {
    /// The kind of a property.
    PropertyType {
        ApartHotel = "apart_hotel", Apartment = "apartment", Boat = "boat", Camping = "camping",
        CapsuleHotel = "capsule_hotel", Chalet = "chalet", CountryHouse = "country_house", FarmStay = "farm_stay",
        GuestHouse = "guest_house", HolidayHome = "holiday_home", HolidayPark = "holiday_park", Homestay = "homestay",
        Hostel = "hostel", Hotel = "hotel", Inn = "inn", Lodge = "lodge", Motel = "motel", Resort = "resort",
        Riad = "riad", Ryokan = "ryokan", Tent = "tent", Villa = "villa",
    }
}
