//! Exceptions to a role's access rules: any JSON object, kept as it is (docs/contract/property-users.md, quirk 5).

use serde_json::Value;

use crate::{
    base::error::Problems,
    db::{Bind, Row},
    resource::{
        attribute::{FieldType, FieldValue},
        document::schema::{Keyword, Schema, Type},
        fields::{Kind, MOST_JSON, Shape},
    },
};

/// An object to the last digit of its numbers, or null.
#[derive(Clone, Debug, Default)]
pub struct Overrides(Value);

static OBJECT: Shape = Shape {
    fits: Value::is_object,
    most_bytes: Some(MOST_JSON),
    schema: || Schema::new(Type::Object).with(Keyword::OtherFields(true)),
};

impl FieldValue for Overrides {
    fn bind(&self, binds: &mut Vec<Bind>) {
        binds.push(Bind::MaybeText((!self.0.is_null()).then(|| self.0.to_string())));
    }

    fn load(&mut self, row: &Row<'_>, place: &mut usize) -> sqlx::Result<()> {
        let text: Option<String> = row.at(*place)?;
        let object = text.map(|text| serde_json::from_str(&text)).transpose();
        self.0 = object.map_err(|error| sqlx::Error::Decode(error.into()))?.unwrap_or_default();
        *place += 1;
        Ok(())
    }

    fn set(&mut self, value: Value, _: &str, _: &str, _: &mut Problems) {
        self.0 = value;
    }

    fn json(&self, _: &str) -> Value {
        self.0.clone()
    }
}

impl FieldType for Overrides {
    const KIND: Kind = Kind::Json(&OBJECT);
    const NULLABLE: bool = true;
}
