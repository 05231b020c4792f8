//! The options of a rate plan: a price for each number of guests, and how prices derive.

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    base::{error::Problems, ids::RatePlanId, money},
    db::{Bind, Row},
    hotel::rate_plans::rule_schemas::{AUTO, DERIVED},
    resource::{
        attribute::{FieldType, FieldValue},
        document::schema::{Schema, Type},
        fields::{Field, Kind, Shape, optional, read_only, required},
        value::{self, Scalar},
    },
};

/// The fields of an option.
const OPTION: &[Field] = &[
    read_only("id", Kind::Id("option"), "The option's ID; stays the same for this occupancy of the rate plan."),
    required("occupancy", Kind::Positive, "Number of guests that this option prices."),
    optional("is_primary", Kind::Boolean, "The option that others derive from; exactly one option is primary.")
        .nullable(false),
    optional(
        "rate",
        Kind::Fee,
        "Default price for dates without one. If omitted, the occupancy keeps its price, initially 0.",
    )
    .nullable(false),
    optional(
        "derived_option",
        Kind::Json(&DERIVED),
        "How to derive from the parent, or from the primary option; at most 2,000 rules across all options.",
    ),
];

/// The price for one number of guests.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Occupancy {
    /// In the currency's smallest unit.
    #[serde(default)]
    pub rate: i64,
    pub occupancy: i64,
    #[serde(default)]
    pub is_primary: bool,
    /// A JSON object as `DERIVED` has it.
    #[serde(default)]
    pub derived_option: Option<Value>,
}

/// All options, in the order sent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Options {
    list: Vec<Occupancy>,
    /// The plan, of which the ids of the options are made.
    #[serde(skip)]
    pub plan: RatePlanId,
}

impl Options {
    /// These options of a plan that is not known.
    #[cfg(test)]
    pub fn of(list: Vec<Occupancy>) -> Self {
        Options { list, plan: RatePlanId::default() }
    }
}

impl Deref for Options {
    type Target = Vec<Occupancy>;

    fn deref(&self) -> &Vec<Occupancy> {
        &self.list
    }
}

impl DerefMut for Options {
    fn deref_mut(&mut self) -> &mut Vec<Occupancy> {
        &mut self.list
    }
}

impl FieldValue for Options {
    fn bind(&self, binds: &mut Vec<Bind>) {
        binds.push(Bind::Text(json!(self.list).to_string()));
    }

    fn load(&mut self, row: &Row<'_>, place: &mut usize) -> sqlx::Result<()> {
        self.list = from_json(&row.at::<String>(*place)?)?;
        *place += 1;
        Ok(())
    }

    fn set(&mut self, value: Value, name: &str, _: &str, problems: &mut Problems) {
        value::replace(&mut self.list, value, name, problems);
    }

    fn json(&self, currency: &str) -> Value {
        let option = |option: &Occupancy| {
            json!({
                "id": self.plan.of_option(option.occupancy), "rate": money::to_text(option.rate, currency),
                "occupancy": option.occupancy, "is_primary": option.is_primary, "derived_option": option.derived_option
            })
        };
        self.list.iter().map(option).collect()
    }
}

impl FieldType for Options {
    const KIND: Kind = Kind::List(|| OPTION.iter().collect());
}

/// How other occupancies derive from the primary one: a JSON object as `AUTO` has it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AutoSettings(pub Value);

impl Scalar for AutoSettings {
    const KIND: Kind = Kind::Json(&AUTO);

    fn bind(value: Option<&Self>) -> Bind {
        Bind::MaybeText(value.map(|settings| settings.0.to_string()))
    }

    fn load(row: &Row<'_>, place: usize) -> sqlx::Result<Option<Self>> {
        row.at::<Option<String>>(place)?.as_deref().map(from_json).transpose()
    }
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> sqlx::Result<T> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// What is always null.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

const NULL: Shape = Shape { fits: Value::is_null, most_bytes: None, schema: || Schema::new(Type::Null) };

impl FieldValue for Nothing {
    fn bind(&self, _: &mut Vec<Bind>) {}

    fn load(&mut self, _: &Row<'_>, _: &mut usize) -> sqlx::Result<()> {
        Ok(())
    }

    fn set(&mut self, _: Value, _: &str, _: &str, _: &mut Problems) {}

    fn json(&self, _: &str) -> Value {
        Value::Null
    }
}

impl FieldType for Nothing {
    const KIND: Kind = Kind::Json(&NULL);

    fn columns(_: &str, _: &mut Vec<String>) {}
}
