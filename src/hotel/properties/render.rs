//! Properties as responses show them, but for their groups, of which each caller sees others.

use std::sync::Arc;

use uuid::Uuid;

use crate::{
    access::caller::Caller,
    base::{error::Result, ids::PropertyId},
    db::{Bind, Statement, Tx},
    hotel::{
        groups::{self, store::GroupOf},
        properties::{Property, list_index::Hit},
    },
    resource::{
        answer::{Fresh, Item, Source},
        collection::{self, Resource, Stored},
        json::{self, CallerFragment, Rendered},
        render_cache::Fragment,
        store,
    },
};

/// A property but for its groups.
fn part(stored: &Stored<Property>) -> Result<Fragment> {
    let id = stored.id;
    let attributes = serde_json::to_string(&collection::attributes(stored))?;
    let head =
        format!(r#"{{"type":"property","id":"{id}","attributes":{attributes},"relationships":{{"groups":{{"data":"#);
    let facilities = serde_json::to_string(&stored.resource.facilities.named())?;
    let tail = format!(r#"}},"facilities":{{"data":{facilities}}}}}}}"#);
    Ok(Fragment::new(head.into_bytes(), tail.into_bytes()))
}

/// Properties that were found for the caller before.
pub struct Found;

impl Source for Found {
    const STEP: usize = Property::STEP;

    async fn read(&self, tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Fresh>> {
        let mut rows = Statement::new(format!("{} where p.id in (", store::select::<Property>()), Vec::new());
        let names = rows.bind_all(ids.iter().copied().map(Bind::Id));
        rows.push(&format!("{names})"));
        let mut found: Vec<Stored<Property>> = rows.fetch_all(tx).await?;
        Property::complete(tx, &mut found).await?;
        found.iter().map(|stored| Ok((stored.id, stored.version, Arc::new(part(stored)?)))).collect()
    }
}

/// The groups of each property; most properties of a page are in the same.
pub fn items(found: &[Hit]) -> Result<Vec<Item>> {
    let mut items: Vec<Item> = Vec::with_capacity(found.len());
    for (place, hit) in found.iter().enumerate() {
        let is_same = |before: &usize| named(&found[*before].groups).eq(named(&hit.groups));
        let same = place.checked_sub(1).filter(is_same);
        let middle = match same {
            Some(before) => items[before].middle.clone(),
            None => groups_of(&hit.groups)?,
        };
        items.push(Item { id: hit.id.0, version: hit.version, middle });
    }
    Ok(items)
}

fn named(groups: &[GroupOf]) -> impl Iterator<Item = (Uuid, &str)> {
    groups.iter().map(|group| (group.id.0, group.title.as_str()))
}

fn groups_of(groups: &[GroupOf]) -> Result<CallerFragment> {
    let named: Vec<_> = named(groups).map(|(id, title)| json::Named::new("group", id, title)).collect();
    Ok(CallerFragment::new(serde_json::to_vec(&named)?))
}

/// A property as a write leaves it, not yet for others.
pub async fn written(tx: &mut Tx, caller: &Caller, stored: &Stored<Property>) -> Result<Rendered> {
    let groups = groups::store::of_properties(tx, caller, &[PropertyId(stored.id)]).await?;
    Ok(Rendered { part: Arc::new(part(stored)?), middle: groups_of(&groups)? })
}
