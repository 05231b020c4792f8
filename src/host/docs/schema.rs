//! JSON Schema, read for people: references followed, fields as rows, an example. (What a value may be:
//! `describe_schema.rs`.)

use serde_json::{Map, Value, json};

use crate::host::docs::inline_code::Rich;

/// References followed in a row at most, and levels of a schema read: a document that leads in circles still ends.
pub const DEEPEST: usize = 8;

/// A field of a body or an answer, or a parameter.
#[derive(Clone, Debug)]
pub struct Field {
    /// The way to it, such as `room_type.content.`.
    pub way: String,
    pub name: String,
    /// Objects around it.
    pub depth: usize,
    /// What it may hold.
    pub kind: Rich,
    pub required: bool,
    /// What holds where it is left out, as JSON.
    pub default: Option<String>,
    pub about: Vec<Rich>,
    /// The values offered, where there are only a few.
    pub choices: Vec<String>,
    /// A value for a form to begin with.
    pub example: Option<String>,
}

/// Whether read-only fields are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Request,
    Answer,
}

/// The document, in which references lead from part to part.
#[derive(Clone, Copy)]
pub struct Document<'a>(pub &'a Value);

impl Document<'_> {
    /// A part with its reference followed. What stands beside the reference wins over what it leads to, and the parts
    /// of an `allOf` become one.
    pub fn resolve(&self, part: &Value) -> Map<String, Value> {
        self.resolve_within(part, DEEPEST)
    }

    fn resolve_within(&self, part: &Value, hops: usize) -> Map<String, Value> {
        let mut own = part.as_object().cloned().unwrap_or_default();
        let Some(hops) = hops.checked_sub(1) else { return own };
        let target = own.remove("$ref").and_then(|target| self.0.pointer(target.as_str()?.strip_prefix('#')?));
        let all = own.remove("allOf").and_then(|all| all.as_array().cloned()).unwrap_or_default();
        let mut whole = Map::new();
        for part in target.into_iter().chain(&all) {
            merge(&mut whole, self.resolve_within(part, hops));
        }
        merge(&mut whole, own);
        whole
    }

    /// The fields of a schema, each followed by those inside it.
    pub fn fields(&self, schema: &Value, side: Side) -> Vec<Field> {
        let mut rows = Vec::new();
        self.add_fields(&self.resolve(schema), side, "", 0, &mut rows);
        rows
    }

    fn add_fields(&self, schema: &Map<String, Value>, side: Side, way: &str, depth: usize, rows: &mut Vec<Field>) {
        if depth >= DEEPEST {
            return;
        }
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, inside) in properties {
            let inside = self.resolve(inside);
            if side == Side::Request && inside.get("readOnly") == Some(&Value::Bool(true))
                || side == Side::Answer && inside.get("writeOnly") == Some(&Value::Bool(true))
            {
                continue;
            }
            // An answer has all its fields, always.
            let needed = side == Side::Request && required.contains(&name.as_str());
            rows.push(self.field(way, name, depth, needed, &inside));
            let (inside, mark) = self.inner(inside);
            self.add_fields(&inside, side, &format!("{way}{name}{mark}."), depth + 1, rows);
        }
    }

    /// The object whose fields belong under a field: itself, an entry of its list, or its several forms in one.
    fn inner(&self, schema: Map<String, Value>) -> (Map<String, Value>, &'static str) {
        if schema.contains_key("properties") {
            return (schema, "");
        }
        if let Some(items) = schema.get("items") {
            return (self.inner(self.resolve(items)).0, "[]");
        }
        let forms = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)?.as_array());
        let forms = forms.into_iter().flatten().map(|form| self.resolve(form));
        let forms: Vec<_> = forms.filter(|form| form.contains_key("properties")).collect();
        (self.in_one(&forms), "")
    }

    /// Several forms of an object as one: the fields of all. Required is what all require; what only some do is told.
    fn in_one(&self, forms: &[Map<String, Value>]) -> Map<String, Value> {
        let requires = |form: &Map<String, Value>, name: &str| {
            form.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|one| one == name))
        };
        let mut properties = Map::new();
        for (name, schema) in forms.iter().filter_map(|form| form.get("properties")?.as_object()).flatten() {
            let mut schema = self.resolve(schema);
            // A form in which the field must be null only says that it has none.
            if schema.get("type") == Some(&"null".into()) || properties.contains_key(name) {
                continue;
            }
            let asking: Vec<_> = forms.iter().filter(|form| requires(form, name)).collect();
            if asking.len() < forms.len() {
                let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
                let titles = asking.iter().filter_map(|form| form.get("title")?.as_str());
                let about = titles.fold(about.to_owned(), |about, title| format!("{about} Required for {title}."));
                schema.insert("description".to_owned(), about.into());
            }
            properties.insert(name.clone(), schema.into());
        }
        let by_all = properties.keys().filter(|name| forms.iter().all(|form| requires(form, name)));
        let required: Vec<Value> = by_all.map(|name| name.as_str().into()).collect();
        let mut whole = Map::new();
        if !properties.is_empty() {
            whole.insert("required".to_owned(), required.into());
            whole.insert("properties".to_owned(), properties.into());
        }
        whole
    }

    /// One field, or one parameter; its schema is resolved.
    pub fn field(&self, way: &str, name: &str, depth: usize, required: bool, schema: &Map<String, Value>) -> Field {
        let kind = self.words_within(schema, DEEPEST);
        let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let choices = match (schema.get("enum"), schema.get("type").and_then(Value::as_str)) {
            (Some(Value::Array(values)), _) => values.iter().filter(|one| !one.is_null()).map(plain).collect(),
            (None, Some("boolean")) => vec!["true".to_owned(), "false".to_owned()],
            _ => Vec::new(),
        };
        let example = schema.get("example").or_else(|| schema.get("examples")?.get(0));
        let default = schema.get("default").map(Value::to_string);
        // A default that has a place of its own need not be told twice.
        let about = match (&default, about.rsplit_once("Default: ")) {
            (Some(_), Some((before, told))) if told.matches('`').count() == 2 && told.ends_with("`.") => before.trim(),
            _ => about,
        };
        Field {
            way: way.to_owned(),
            name: name.to_owned(),
            depth,
            kind: Rich::new(kind),
            required,
            default,
            about: Rich::paragraphs(about),
            choices,
            example: example.map(plain),
        }
    }

    /// An example of a value: the schema's own, or one made from its fields.
    pub fn example(&self, schema: &Value, side: Side) -> Value {
        self.example_within(&self.resolve(schema), side, DEEPEST)
    }

    fn example_within(&self, schema: &Map<String, Value>, side: Side, levels: usize) -> Value {
        let given = ["example", "default", "const"].iter().find_map(|key| schema.get(*key));
        let listed = || ["examples", "enum"].iter().find_map(|key| schema.get(*key)?.get(0));
        if let Some(value) = given.or_else(listed) {
            return value.clone();
        }
        let Some(levels) = levels.checked_sub(1) else { return Value::Null };
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            let unwanted = if side == Side::Request { "readOnly" } else { "writeOnly" };
            let inside = properties.iter().map(|(name, inside)| (name, self.resolve(inside)));
            let inside = inside.filter(|(_, inside)| inside.get(unwanted) != Some(&Value::Bool(true)));
            return inside.map(|(name, one)| (name.clone(), self.example_within(&one, side, levels))).collect();
        }
        if let Some(form) = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)?.get(0)) {
            return self.example_within(&self.resolve(form), side, levels);
        }
        let kind = schema.get("type").and_then(|kind| kind.as_str().or_else(|| kind.get(0)?.as_str()));
        match (kind, schema.get("format").and_then(Value::as_str)) {
            (Some("string"), Some("uuid")) => json!("0197a3b2-5c1e-7d60-9a41-6f2d8e3b7c10"),
            (Some("string"), Some("date")) => json!("2026-07-01"),
            (Some("string"), Some("email")) => json!("desk@hotel.example"),
            (Some("string"), Some("uri")) => json!("https://hotel.example/"),
            (Some("string"), _) => json!("text"),
            (Some("integer" | "number"), _) => schema.get("minimum").cloned().unwrap_or(json!(1)),
            (Some("boolean"), _) => json!(true),
            (Some("array"), _) => schema
                .get("items")
                .map_or(json!([]), |one| json!([self.example_within(&self.resolve(one), side, levels)])),
            (Some("object"), _) => json!({}),
            _ => Value::Null,
        }
    }
}

/// Adds the parts of one schema to another: fields and required names come together, anything else is replaced.
fn merge(whole: &mut Map<String, Value>, part: Map<String, Value>) {
    for (key, value) in part {
        match (key.as_str(), whole.get_mut(&key), value) {
            ("properties", Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            ("required", Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
            (_, _, value) => drop(whole.insert(key, value)),
        }
    }
}

/// A value as it is typed into a field: texts without quotes.
pub fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
