//! The API's document as its pages show it: plain rows and texts, made once.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use serde_json::Value;

use crate::{
    host::docs::{
        inline_code::Rich,
        rows::{Presence, Row, Side, Table, row},
    },
    resource::document::{
        self, BASE, Document, Parameter, Place, Response,
        schema::{Schema, find},
    },
};

/// All operations, by tag.
#[derive(Debug)]
pub struct Reference {
    pub tags: Vec<Tag>,
    /// What responses have in common that operations share: bodies by the names of their schemas.
    pub shared: Vec<(Cow<'static, str>, Table)>,
}

/// A part of the API.
#[derive(Debug)]
pub struct Tag {
    /// Its name in addresses.
    pub slug: String,
    pub title: &'static str,
    pub about: Vec<Rich>,
    pub operations: Vec<Operation>,
}

/// One method of one path.
#[derive(Debug)]
pub struct Operation {
    /// Its name on its page.
    pub anchor: String,
    pub method: &'static str,
    /// As in the address, from the root of the host.
    pub path: String,
    pub summary: String,
    pub about: Vec<Rich>,
    pub path_parameters: Vec<Row>,
    pub query_parameters: Vec<Row>,
    pub body: Option<Body>,
    pub answers: Vec<Answer>,
    pub curl: String,
    /// What a search finds it by, in lower case.
    pub words: String,
}

/// What a request carries.
#[derive(Debug)]
pub struct Body {
    pub table: Table,
    pub example: String,
}

/// One possible answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub about: Rich,
    pub headers: Vec<Row>,
    pub shape: Shape,
    pub example: Option<String>,
}

/// What the body of an answer looks like.
#[derive(Debug)]
pub enum Shape {
    Own(Table),
    /// As the shared one of this name.
    Shared(Cow<'static, str>),
}

/// Lines of an example that are shown without being asked for.
const SHORT: usize = 30;

impl Answer {
    /// `Not Found`
    pub fn name(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or_default()
    }

    pub fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// True for what everybody wants to see, where it leaves room for the rest.
    pub fn is_open(&self) -> bool {
        self.is_success() && self.example.as_ref().is_none_or(|example| example.lines().count() <= SHORT)
    }
}

impl Reference {
    /// Lays a document out.
    pub fn new(document: &Document) -> Self {
        let operation = |one: &document::Operation| Operation::new(document, one);
        let tag = |tag: &document::Tag| Tag {
            slug: slug(tag.name),
            title: tag.name,
            about: Rich::paragraphs(tag.about),
            operations: document.operations.iter().filter(|one| one.tag == tag.name).map(operation).collect(),
        };
        let mut shared: Vec<(Cow<'static, str>, Table)> = Vec::new();
        for name in document.responses.iter().filter_map(|response| find!(response.schema, Reference)) {
            if shared.iter().all(|(known, _)| known != name) {
                shared.push((name.clone(), Table::new(document, &Schema::named(name.clone()), Side::Answer)));
            }
        }
        Reference { tags: document.tags.iter().map(tag).collect(), shared }
    }

    pub fn tag(&self, slug: &str) -> Option<&Tag> {
        self.tags.iter().find(|tag| tag.slug == slug)
    }
}

impl Operation {
    fn new(document: &Document, operation: &document::Operation) -> Self {
        let path = format!("{BASE}{}", operation.path);
        let body = operation.body.as_ref().map(|body| Body {
            table: Table::new(document, &body.schema, Side::Request),
            example: pretty(&body.example),
        });
        let mut answers: Vec<_> = operation.responses.iter().map(|one| Answer::new(document, one)).collect();
        answers.sort_by_key(|answer| answer.status.as_u16());
        let query_parameters = in_query(document, &operation.parameters);
        let in_path = operation.parameters.iter().filter(|one| matches!(one.place, Place::Path { .. }));
        let path_parameters: Vec<Row> = in_path.map(|parameter| parameter_row(document, parameter)).collect();
        let mut names: Vec<&str> = path_parameters.iter().chain(&query_parameters).map(|one| &*one.name).collect();
        let own = answers.iter().filter_map(|answer| match &answer.shape {
            Shape::Own(table) => Some(table),
            Shape::Shared(_) => None,
        });
        let tables = body.iter().map(|body| &body.table).chain(own);
        names.extend(tables.flat_map(|table| &table.fields).filter(|row| !row.is_form).map(|row| row.name.as_str()));
        names.sort_unstable();
        names.dedup();
        let words = format!("{} {path} {} {}", operation.method, operation.summary, names.join(" ")).to_lowercase();
        Operation {
            anchor: operation.id.clone(),
            method: operation.method,
            curl: curl(document, operation, body.as_ref()),
            path,
            summary: operation.summary.clone(),
            about: operation.about.iter().flat_map(|about| Rich::paragraphs(about)).collect(),
            path_parameters,
            query_parameters,
            body,
            answers,
            words,
        }
    }

    /// True where every word that is looked for is found.
    pub fn is_found(&self, wanted: &str) -> bool {
        wanted.to_lowercase().split_whitespace().all(|word| self.words.contains(word))
    }
}

impl Answer {
    fn new(document: &Document, (status, response): &(u16, Response)) -> Self {
        let shape = match find!(response.schema, Reference) {
            Some(name) if response.shared.is_some() => Shape::Shared(name.clone()),
            _ => Shape::Own(Table::new(document, &response.schema, Side::Answer)),
        };
        let header = |header: &document::Header| Row {
            about: vec![Rich::new(header.about)],
            ..row(document, header.name, &header.schema, &[])
        };
        Answer {
            status: StatusCode::from_u16(*status).unwrap_or_default(),
            about: Rich::new(&*response.about),
            headers: response.headers.iter().map(header).collect(),
            shape,
            example: response.examples.first().map(pretty),
        }
    }
}

fn parameter_row(document: &Document, parameter: &Parameter) -> Row {
    let mut row = row(document, &parameter.name, &parameter.schema, &[]);
    row.about.extend(Rich::paragraphs(&parameter.about));
    if matches!(parameter.place, Place::Path { .. }) {
        row.presence = Presence::Required;
    }
    row
}

/// `order[title]=asc`: the orders are one row, to choose from.
fn in_query(document: &Document, parameters: &[Parameter]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut orders: Option<Row> = None;
    let mut fields = Vec::new();
    for parameter in parameters {
        let own = parameter_row(document, parameter);
        match parameter.place {
            Place::Path { .. } => {}
            Place::Query => rows.push(own),
            Place::Order(field) => {
                fields.push(format!("`{field}`"));
                let choices = own.choices.iter().map(|way| format!("{}={way}", own.name)).collect::<Vec<_>>();
                let name = "order[…]".to_owned();
                let all = orders.get_or_insert_with(|| Row { name, choices: Vec::new(), ..own });
                all.choices.extend(choices);
            }
        }
    }
    rows.extend(orders.map(|mut orders| {
        orders.about.push(Rich::new(format!("Fields: {}.", fields.join(", "))));
        orders
    }));
    rows
}

/// A line for a shell in which `$KEY` holds the key, and `$ID` an id.
fn curl(document: &Document, operation: &document::Operation, body: Option<&Body>) -> String {
    let verb = if operation.method == "GET" { String::new() } else { format!(" -X {}", operation.method) };
    let mut line = format!("curl{verb} \"{}{BASE}{}\"", document.address, in_shell(&operation.path));
    if !operation.is_open {
        line.push_str(&format!(" \\\n  -H \"{}: $KEY\"", document.key.0));
    }
    if let Some(body) = body {
        let quoted = body.example.replace('\'', r"'\''");
        line.push_str(&format!(" \\\n  -H 'Content-Type: application/json' \\\n  -d '{quoted}'"));
    }
    line
}

/// `/room_types/{id}` as a shell writes it: `/room_types/$ID`.
fn in_shell(path: &str) -> String {
    let part = |part: &str| match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
        Some(name) => format!("${}", name.to_uppercase()),
        None => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// A name in addresses: `Room types` is `room_types`.
fn slug(name: &str) -> String {
    name.replace(' ', "_").to_lowercase()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}

#[cfg(test)]
#[path = "reference_tests.rs"]
mod tests;
