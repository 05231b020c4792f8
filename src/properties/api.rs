//! `/api/v1/properties` (contract/properties.md).

use std::collections::HashMap;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use serde::Serialize;

use super::{
    Property,
    store::{self, Kept},
};
use crate::{
    clock,
    db::Tx,
    groups::{self, store::GroupOf},
    http::{
        auth::Caller,
        body::Body,
        error::{Error, Problems, Result},
        json::{self, Meta},
        query::Query,
    },
    ids::PropertyId,
    money,
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
    photos: [(); 0],
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
    facilities: json::Data<[(); 0]>,
}

impl PropertyBody {
    fn new(Kept { id, property }: Kept, groups: Vec<GroupOf>) -> Self {
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
                    photos: [],
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
                facilities: json::Data { data: [] },
            },
        }
    }
}

/// Bodies of properties, with the groups that the caller sees.
async fn bodies(tx: &mut Tx, caller: &Caller, properties: Vec<Kept>) -> Result<Vec<PropertyBody>> {
    let ids: Vec<PropertyId> = properties.iter().map(|kept| kept.id).collect();
    let mut groups: HashMap<PropertyId, Vec<GroupOf>> = HashMap::new();
    for group in groups::store::of_properties(tx, caller, &ids).await? {
        groups.entry(group.property_id).or_default().push(group);
    }
    Ok(properties
        .into_iter()
        .map(|kept| {
            let groups = groups.remove(&kept.id).unwrap_or_default();
            PropertyBody::new(kept, groups)
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
    let (properties, total) = store::page(&mut tx, &caller, &query).await?;
    let bodies = bodies(&mut tx, &caller, properties).await?;
    Ok(json::many(&bodies, Some(Meta::new(query.paging(), total))))
}

/// GET /properties/options. The type is plural here, unlike everywhere else.
pub async fn options(site: Data<Site>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    #[derive(Serialize)]
    struct Choice {
        r#type: &'static str,
        id: PropertyId,
        attributes: ChoiceAttributes,
    }
    #[derive(Serialize)]
    struct ChoiceAttributes {
        id: PropertyId,
        title: String,
        currency: String,
    }
    let query = Query::read(request.query_string())?;
    let mut tx = site.db.read().await?;
    let choices: Vec<Choice> = store::choices(&mut tx, &caller, &query)
        .await?
        .into_iter()
        .map(|store::Choice { id, title, currency }| Choice {
            r#type: "properties",
            id,
            attributes: ChoiceAttributes { id, title, currency },
        })
        .collect();
    Ok(json::many(&choices, None))
}

/// GET /properties/:id
pub async fn read(site: Data<Site>, caller: Caller, id: Path<String>) -> Result<HttpResponse> {
    let mut tx = site.db.read().await?;
    let mine = find(&mut tx, &caller, &id).await?;
    Ok(json::one(&body(&mut tx, &caller, mine.kept).await?))
}

/// POST /properties
pub async fn create(site: Data<Site>, caller: Caller, sent: Body) -> Result<HttpResponse> {
    let sent = sent.top(KEY)?;
    caller.may_create()?;
    let mut problems = Problems::default();
    let (property, group) = Property::create(&sent, &mut problems)?;
    let id = PropertyId::new();
    let mut tx = site.db.write().await?;
    let group = match group {
        Some(group) => groups::store::hold(&mut tx, &caller, group).await?.then_some(group),
        None => groups::store::hold_default(&mut tx, &caller).await?,
    };
    if group.is_none() && !problems.names("group_id") {
        problems.add("group_id", "does not exist");
    }
    problems.none_or_invalid()?;
    let group = group.ok_or(Error::NotFound)?;
    store::insert(&mut tx, &caller, id, &property, group, clock::now()).await?;
    let body = body(&mut tx, &caller, Kept { id, property }).await?;
    tx.commit().await?;
    Ok(json::created(format!("{}/api/v1/properties/{id}", site.address()), &body))
}

/// PUT /properties/:id
pub async fn update(site: Data<Site>, caller: Caller, id: Path<String>, sent: Body) -> Result<HttpResponse> {
    let sent = sent.top(KEY)?;
    let mut tx = site.db.write().await?;
    let Kept { id, property } = hold(&mut tx, &caller, &id).await?.kept;
    caller.may_write()?;
    let mut problems = Problems::default();
    let property = property.update(&sent, &mut problems)?;
    problems.none_or_invalid()?;
    store::update(&mut tx, id, &property).await?;
    let body = body(&mut tx, &caller, Kept { id, property }).await?;
    tx.commit().await?;
    Ok(json::one(&body))
}

/// DELETE /properties/:id. There are no channels yet that `force` would have to overrule.
pub async fn delete(site: Data<Site>, caller: Caller, id: Path<String>) -> Result<HttpResponse> {
    let mut tx = site.db.write().await?;
    let mine = hold(&mut tx, &caller, &id).await?;
    caller.may_write()?;
    if !mine.is_owner {
        return Err(Error::Forbidden(None));
    }
    store::delete(&mut tx, mine.kept.id).await?;
    tx.commit().await?;
    Ok(json::success())
}

async fn find(tx: &mut Tx, caller: &Caller, id: &str) -> Result<store::Mine> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    store::by_id(tx, caller, id).await?.ok_or(Error::NotFound)
}

/// As [`find`], and nobody else changes the property before this transaction ends.
async fn hold(tx: &mut Tx, caller: &Caller, id: &str) -> Result<store::Mine> {
    store::queue_on(tx, caller, id.parse().map_err(|_| Error::NotFound)?).await?;
    find(tx, caller, id).await
}
