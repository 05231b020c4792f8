//! The API's document, as far as the tests read it.

use serde_json::{Map, Value, json};

use super::table::Collection;
use crate::client::Client;

pub struct Document(Value);

/// What a create or an update sends.
pub struct Body<'a> {
    pub key: &'a str,
    /// The schemas of the fields.
    pub fields: &'a Map<String, Value>,
    pub required: Vec<&'a str>,
}

impl Body<'_> {
    /// The body with these fields.
    pub fn with(&self, fields: Map<String, Value>) -> Value {
        json!({ self.key: fields })
    }
}

impl Document {
    pub async fn read(client: &Client) -> Self {
        Document(client.get("/api/v1/openapi.json").await.is(200).json())
    }

    pub fn create<'a>(&'a self, collection: &Collection) -> Body<'a> {
        self.body(&format!("/{}", collection.path), "post")
    }

    pub fn update<'a>(&'a self, collection: &Collection) -> Body<'a> {
        self.body(&format!("/{}/{{id}}", collection.path), "put")
    }

    /// Whether there is a short list.
    pub fn has_options(&self, path: &str) -> bool {
        self.0["paths"].get(format!("/{path}/options")).is_some()
    }

    /// The paths of all collections and catalogues.
    pub fn lists(&self) -> Vec<&str> {
        let paths = self.0["paths"].as_object().expect("paths");
        let lists = paths.iter().filter(|(_, operations)| {
            operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["data"]["type"]
                == "array"
        });
        lists.map(|(path, _)| path.trim_start_matches('/')).filter(|path| !path.contains('/')).collect()
    }

    /// The fields that a list can be filtered by.
    pub fn filters(&self, path: &str) -> Vec<String> {
        self.arguments(path, "filter[")
    }

    /// The fields that a list can be ordered by.
    pub fn orders(&self, path: &str) -> Vec<String> {
        self.arguments(path, "order[")
    }

    fn arguments(&self, path: &str, prefix: &str) -> Vec<String> {
        let parameters = self.0["paths"][format!("/{path}")]["get"]["parameters"].as_array().expect("parameters");
        let names = parameters.iter().filter_map(|parameter| parameter["name"].as_str()?.strip_prefix(prefix));
        names.filter_map(|name| name.strip_suffix(']')).map(str::to_owned).collect()
    }

    fn body(&self, path: &str, method: &str) -> Body<'_> {
        let schema = &self.0["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"];
        let schema = match schema["$ref"].as_str() {
            Some(at) => self.0.pointer(at.trim_start_matches('#')).expect("a schema"),
            None => schema,
        };
        let key = schema["required"][0].as_str().expect("a top key");
        let fields = &schema["properties"][key];
        let required = fields["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        Body { key, fields: fields["properties"].as_object().expect("fields"), required }
    }
}
