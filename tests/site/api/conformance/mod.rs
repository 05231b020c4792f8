//! What every collection of the API does, tested once for all of them (docs/contract/README.md, sections 2 and 4 to 10).
//!
//! `table.rs` says of each collection in a few lines what the API's own document does not; fields, their types and
//! bounds, filters and orders are read from the document. What a collection does differently is a line in
//! `exceptions.rs`.

mod cases;
mod document;
mod exceptions;
mod filters;
mod lists;
mod nulls;
mod others;
mod races;
mod refusals;
mod requests;
mod samples;
mod table;
mod updates;

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::people::{Person, world};
use crate::response::Response;
use crate::server::Server;
use document::Document;
use samples::Samples;
use table::Collection;

/// Whose ids bodies name: a property, and what is in it.
pub struct Place {
    pub property: String,
    pub group: String,
    pub room_type: String,
    pub rate_plan: String,
    pub tax: String,
    pub property_facilities: Vec<String>,
    pub room_facilities: Vec<String>,
}

/// Somebody with a place, and the API's document.
pub struct World {
    pub me: Person,
    pub place: Place,
    pub document: Document,
    pub server: Server,
}

/// A resource that was made: where it is, and `data` of the answer.
pub struct Made {
    pub id: String,
    pub at: String,
    pub data: Value,
}

impl Place {
    pub async fn new(api: &Client, document: &Document) -> Self {
        let make = async |path: &str, place: &Place, more: Value| {
            let collection = table::collection(path);
            let mut fields = object((collection.body)(place, next()));
            fields.extend(object(more));
            let body = document.create(collection).with(fields);
            api.post(&collection.at(), &body).await.is(201).id()
        };
        let mut place = Place {
            property: String::new(),
            group: String::new(),
            room_type: String::new(),
            rate_plan: String::new(),
            tax: String::new(),
            property_facilities: api.get("/api/v1/property_facilities/options").await.is(200).column("id"),
            room_facilities: api.get("/api/v1/room_facilities/options").await.is(200).column("id"),
        };
        place.group = make("groups", &place, json!({})).await;
        place.property = make("properties", &place, json!({ "group_id": place.group })).await;
        place.room_type = make("room_types", &place, json!({})).await;
        place.rate_plan = make("rate_plans", &place, json!({})).await;
        place.tax = make("taxes", &place, json!({})).await;
        place
    }
}

/// A number that was not given before: what must be unique gets it.
fn next() -> usize {
    static COUNT: AtomicUsize = AtomicUsize::new(1);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

impl World {
    pub async fn new() -> Self {
        let (server, me) = world().await;
        let document = Document::read(&me.api).await;
        let place = Place::new(&me.api, &document).await;
        World { me, place, document, server }
    }

    /// The smallest valid fields of a create, with these too.
    pub fn fields(&self, collection: &Collection, more: Value) -> Map<String, Value> {
        let mut fields = object((collection.body)(&self.place, next()));
        fields.extend(object(more));
        fields
    }

    /// Creates with these fields beside the required ones.
    pub async fn creates(&self, collection: &Collection, more: Value) -> Response {
        let body = self.document.create(collection).with(self.fields(collection, more));
        self.me.api.post(&collection.at(), &body).await
    }

    /// A new resource that is the smallest, but for these fields.
    pub async fn makes(&self, collection: &Collection, more: Value) -> Made {
        let answer = self.creates(collection, more).await.is(201);
        Made { id: answer.id(), at: format!("{}/{}", collection.at(), answer.id()), data: answer.data() }
    }

    /// Updates with just these fields.
    pub async fn updates(&self, collection: &Collection, made: &Made, fields: Value) -> Response {
        self.me.api.put(&made.at, &self.document.update(collection).with(object(fields))).await
    }

    pub fn samples<'a>(&'a self, collection: &'a Collection) -> Samples<'a> {
        Samples { place: &self.place, collection }
    }

    /// All entries of a list, page after page.
    pub async fn whole(&self, list: &str, query: &str) -> Vec<Value> {
        let mut entries = Vec::new();
        for page in 1.. {
            let answer = self.me.api.get(&format!("{list}?{query}&limit=100&page={page}")).await.is(200);
            match answer.data() {
                Value::Array(more) if more.len() == 100 => entries.extend(more),
                Value::Array(more) => {
                    entries.extend(more);
                    break;
                }
                other => panic!("data is {other} in {answer}"),
            }
        }
        entries
    }
}

/// The members of a JSON object.
pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("no object: {other}"),
    }
}

/// The ids of entries of a list.
pub fn ids(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["id"].as_str().expect("an id")).collect()
}
