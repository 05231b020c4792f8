//! Everything that the document's schemas say is on the page of the operation that has them.

use std::borrow::Cow;

use askama::{
    Template,
    filters::{Html, escape},
};

use crate::{
    host::docs::{
        inline_code::Rich,
        reference::{self, Reference, Shape},
        rows::Table,
        words::{grouped, meaning},
    },
    resource::document::{
        Document, Operation, Place,
        schema::{Keyword, Schema, Type, find},
    },
};

/// The part of a page about one operation, and what it shares with others.
#[derive(Template)]
#[template(
    source = r#"{% import "docs/parts.html" as parts %}{% include "docs/operation.html" %}{% include "docs/shared.html" %}"#,
    ext = "html"
)]
struct Section<'a> {
    operation: &'a reference::Operation,
    shared: &'a [(Cow<'static, str>, Table)],
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text, Html).unwrap())
}

/// What a row has to show of a schema: of itself and of all in it that has no row.
fn expected(document: &Document, schema: &Schema, inside: &[&str], all: &mut Vec<String>) {
    let is_text = find!(schema, Enum).is_none() && find!(schema, Format).is_none() && find!(schema, Means).is_none();
    for keyword in &schema.keywords {
        match keyword {
            Keyword::Reference(name) if inside.contains(&&**name) => all.push("again".to_owned()),
            Keyword::Reference(name) => {
                let target = document.schema(name).unwrap_or_else(|| panic!("no schema {name}"));
                expected(document, target, &[inside, &[name]].concat(), all);
            }
            Keyword::Type { of, or_null } => {
                all.extend(or_null.then(|| "or null".to_owned()));
                all.push(match of {
                    Type::String if is_text => "string".to_owned(),
                    Type::String => String::new(),
                    Type::Integer => "integer".to_owned(),
                    Type::Number => "number".to_owned(),
                    Type::Boolean => "<code>true</code> or <code>false</code>".to_owned(),
                    Type::Array => "list".to_owned(),
                    Type::Object => "object".to_owned(),
                    Type::Null => "null".to_owned(),
                });
            }
            Keyword::Format(of) | Keyword::Means(of) => all.push(Rich::new(meaning(of)).to_string()),
            Keyword::Pattern(pattern) => all.push(code(pattern)),
            Keyword::MinLength(bound) | Keyword::MinItems(bound) | Keyword::MinProperties(bound) => {
                all.push(grouped(bound));
            }
            Keyword::MaxLength(bound) => all.push(format!("{} characters", grouped(bound))),
            Keyword::MaxItems(bound) => all.push(format!("{} entries", grouped(bound))),
            Keyword::Minimum(bound) | Keyword::Maximum(bound) => all.push(grouped(bound)),
            Keyword::Enum(words) => all.extend(words.iter().map(|word| code(word))),
            Keyword::Const(value) => all.push(code(value.as_str().unwrap_or(&value.to_string()))),
            Keyword::Items(part) | Keyword::Values(part) => expected(document, part, inside, all),
            Keyword::PrefixItems(parts) | Keyword::AnyOf(parts) => {
                for part in parts {
                    match find!(part, Title) {
                        // It has a row of its own.
                        Some(title) => all.push((*title).to_owned()),
                        None => expected(document, part, inside, all),
                    }
                }
            }
            Keyword::Required(names) => {
                let is_unnamed = |name: &&&str| !schema.properties().iter().any(|(known, _)| known == *name);
                all.extend(names.iter().filter(is_unnamed).map(|name| code(name)));
            }
            Keyword::OtherFields(false) if schema.properties().is_empty() => all.push("empty object".to_owned()),
            Keyword::OtherFields(false) => all.push("without other fields".to_owned()),
            Keyword::OtherFields(true) => all.push("other fields are kept".to_owned()),
            // Each has a row of its own.
            Keyword::Properties(_) => {}
            Keyword::Title(title) => all.push((*title).to_owned()),
            Keyword::Description(text) => all.extend(Rich::paragraphs(text).iter().map(Rich::to_string)),
            Keyword::SaidDefault(value) => all.push(code(value.as_str().unwrap_or(&value.to_string()))),
            Keyword::Default(value) => all.push(format!("Default: {}", code(&value.to_string()))),
        }
    }
}

/// Looks for what is missing in a table.
struct Check<'a> {
    document: &'a Document,
    is_request: bool,
    table: &'a str,
    missing: Vec<String>,
}

impl Check<'_> {
    /// Some row that begins like this shows the schema.
    fn row(&mut self, begin: &str, what: &str, schema: &Schema, inside: &[&str], marks: &[&str]) {
        let mut all: Vec<String> = marks.iter().map(|mark| (*mark).to_owned()).collect();
        expected(self.document, schema, inside, &mut all);
        let rows = self.table.split("<tr ").filter(|row| row.contains(begin));
        let lacks = |row: &str| all.iter().filter(|text| !row.contains(text.as_str())).cloned().collect::<Vec<_>>();
        match rows.map(lacks).min_by_key(Vec::len) {
            Some(lacking) if lacking.is_empty() => {}
            lacking => self.missing.push(format!("{what}: {lacking:?}")),
        }
    }

    fn fields(&mut self, schema: &Schema, way: &str, inside: &[&str]) {
        let before = if way.is_empty() { String::new() } else { format!("{way}.") };
        for (name, property) in schema.properties() {
            let begin = match before.as_str() {
                "" => format!("<code>{name}</code>"),
                _ => format!("<code><span class=\"unseen\">{before}</span>{name}</code>"),
            };
            let marks: &[&str] = match (self.is_request, schema.requires(name)) {
                (true, true) => &[">required<"],
                (false, false) => &[">may be missing<"],
                _ => &[],
            };
            let next = format!("{before}{name}");
            self.row(&begin, &next, property, inside, marks);
            self.fields(property, &next, inside);
        }
        for keyword in &schema.keywords {
            match keyword {
                Keyword::Reference(name) if !inside.contains(&&**name) => {
                    let target = self.document.schema(name).unwrap_or_else(|| panic!("no schema {name}"));
                    self.fields(target, way, &[inside, &[name]].concat());
                }
                Keyword::Items(part) => self.fields(part, &format!("{way}[]"), inside),
                Keyword::Values(part) => self.fields(part, way, inside),
                Keyword::PrefixItems(parts) => {
                    parts.iter().for_each(|part| self.fields(part, &format!("{way}[]"), inside));
                }
                Keyword::AnyOf(parts) => {
                    for part in parts {
                        if let Some(title) = find!(part, Title) {
                            self.row(&format!(">{title}<"), title, part, inside, &[]);
                        }
                        self.fields(part, way, inside);
                    }
                }
                _ => {}
            }
        }
    }
}

/// What a page does not show of an operation.
fn missing(document: &Document, operation: &Operation, page: &str) -> Vec<String> {
    let mut missing = Vec::new();
    let (own, shared) = page.split_once("<section id=\"schema_").expect("what operations share");
    let mut check = |is_request, part: &str, schema: &Schema| {
        let mut check = Check { document, is_request, table: part, missing: Vec::new() };
        check.row("", "the whole", schema, &[], &[]);
        check.fields(schema, "", &[]);
        missing.extend(check.missing);
    };
    for parameter in &operation.parameters {
        let name = if let Place::Order(_) = parameter.place { "order[…]" } else { &parameter.name };
        let row = own.split("<tr ").find(|row| row.contains(&format!("<code>{name}</code>"))).unwrap_or_default();
        check(true, row, &parameter.schema.clone().about(parameter.about.clone()));
    }
    let (request, answers) = own.split_once("<h3>Responses</h3>").expect("responses");
    if let Some(body) = &operation.body {
        let (_, body_part) = request.split_once("<h3>Body</h3>").expect("a body");
        check(true, body_part, &body.schema);
    }
    for (status, response) in &operation.responses {
        let begin = format!("\">{status} ");
        let (_, answer) = answers.split_once(&begin).expect("the status");
        let answer = answer.split("<summary><span class=\"code").next().unwrap_or_default();
        let is_shared = answer.contains("href=\"#schema_");
        check(false, if is_shared { shared } else { answer }, &response.schema);
        for header in &response.headers {
            let line = answer.split("<li>").find(|line| line.contains(&code(header.name))).unwrap_or_default();
            check(false, line, &header.schema.clone().about(header.about));
        }
    }
    missing
}

#[test]
fn everything_that_a_schema_says_is_on_the_page_of_its_operation() {
    let document = super::document("Latchkey", None, "http://localhost");
    let reference = Reference::new(&document);
    let mut answers = 0;
    for tag in &reference.tags {
        for shown in &tag.operations {
            let operation = document.operations.iter().find(|one| one.id == shown.anchor).unwrap();
            let page = Section { operation: shown, shared: &reference.shared }.render().unwrap();
            assert_eq!(missing(&document, operation, &page), [""; 0], "{}", operation.id);
            answers += operation.responses.len();
        }
    }
    assert!(answers > 250, "only {answers} responses");
}

#[test]
fn what_is_not_on_a_page_is_noticed() {
    let document = super::document("Latchkey", None, "http://localhost");
    let reference = Reference::new(&document);
    let shown = reference.tags.iter().flat_map(|tag| &tag.operations).find(|one| one.anchor == "create_rate_plan");
    let operation = document.operations.iter().find(|one| one.id == "create_rate_plan").unwrap();
    let page = Section { operation: shown.unwrap(), shared: &reference.shared }.render().unwrap();
    for part in [
        "2,147,483,647",
        "2,000 entries",
        "or null",
        ">required<",
        "may be missing",
        "Pattern: <code>",
        "currency code",
        "minor units",
        "Default: <code>",
        "<code>cascade</code>",
        "without other fields",
        "other fields are kept",
        "of 1 to 255 characters",
        "URL of the new resource.",
        "<code>increase_by_percent</code>",
        "Machine-readable.",
    ] {
        assert!(page.contains(part), "{part}");
        assert!(!missing(&document, operation, &page.replace(part, "")).is_empty(), "{part}");
    }
}
