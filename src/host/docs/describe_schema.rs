//! What a value may be, in words.

use serde_json::{Map, Value};

use crate::host::docs::schema::{Document, plain};

impl Document<'_> {
    /// What a value of this schema may be, with code between backticks; `levels` ends what leads in circles.
    pub fn words_within(&self, schema: &Map<String, Value>, levels: usize) -> String {
        let Some(levels) = levels.checked_sub(1) else { return "JSON".to_owned() };
        if let Some(value) = schema.get("const") {
            return code(value);
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return one_of(values.iter().map(code).collect());
        }
        if let Some(forms) = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)?.as_array()) {
            let forms: Vec<_> = forms.iter().map(|form| self.resolve(form)).collect();
            let words = |form: &Map<String, Value>| self.words_within(form, levels);
            let is_money = |form: &Map<String, Value>| form.get("format") == Some(&"money".into());
            return match forms.iter().any(is_money) {
                true => one_of(forms.iter().map(|form| amount(form).unwrap_or_else(|| words(form))).collect()),
                false => one_of(forms.iter().map(words).collect()),
            };
        }
        let types: Vec<&str> = match schema.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ if schema.contains_key("properties") => vec!["object"],
            _ => return "any JSON".to_owned(),
        };
        let kind = |name: &str| match name {
            "string" => text(schema),
            "integer" => number("integer", schema),
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
            Some("string") => "list of strings".to_owned(),
            Some("facility ID") => "list of facility IDs".to_owned(),
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
        Some("iso-4217") => "currency code (ISO 4217)",
        Some("iso-3166-1") => "country code (ISO 3166-1, two letters)",
        Some("iana-time-zone") => "time zone name (IANA)",
        Some("latitude" | "longitude") => "decimal string",
        Some("facility-id") => "facility ID",
        Some("phone") => "phone number, at most 32 characters",
        _ => "string",
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
    // As the pattern of a coordinate says it.
    let places =
        pattern.split_once(r"\.[0-9]{1,").and_then(|(_, after)| after.split_once('}')).map(|(places, _)| places);
    let places = match (format, places) {
        (Some("latitude" | "longitude"), Some(places)) => format!(" with at most {places} decimals"),
        _ => String::new(),
    };
    let pattern = if tells { format!(", matching `{pattern}`") } else { String::new() };
    format!("{what}{length}{places}{pattern}")
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

/// Each once: `a`, `b` or `c`, or null.
fn one_of(words: Vec<String>) -> String {
    let mut each: Vec<String> = Vec::new();
    let mut or_null = "";
    for word in words {
        match word.as_str() {
            "null" => or_null = ", or null",
            _ if each.contains(&word) => {}
            _ => each.push(word),
        }
    }
    match each.split_last() {
        Some((last, [])) => format!("{last}{or_null}"),
        Some((last, others)) => format!("{} or {last}{or_null}", others.join(", ")),
        None if or_null.is_empty() => "any JSON".to_owned(),
        None => "null".to_owned(),
    }
}

/// The two notations of an amount of money.
fn amount(form: &Map<String, Value>) -> Option<String> {
    let least = form.get("minimum").and_then(Value::as_i64);
    match form.get("type").and_then(Value::as_str) {
        Some("string") => Some("decimal string in major units, such as `\"100.00\"`,".to_owned()),
        Some("integer") if least == Some(0) => Some("integer in minor units, such as `10000`; not negative".to_owned()),
        Some("integer") => Some("integer in minor units, such as `10000`; above 0".to_owned()),
        _ => None,
    }
}

fn code(value: &Value) -> String {
    if value.is_null() { "null".to_owned() } else { format!("`{}`", plain(value)) }
}
