//! Hotel policies: the house rules of a property, or of all that a user has (docs/contract/hotel-policies.md).

use serde_json::{Map, Value};

use crate::{
    base::ids::PropertyId,
    resource::{
        amount::Amount,
        attribute::{Attribute, field},
        collection::{Name, Parent, Related, Relationship, Resource},
        fields::Need,
        value::{Currency, Positive, Time, Title, words},
    },
};

/// A hotel policy. `Default` has the values of a new one.
#[derive(Clone, Debug, Default)]
pub struct HotelPolicy {
    pub property_id: Option<PropertyId>,
    pub title: Title,
    pub currency: Currency,
    pub is_adults_only: bool,
    pub max_count_of_guests: Positive,
    pub checkin_time: Time,
    pub checkout_time: Time,
    pub internet_access_type: InternetAccess,
    pub internet_access_coverage: InternetCoverage,
    /// `None`: free.
    pub internet_access_cost: Option<Amount>,
    pub parking_type: Parking,
    pub parking_reservation: ParkingReservation,
    pub parking_is_private: bool,
    pub pets_policy: Pets,
    pub pets_non_refundable_fee: Amount,
    pub pets_refundable_deposit: Amount,
    pub smoking_policy: Smoking,
}

words! {
    /// How guests reach the internet.
    InternetAccess { None = "none", Wifi = "wifi", Wired = "wired" }
}

words! {
    /// Where guests reach the internet.
    InternetCoverage {
        EntireProperty = "entire_property", PublicAreas = "public_areas", AllRooms = "all_rooms",
        SomeRooms = "some_rooms", BusinessCentre = "business_centre",
    }
}

words! {
    /// Where guests park.
    Parking { OnSite = "on_site", Nearby = "nearby", None = "none" }
}

words! {
    /// Whether a parking space must be reserved.
    ParkingReservation { NotAvailable = "not_available", NotNeeded = "not_needed", Needed = "needed" }
}

words! {
    /// Whether guests may bring pets.
    Pets {
        Allowed = "allowed", NotAllowed = "not_allowed", ByArrangements = "by_arrangements",
        AssistiveOnly = "assistive_only",
    }
}

words! {
    /// Whether guests may smoke.
    Smoking { NoSmoking = "no_smoking", PermittedAreasOnly = "permitted_areas_only", Allowed = "allowed" }
}

impl Resource for HotelPolicy {
    const NAME: Name = Name { one: "hotel_policy", many: "hotel_policies" };
    const PARENT: Parent = Parent::PropertyOrUser;
    const FIELDS: &'static [Attribute<Self>] = &[
        field!(property_id)
            .need(Need::OnCreate)
            .filter()
            .hidden()
            .about("The property it belongs to; without it, the policy belongs to your account."),
        field!(title).required().filter().about("Name of the policy.").example(r#""House rules""#),
        field!(currency).required().about("ISO 4217 code."),
        field!(is_adults_only).about("Whether only adults may stay."),
        field!(max_count_of_guests).required().about("Number of guests at most.").example("14"),
        field!(checkin_time).required().about("Check-in from this time on.").example(r#""15:00""#),
        field!(checkout_time).required().about("Check-out until this time.").example(r#""11:00""#),
        field!(internet_access_type).required().about("How guests reach the internet.").example(r#""wifi""#),
        field!(internet_access_coverage).required().about("Where guests reach the internet."),
        field!(internet_access_cost).about("What internet access costs; null if it is free.").example("null"),
        field!(parking_type).required().about("Where guests park."),
        field!(parking_reservation).required().about("Whether a parking space must be reserved."),
        field!(parking_is_private).required().about("Whether parking is private.").example("false"),
        field!(pets_policy).required().about("Whether guests may bring pets."),
        field!(pets_non_refundable_fee).required().about("Fee for pets that is not paid back."),
        field!(pets_refundable_deposit as "refundable_deposit").copy().about("As `pets_refundable_deposit`."),
        field!(pets_refundable_deposit).required().about("Deposit for pets that is paid back."),
        field!(smoking_policy).required().about("Whether guests may smoke."),
    ];
    const RELATIONSHIPS: &'static [Relationship<Self>] = &[Relationship {
        name: "property",
        of: "property",
        data: Related::Maybe(|policy| policy.property_id.map(|id| id.0)),
    }];
    const TAG: &'static str = "Hotel policies";

    fn property(&self) -> Option<PropertyId> {
        self.property_id
    }

    fn currency(&self) -> &str {
        &self.currency
    }

    /// The deposit has two names (docs/contract/hotel-policies.md, quirk 1).
    fn normalize(sent: &mut Map<String, Value>) {
        if let Some(deposit) = sent.remove("refundable_deposit") {
            sent.entry("pets_refundable_deposit").or_insert(deposit);
        }
    }
}
