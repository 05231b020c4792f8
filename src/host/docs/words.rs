//! What a value may be, in words.

use std::borrow::Cow;

use serde_json::Value;

use crate::resource::{
    document::{
        Document,
        schema::{Keyword, Meaning, Schema, Type, find},
    },
    values::MOST_PLACES,
};

/// What a value of this schema may be, with code between backticks. What it names of objects, and patterns, are told
/// elsewhere (`rows.rs`). `inside` are the names of the schemas around it: one that leads to itself is told once.
pub fn words(document: &Document, schema: &Schema, inside: &[&str]) -> String {
    let all = |schemas: &[Schema]| -> Vec<String> {
        let word = |schema: &Schema| match find!(schema, Title) {
            Some(title) => (*title).to_owned(),
            None => nested(words(document, schema, inside)),
        };
        schemas.iter().map(word).collect()
    };
    if let Some(name) = find!(schema, Reference) {
        return match document.schema(name) {
            _ if inside.contains(&&**name) => "such an object again".to_owned(),
            Some(target) => words(document, target, &[inside, &[name]].concat()),
            None => "any JSON".to_owned(),
        };
    }
    if let Some(value) = find!(schema, Const) {
        return code(value);
    }
    if let Some(forms) = find!(schema, AnyOf) {
        return match forms.as_slice() {
            [form, null] if *null == Schema::new(Type::Null) => {
                one_of(vec![words(document, form, inside), words(document, null, inside)])
            }
            forms => one_of(all(forms)),
        };
    }
    let Some((of, or_null)) = type_of(schema) else { return "any JSON".to_owned() };
    let what = match of {
        Type::String => text(schema),
        Type::Integer => number("integer", schema),
        Type::Number => number("number", schema),
        Type::Boolean => "`true` or `false`".to_owned(),
        Type::Array => {
            let entry = find!(schema, Items).map(|entry| words(document, entry, inside));
            list(schema, entry, find!(schema, PrefixItems).map(|entries| all(entries)))
        }
        Type::Object => object(schema, find!(schema, Values).map(|value| words(document, value, inside))),
        Type::Null => "null".to_owned(),
    };
    if or_null { format!("{what}, or null") } else { what }
}

fn type_of(schema: &Schema) -> Option<(Type, bool)> {
    schema.keywords.iter().find_map(|keyword| match keyword {
        Keyword::Type { of, or_null } => Some((*of, *or_null)),
        _ => None,
    })
}

fn text(schema: &Schema) -> String {
    if let Some(words) = find!(schema, Enum) {
        return one_of(words.iter().map(|word| format!("`{word}`")).collect());
    }
    let what = find!(schema, Format).or(find!(schema, Means)).map_or("string".into(), meaning);
    match (find!(schema, MinLength), find!(schema, MaxLength)) {
        (Some(min), Some(max)) if min == max => format!("{what} of {} characters", grouped(max)),
        (Some(min), Some(max)) => format!("{what} of {} to {} characters", grouped(min), grouped(max)),
        (None, Some(max)) => format!("{what} of at most {} characters", grouped(max)),
        (Some(min), None) => format!("{what} of at least {} characters", grouped(min)),
        (None, None) => what.into_owned(),
    }
}

/// What a text or a number means.
pub fn meaning(meaning: &Meaning) -> Cow<'static, str> {
    match meaning {
        Meaning::Id(of) => format!("{of} ID (UUID)").into(),
        Meaning::Facility => "facility ID".into(),
        Meaning::Date => "date, `YYYY-MM-DD`".into(),
        Meaning::TimeOfDay => "time of day, `HH:MM`".into(),
        Meaning::Email => "email address".into(),
        Meaning::Phone => "phone number, at most 32 characters".into(),
        Meaning::Url => "URL".into(),
        Meaning::Currency => "currency code (ISO 4217)".into(),
        Meaning::Country => "country code (ISO 3166-1, two letters)".into(),
        Meaning::TimeZone => "time zone name (IANA)".into(),
        Meaning::Latitude => format!("latitude as a decimal string with at most {MOST_PLACES} decimals").into(),
        Meaning::Longitude => format!("longitude as a decimal string with at most {MOST_PLACES} decimals").into(),
        Meaning::Money => "decimal string in major units, such as `\"100.00\"`".into(),
        Meaning::MinorUnits => "integer in minor units, such as `10000`,".into(),
    }
}

fn number(what: &str, schema: &Schema) -> String {
    let what = match find!(schema, Means) {
        Some(Meaning::MinorUnits) => meaning(&Meaning::MinorUnits),
        _ => what.into(),
    };
    match (find!(schema, Minimum), find!(schema, Maximum)) {
        (Some(least), Some(most)) => format!("{what} from {} to {}", grouped(least), grouped(most)),
        (Some(least), None) => format!("{what}, {} or more", grouped(least)),
        (None, Some(most)) => format!("{what}, at most {}", grouped(most)),
        (None, None) => what.into_owned(),
    }
}

fn list(schema: &Schema, entry: Option<String>, entries: Option<Vec<String>>) -> String {
    let what = match (entry, entries) {
        (_, Some(entries)) => format!("list of {}", entries.join(", then ")),
        (Some(entry), None) => format!("list, each entry {}", nested(entry)),
        (None, None) => "list".to_owned(),
    };
    match (find!(schema, MinItems), find!(schema, MaxItems)) {
        (_, Some(0)) => "empty list (at most 0 entries)".to_owned(),
        (Some(min), Some(max)) if min == max => format!("{what}; {} entries", grouped(max)),
        (Some(min), Some(max)) => format!("{what}; {} to {} entries", grouped(min), grouped(max)),
        (None, Some(max)) => format!("{what}; at most {} entries", grouped(max)),
        (Some(min), None) => format!("{what}; at least {}", grouped(min)),
        (None, None) => what,
    }
}

fn object(schema: &Schema, value: Option<String>) -> String {
    let is_named = |name: &&&str| schema.properties().iter().any(|(known, _)| known == *name);
    let names = find!(schema, Required).into_iter().flatten();
    let unnamed: Vec<String> = names.filter(|name| !is_named(name)).map(|name| format!("`{name}`")).collect();
    let mut what = match (find!(schema, OtherFields), value) {
        (_, Some(value)) => format!("object, each value {}", nested(value)),
        (Some(false), None) if schema.properties().is_empty() => "empty object".to_owned(),
        (Some(false), None) => "object without other fields".to_owned(),
        (Some(true), None) => "object, other fields are kept".to_owned(),
        (None, None) => "object".to_owned(),
    };
    if !unnamed.is_empty() {
        what = format!("{what} with {}", unnamed.join(" and "));
    }
    match find!(schema, MinProperties) {
        Some(least) => format!("{what}; at least {least} of them"),
        None => what,
    }
}

/// A part of other words; in brackets where it is long, so that it is seen where it ends.
fn nested(words: String) -> String {
    if words.contains(", ") || words.contains("; ") { format!("({words})") } else { words }
}

/// A number with commas between its thousands, where it is long: `2,147,483,647`.
pub fn grouped(number: &impl ToString) -> String {
    let number = number.to_string();
    if number.len() < 4 || !number.bytes().all(|digit| digit.is_ascii_digit()) {
        return number;
    }
    let (head, tail) = number.split_at(number.len() % 3);
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
        None => "null".to_owned(),
    }
}

fn code(value: &Value) -> String {
    // Texts without quotes.
    format!("`{}`", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}
