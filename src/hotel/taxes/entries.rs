//! The taxes of a tax set.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    base::{
        error::{Problems, Result},
        ids::PropertyId,
    },
    db::{Bind, Row, Statement, Tx, impl_from_row},
    resource::{attribute::FieldValue, value},
};

/// The taxes of a set: their ids, and what answers show of them.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    pub ids: Vec<Entry>,
    shown: Value,
}

/// A tax of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub id: Uuid,
    /// Taxes on this one; none of them has further ones.
    #[serde(default, deserialize_with = "or_none")]
    pub taxes: Vec<Entry>,
}

/// A list, or null for none.
fn or_none<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<Entry>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl FieldValue for Entries {
    fn bind(&self, binds: &mut Vec<Bind>) {
        binds.push(Bind::Text(json!(self.ids).to_string()));
    }

    fn load(&mut self, row: &Row<'_>, place: &mut usize) -> sqlx::Result<()> {
        let text: String = row.at(*place)?;
        self.ids = serde_json::from_str(&text).map_err(|error| sqlx::Error::Decode(error.into()))?;
        *place += 1;
        Ok(())
    }

    fn set(&mut self, value: Value, name: &str, _: &str, problems: &mut Problems) {
        value::replace(&mut self.ids, value, name, problems);
    }

    fn json(&self, _: &str) -> Value {
        self.shown.clone()
    }
}

impl Entries {
    /// All ids, those of taxes on taxes too.
    pub fn all(&self) -> impl Iterator<Item = Uuid> {
        self.ids.iter().flat_map(|entry| std::iter::once(entry.id).chain(entry.taxes.iter().map(|inner| inner.id)))
    }

    /// Shows each tax with all its attributes. One that is not there is left out.
    pub fn show(&mut self, taxes: &HashMap<Uuid, Map<String, Value>>) {
        fn shown(entries: &[Entry], taxes: &HashMap<Uuid, Map<String, Value>>) -> Value {
            let tax = |entry: &Entry| {
                let mut tax = taxes.get(&entry.id)?.clone();
                tax.insert("taxes".to_owned(), shown(&entry.taxes, taxes));
                Some(Value::Object(tax))
            };
            entries.iter().filter_map(tax).collect()
        }
        self.shown = shown(&self.ids, taxes);
    }
}

/// The taxes of a set in the database, as JSON.
struct OfSet {
    id: Uuid,
    taxes: String,
}

impl_from_row!(OfSet { id, taxes });

/// Takes a tax out of all sets of its property (docs/contract/taxes.md, quirk 6).
pub async fn without_tax(tx: &mut Tx, property: PropertyId, tax: Uuid) -> Result<()> {
    const READ: &str = "select id, taxes from tax_sets where property_id = $1";
    const WRITE: &str = "update tax_sets set taxes = $2, version = $3 where id = $1";
    let sets: Vec<OfSet> = Statement::new(READ, vec![property.into()]).fetch_all(tx).await?;
    for OfSet { id, taxes } in sets {
        let mut ids: Vec<Entry> = serde_json::from_str(&taxes)?;
        let before = ids.clone();
        ids.retain(|entry| entry.id != tax);
        ids.iter_mut().for_each(|entry| entry.taxes.retain(|inner| inner.id != tax));
        if ids != before {
            let binds = vec![Bind::Id(id), Bind::Text(json!(ids).to_string()), Bind::Whole(rand::random())];
            Statement::new(WRITE, binds).execute(tx).await?;
        }
    }
    Ok(())
}

/// Gives all sets of a property new versions: they show its taxes.
pub async fn touch_sets(tx: &mut Tx, property: PropertyId) -> Result<()> {
    const SQL: &str = "update tax_sets set version = $2 where property_id = $1";
    Ok(Statement::new(SQL, vec![property.into(), Bind::Whole(rand::random())]).execute(tx).await.map(drop)?)
}
