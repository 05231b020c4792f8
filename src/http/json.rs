//! The envelope of API answers (contract/README.md, section 2).

use std::sync::Arc;

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::header::{self, ContentType, HeaderValue},
};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    error::{Error, Result},
    query::Paging,
    rendered::Part,
};

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

/// A resource whose text is there already: its part, and what belongs in its middle.
pub struct Whole {
    pub part: Arc<Part>,
    pub middle: Vec<u8>,
}

/// 200 with the first of these.
pub fn one_whole(whole: &[Whole]) -> Result<HttpResponse> {
    let mut text = Text::default();
    text.push(br#"{"data":"#);
    text.resource(whole.first().ok_or(Error::NotFound)?);
    text.push(b"}");
    Ok(text.answer(HttpResponse::Ok()))
}

/// 200 with a list and its numbers.
pub fn many_whole(whole: &[Whole], meta: &Meta) -> Result<HttpResponse> {
    let mut text = Text::default();
    text.push(br#"{"data":["#);
    for (place, resource) in whole.iter().enumerate() {
        if place > 0 {
            text.push(b",");
        }
        text.resource(resource);
    }
    text.push(br#"],"meta":"#);
    text.push(&serde_json::to_vec(meta)?);
    text.push(b"}");
    Ok(text.answer(HttpResponse::Ok()))
}

/// 201 with the new resource and its address.
pub fn created_whole(location: String, whole: &Whole) -> Result<HttpResponse> {
    let mut text = Text::default();
    text.push(br#"{"data":"#);
    text.resource(whole);
    text.push(b"}");
    let mut answer = HttpResponse::Created();
    answer.insert_header((header::LOCATION, location));
    Ok(text.answer(answer))
}

/// A body put together from pieces, and the hash by which it is known: of the pieces' hashes where there are such.
#[derive(Default)]
struct Text {
    body: Vec<u8>,
    hash: Sha256,
}

impl Text {
    fn push(&mut self, bytes: &[u8]) {
        self.body.extend_from_slice(bytes);
        self.hash.update(bytes);
    }

    fn resource(&mut self, Whole { part, middle }: &Whole) {
        self.body.reserve(part.head.len() + middle.len() + part.tail.len());
        self.body.extend_from_slice(&part.head);
        self.push(middle);
        self.body.extend_from_slice(&part.tail);
        self.hash.update(part.digest);
    }

    fn answer(self, mut answer: HttpResponseBuilder) -> HttpResponse {
        answer.insert_header((header::ETAG, etag(&self.hash.finalize())));
        answer.content_type(ContentType::json()).body(self.body)
    }
}

/// An entity tag of half a SHA-256.
pub fn etag(hash: &[u8]) -> HeaderValue {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut tag = Vec::with_capacity(34);
    tag.push(b'"');
    for byte in hash.iter().take(16) {
        tag.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
    tag.push(b'"');
    HeaderValue::from_bytes(&tag).unwrap_or(HeaderValue::from_static("\"\""))
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
