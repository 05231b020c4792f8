//! `/api/v1/properties` (docs/contract/properties.md).

use std::{collections::HashMap, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    access::{
        self,
        caller::{Caller, UnlimitedWriter, Writer},
        quotas,
    },
    base::{
        clock,
        error::{Error, Problems, Result},
        ids::PropertyId,
        money,
    },
    db::Tx,
    hotel::{
        facilities,
        groups::{self, store::GroupOf},
        photos::{self, Batch, Parent, Photo},
        properties::{
            Draft, Property,
            list_index::{self, Hit},
            store::{self, StoredProperty},
        },
        rate_plans::detach,
    },
    people::users,
    resource::{
        answer::{self, Fresh, Item, Made, Source},
        attribute::FieldValue,
        collection::Stored,
        json::{self, CallerFragment, ListMeta, Rendered},
        query::{self, Query},
        render_cache::{Fragment, RenderCache},
        steps::{self, List},
    },
    web::{body::Body, state::AppState},
};

/// The top key of bodies.
const KEY: &str = "property";

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
struct Found;

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
fn items(found: &[Hit]) -> Result<Vec<Item>> {
    let mut items: Vec<Item> = Vec::with_capacity(found.len());
    for (place, hit) in found.iter().enumerate() {
        let same = place.checked_sub(1).filter(|before| is_same(&found[*before].groups, &hit.groups));
        let middle = match same {
            Some(before) => items[before].middle.clone(),
            None => groups_of(&hit.groups)?,
        };
        items.push(Item { id: hit.id.0, version: hit.version, middle });
    }
    Ok(items)
}

fn is_same(groups: &[GroupOf], others: &[GroupOf]) -> bool {
    groups.iter().map(|group| (group.id, &group.title)).eq(others.iter().map(|group| (group.id, &group.title)))
}

fn groups_of(groups: &[GroupOf]) -> Result<CallerFragment> {
    let named: Vec<_> = groups.iter().map(|group| json::Named::new("group", group.id.0, &group.title)).collect();
    Ok(CallerFragment::new(serde_json::to_vec(&named)?))
}

/// A property as a write leaves it, not yet for others.
async fn written(tx: &mut Tx, caller: &Caller, stored: StoredProperty) -> Result<Rendered> {
    let groups = groups::store::of_properties(tx, caller, &[stored.id]).await?;
    let (_, _, part) = render(tx, vec![stored]).await?.pop().ok_or(Error::NotFound)?;
    Ok(Rendered { part, middle: groups_of(&groups)? })
}

/// GET /properties
pub async fn list(
    state: Data<AppState>,
    cache: Data<RenderCache>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let query = Query::read(request.query_string())?;
    // A statement of its own: the connection is back before another is asked for.
    let short = list_index::small_page(&mut state.db.read_latest().await?, &caller, &query).await?;
    if let Some((found, meta)) = short.filter(|(found, _)| !found.iter().any(|hit| hit.in_others)) {
        let items = items(&found)?;
        let made = match answer::cached(&cache, &items) {
            Some(made) => made,
            None => answer::made(&cache, &mut state.db.read().await?, &Found, &items).await?,
        };
        match made {
            Made::Rendered(rendered) => return json::many_whole(&rendered, &ListMeta::Paged(meta)),
            Made::Long => return answer::long(&state.db, &cache, Found, items, ListMeta::Paged(meta)).await,
            Made::Changed => {}
        }
    }
    let mut tx = state.db.read().await?;
    let (found, meta) = list_index::page(&mut tx, &caller, &query).await?;
    answer::list(&state.db, &cache, tx, Found, items(&found)?, ListMeta::Paged(meta)).await
}

/// Properties in short.
struct Choices(Caller);

#[derive(Serialize)]
struct ShortAttributes {
    id: PropertyId,
    title: String,
    currency: String,
}

impl steps::Source for Choices {
    /// The type is plural here, unlike everywhere else.
    type Resource = json::Short<PropertyId, ShortAttributes>;

    const A_STEP: usize = 1_000;

    async fn read(&self, tx: &mut Tx, ids: &[Uuid]) -> Result<HashMap<Uuid, Self::Resource>> {
        let choice = |store::Choice { id, title, currency }| {
            (id.0, json::Short { r#type: "properties", id, attributes: ShortAttributes { id, title, currency } })
        };
        Ok(store::choices(tx, &self.0, ids).await?.into_iter().map(choice).collect())
    }
}

/// GET /properties/options
pub async fn options(state: Data<AppState>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let query = Query::read(request.query_string())?;
    let mut tx = state.db.read().await?;
    let ids = store::all(&mut tx, &caller, &query).await?;
    steps::answer(List::new(&state.db, tx, Choices(caller), ids, None)).await
}

/// GET /properties/:id
pub async fn read(
    state: Data<AppState>,
    cache: Data<RenderCache>,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let found = list_index::by_id(&mut state.db.read_latest().await?, &caller, id).await?.ok_or(Error::NotFound)?;
    if !found.in_others
        && let Some(Made::Rendered(rendered)) = answer::cached(&cache, &items(std::slice::from_ref(&found))?)
    {
        return json::one_whole(&rendered);
    }
    let mut tx = state.db.read().await?;
    let mut found = [list_index::by_id(&mut tx, &caller, id).await?.ok_or(Error::NotFound)?];
    list_index::with_other_groups(&mut tx, &caller, &mut found).await?;
    let item = items(&found)?.pop().ok_or(Error::NotFound)?;
    answer::one(&cache, &mut tx, &Found, item).await
}

/// POST /properties
pub async fn create(
    state: Data<AppState>,
    UnlimitedWriter(caller): UnlimitedWriter,
    sent: Body,
) -> Result<HttpResponse> {
    let sent = sent.top(KEY)?;
    let mut problems = Problems::default();
    let Draft { property, group, photos } = Property::create(&sent, &mut problems)?;
    let id = PropertyId::new();
    let photos = photos::plan(Parent { property: id, room_type: None }, Vec::new(), photos, &mut problems)?;
    let mut tx = state.db.write().await?;
    users::store::lock_user(&mut tx, caller.user).await?;
    let (group, problem) = match group {
        Some(group) => (access::lock_visible_group(&mut tx, &caller, group).await?.map(|_| group), "does not exist"),
        None => (groups::store::lock_default_group(&mut tx, &caller).await?, "can't be blank"),
    };
    if group.is_none() && !problems.names("group_id") {
        problems.add("group_id", problem);
    }
    problems.none_or_invalid()?;
    let group = group.ok_or(Error::NotFound)?;
    quotas::property(&mut tx, caller.user, state.settings.max_properties).await?;
    let now = clock::now();
    store::insert(&mut tx, &caller, id, &property, group, now).await?;
    photos::write(&mut tx, &photos, now).await?;
    let whole = written(&mut tx, &caller, StoredProperty { id, property, version: 1 }).await?;
    tx.commit().await?;
    Ok(json::created_whole(format!("{}/api/v1/properties/{id}", state.address()), whole))
}

/// PUT /properties/:id
pub async fn update(
    state: Data<AppState>,
    Writer(caller): Writer,
    id: Path<String>,
    sent: Body,
) -> Result<HttpResponse> {
    let sent = sent.top(KEY)?;
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let mut tx = state.db.write().await?;
    access::lock_visible_property(&mut tx, &caller, id).await?;
    let StoredProperty { id, property, version } = store::by_id(&mut tx, &caller, id).await?.ok_or(Error::NotFound)?;
    let mut problems = Problems::default();
    let Draft { property, photos, .. } = property.update(&sent, &mut problems)?;
    let parent = Parent { property: id, room_type: None };
    let photos = photos::plan(parent, photos::of_parent(&mut tx, parent).await?, photos, &mut problems)?;
    problems.none_or_invalid()?;
    store::update(&mut tx, id, &property).await?;
    photos::write(&mut tx, &photos, clock::now()).await?;
    let whole = written(&mut tx, &caller, StoredProperty { id, property, version }).await?;
    tx.commit().await?;
    json::one_whole(&[whole])
}

/// DELETE /properties/:id. There are no channels yet that `force` would have to overrule. A large one goes in several
/// transactions, with other writers in between.
pub async fn delete(
    state: Data<AppState>,
    Writer(caller): Writer,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    query::is_forced(request.query_string())?;
    let id = id.parse().map_err(|_| Error::NotFound)?;
    detach::in_steps(async || {
        let mut tx = state.db.write().await?;
        access::lock_visible_property(&mut tx, &caller, id).await?.ok_or(Error::NotFound)?.must_own()?;
        let is_last = store::delete(&mut tx, id).await?;
        tx.commit().await?;
        Ok(is_last)
    })
    .await?;
    Ok(json::success())
}
