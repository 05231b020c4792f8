//! The API's document as its pages show it: plain rows and texts, made once.

use actix_web::http::StatusCode;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::host::docs::{
    inline_code::Rich,
    schema::{Document, Field, Side},
};

/// All operations, by tag.
#[derive(Debug)]
pub struct Reference {
    pub tags: Vec<Tag>,
}

/// A part of the API.
#[derive(Debug)]
pub struct Tag {
    /// Its name in addresses.
    pub slug: String,
    pub title: String,
    pub about: Vec<Rich>,
    pub operations: Vec<Operation>,
}

/// One method of one path.
#[derive(Debug)]
pub struct Operation {
    /// Its name on its page.
    pub anchor: String,
    pub method: String,
    /// As in the address, from the root of the host.
    pub path: String,
    pub summary: String,
    pub about: Vec<Rich>,
    pub path_parameters: Vec<Field>,
    pub query_parameters: Vec<Field>,
    pub body: Option<Body>,
    pub answers: Vec<Answer>,
    pub curl: String,
    /// What a search finds it by, in lower case.
    pub words: String,
}

/// What a request carries.
#[derive(Debug)]
pub struct Body {
    pub fields: Vec<Field>,
    pub example: String,
}

/// One possible answer.
#[derive(Debug)]
pub struct Answer {
    pub status: String,
    /// `Not Found`.
    pub name: &'static str,
    pub about: Rich,
    pub fields: Vec<Field>,
    pub example: Option<String>,
}

/// Lines of an example that are shown without being asked for.
const SHORT: usize = 30;

impl Answer {
    pub fn is_success(&self) -> bool {
        self.status.starts_with('2')
    }

    /// True for what everybody wants to see, where it leaves room for the rest.
    pub fn is_open(&self) -> bool {
        self.is_success() && self.example.as_ref().is_none_or(|example| example.lines().count() <= SHORT)
    }
}

/// In the order in which people think of them; the document's own order is lost in JSON.
const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

impl Reference {
    /// Reads an OpenAPI document; `address` is the host's. What is no document has no operations.
    pub fn read(document: &Value, address: &str) -> Self {
        let server = document.pointer("/servers/0/url").and_then(Value::as_str).unwrap_or_default();
        let base = server.strip_prefix(address).unwrap_or(server).trim_end_matches('/');
        let reader = Reader { document: Document(document), base, address };
        let declared = document.get("tags").and_then(Value::as_array).into_iter().flatten();
        let declared = declared.filter_map(|tag| {
            let about = tag.get("description").and_then(Value::as_str).unwrap_or_default();
            Some(Tag::new(tag.get("name")?.as_str()?, about))
        });
        let mut tags: Vec<Tag> = declared.collect();
        let paths = document.get("paths").and_then(Value::as_object);
        for (path, item) in paths.into_iter().flatten() {
            for method in METHODS {
                let Some(operation) = item.get(method) else { continue };
                let name = operation.pointer("/tags/0").and_then(Value::as_str).unwrap_or("Other");
                let operation = reader.operation(path, method, item, operation);
                let slug = slug(name);
                match tags.iter_mut().find(|tag| tag.slug == slug) {
                    Some(tag) => tag.operations.push(operation),
                    None => tags.push(Tag { operations: vec![operation], ..Tag::new(name, "") }),
                }
            }
        }
        tags.retain(|tag| !tag.operations.is_empty());
        Reference { tags }
    }

    pub fn tag(&self, slug: &str) -> Option<&Tag> {
        self.tags.iter().find(|tag| tag.slug == slug)
    }
}

impl Tag {
    fn new(name: &str, about: &str) -> Self {
        Tag { slug: slug(name), title: title(name), about: Rich::paragraphs(about), operations: Vec::new() }
    }
}

impl Operation {
    /// True where every word that is looked for is found.
    pub fn is_found(&self, wanted: &str) -> bool {
        wanted.to_lowercase().split_whitespace().all(|word| self.words.contains(word))
    }
}

/// What all operations of a document are read with.
struct Reader<'a> {
    document: Document<'a>,
    /// The path before all paths.
    base: &'a str,
    address: &'a str,
}

impl Reader<'_> {
    fn operation(&self, path: &str, method: &str, item: &Value, operation: &Value) -> Operation {
        let text = |key: &str| operation.get(key).and_then(Value::as_str).unwrap_or_default();
        let path = format!("{}{path}", self.base);
        let method = method.to_uppercase();
        let path_parameters = self.parameters(item, operation, "path");
        let query_parameters = self.parameters(item, operation, "query");
        let body = operation.get("requestBody").and_then(|body| self.body(body));
        let answers = self.answers(operation);
        let summary = match text("summary") {
            "" => format!("{method} {path}"),
            summary => summary.to_owned(),
        };
        let anchor = match text("operationId") {
            "" => slug(&format!("{method} {path}")),
            id => slug(id),
        };
        let is_open = operation.get("security").and_then(Value::as_array).is_some_and(Vec::is_empty);
        let curl = self.curl(&method, &path, &query_parameters, body.as_ref(), is_open);
        let fields = body.iter().flat_map(|body| &body.fields).chain(answers.iter().flat_map(|one| &one.fields));
        let mut words: Vec<&str> = path_parameters.iter().chain(&query_parameters).map(|one| &*one.name).collect();
        words.extend(fields.map(|field| field.name.as_str()));
        words.sort_unstable();
        words.dedup();
        let words = format!("{method} {path} {summary} {}", words.join(" ")).to_lowercase();
        let about = Rich::paragraphs(text("description"));
        Operation {
            anchor,
            method,
            path,
            summary,
            about,
            path_parameters,
            query_parameters,
            body,
            answers,
            curl,
            words,
        }
    }

    /// The parameters in one place, those of the whole path too.
    fn parameters(&self, item: &Value, operation: &Value, place: &str) -> Vec<Field> {
        let lists = [item.get("parameters"), operation.get("parameters")];
        let all = lists.into_iter().flatten().filter_map(Value::as_array).flatten();
        let mut fields: Vec<Field> = Vec::new();
        for parameter in all.map(|parameter| self.document.resolve(parameter)) {
            let word = |key: &str| parameter.get(key).and_then(Value::as_str);
            let (Some(name), Some(found)) = (word("name"), word("in")) else { continue };
            if found != place {
                continue;
            }
            let mut schema = parameter.get("schema").map(|schema| self.document.resolve(schema)).unwrap_or_default();
            for key in ["description", "example"] {
                if let Some(own) = parameter.get(key) {
                    schema.insert(key.to_owned(), own.clone());
                }
            }
            let required = parameter.get("required") == Some(&Value::Bool(true));
            fields.retain(|field| field.name != name);
            fields.push(self.document.field("", name, 0, required, &schema));
        }
        self.orders_in_one(fields)
    }

    /// `order[title]=asc`: parameters of many names with the same values are one row, to choose from.
    fn orders_in_one(&self, fields: Vec<Field>) -> Vec<Field> {
        let (orders, mut rest): (Vec<Field>, Vec<Field>) =
            fields.into_iter().partition(|field| field.name.starts_with("order["));
        let Some(first) = orders.first() else { return rest };
        let pair = |one: &Field, value: &String| format!("{}={value}", one.name);
        let choices = orders.iter().flat_map(|one| one.choices.iter().map(move |value| pair(one, value))).collect();
        let inside = |one: &Field| one.name.trim_start_matches("order[").trim_end_matches(']').to_owned();
        let names: Vec<String> = orders.iter().map(|one| format!("`{}`", inside(one))).collect();
        let mut row = self.document.field("", "order[…]", 0, false, &Map::new());
        row.about.clone_from(&first.about);
        row.about.push(Rich::new(format!("Fields: {}.", names.join(", "))));
        row.kind.clone_from(&first.kind);
        row.choices = choices;
        rest.push(row);
        rest
    }

    fn body(&self, body: &Value) -> Option<Body> {
        let body = self.document.resolve(body);
        let media = body.get("content")?.get("application/json")?;
        let schema = media.get("schema").unwrap_or(&Value::Null);
        let example = self.given_example(media).unwrap_or_else(|| self.document.example(schema, Side::Request));
        Some(Body { fields: self.document.fields(schema, Side::Request), example: pretty(&example) })
    }

    /// The example beside a schema: one, or the first of several.
    fn given_example(&self, media: &Value) -> Option<Value> {
        let several = || self.document.resolve(media.get("examples")?.as_object()?.values().next()?).remove("value");
        media.get("example").cloned().or_else(several)
    }

    fn answers(&self, operation: &Value) -> Vec<Answer> {
        let responses = operation.get("responses").and_then(Value::as_object);
        let answer = |(status, response): (&String, &Value)| {
            let response = self.document.resolve(response);
            let media = response.get("content").and_then(|content| content.get("application/json"));
            let schema = media.and_then(|media| media.get("schema"));
            let made = || schema.map(|schema| self.document.example(schema, Side::Answer));
            let example = media.and_then(|media| self.given_example(media)).or_else(made);
            let number = status.parse().ok().and_then(|status| StatusCode::from_u16(status).ok());
            let is_success = status.starts_with('2');
            Answer {
                status: status.clone(),
                name: number.and_then(|status| status.canonical_reason()).unwrap_or_default(),
                about: Rich::new(response.get("description").and_then(Value::as_str).unwrap_or_default()),
                fields: schema
                    .filter(|_| is_success)
                    .map(|schema| self.document.fields(schema, Side::Answer))
                    .unwrap_or_default(),
                example: example.as_ref().map(pretty),
            }
        };
        let mut answers: Vec<Answer> = responses.into_iter().flatten().map(answer).collect();
        answers.sort_by(|one, other| one.status.cmp(&other.status));
        answers
    }

    /// A line for a shell in which `$KEY` holds the key, and `$ID` an id.
    fn curl(&self, method: &str, path: &str, query: &[Field], body: Option<&Body>, is_open: bool) -> String {
        let needed = query.iter().filter(|field| field.required);
        let arguments: Vec<String> = needed
            .map(|field| {
                let value = field
                    .example
                    .as_deref()
                    .map(|example| form_urlencoded::byte_serialize(example.as_bytes()).collect());
                format!("{}={}", field.name, value.unwrap_or_else(|| variable(&field.name)))
            })
            .collect();
        let query = if arguments.is_empty() { String::new() } else { format!("?{}", arguments.join("&")) };
        // Without `-g` curl reads brackets as a range of addresses.
        let globs = if query.contains('[') { " -g" } else { "" };
        let verb = if method == "GET" { String::new() } else { format!(" -X {method}") };
        let mut line = format!("curl{globs}{verb} \"{}{}{query}\"", self.address, in_shell(path));
        if !is_open {
            line.push_str(" \\\n  -H \"user-api-key: $KEY\"");
        }
        if let Some(body) = body {
            let quoted = body.example.replace('\'', r"'\''");
            line.push_str(&format!(" \\\n  -H 'Content-Type: application/json' \\\n  -d '{quoted}'"));
        }
        line
    }
}

/// `/room_types/{id}` as a shell writes it: `/room_types/$ID`.
fn in_shell(path: &str) -> String {
    let part = |part: &str| match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
        Some(name) => variable(name),
        None => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn variable(name: &str) -> String {
    format!("${}", slug(name).to_uppercase())
}

/// A name in addresses: `Room types` is `room_types`.
fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_").to_lowercase()
}

/// A name as a heading: `room_types` is `Room types`.
fn title(name: &str) -> String {
    let name = name.replace('_', " ");
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}

#[cfg(test)]
#[path = "reference_tests.rs"]
mod tests;
