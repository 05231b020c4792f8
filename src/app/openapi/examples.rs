//! The examples of the document. Those of a collection that is declared come from its fields; where they should say more,
//! and for the others, they are in `examples.json`: for each type a body that creates one with every field, one that
//! updates it, the resource as it is answered, and its short form. A test sends and compares them.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    base::error::Problems,
    resource::{
        collection::{self, Resource, Stored},
        fields::{Field, Kind, Need},
        validate::Operation,
    },
};

static ALL: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(include_str!("examples.json")).unwrap_or_default());

/// An example of a type: `create`, `update`, `resource` or `option`.
pub fn of(name: &str, what: &str) -> Value {
    ALL[name][what].clone()
}

/// The id of the example's property, and that of what belongs to it.
const PROPERTY: &str = "0197a3b2-5c1e-7d34-8a86-2e8f4d6a1b37";
const RESOURCE: Uuid = Uuid::from_u128(0x0197_a3b2_5c1e_7d34_8a86_2e8f_4d6a_1b16);

/// The examples of a collection that come from its fields.
#[derive(Default)]
pub struct Examples(Map<String, Value>);

impl Examples {
    /// Made of the examples of all fields.
    pub fn of<R: Resource>() -> Self {
        let written = R::FIELDS.iter().filter(|attribute| attribute.field.need != Need::ReadOnly);
        let value = |field: &Field, json: Option<&str>| {
            json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_else(|| plain(&field.kind))
        };
        let named = written.map(|attribute| {
            let field = &attribute.field;
            (field.name.to_owned(), value(field, attribute.example))
        });
        let create: Map<String, Value> = named.collect();
        let mut resource = R::default();
        collection::apply(&mut resource, &create, Operation::Create, &mut Problems::default());
        let mut stored = Stored { id: RESOURCE, version: 0, resource };
        R::example(&mut stored);
        let resource = collection::body(&stored);
        let title = create.get_key_value(R::ORDER).map(|(name, value)| (name.clone(), value.clone()));
        let update: Map<String, Value> = title.into_iter().collect();
        let mut all = Map::new();
        all.insert("create".to_owned(), json!({ R::NAME.one: create }));
        all.insert("update".to_owned(), json!({ R::NAME.one: update }));
        let attribute = |name: &&str| ((*name).to_owned(), resource["attributes"][name].clone());
        let option: Map<String, Value> = R::OPTION.iter().map(attribute).collect();
        all.insert("option".to_owned(), json!({ "type": R::OPTION_TYPE, "id": RESOURCE, "attributes": option }));
        all.insert("resource".to_owned(), resource);
        Examples(all)
    }

    /// An example of this type, from the file where that has it.
    pub fn get(&self, name: &str, what: &str) -> Value {
        match of(name, what) {
            Value::Null => self.0.get(what).cloned().unwrap_or_default(),
            found => found,
        }
    }
}

/// A value of a kind.
fn plain(kind: &Kind) -> Value {
    match kind {
        Kind::Currency => json!("EUR"),
        Kind::OneOf(words) => json!(words.first()),
        Kind::Boolean => json!(true),
        Kind::Positive => json!(2),
        Kind::Integer { min, .. } => json!(min + 1),
        Kind::Price | Kind::Fee => json!("10.00"),
        Kind::Date => json!("2027-06-01"),
        Kind::Time => json!("15:00"),
        Kind::Id(_) => json!(PROPERTY),
        _ => Value::Null,
    }
}
