//! The types that fields of a resource have. A type says once how a value is validated, written in JSON, and stored.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    access::Role,
    base::{
        error::Problems,
        ids::{GroupId, PropertyId, RatePlanId, RoomTypeId, UserId},
    },
    db::{Bind, Row, folded},
    resource::{
        attribute::{FieldType, FieldValue},
        fields::{Kind, LARGEST},
    },
};

/// A value of one column that JSON shows as it is. `Option` of such a type is a column that may be null.
pub trait Scalar: Sized + Serialize + DeserializeOwned {
    /// See [`FieldType::KIND`].
    const KIND: Kind;

    /// The value of a column.
    fn bind(value: Option<&Self>) -> Bind;

    /// Reads a column.
    fn load(row: &Row<'_>, place: usize) -> sqlx::Result<Option<Self>>;
}

impl<T: Scalar> FieldValue for T {
    fn bind(&self, binds: &mut Vec<Bind>) {
        binds.push(T::bind(Some(self)));
    }

    fn load(&mut self, row: &Row<'_>, place: &mut usize) -> sqlx::Result<()> {
        *self = T::load(row, *place)?.ok_or(sqlx::Error::RowNotFound)?;
        *place += 1;
        Ok(())
    }

    fn set(&mut self, value: Value, name: &str, _: &str, problems: &mut Problems) {
        replace(self, value, name, problems);
    }

    fn json(&self, _: &str) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl<T: Scalar> FieldType for T {
    const KIND: Kind = <T as Scalar>::KIND;
}

impl<T: Scalar> FieldValue for Option<T> {
    fn bind(&self, binds: &mut Vec<Bind>) {
        binds.push(T::bind(self.as_ref()));
    }

    fn load(&mut self, row: &Row<'_>, place: &mut usize) -> sqlx::Result<()> {
        *self = T::load(row, *place)?;
        *place += 1;
        Ok(())
    }

    fn set(&mut self, value: Value, name: &str, _: &str, problems: &mut Problems) {
        replace(self, value, name, problems);
    }

    fn json(&self, _: &str) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl<T: Scalar> FieldType for Option<T> {
    const KIND: Kind = <T as Scalar>::KIND;
    const NULLABLE: bool = true;
}

/// Takes a validated value; one of another type cannot come here.
pub fn replace<T: DeserializeOwned>(old: &mut T, value: Value, name: &str, problems: &mut Problems) {
    match serde_json::from_value(value) {
        Ok(new) => *old = new,
        Err(_) => problems.add(name, "is invalid"),
    }
}

/// Declares a scalar around what its column holds: the kind of its [`Bind`] where it may be null, and its validation.
macro_rules! scalar {
    ($name:ty, $inner:ty, $bind:ident, $kind:expr, $get:expr, $new:expr) => {
        impl Scalar for $name {
            const KIND: Kind = $kind;

            fn bind(value: Option<&Self>) -> Bind {
                Bind::$bind(value.map($get))
            }

            fn load(row: &Row<'_>, place: usize) -> sqlx::Result<Option<Self>> {
                Ok(row.at::<Option<$inner>>(place)?.map($new))
            }
        }
    };
}

/// Declares text of one kind.
macro_rules! text {
    ($($(#[$doc:meta])* $name:ident, $kind:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        scalar!($name, String, MaybeText, $kind, |text| text.0.clone(), $name);

        impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }
    )* };
}

text! {
    /// An ISO 4217 code in upper case.
    Currency, Kind::Currency;
    /// An absolute http or https URL.
    Url, Kind::Url;
    /// A day: `2026-11-28`.
    Date, Kind::Date;
    /// A time of day: `15:00`.
    Time, Kind::Time;
    /// An email address.
    EmailAddress, Kind::Email;
    /// A phone number as sent.
    Phone, Kind::Phone;
    /// An ISO 3166-1 alpha-2 code in upper case.
    Country, Kind::Country;
    /// The IANA name of a time zone.
    TimeZone, Kind::TimeZone;
    /// Degrees east as sent, trailing zeros kept.
    Longitude, Kind::Longitude;
    /// Degrees north as sent, trailing zeros kept.
    Latitude, Kind::Latitude;
}

/// Text as sent, of at most so many characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text<const MAX: usize>(pub String);

impl<const MAX: usize> Scalar for Text<MAX> {
    const KIND: Kind = Kind::Text { max: MAX };

    fn bind(value: Option<&Self>) -> Bind {
        Bind::MaybeText(value.map(|text| text.0.clone()))
    }

    fn load(row: &Row<'_>, place: usize) -> sqlx::Result<Option<Self>> {
        Ok(row.at::<Option<String>>(place)?.map(Text))
    }
}

/// Text without a limit of its own (docs/contract/README.md, section 15, 110).
pub type LongText = Text<20_000>;

scalar!(bool, bool, MaybeBoolean, Kind::Boolean, |value| *value, |value| value);

/// A whole number above 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Positive(pub i64);

scalar!(Positive, i64, MaybeWhole, Kind::Positive, |number| number.0, Positive);

/// A whole number from 0 on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Count(pub i64);

scalar!(Count, i64, MaybeWhole, Kind::Integer { min: 0, max: LARGEST }, |number| number.0, Count);

/// A whole number between bounds, both included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bounded<const MIN: i64, const MAX: i64>(pub i64);

impl<const MIN: i64, const MAX: i64> Scalar for Bounded<MIN, MAX> {
    const KIND: Kind = Kind::Integer { min: MIN, max: MAX };

    fn bind(value: Option<&Self>) -> Bind {
        Bind::MaybeWhole(value.map(|number| number.0))
    }

    fn load(row: &Row<'_>, place: usize) -> sqlx::Result<Option<Self>> {
        Ok(row.at::<Option<i64>>(place)?.map(Bounded))
    }
}

scalar!(Role, String, MaybeText, Kind::OneOf(Role::WORDS), |role| role.word().to_owned(), |word| {
    if word == Role::Owner.word() { Role::Owner } else { Role::User }
});

/// Lets ids of resources be fields.
macro_rules! ids {
    ($($name:ident $of:literal)*) => { $(
        scalar!($name, Uuid, MaybeId, Kind::Id($of), |id| id.0, $name);

        impl Default for $name {
            /// No id of anything.
            fn default() -> Self {
                $name(Uuid::nil())
            }
        }
    )* };
}

ids! { PropertyId "property" GroupId "group" RoomTypeId "room type" RatePlanId "rate plan" UserId "user" }

/// 1 to 255 characters of one line. Beside it a column `sort_…` has its key for sorting (`db/folded.rs`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Title(pub String);

impl FieldValue for Title {
    fn bind(&self, binds: &mut Vec<Bind>) {
        binds.push(Bind::Text(self.0.clone()));
        binds.push(Bind::Bytes(folded(&self.0).into_bytes()));
    }

    fn load(&mut self, row: &Row<'_>, place: &mut usize) -> sqlx::Result<()> {
        self.0 = row.at(*place)?;
        *place += 2;
        Ok(())
    }

    fn set(&mut self, value: Value, name: &str, _: &str, problems: &mut Problems) {
        replace(self, value, name, problems);
    }

    fn json(&self, _: &str) -> Value {
        self.0.as_str().into()
    }
}

impl FieldType for Title {
    const KIND: Kind = Kind::Title;

    fn columns(name: &str, columns: &mut Vec<String>) {
        columns.push(name.to_owned());
        columns.push(format!("sort_{name}"));
    }
}

/// A field that no column has: it is only sent, or only shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unstored<T>(pub T);

impl<T: FieldType> FieldValue for Unstored<T> {
    fn bind(&self, _: &mut Vec<Bind>) {}

    fn load(&mut self, _: &Row<'_>, _: &mut usize) -> sqlx::Result<()> {
        Ok(())
    }

    fn set(&mut self, value: Value, name: &str, currency: &str, problems: &mut Problems) {
        self.0.set(value, name, currency, problems);
    }

    fn json(&self, currency: &str) -> Value {
        self.0.json(currency)
    }
}

impl<T: FieldType> FieldType for Unstored<T> {
    const KIND: Kind = T::KIND;
    const NULLABLE: bool = T::NULLABLE;

    fn columns(_: &str, _: &mut Vec<String>) {}
}

/// Declares an enum whose values are words of the API; the first is the default.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $first:ident = $first_word:literal $(, $variant:ident = $word:literal)* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[allow(missing_docs, clippy::enum_variant_names, reason = "the names are the API's words")]
        pub enum $name {
            #[default]
            #[serde(rename = $first_word)]
            $first,
            $(#[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// All words, in the order of the variants.
            pub const WORDS: &[&str] = &[$first_word $(, $word)*];

            /// The word of the API.
            pub fn word(self) -> &'static str {
                Self::WORDS[self as usize]
            }
        }

        impl $crate::resource::value::Scalar for $name {
            const KIND: $crate::resource::fields::Kind = $crate::resource::fields::Kind::OneOf(Self::WORDS);

            fn bind(value: Option<&Self>) -> $crate::db::Bind {
                $crate::db::Bind::MaybeText(value.map(|value| value.word().to_owned()))
            }

            fn load(row: &$crate::db::Row<'_>, place: usize) -> sqlx::Result<Option<Self>> {
                Ok(row.at::<Option<String>>(place)?.and_then(|word| match word.as_str() {
                    $first_word => Some(Self::$first),
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }))
            }
        }
    };
}
pub(crate) use words;
