//! Amounts of money as fields: kept in the smallest unit of the resource's currency, shown in its major unit.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    base::{error::Problems, money},
    db::{Bind, Row},
    resource::{
        attribute::{FieldType, FieldValue},
        fields::Kind,
    },
};

/// Declares amounts of one kind.
macro_rules! amounts {
    ($($(#[$doc:meta])* $name:ident, $kind:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl FieldValue for Option<$name> {
            fn bind(&self, binds: &mut Vec<Bind>) {
                binds.push(Bind::MaybeWhole(self.map(|amount| amount.0)));
            }

            fn load(&mut self, row: &Row<'_>, place: &mut usize) -> sqlx::Result<()> {
                *self = row.at::<Option<i64>>(*place)?.map($name);
                *place += 1;
                Ok(())
            }

            fn set(&mut self, value: Value, name: &str, currency: &str, problems: &mut Problems) {
                match money::to_minor(&value, currency) {
                    _ if value.is_null() => *self = None,
                    Some(minor) => *self = Some($name(minor)),
                    None => problems.add(name, "is invalid"),
                }
            }

            fn json(&self, currency: &str) -> Value {
                self.map_or(Value::Null, |amount| money::to_text(amount.0, currency).into())
            }
        }

        impl FieldType for Option<$name> {
            const KIND: Kind = $kind;
            const NULLABLE: bool = true;
        }

        impl FieldValue for $name {
            fn bind(&self, binds: &mut Vec<Bind>) {
                binds.push(Bind::Whole(self.0));
            }

            fn load(&mut self, row: &Row<'_>, place: &mut usize) -> sqlx::Result<()> {
                self.0 = row.at(*place)?;
                *place += 1;
                Ok(())
            }

            fn set(&mut self, value: Value, name: &str, currency: &str, problems: &mut Problems) {
                let mut amount = Some(*self);
                amount.set(value, name, currency, problems);
                *self = amount.unwrap_or_default();
            }

            fn json(&self, currency: &str) -> Value {
                Some(*self).json(currency)
            }
        }

        impl FieldType for $name {
            const KIND: Kind = $kind;
        }
    )* };
}

amounts! {
    /// An amount of 0 or more.
    Amount, Kind::Fee;
    /// An amount above 0.
    Price, Kind::Price;
}
