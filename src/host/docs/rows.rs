//! Schemas as rows of a table: the value itself, and every field inside it.

use crate::{
    host::docs::{inline_code::Rich, words::words},
    resource::document::{
        Document,
        schema::{Keyword, Schema, Type, find, said},
    },
};

/// A value with all that is said of it: a field of a body or an answer, or a parameter.
#[derive(Clone, Debug)]
pub struct Row {
    /// The way to it, such as `room_type.content.`.
    pub way: String,
    pub name: String,
    /// True for one of several forms of the value above it; its name is then in words.
    pub is_form: bool,
    /// Objects around it.
    pub depth: usize,
    /// What it may hold.
    pub kind: Rich,
    /// Regular expressions that its texts match.
    pub patterns: Vec<String>,
    /// Where it must be, or, in an answer, where it may be missing.
    pub presence: Presence,
    /// What holds where it is left out, as JSON.
    pub default: Option<String>,
    pub about: Vec<Rich>,
    /// The values offered, where there are only a few.
    pub choices: Vec<String>,
}

/// Whether a value is there, where that is not what one expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// A request must have it.
    Required,
    /// An answer may be without it.
    Optional,
    /// A request may have it; an answer has it.
    Usual,
}

impl Row {
    /// True for what a request must have.
    pub fn is_required(&self) -> bool {
        self.presence == Presence::Required
    }

    /// True for what an answer may be without.
    pub fn may_be_missing(&self) -> bool {
        self.presence == Presence::Optional
    }
}

/// Who sends what is described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Request,
    Answer,
}

/// A schema and all fields in it.
#[derive(Clone, Debug)]
pub struct Table {
    /// The value itself.
    pub whole: Row,
    pub fields: Vec<Row>,
}

impl Table {
    /// Lays a schema out.
    pub fn new(document: &Document, schema: &Schema, side: Side) -> Self {
        let mut layout = Layout { document, side, rows: Vec::new() };
        layout.fields(schema, "", 0, &[]);
        Table { whole: row(document, "", schema, &[]), fields: layout.rows }
    }
}

/// The row of one value.
pub fn row<'a>(document: &'a Document, name: &str, schema: &'a Schema, inside: &[&'a str]) -> Row {
    let mut row = Row {
        way: String::new(),
        name: name.to_owned(),
        is_form: false,
        depth: 0,
        kind: Rich::new(words(document, schema, inside)),
        patterns: Vec::new(),
        presence: Presence::Usual,
        default: None,
        about: Vec::new(),
        choices: Vec::new(),
    };
    tell(document, schema, inside, &mut row);
    if let Some(words) = find!(schema, Enum) {
        row.choices = words.iter().map(|word| (*word).to_owned()).collect();
    } else if schema.keywords.iter().any(|keyword| matches!(keyword, Keyword::Type { of: Type::Boolean, .. })) {
        row.choices = ["true", "false"].map(str::to_owned).into();
    }
    row
}

/// Adds what has a place of its own in the row: of the schema, and of all in it that has no row.
fn tell<'a>(document: &'a Document, schema: &'a Schema, inside: &[&'a str], row: &mut Row) {
    for keyword in &schema.keywords {
        match keyword {
            Keyword::Pattern(pattern) if !row.patterns.iter().any(|known| known == pattern) => {
                row.patterns.push(pattern.to_string());
            }
            Keyword::Description(text) => row.about.extend(Rich::paragraphs(text)),
            Keyword::Default(value) => row.default = Some(value.to_string()),
            // One that has a place of its own need not be told twice.
            Keyword::SaidDefault(value) if find!(schema, Default).is_none() => row.about.push(Rich::new(said(value))),
            _ => {}
        }
    }
    for (part, inside) in parts(document, schema, inside) {
        // Forms with fields have rows.
        if find!(part, Title).is_none() {
            tell(document, part, &inside, row);
        }
    }
}

/// What a schema is made of, without the fields of an object: entries, values, forms, what it refers to. Each with the
/// names of the schemas around it; one that leads to itself ends there.
fn parts<'a>(document: &'a Document, schema: &'a Schema, inside: &[&'a str]) -> Vec<(&'a Schema, Vec<&'a str>)> {
    let mut parts: Vec<(&'a Schema, Vec<&'a str>)> = Vec::new();
    for keyword in &schema.keywords {
        match keyword {
            Keyword::Reference(name) if !inside.contains(&&**name) => {
                let target = document.schema(name);
                parts.extend(target.map(|target| (target, [inside, &[&**name]].concat())));
            }
            Keyword::Items(part) | Keyword::Values(part) => parts.push((part, inside.to_vec())),
            Keyword::PrefixItems(all) | Keyword::AnyOf(all) => {
                parts.extend(all.iter().map(|part| (part, inside.to_vec())));
            }
            _ => {}
        }
    }
    parts
}

/// The rows of one schema, as they are made.
struct Layout<'a> {
    document: &'a Document,
    side: Side,
    rows: Vec<Row>,
}

impl<'a> Layout<'a> {
    /// Adds the fields in a schema, each followed by those inside it; `way` leads to it.
    fn fields(&mut self, schema: &'a Schema, way: &str, depth: usize, inside: &[&'a str]) {
        for (name, property) in schema.properties() {
            let before = if way.is_empty() { String::new() } else { format!("{way}.") };
            let presence = match (self.side, schema.requires(name)) {
                (Side::Request, true) => Presence::Required,
                (Side::Answer, false) => Presence::Optional,
                _ => Presence::Usual,
            };
            let next = format!("{before}{name}");
            self.rows.push(Row { way: before, depth, presence, ..row(self.document, name, property, inside) });
            self.fields(property, &next, depth + 1, inside);
        }
        let is_list = find!(schema, Items).is_some() || find!(schema, PrefixItems).is_some();
        let way = if is_list { &format!("{way}[]") } else { way };
        for (part, inside) in parts(self.document, schema, inside) {
            let mut depth = depth;
            if let Some(title) = find!(part, Title) {
                self.rows.push(Row { is_form: true, depth, ..row(self.document, title, part, &inside) });
                depth += 1;
            }
            self.fields(part, way, depth, &inside);
        }
    }
}
