//! What the tests of room types share: a property to put them in, the smallest body, and short cuts.

use serde_json::{Value, json};

use crate::people::{Person, world};
use crate::response::Response;
use crate::server::Server;

/// The collection.
pub const ROOM_TYPES: &str = "/api/v1/room_types";

/// The short list.
pub const ROOM_TYPE_OPTIONS: &str = "/api/v1/room_types/options";

/// Where a room type is.
pub fn room_type_at(id: &str) -> String {
    format!("{ROOM_TYPES}/{id}")
}

/// A body with these fields and the required ones, unless they are among these.
pub fn room_type_body(property: &str, fields: Value) -> Value {
    let mut room_type = json!({
        "property_id": property, "title": "Sea view double", "count_of_rooms": 6,
        "occ_adults": 2, "occ_children": 1, "occ_infants": 1
    });
    for (name, value) in fields.as_object().expect("fields") {
        room_type[name] = value.clone();
    }
    json!({ "room_type": room_type })
}

/// Somebody with a property in which room types are made. The property's currency is EUR.
pub struct House {
    pub me: Person,
    pub property: String,
    pub server: Server,
}

/// A property without room types.
pub async fn house() -> House {
    let (server, me) = world().await;
    let property = me.has(json!({})).await;
    House { me, property, server }
}

impl House {
    /// Sends a create with these fields beside the required ones.
    pub async fn creates(&self, fields: Value) -> Response {
        self.me.api.post(ROOM_TYPES, &room_type_body(&self.property, fields)).await
    }

    /// Creates a room type that may only differ in these fields; its id.
    pub async fn has(&self, fields: Value) -> String {
        self.creates(fields).await.is(201).id()
    }

    /// Sends an update with just these fields.
    pub async fn updates(&self, id: &str, fields: Value) -> Response {
        self.me.api.put(&room_type_at(id), &json!({ "room_type": fields })).await
    }

    /// The attributes of a room type, as it is read now.
    pub async fn reads(&self, id: &str) -> Value {
        self.me.api.get(&room_type_at(id)).await.is(200).attributes()
    }

    /// The titles that a query of the list finds, in their order.
    pub async fn finds(&self, query: &str) -> Vec<String> {
        self.me.api.get(&format!("{ROOM_TYPES}?{query}")).await.is(200).column("title")
    }
}
