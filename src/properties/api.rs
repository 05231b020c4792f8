//! `/api/v1/properties` (contract/properties.md).

use std::collections::HashMap;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use serde::Serialize;

use super::{
    Draft, Property,
    store::{self, Kept},
};
use crate::{
    access, clock,
    db::Tx,
    facilities,
    groups::{self, store::GroupOf},
    http::{
        auth::Caller,
        body::Body,
        error::{Error, Problems, Result},
        json,
        query::{self, Query},
    },
    ids::PropertyId,
    money,
    photos::{self, Parent, Photo},
    site::Site,
};

/// The top key of bodies.
const KEY: &str = "property";

#[derive(Serialize)]
struct PropertyBody {
    r#type: &'static str,
    id: PropertyId,
    attributes: Attributes,
    relationships: Relationships,
}

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

#[derive(Serialize)]
struct Relationships {
    groups: json::Data<Vec<json::Named>>,
    facilities: json::Data<Vec<json::Named>>,
}

impl PropertyBody {
    fn new(Kept { id, property }: Kept, groups: Vec<GroupOf>, photos: Vec<Photo>) -> Self {
        let price = |minor: Option<i64>| minor.map(|minor| money::to_text(minor, &property.currency));
        let settings = Settings {
            allow_availability_autoupdate_on_confirmation: property
                .settings
                .allow_availability_autoupdate_on_confirmation,
            allow_availability_autoupdate_on_modification: property
                .settings
                .allow_availability_autoupdate_on_modification,
            allow_availability_autoupdate_on_cancellation: property
                .settings
                .allow_availability_autoupdate_on_cancellation,
            min_price: price(property.settings.min_price),
            max_price: price(property.settings.max_price),
            min_stay_type: property.settings.min_stay_type,
            state_length: property.settings.state_length,
        };
        PropertyBody {
            r#type: "property",
            id,
            attributes: Attributes {
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
            },
            relationships: Relationships {
                groups: json::Data {
                    data: groups.into_iter().map(|group| json::Named::new("group", group.id.0, group.title)).collect(),
                },
                facilities: json::Data { data: facilities::OF_PROPERTIES.named(&property.facilities) },
            },
        }
    }
}

/// Bodies of properties, with their photos and the groups that the caller sees.
async fn bodies(tx: &mut Tx, caller: &Caller, properties: Vec<Kept>) -> Result<Vec<PropertyBody>> {
    let ids: Vec<PropertyId> = properties.iter().map(|kept| kept.id).collect();
    let mut groups: HashMap<PropertyId, Vec<GroupOf>> = HashMap::new();
    for group in groups::store::of_properties(tx, caller, &ids).await? {
        groups.entry(group.property_id).or_default().push(group);
    }
    let mut photos: HashMap<PropertyId, Vec<Photo>> = HashMap::new();
    for photo in photos::store::of_properties(tx, &ids).await? {
        photos.entry(photo.property_id).or_default().push(photo);
    }
    Ok(properties
        .into_iter()
        .map(|kept| {
            let groups = groups.remove(&kept.id).unwrap_or_default();
            let photos = photos.remove(&kept.id).unwrap_or_default();
            PropertyBody::new(kept, groups, photos)
        })
        .collect())
}

async fn body(tx: &mut Tx, caller: &Caller, property: Kept) -> Result<PropertyBody> {
    bodies(tx, caller, vec![property]).await?.pop().ok_or(Error::NotFound)
}

/// GET /properties
pub async fn list(site: Data<Site>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let query = Query::read(request.query_string())?;
    let mut tx = site.db.read().await?;
    let (properties, meta) = store::page(&mut tx, &caller, &query).await?;
    Ok(json::many(&bodies(&mut tx, &caller, properties).await?, Some(meta)))
}

/// GET /properties/options. The type is plural here, unlike everywhere else.
pub async fn options(site: Data<Site>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    #[derive(Serialize)]
    struct ShortAttributes {
        id: PropertyId,
        title: String,
        currency: String,
    }
    let query = Query::read(request.query_string())?;
    let mut tx = site.db.read().await?;
    let choices: Vec<json::Short<_, _>> = store::choices(&mut tx, &caller, &query)
        .await?
        .into_iter()
        .map(|store::Choice { id, title, currency }| json::Short {
            r#type: "properties",
            id,
            attributes: ShortAttributes { id, title, currency },
        })
        .collect();
    Ok(json::many(&choices, None))
}

/// GET /properties/:id
pub async fn read(site: Data<Site>, caller: Caller, id: Path<String>) -> Result<HttpResponse> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let mut tx = site.db.read().await?;
    let property = store::by_id(&mut tx, &caller, id).await?.ok_or(Error::NotFound)?;
    Ok(json::one(&body(&mut tx, &caller, property).await?))
}

/// POST /properties
pub async fn create(site: Data<Site>, caller: Caller, sent: Body) -> Result<HttpResponse> {
    let sent = sent.top(KEY)?;
    caller.may_create()?;
    let mut problems = Problems::default();
    let Draft { property, group, photos } = Property::create(&sent, &mut problems)?;
    let id = PropertyId::new();
    let photos = photos::plan(Parent { property: id, room_type: None }, Vec::new(), photos, &mut problems)?;
    let mut tx = site.db.write().await?;
    let group = match group {
        Some(group) => access::hold_group(&mut tx, &caller, group).await?.map(|_| group),
        None => groups::store::hold_default(&mut tx, &caller).await?,
    };
    if group.is_none() && !problems.names("group_id") {
        problems.add("group_id", "does not exist");
    }
    problems.none_or_invalid()?;
    let group = group.ok_or(Error::NotFound)?;
    let now = clock::now();
    store::insert(&mut tx, &caller, id, &property, group, now).await?;
    photos::store::write(&mut tx, &photos, now).await?;
    let body = body(&mut tx, &caller, Kept { id, property }).await?;
    tx.commit().await?;
    Ok(json::created(format!("{}/api/v1/properties/{id}", site.address()), &body))
}

/// PUT /properties/:id
pub async fn update(site: Data<Site>, caller: Caller, id: Path<String>, sent: Body) -> Result<HttpResponse> {
    let sent = sent.top(KEY)?;
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let mut tx = site.db.write().await?;
    access::hold_property(&mut tx, &caller, id).await?;
    let Kept { id, property } = store::by_id(&mut tx, &caller, id).await?.ok_or(Error::NotFound)?;
    caller.may_write()?;
    let mut problems = Problems::default();
    let Draft { property, photos, .. } = property.update(&sent, &mut problems)?;
    let parent = Parent { property: id, room_type: None };
    let photos = photos::plan(parent, photos::store::of_parent(&mut tx, parent).await?, photos, &mut problems)?;
    problems.none_or_invalid()?;
    store::update(&mut tx, id, &property).await?;
    photos::store::write(&mut tx, &photos, clock::now()).await?;
    let body = body(&mut tx, &caller, Kept { id, property }).await?;
    tx.commit().await?;
    Ok(json::one(&body))
}

/// DELETE /properties/:id. There are no channels yet that `force` would have to overrule.
pub async fn delete(site: Data<Site>, caller: Caller, id: Path<String>, request: HttpRequest) -> Result<HttpResponse> {
    query::is_forced(request.query_string())?;
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let mut tx = site.db.write().await?;
    let role = access::hold_property(&mut tx, &caller, id).await?.ok_or(Error::NotFound)?;
    caller.may_write()?;
    role.must_own()?;
    store::delete(&mut tx, id).await?;
    tx.commit().await?;
    Ok(json::success())
}
