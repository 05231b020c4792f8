//! What the tests of properties share: the smallest body, and short cuts.

use serde_json::{Value, json};

use crate::people::Person;
use crate::response::Response;

/// The collection.
pub const PROPERTIES: &str = "/api/v1/properties";

/// The short list.
pub const OPTIONS: &str = "/api/v1/properties/options";

/// The groups.
pub const GROUPS: &str = "/api/v1/groups";

/// An id that no test makes.
pub const UNKNOWN_ID: &str = "0197a3b2-0000-7000-8000-000000000000";

/// Where a property is.
pub fn at(id: &str) -> String {
    format!("{PROPERTIES}/{id}")
}

/// Where a group is.
pub fn group_at(id: &str) -> String {
    format!("{GROUPS}/{id}")
}

/// A body with these fields and the required ones, unless they are among these.
pub fn body(fields: Value) -> Value {
    let mut property = json!({ "title": "Casa do Farol", "currency": "EUR" });
    for (name, value) in fields.as_object().expect("fields") {
        property[name] = value.clone();
    }
    json!({ "property": property })
}

/// JSON as written: `8.100` stays `8.100`.
pub fn number(text: &str) -> Value {
    serde_json::from_str(text).expect("a JSON number")
}

impl Person {
    /// Sends a create with these fields beside the required ones.
    pub async fn creates(&self, fields: Value) -> Response {
        self.api.post(PROPERTIES, &body(fields)).await
    }

    /// Creates a property that may only differ in these fields; its id.
    pub async fn has(&self, fields: Value) -> String {
        self.creates(fields).await.is(201).id()
    }

    /// Sends an update with just these fields.
    pub async fn updates(&self, id: &str, fields: Value) -> Response {
        let body = json!({ "property": fields });
        self.api.put(&at(id), &body).await
    }

    /// The attributes of a property, as it is read now.
    pub async fn reads(&self, id: &str) -> Value {
        self.api.get(&at(id)).await.is(200).attributes()
    }

    /// The group that every account has from the beginning.
    pub async fn group(&self) -> String {
        let groups = self.api.get(&format!("{GROUPS}?filter[title]=User%20Group")).await.is(200).data();
        match &groups[0]["id"] {
            Value::String(id) => id.clone(),
            _ => panic!("no group in {groups}"),
        }
    }

    /// The titles that a query of the list finds, in their order.
    pub async fn finds(&self, query: &str) -> Vec<String> {
        let answer = self.api.get(&format!("{PROPERTIES}?{query}")).await;
        answer.is(200).column("title")
    }
}
