//! The envelope of API answers (contract/README.md, section 2).

use actix_web::{HttpResponse, http::header};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::query::Paging;

/// Numbers of a paged list.
#[derive(Serialize)]
pub struct Meta {
    pub page: i64,
    pub limit: i64,
    pub total: i64,
}

impl Meta {
    pub fn new(paging: Paging, total: i64) -> Self {
        Meta { page: paging.page, limit: paging.limit, total }
    }
}

#[derive(Serialize)]
struct Envelope<T> {
    data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
}

/// 200 with one resource.
pub fn one(resource: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().json(Envelope { data: resource, meta: None })
}

/// 200 with a list, with its numbers where it is paged.
pub fn many(resources: &[impl Serialize], meta: Option<Meta>) -> HttpResponse {
    HttpResponse::Ok().json(Envelope { data: resources, meta })
}

/// 201 with the new resource and its address.
pub fn created(location: String, resource: &impl Serialize) -> HttpResponse {
    HttpResponse::Created().insert_header((header::LOCATION, location)).json(Envelope { data: resource, meta: None })
}

/// 200 of an action that has nothing to tell.
pub fn success() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "meta": { "message": "Success" } }))
}

/// `{"data": …}` inside relationships.
#[derive(Serialize)]
pub struct Data<T> {
    pub data: T,
}

/// A resource without relationships, as short lists and catalogues have it.
#[derive(Serialize)]
pub struct Short<I, A> {
    pub r#type: &'static str,
    pub id: I,
    pub attributes: A,
}

/// A related resource by its id alone.
#[derive(Serialize)]
pub struct Link {
    r#type: &'static str,
    id: Uuid,
}

impl Link {
    pub fn new(r#type: &'static str, id: Uuid) -> Self {
        Link { r#type, id }
    }
}

/// A related resource by its name.
#[derive(Serialize)]
pub struct Named {
    r#type: &'static str,
    id: Uuid,
    attributes: NamedAttributes,
}

#[derive(Serialize)]
struct NamedAttributes {
    id: Uuid,
    title: String,
}

impl Named {
    pub fn new(r#type: &'static str, id: Uuid, title: String) -> Self {
        Named { r#type, id, attributes: NamedAttributes { id, title } }
    }
}
