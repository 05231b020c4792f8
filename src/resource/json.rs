//! The envelope of API answers (docs/contract/README.md, section 2).

use std::{borrow::Cow, sync::Arc};

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::header::{self, HeaderValue},
};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    base::{
        clock::Moment,
        error::{Error, Result},
        ids::UserId,
    },
    resource::{query::Paging, render_cache::Fragment},
    web::etag,
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

/// What stands behind the resources of a list.
pub enum ListMeta {
    None,
    Empty,
    Paged(Meta),
}

impl ListMeta {
    /// The end of the answer: of the list, `meta`, and of the whole.
    pub fn end(&self) -> Result<String> {
        Ok(match self {
            ListMeta::None => "]}".to_owned(),
            ListMeta::Empty => r#"],"meta":{}}"#.to_owned(),
            ListMeta::Paged(meta) => format!(r#"],"meta":{}}}"#, serde_json::to_string(meta)?),
        })
    }
}

impl From<Option<Meta>> for ListMeta {
    fn from(meta: Option<Meta>) -> Self {
        meta.map_or(ListMeta::None, ListMeta::Paged)
    }
}

#[derive(Serialize)]
struct Envelope<T> {
    data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
}

/// A moment as answers tell it: UTC to the microsecond, without a zone (docs/contract/README.md, section 9).
pub fn timestamp(moment: Moment) -> String {
    moment.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
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

/// A resource assembled from cached JSON and the part that depends on the caller.
pub struct Rendered {
    pub part: Arc<Fragment>,
    pub middle: CallerFragment,
}

/// What depends on who asks.
#[derive(Clone)]
pub struct CallerFragment {
    text: Arc<[u8]>,
    digest: blake3::Hash,
}

impl CallerFragment {
    pub fn new(text: Vec<u8>) -> Self {
        let digest = blake3::hash(&text);
        CallerFragment { text: text.into(), digest }
    }

    /// The JSON.
    pub fn text(&self) -> &[u8] {
        &self.text
    }
}

/// 200 with the first of these.
pub fn one_whole(whole: &[Rendered]) -> Result<HttpResponse> {
    let first = whole.get(..1).ok_or(Error::NotFound)?;
    Ok(joined(HttpResponse::Ok(), br#"{"data":"#, first, b"}"))
}

/// 200 with a list.
pub fn many_whole(whole: &[Rendered], meta: &ListMeta) -> Result<HttpResponse> {
    Ok(joined(HttpResponse::Ok(), br#"{"data":["#, whole, meta.end()?.as_bytes()))
}

/// 201 with the new resource and its address.
pub fn created_whole(location: String, whole: Rendered) -> HttpResponse {
    let mut answer = HttpResponse::Created();
    answer.insert_header((header::LOCATION, location));
    joined(answer, br#"{"data":"#, &[whole], b"}")
}

/// Bytes of all of them, a comma behind each.
pub fn size(whole: &[Rendered]) -> usize {
    whole.iter().map(|Rendered { part, middle }| part.head.len() + middle.text.len() + part.tail.len() + 1).sum()
}

/// An answer put together from pieces. The hash by which it is known is that of the pieces' hashes.
fn joined(mut answer: HttpResponseBuilder, before: &[u8], whole: &[Rendered], after: &[u8]) -> HttpResponse {
    let mut body = Vec::with_capacity(before.len() + size(whole) + after.len());
    let mut hash = blake3::Hasher::new();
    hash.update(after);
    body.extend_from_slice(before);
    for (place, Rendered { part, middle }) in whole.iter().enumerate() {
        if place > 0 {
            body.push(b',');
        }
        for piece in [&*part.head, &*middle.text, &*part.tail] {
            body.extend_from_slice(piece);
        }
        hash.update(&part.digest.as_bytes()[..16]);
        hash.update(&middle.digest.as_bytes()[..16]);
    }
    body.extend_from_slice(after);
    answer.insert_header((header::ETAG, etag::of_hash(hash.finalize())));
    answer.insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/json")));
    answer.body(body)
}

/// 200 of an action that has nothing to tell.
pub fn success() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "meta": { "message": "Success" } }))
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

/// A related user: what is known of them stands beside the id.
#[derive(Serialize)]
pub struct User<'a> {
    id: UserId,
    r#type: &'static str,
    email: &'a str,
    name: Option<&'a str>,
}

impl<'a> User<'a> {
    pub fn new(id: UserId, email: &'a str, name: Option<&'a str>) -> Self {
        User { id, r#type: "user", email, name }
    }
}

/// A related resource by its name.
#[derive(Serialize)]
pub struct Named<'a> {
    r#type: &'static str,
    id: Uuid,
    attributes: NamedAttributes<'a>,
}

#[derive(Serialize)]
struct NamedAttributes<'a> {
    id: Uuid,
    title: Cow<'a, str>,
}

impl<'a> Named<'a> {
    pub fn new(r#type: &'static str, id: Uuid, title: impl Into<Cow<'a, str>>) -> Self {
        Named { r#type, id, attributes: NamedAttributes { id, title: title.into() } }
    }
}
