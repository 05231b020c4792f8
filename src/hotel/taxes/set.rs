//! A set of taxes, each perhaps with taxes on it.

use std::{collections::HashMap, sync::LazyLock};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    base::{
        error::{Problems, Result},
        ids::PropertyId,
    },
    db::Tx,
    hotel::taxes::{entries::Entries, tax::Tax},
    resource::{
        attribute::{Attribute, FieldType, field},
        collection::{self, Name, Pages, Related, Relationship, Resource, Stored, attributes},
        document::schema::{Keyword, Schema},
        fields::{Field, Kind, Need, Shape, optional, required},
        store,
        validate::Operation,
        value::{Currency, Title},
    },
};

/// Taxes of a set at most, those on taxes too.
const MOST: usize = 100;

/// A set of taxes. `Default` has the values of a new one.
#[derive(Clone, Debug, Default)]
pub struct TaxSet {
    pub property_id: PropertyId,
    pub title: Title,
    pub currency: Currency,
    pub taxes: Entries,
}

/// The fields of an entry of `taxes`: an id is sent, and answers show all that is known of the tax.
static ENTRY: LazyLock<Vec<Field>> =
    LazyLock::new(|| entry(Kind::List(|| INNER.iter().collect()), "Taxes on this tax."));

static INNER: LazyLock<Vec<Field>> =
    LazyLock::new(|| entry(Kind::Json(&NONE), "Empty: a tax on a tax has none on it."));

/// A list of nothing (docs/contract/taxes.md, quirk 4).
const NONE: Shape = Shape {
    fits: |value| value.as_array().is_some_and(Vec::is_empty),
    most_bytes: None,
    schema: || Schema::list(Schema::default()).with(Keyword::MaxItems(0)),
};

fn entry(taxes: Kind, about: &'static str) -> Vec<Field> {
    let of_tax = collection::fields::<Tax>().into_iter().map(|field| Field { need: Need::ReadOnly, ..*field });
    let taxes = optional("taxes", taxes, about).nullable(false);
    std::iter::once(required("id", Kind::Id("tax"), "A tax of the same property."))
        .chain(of_tax)
        .chain([taxes])
        .collect()
}

impl FieldType for Entries {
    const KIND: Kind = Kind::List(|| ENTRY.iter().collect());
}

impl Resource for TaxSet {
    const NAME: Name = Name { one: "tax_set", many: "tax_sets" };
    // The original's example has the second (docs/contract/taxes.md, quirk 1).
    const KEYS: &'static [&'static str] = &["tax_set", "tax"];
    const FIELDS: &'static [Attribute<Self>] = &[
        field!(currency).required().about("ISO 4217 code."),
        field!(property_id).need(Need::RequiredOnCreate).filter().hidden().about("The property it belongs to."),
        field!(taxes)
            .required()
            .about("The taxes, in order, at most 100 in all; one may have taxes on it.")
            .example(r#"[{ "id": "0197a3b2-5c1e-7d34-8a86-2e8f4d6a1b16", "taxes": [] }]"#),
        field!(title).required().filter().about("Name of the tax set.").example(r#""Standard""#),
    ];
    const RELATIONSHIPS: &'static [Relationship<Self>] =
        &[Relationship { name: "property", of: "property", data: Related::One(|set| set.property_id.0) }];
    const PAGES: Pages = Pages::WhenAsked;
    const STEP: usize = 20;
    const TAG: &'static str = "Tax sets";

    fn property(&self) -> Option<PropertyId> {
        Some(self.property_id)
    }

    async fn relate(tx: &mut Tx, stored: &mut Stored<Self>, _: Operation, problems: &mut Problems) -> Result<()> {
        let TaxSet { property_id, taxes, .. } = &mut stored.resource;
        if taxes.all().count() > MOST {
            problems.add("taxes", format!("should have at most {MOST} item(s)"));
        }
        let known = taxes_of(tx, *property_id).await?;
        if !problems.names("taxes") && !problems.names("property_id") {
            for (place, entry) in taxes.ids.iter().enumerate() {
                if !known.contains_key(&entry.id) {
                    problems.add("taxes", format!("{place}.id does not exist"));
                }
                if entry.taxes.iter().any(|inner| !known.contains_key(&inner.id)) {
                    problems.add("taxes", format!("{place}.taxes does not exist"));
                }
            }
        }
        taxes.show(&known);
        Ok(())
    }

    fn example(stored: &mut Stored<Self>) {
        let mut problems = Problems::default();
        let mut tax = Stored { id: stored.id, version: 0, resource: Tax::default() };
        let sent = json!({ "title": "VAT 6", "logic": "percent", "type": "tax", "rate": "6.00", "is_inclusive": true });
        collection::apply(&mut tax.resource, sent.as_object().unwrap_or(&Map::new()), Operation::Create, &mut problems);
        stored.resource.taxes.show(&HashMap::from([(tax.id, attributes(&tax))]));
    }

    async fn complete(tx: &mut Tx, found: &mut [Stored<Self>]) -> Result<()> {
        let mut known: HashMap<PropertyId, HashMap<Uuid, Map<String, Value>>> = HashMap::new();
        for Stored { resource: TaxSet { property_id, taxes, .. }, .. } in found {
            if !known.contains_key(property_id) {
                known.insert(*property_id, taxes_of(tx, *property_id).await?);
            }
            known.get(property_id).into_iter().for_each(|known| taxes.show(known));
        }
        Ok(())
    }
}

/// The attributes of all taxes of a property.
async fn taxes_of(tx: &mut Tx, property: PropertyId) -> Result<HashMap<Uuid, Map<String, Value>>> {
    let taxes = store::of_property::<Tax>(tx, property.0).await?;
    Ok(taxes.iter().map(|stored| (stored.id, attributes(stored))).collect())
}
