//! Properties as responses show them, but for their groups, of which each caller sees others.

use std::{collections::HashMap, sync::Arc};

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    access::caller::Caller,
    base::{
        error::{Error, Result},
        ids::PropertyId,
        money,
    },
    db::Tx,
    hotel::{
        facilities,
        groups::{self, store::GroupOf},
        photos::{self, Batch, Photo},
        properties::{
            list_index::Hit,
            store::{self, StoredProperty},
        },
    },
    resource::{
        answer::{Fresh, Item, Source},
        attribute::FieldValue,
        collection::Stored,
        json::{self, CallerFragment, Rendered},
        render_cache::Fragment,
    },
};

#[derive(Serialize)]
struct Attributes {
    id: PropertyId,
    title: String,
    is_active: bool,
    email: Option<String>,
    phone: Option<String>,
    currency: String,
    country: Option<String>,
    state: Option<String>,
    city: Option<String>,
    address: Option<String>,
    zip_code: Option<String>,
    latitude: Option<String>,
    longitude: Option<String>,
    timezone: Option<String>,
    property_type: String,
    content: Content,
    logo_url: Option<String>,
    acc_channels_count: u32,
    settings: Settings,
}

#[derive(Serialize)]
struct Content {
    description: Option<String>,
    photos: Value,
    important_information: Option<String>,
}

#[derive(Serialize)]
struct Settings {
    allow_availability_autoupdate_on_confirmation: bool,
    allow_availability_autoupdate_on_modification: bool,
    allow_availability_autoupdate_on_cancellation: bool,
    min_stay_type: String,
    min_price: Option<String>,
    max_price: Option<String>,
    state_length: i64,
}

/// A property but for its groups, of which each caller sees others.
fn part(StoredProperty { id, property, .. }: StoredProperty, photos: Vec<Stored<Photo>>) -> Result<Fragment> {
    let price = |minor: Option<i64>| minor.map(|minor| money::to_text(minor, &property.currency));
    let settings = Settings {
        allow_availability_autoupdate_on_confirmation: property.settings.allow_availability_autoupdate_on_confirmation,
        allow_availability_autoupdate_on_modification: property.settings.allow_availability_autoupdate_on_modification,
        allow_availability_autoupdate_on_cancellation: property.settings.allow_availability_autoupdate_on_cancellation,
        min_price: price(property.settings.min_price),
        max_price: price(property.settings.max_price),
        min_stay_type: property.settings.min_stay_type,
        state_length: property.settings.state_length,
    };
    let attributes = Attributes {
        id,
        title: property.title,
        is_active: property.is_active,
        email: property.email,
        phone: property.phone,
        currency: property.currency,
        country: property.country,
        state: property.state,
        city: property.city,
        address: property.address,
        zip_code: property.zip_code,
        latitude: property.latitude,
        longitude: property.longitude,
        timezone: property.timezone,
        property_type: property.property_type,
        content: Content {
            description: property.content.description,
            photos: Batch::of(photos).json(""),
            important_information: property.content.important_information,
        },
        logo_url: property.logo_url,
        acc_channels_count: 0,
        settings,
    };
    let attributes = serde_json::to_string(&attributes)?;
    let head =
        format!(r#"{{"type":"property","id":"{id}","attributes":{attributes},"relationships":{{"groups":{{"data":"#);
    let facilities = serde_json::to_string(&facilities::OF_PROPERTIES.named(&property.facilities))?;
    let tail = format!(r#"}},"facilities":{{"data":{facilities}}}}}}}"#);
    Ok(Fragment::new(head.into_bytes(), tail.into_bytes()))
}

/// Properties rendered, with their versions.
async fn render(tx: &mut Tx, properties: Vec<StoredProperty>) -> Result<Vec<Fresh>> {
    let ids: Vec<PropertyId> = properties.iter().map(|stored| stored.id).collect();
    let mut photos: HashMap<PropertyId, Vec<Stored<Photo>>> = HashMap::new();
    for photo in photos::of_properties(tx, &ids).await? {
        photos.entry(photo.resource.property_id).or_default().push(photo);
    }
    let parts = properties.into_iter().map(|stored| {
        let (id, version) = (stored.id, stored.version);
        let photos = photos.remove(&id).unwrap_or_default();
        Ok((id.0, version, Arc::new(part(stored, photos)?)))
    });
    parts.collect()
}

/// Properties that were found for the caller before.
pub struct Found;

impl Source for Found {
    // Each may have texts and photos of some 900 kB in all.
    const STEP: usize = 5;

    async fn read(&self, tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Fresh>> {
        let ids: Vec<PropertyId> = ids.iter().copied().map(PropertyId).collect();
        let properties = store::by_ids(tx, &ids).await?;
        render(tx, properties).await
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
pub async fn written(tx: &mut Tx, caller: &Caller, stored: StoredProperty) -> Result<Rendered> {
    let groups = groups::store::of_properties(tx, caller, &[stored.id]).await?;
    let (_, _, part) = render(tx, vec![stored]).await?.pop().ok_or(Error::NotFound)?;
    Ok(Rendered { part, middle: groups_of(&groups)? })
}
