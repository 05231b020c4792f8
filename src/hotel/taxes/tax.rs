//! One charge of a property.

use serde_json::{Map, Value};

use crate::{
    base::{
        error::{Problems, Result},
        ids::PropertyId,
    },
    db::Tx,
    hotel::taxes::{entries, rate::Rate},
    resource::{
        attribute::{Attribute, field},
        collection::{Name, Pages, Related, Relationship, Resource, Stored},
        fields::Need,
        value::{Count, Currency, Date, Title, words},
    },
};

/// A tax. `Default` has the values of a new one.
#[derive(Clone, Debug, Default)]
pub struct Tax {
    pub property_id: PropertyId,
    pub title: Title,
    pub logic: Logic,
    pub kind: Kind,
    pub rate: Rate,
    /// Of an amount alone.
    pub currency: Option<Currency>,
    pub is_inclusive: bool,
    pub applicable_after: Option<Date>,
    pub applicable_before: Option<Date>,
    pub max_nights: Option<Count>,
    pub skip_nights: Option<Count>,
}

words! {
    /// What the rate is multiplied by.
    Logic {
        Percent = "percent", PerRoom = "per_room", PerRoomPerNight = "per_room_per_night", PerPerson = "per_person",
        PerPersonPerNight = "per_person_per_night", PerNight = "per_night", PerBooking = "per_booking",
    }
}

words! {
    /// Who levies it.
    Kind { Tax = "tax", Fee = "fee", CityTax = "city tax" }
}

impl Resource for Tax {
    const NAME: Name = Name { one: "tax", many: "taxes" };
    const FIELDS: &'static [Attribute<Self>] = &[
        field!(applicable_after).about("First day on which it applies."),
        field!(applicable_before).about("Last day on which it applies.").example(r#""2027-09-30""#),
        field!(currency).about("ISO 4217 code; required unless `logic` is `percent`.").example("null"),
        field!(is_inclusive).required().about("Whether the room price includes it."),
        field!(logic).required().about("What the rate is a percentage of, or multiplied by."),
        field!(max_nights).about("Nights of a stay on which it is charged, at most.").example("7"),
        field!(property_id).need(Need::RequiredOnCreate).filter().hidden().about("The property it belongs to."),
        field!(rate)
            .required()
            .about("A percentage from 0 to 100, an integer counting its hundredths; or an amount in `currency`.")
            .example(r#""6.00""#),
        field!(skip_nights).about("First nights of a stay on which it is not charged.").example("null"),
        field!(title).required().filter().about("Name of the tax.").example(r#""VAT 6""#),
        field!(kind as "type").required().about("Who levies it."),
    ];
    const RELATIONSHIPS: &'static [Relationship<Self>] =
        &[Relationship { name: "property", of: "property", data: Related::One(|tax| tax.property_id.0) }];
    const PAGES: Pages = Pages::WhenAsked;
    const TAG: &'static str = "Taxes";
    const DELETED: &'static str = "Deletes it permanently, and takes it out of all tax sets.";

    fn property(&self) -> Option<PropertyId> {
        Some(self.property_id)
    }

    fn currency(&self) -> &str {
        let is_percent = self.logic == Logic::Percent;
        self.currency.as_deref().filter(|_| !is_percent).unwrap_or_default()
    }

    /// Bookings spell it with an underscore (docs/contract/taxes.md, quirk 2).
    fn normalize(sent: &mut Map<String, Value>) {
        if let Some(kind) = sent.get_mut("type").filter(|kind| **kind == "city_tax") {
            *kind = Kind::CityTax.word().into();
        }
    }

    fn check(&mut self, problems: &mut Problems) {
        if self.logic != Logic::Percent && self.currency.is_none() && !problems.names("currency") {
            problems.add("currency", "can't be blank");
        }
        if self.logic == Logic::Percent && self.rate > Rate::HUNDRED && !problems.names("rate") {
            problems.add("rate", "must be less than or equal to 100");
        }
    }

    /// Tax sets show their taxes.
    async fn written(tx: &mut Tx, _: Option<&Stored<Self>>, stored: &Stored<Self>) -> Result<()> {
        entries::touch_sets(tx, stored.resource.property_id).await
    }

    async fn before_delete(tx: &mut Tx, stored: &Stored<Self>) -> Result<()> {
        entries::without_tax(tx, stored.resource.property_id, stored.id).await
    }
}
