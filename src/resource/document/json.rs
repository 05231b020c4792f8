//! The document as OpenAPI 3.1.

use serde_json::{Map, Value, json};

use crate::resource::document::{
    BASE, Document, Examples, Operation, Parameter, Place, Response, Tag,
    schema::{Keyword, Schema, Type, find, said},
};

impl Document {
    /// The document in JSON.
    pub fn to_json(&self) -> Value {
        let mut contact = json!({ "name": self.host });
        if let Some(support) = &self.support {
            contact[if support.contains("://") { "url" } else { "email" }] = json!(support);
        }
        let mut paths = Map::new();
        for operation in &self.operations {
            let path = paths.entry(&operation.path).or_insert_with(|| json!({}));
            path[operation.method.to_ascii_lowercase()] = operation.to_json();
        }
        let (header, about) = self.key;
        let tag = |tag: &Tag| json!({ "name": tag.name, "description": tag.about });
        let parameters = self.parameters.iter().filter_map(|one| Some((one.shared?.to_owned(), one.to_json())));
        let schemas = self.schemas.iter().map(|(name, schema)| (name.to_string(), schema.to_json()));
        let responses = self.responses.iter().filter_map(|one| Some((one.shared?.to_owned(), one.to_json())));
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": format!("{} API", self.host),
                "version": "1",
                "summary": self.summary,
                "description": self.about,
                "contact": contact
            },
            "servers": [{ "url": format!("{}{BASE}", self.address) }],
            "security": [{ header: [] }],
            "tags": self.tags.iter().map(tag).collect::<Vec<_>>(),
            "paths": paths,
            "components": {
                "securitySchemes": {
                    header: { "type": "apiKey", "in": "header", "name": header, "description": about }
                },
                "parameters": parameters.collect::<Map<_, _>>(),
                "schemas": schemas.collect::<Map<_, _>>(),
                "responses": responses.collect::<Map<_, _>>()
            }
        })
    }
}

/// `{"$ref": …}`
fn reference(part: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{part}/{name}") })
}

impl Operation {
    fn to_json(&self) -> Value {
        let response = |(status, response): &(u16, Response)| {
            let named = response.shared.map(|name| reference("responses", name));
            (status.to_string(), named.unwrap_or_else(|| response.to_json()))
        };
        let responses = self.responses.iter().map(response).collect::<Map<_, _>>();
        let mut json = json!({ "operationId": self.id, "tags": [self.tag], "summary": self.summary });
        if self.is_open {
            json["description"] = json!(self.about);
            json["security"] = json!([]);
        }
        json["responses"] = responses.into();
        if let Some(about) = &self.about {
            json["description"] = json!(about);
        }
        if !self.parameters.is_empty() {
            let parameter =
                |one: &Parameter| one.shared.map_or_else(|| one.to_json(), |name| reference("parameters", name));
            json["parameters"] = self.parameters.iter().map(parameter).collect();
        }
        if let Some(body) = &self.body {
            let content = json!({ "schema": body.schema.to_json(), "example": body.example });
            json["requestBody"] = json!({ "required": true, "content": { "application/json": content } });
        }
        json
    }
}

impl Parameter {
    fn to_json(&self) -> Value {
        let (name, schema, about) = (&self.name, self.schema.to_json(), &self.about);
        match self.place {
            Place::Path { example } => json!({
                "name": name, "in": "path", "required": true, "description": about, "schema": schema,
                "example": example
            }),
            _ => json!({ "name": name, "in": "query", "schema": schema, "description": about }),
        }
    }
}

impl Response {
    fn to_json(&self) -> Value {
        let headers = self.headers.iter().map(|header| {
            let mut json = json!({ "description": header.about, "schema": header.schema.to_json() });
            if let Some(example) = &header.example {
                json["example"] = json!(example);
            }
            (header.name.to_owned(), json)
        });
        let mut content = json!({ "schema": self.schema.to_json() });
        match &self.examples {
            Examples::One(value) => content["example"] = value.clone(),
            Examples::Reasons(reasons) => {
                let example = |(reason, value): &(&str, Value)| {
                    (reason.replace(' ', "_"), json!({ "summary": reason, "value": value }))
                };
                content["examples"] = reasons.iter().map(example).collect::<Map<_, _>>().into();
            }
        }
        json!({
            "description": self.about, "headers": headers.collect::<Map<_, _>>(),
            "content": { "application/json": content }
        })
    }
}

impl Schema {
    /// The schema in JSON.
    pub fn to_json(&self) -> Value {
        self.keywords
            .iter()
            .filter_map(|keyword| self.entry(keyword))
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// A keyword's name and value.
    fn entry(&self, keyword: &Keyword) -> Option<(&'static str, Value)> {
        let all = |schemas: &[Schema]| schemas.iter().map(Schema::to_json).collect::<Value>();
        Some(match keyword {
            Keyword::Reference(name) => ("$ref", format!("#/components/schemas/{name}").into()),
            Keyword::Type { of, or_null: true } => ("type", json!([of.name(), "null"])),
            Keyword::Type { of, or_null: false } => ("type", of.name().into()),
            Keyword::Format(meaning) => ("format", meaning.format().into()),
            Keyword::Means(_) => return None,
            Keyword::Pattern(pattern) => ("pattern", json!(pattern)),
            Keyword::MinLength(least) => ("minLength", json!(least)),
            Keyword::MaxLength(most) => ("maxLength", json!(most)),
            Keyword::Minimum(least) => ("minimum", json!(least)),
            Keyword::Maximum(most) => ("maximum", json!(most)),
            Keyword::Enum(words) => {
                let null = self.is_nullable().then_some(Value::Null);
                ("enum", words.iter().copied().map(Value::from).chain(null).collect())
            }
            Keyword::Const(value) => ("const", value.clone()),
            Keyword::Items(items) => ("items", items.to_json()),
            Keyword::PrefixItems(items) => ("prefixItems", all(items)),
            Keyword::MinItems(least) => ("minItems", json!(least)),
            Keyword::MaxItems(most) => ("maxItems", json!(most)),
            Keyword::Required(names) => ("required", json!(names)),
            Keyword::Properties(properties) => {
                let each = properties.iter().map(|(name, schema)| (name.to_string(), schema.to_json()));
                ("properties", each.collect::<Map<_, _>>().into())
            }
            Keyword::OtherFields(allowed) => ("additionalProperties", json!(allowed)),
            Keyword::Values(schema) => ("additionalProperties", schema.to_json()),
            Keyword::MinProperties(least) => ("minProperties", json!(least)),
            Keyword::AnyOf(forms) => ("anyOf", all(forms)),
            Keyword::Title(title) => ("title", json!(title)),
            Keyword::Description(text) => {
                let default = find!(self, SaidDefault).map(|default| format!(" {}", said(default)));
                ("description", format!("{text}{}", default.unwrap_or_default()).into())
            }
            Keyword::Default(value) => ("default", value.clone()),
            Keyword::SaidDefault(_) => return None,
        })
    }
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Type::String => "string",
            Type::Integer => "integer",
            Type::Number => "number",
            Type::Boolean => "boolean",
            Type::Array => "array",
            Type::Object => "object",
            Type::Null => "null",
        }
    }
}
