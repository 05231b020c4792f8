//! JSON Schema, read for people: what a value may be in words, its fields as rows, an example of it.

use serde_json::{Map, Value, json};

use super::rich::Rich;

/// References followed in a row at most, and levels of a schema read: a document that leads in circles still ends.
const DEEPEST: usize = 8;

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

    /// What a value may be, in words; code between backticks.
    fn words_within(&self, schema: &Map<String, Value>, levels: usize) -> String {
        let Some(levels) = levels.checked_sub(1) else { return "JSON".to_owned() };
        if let Some(value) = schema.get("const") {
            return code(value);
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return one_of(values.iter().map(code).collect());
        }
        if let Some(variants) = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)?.as_array()) {
            return one_of(variants.iter().map(|one| self.words_within(&self.resolve(one), levels)).collect());
        }
        let types: Vec<&str> = match schema.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ if schema.contains_key("properties") => vec!["object"],
            _ => return "any JSON".to_owned(),
        };
        let kind = |name: &str| match name {
            "string" => text(schema),
            "integer" => number("whole number", schema),
            "number" => number("number", schema),
            "boolean" => "`true` or `false`".to_owned(),
            "array" => self.list(schema, levels),
            "object" => self.object(schema, levels),
            other => other.to_owned(),
        };
        one_of(types.into_iter().map(kind).collect())
    }

    fn list(&self, schema: &Map<String, Value>, levels: usize) -> String {
        let entry = schema.get("items").map(|items| self.words_within(&self.resolve(items), levels));
        let what = match entry.as_deref() {
            None | Some("any JSON") => "list".to_owned(),
            Some("object") => "list of objects".to_owned(),
            Some("UUID") => "list of UUIDs".to_owned(),
            Some("text") => "list of texts".to_owned(),
            Some("facility id") => "list of facility ids".to_owned(),
            Some(other) => format!("list, each entry {other}"),
        };
        match (schema.get("minItems").and_then(Value::as_u64), schema.get("maxItems").and_then(Value::as_u64)) {
            (Some(min), Some(max)) if min == max => format!("{what}, {min} entries"),
            (_, Some(max)) => format!("{what}, at most {max} entries"),
            (Some(min), None) if min > 0 => format!("{what}, at least {min}"),
            _ => what,
        }
    }

    fn object(&self, schema: &Map<String, Value>, levels: usize) -> String {
        match schema.get("additionalProperties") {
            Some(values @ Value::Object(_)) if !schema.contains_key("properties") => {
                format!("object, each value {}", self.words_within(&self.resolve(values), levels))
            }
            _ => "object".to_owned(),
        }
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

fn text(schema: &Map<String, Value>) -> String {
    let pattern = schema.get("pattern").and_then(Value::as_str).unwrap_or_default();
    let format = schema.get("format").and_then(Value::as_str);
    let what = match format {
        Some("uuid") => "UUID",
        Some("date") => "date, `YYYY-MM-DD`",
        Some("date-time") => "timestamp",
        Some("email") => "email address",
        Some("uri" | "url") => "URL",
        Some("money") => "decimal text in major units, such as `\"100.00\"`",
        Some("iso-4217") => "currency code (ISO 4217)",
        Some("iso-3166-1") => "country code (ISO 3166-1, two letters)",
        Some("iana-time-zone") => "time zone name (IANA)",
        Some("latitude" | "longitude") => "decimal text",
        Some("facility-id") => "facility id",
        Some("phone") => "text of at most 32 digits, spaces and other signs",
        _ => "text",
    };
    let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
    let length = match (bound("minLength"), bound("maxLength")) {
        (Some(min), Some(max)) if min == max => format!(" of {max} characters"),
        (Some(min), Some(max)) if min > 0 => format!(" of {min} to {max} characters"),
        (_, Some(max)) => format!(" of at most {max} characters"),
        (Some(min), None) if min > 1 => format!(" of at least {min} characters"),
        _ => String::new(),
    };
    // Long patterns, and those that only keep control characters out, tell people nothing.
    let tells = format.is_none() && !pattern.is_empty() && pattern.len() <= 40 && !pattern.contains(['`', 'u']);
    let pattern = if tells { format!(", matching `{pattern}`") } else { String::new() };
    format!("{what}{length}{pattern}")
}

fn number(what: &str, schema: &Map<String, Value>) -> String {
    let bound = |key: &str| schema.get(key).filter(|bound| bound.is_number()).map(|bound| grouped(&bound.to_string()));
    let least = bound("minimum");
    let most = bound("maximum");
    match (least, bound("exclusiveMinimum"), most, bound("exclusiveMaximum")) {
        (Some(least), _, Some(most), _) => format!("{what} from {least} to {most}"),
        (Some(least), ..) => format!("{what}, {least} or more"),
        (_, Some(above), Some(most), _) => format!("{what} above {above}, at most {most}"),
        (_, Some(above), ..) => format!("{what} above {above}"),
        (_, _, Some(most), _) => format!("{what}, at most {most}"),
        (.., Some(below)) => format!("{what} below {below}"),
        _ => what.to_owned(),
    }
}

/// A number with commas between its thousands, where it is long: `2,147,483,647`.
fn grouped(number: &str) -> String {
    if number.len() < 5 || !number.bytes().all(|digit| digit.is_ascii_digit()) {
        return number.to_owned();
    }
    let first = number.len() % 3;
    let (head, tail) = number.split_at(first);
    let thousands = tail.as_bytes().chunks(3).map(String::from_utf8_lossy);
    let parts: Vec<_> = [head.into()].into_iter().chain(thousands).filter(|part| !part.is_empty()).collect();
    parts.join(",")
}

/// Each once: `a`, `b` or `c`.
fn one_of(words: Vec<String>) -> String {
    let mut each: Vec<String> = Vec::new();
    for word in words {
        if !each.contains(&word) {
            each.push(word);
        }
    }
    match each.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "any JSON".to_owned(),
    }
}

fn code(value: &Value) -> String {
    if value.is_null() { "null".to_owned() } else { format!("`{}`", plain(value)) }
}

/// A value as it is typed into a field: texts without quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
