//! `/api/v1/properties` (docs/contract/properties.md).

use std::{collections::HashMap, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use serde::Serialize;
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
    db::{Db, Tx},
    hotel::{
        facilities,
        groups::{self, store::GroupOf},
        photos::{self, Parent, Photo},
        properties::{
            Draft, Property,
            list_index::{self, Hit},
            store::{self, StoredProperty},
        },
        rate_plans::detach,
    },
    people::users,
    resource::{
        json::{self, CallerFragment, Meta, Rendered},
        query::{self, Query},
        render_cache::{Fragment, RenderCache},
        steps::{self, List, Source, Steps},
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
    photos: Vec<Photo>,
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
fn part(StoredProperty { id, property, .. }: StoredProperty, photos: Vec<Photo>) -> Result<Fragment> {
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
            photos,
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

/// Freshly rendered parts, with their versions.
async fn make(tx: &mut Tx, properties: Vec<StoredProperty>) -> Result<Vec<(PropertyId, i64, Arc<Fragment>)>> {
    let ids: Vec<PropertyId> = properties.iter().map(|kept| kept.id).collect();
    let mut photos: HashMap<PropertyId, Vec<Photo>> = HashMap::new();
    for photo in photos::store::of_properties(tx, &ids).await? {
        photos.entry(photo.property_id).or_default().push(photo);
    }
    let parts = properties.into_iter().map(|kept| {
        let (id, version) = (kept.id, kept.version);
        let photos = photos.remove(&id).unwrap_or_default();
        Ok((id, version, Arc::new(part(kept, photos)?)))
    });
    parts.collect()
}

/// Properties as they are answered, in the order found. What is not kept is `None`.
fn whole(found: &[Hit], part: impl Fn(&Hit) -> Option<Arc<Fragment>>) -> Result<Option<Vec<Rendered>>> {
    let mut all: Vec<Rendered> = Vec::with_capacity(found.len());
    for (place, property) in found.iter().enumerate() {
        let Some(part) = part(property) else { return Ok(None) };
        // Most properties of a page are in the same groups.
        let same = place.checked_sub(1).filter(|before| is_same(&found[*before].groups, &property.groups));
        let groups = match same {
            Some(before) => all[before].middle.clone(),
            None => CallerFragment::new(serde_json::to_vec(&named(&property.groups))?),
        };
        all.push(Rendered { part, middle: groups });
    }
    Ok(Some(all))
}

fn is_same(groups: &[GroupOf], others: &[GroupOf]) -> bool {
    groups.iter().map(|group| (group.id, &group.title)).eq(others.iter().map(|group| (group.id, &group.title)))
}

fn named(groups: &[GroupOf]) -> Vec<json::Named<'_>> {
    groups.iter().map(|group| json::Named::new("group", group.id.0, &group.title)).collect()
}

/// Properties whose newest versions are all kept; `None` where one is not.
fn kept(rendered: &RenderCache, found: &[Hit]) -> Result<Option<Vec<Rendered>>> {
    whole(found, |found| rendered.get(found.id.0, found.version))
}

/// What is made of properties that were found.
enum Made {
    Rendered(Vec<Rendered>),
    /// Too much to be held at once.
    Long,
    /// One has another version in this transaction, which sees one moment.
    Changed,
}

/// Properties in the versions found: what is not kept is made, and kept.
async fn made(rendered: &RenderCache, tx: &mut Tx, found: &[Hit]) -> Result<Made> {
    let mut parts: HashMap<(PropertyId, i64), Arc<Fragment>> = HashMap::new();
    let (mut missing, mut bytes) = (Vec::new(), 0);
    for Hit { id, version, .. } in found {
        match rendered.get(id.0, *version) {
            Some(part) => {
                bytes += part.size();
                parts.insert((*id, *version), part);
            }
            None => missing.push(*id),
        }
    }
    for missing in missing.chunks(A_STEP) {
        if bytes > steps::LONG {
            return Ok(Made::Long);
        }
        for (id, version, part) in make_kept(rendered, tx, missing).await? {
            bytes += part.size();
            parts.insert((id, version), part);
        }
    }
    let whole = whole(found, |found| parts.get(&(found.id, found.version)).cloned())?;
    Ok(match whole {
        Some(whole) if json::size(&whole) > steps::LONG => Made::Long,
        Some(whole) => Made::Rendered(whole),
        None => Made::Changed,
    })
}

/// Properties made and kept.
async fn make_kept(
    rendered: &RenderCache,
    tx: &mut Tx,
    ids: &[PropertyId],
) -> Result<Vec<(PropertyId, i64, Arc<Fragment>)>> {
    let properties = store::by_ids(tx, ids).await?;
    let made = make(tx, properties).await?;
    for (id, version, part) in &made {
        rendered.keep(id.0, *version, part.clone());
    }
    Ok(made)
}

/// Properties that were found a moment ago; `Changed` also where more must be asked for.
async fn gathered(db: &Db, rendered: &RenderCache, found: &[Hit]) -> Result<Made> {
    if found.iter().any(|found| found.in_others) {
        return Ok(Made::Changed);
    }
    match kept(rendered, found)? {
        Some(whole) if json::size(&whole) <= steps::LONG => Ok(Made::Rendered(whole)),
        Some(_) => Ok(Made::Long),
        None => made(rendered, &mut db.read().await?, found).await,
    }
}

/// Properties of one step: each may have texts and photos of some 900 kB in all.
const A_STEP: usize = 5;

/// A long list. Those who see a property when the list begins may see it until it ends; what has changed meanwhile is
/// shown as it is then, what has gone is left out.
struct Listed {
    db: Db,
    rendered: Data<RenderCache>,
    found: Vec<Hit>,
    place: usize,
    meta: Meta,
    is_empty: bool,
}

impl Listed {
    fn new(db: &Db, rendered: &Data<RenderCache>, found: Vec<Hit>, meta: Meta) -> Self {
        Listed { db: db.clone(), rendered: rendered.clone(), found, place: 0, meta, is_empty: true }
    }
}

impl Steps for Listed {
    async fn next(&mut self, text: &mut Vec<u8>) -> Result<bool> {
        if self.place == 0 {
            text.extend_from_slice(br#"{"data":["#);
        }
        let found = &self.found[self.place..self.found.len().min(self.place + A_STEP)];
        let mut parts: HashMap<PropertyId, Arc<Fragment>> = HashMap::new();
        for Hit { id, version, .. } in found {
            parts.extend(self.rendered.get(id.0, *version).map(|part| (*id, part)));
        }
        let missing: Vec<PropertyId> =
            found.iter().map(|found| found.id).filter(|id| !parts.contains_key(id)).collect();
        if !missing.is_empty() {
            let mut tx = self.db.read().await?;
            parts.extend(
                make_kept(&self.rendered, &mut tx, &missing).await?.into_iter().map(|(id, _, part)| (id, part)),
            );
        }
        for Hit { id, groups, .. } in found {
            let Some(part) = parts.remove(id) else { continue };
            if !std::mem::take(&mut self.is_empty) {
                text.push(b',');
            }
            text.extend_from_slice(&part.head);
            serde_json::to_writer(&mut *text, &named(groups))?;
            text.extend_from_slice(&part.tail);
        }
        self.place += found.len();
        let more = self.place < self.found.len();
        if !more {
            text.extend_from_slice(br#"],"meta":"#);
            serde_json::to_writer(&mut *text, &self.meta)?;
            text.push(b'}');
        }
        Ok(more)
    }
}

/// Unreachable: the property was found in this transaction.
fn gone() -> Error {
    Error::Internal("a property is gone".to_owned())
}

/// A property as a write leaves it, not yet for others.
async fn written(tx: &mut Tx, caller: &Caller, kept: StoredProperty) -> Result<Rendered> {
    let groups = groups::store::of_properties(tx, caller, &[kept.id]).await?;
    let (_, _, part) = make(tx, vec![kept]).await?.pop().ok_or(Error::NotFound)?;
    Ok(Rendered { part, middle: CallerFragment::new(serde_json::to_vec(&named(&groups))?) })
}

/// GET /properties
pub async fn list(
    state: Data<AppState>,
    rendered: Data<RenderCache>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let query = Query::read(request.query_string())?;
    // A statement of its own: the connection is back before another is asked for.
    let short = list_index::small_page(&mut state.db.read_latest().await?, &caller, &query).await?;
    if let Some((found, meta)) = short {
        match gathered(&state.db, &rendered, &found).await? {
            Made::Rendered(whole) => return json::many_whole(&whole, &meta),
            Made::Long => return steps::answer(Listed::new(&state.db, &rendered, found, meta)).await,
            Made::Changed => {}
        }
    }
    let mut tx = state.db.read().await?;
    let (found, meta) = list_index::page(&mut tx, &caller, &query).await?;
    match made(&rendered, &mut tx, &found).await? {
        Made::Rendered(whole) => json::many_whole(&whole, &meta),
        Made::Long => {
            drop(tx);
            steps::answer(Listed::new(&state.db, &rendered, found, meta)).await
        }
        Made::Changed => Err(gone()),
    }
}

/// Properties in short.
struct Choices(Caller);

#[derive(Serialize)]
struct ShortAttributes {
    id: PropertyId,
    title: String,
    currency: String,
}

impl Source for Choices {
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
    rendered: Data<RenderCache>,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let found = list_index::by_id(&mut state.db.read_latest().await?, &caller, id).await?.ok_or(Error::NotFound)?;
    // One that is long for a list is not too long by itself.
    if let Made::Rendered(whole) = gathered(&state.db, &rendered, std::slice::from_ref(&found)).await? {
        return json::one_whole(&whole);
    }
    let mut tx = state.db.read().await?;
    let mut found = [list_index::by_id(&mut tx, &caller, id).await?.ok_or(Error::NotFound)?];
    list_index::with_other_groups(&mut tx, &caller, &mut found).await?;
    let (_, _, part) = make_kept(&rendered, &mut tx, &[id]).await?.pop().ok_or_else(gone)?;
    let middle = CallerFragment::new(serde_json::to_vec(&named(&found[0].groups))?);
    json::one_whole(&[Rendered { part, middle }])
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
    photos::store::write(&mut tx, &photos, now).await?;
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
    let photos = photos::plan(parent, photos::store::of_parent(&mut tx, parent).await?, photos, &mut problems)?;
    problems.none_or_invalid()?;
    store::update(&mut tx, id, &property).await?;
    photos::store::write(&mut tx, &photos, clock::now()).await?;
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
