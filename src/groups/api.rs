//! `/api/v1/groups` (contract/groups.md).

use std::collections::HashMap;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use serde::Serialize;

use super::{
    Group,
    store::{self, PropertyOf},
};
use crate::{
    db::Tx,
    http::{
        auth::Caller,
        error::{Error, Result},
        json::{self, Meta, Named},
        query::Query,
    },
    ids::GroupId,
    site::Site,
};

#[derive(Serialize)]
struct GroupBody {
    r#type: &'static str,
    id: GroupId,
    attributes: Attributes,
    relationships: Relationships,
}

#[derive(Serialize)]
struct Attributes {
    id: GroupId,
    title: String,
}

#[derive(Serialize)]
struct Relationships {
    properties: json::Data<Vec<Named>>,
}

/// Bodies of groups, with their properties that exist for the caller.
async fn bodies(tx: &mut Tx, caller: &Caller, groups: Vec<Group>) -> Result<Vec<GroupBody>> {
    let ids: Vec<GroupId> = groups.iter().map(|group| group.id).collect();
    let mut properties: HashMap<GroupId, Vec<Named>> = HashMap::new();
    for PropertyOf { group_id, id, title } in store::properties_of(tx, caller, &ids).await? {
        properties.entry(group_id).or_default().push(Named::new("property", id.0, title));
    }
    Ok(groups
        .into_iter()
        .map(|Group { id, title }| GroupBody {
            r#type: "group",
            id,
            attributes: Attributes { id, title },
            relationships: Relationships {
                properties: json::Data { data: properties.remove(&id).unwrap_or_default() },
            },
        })
        .collect())
}

/// GET /groups: whole, unless pages are asked for.
pub async fn list(site: Data<Site>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let query = Query::read(request.query_string())?;
    let mut tx = site.db.read().await?;
    let (groups, total) = store::list(&mut tx, &caller, &query).await?;
    let meta = query.is_paged().then(|| Meta::new(query.paging(), total));
    Ok(json::many(&bodies(&mut tx, &caller, groups).await?, meta))
}

/// GET /groups/:id
pub async fn read(site: Data<Site>, caller: Caller, id: Path<String>) -> Result<HttpResponse> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let mut tx = site.db.read().await?;
    let group = store::by_id(&mut tx, &caller, id).await?.ok_or(Error::NotFound)?;
    let body = bodies(&mut tx, &caller, vec![group]).await?.pop().ok_or(Error::NotFound)?;
    Ok(json::one(&body))
}
