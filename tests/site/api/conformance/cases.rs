//! Values that a schema of the API's document forbids, and what is said of each (docs/contract/README.md, section 5).

use serde_json::{Map, Value, json};

use super::samples::{self, Kind, Samples, fields, is_nullable, kind};

/// A value that is refused.
pub struct Case {
    /// `None`: the field is left out.
    pub sent: Option<Value>,
    /// The details: messages, or those of fields inside.
    pub told: Value,
}

fn case(sent: Value, told: impl Into<String>) -> Case {
    Case { sent: Some(sent), told: json!([told.into()]) }
}

/// Makes the cases of a field.
pub type Cases = fn(&Samples, &str, &Value, bool) -> Vec<Case>;

/// Nothing, where something must be.
pub fn blank(samples: &Samples, _: &str, schema: &Value, is_required: bool) -> Vec<Case> {
    const BLANK: &str = "can't be blank";
    let mut cases = inside(samples, schema, blank);
    if is_required {
        cases.push(Case { sent: None, told: json!([BLANK]) });
    }
    if !is_nullable(schema) {
        let sent = match kind(schema) {
            Kind::Text | Kind::Words => vec![json!(null), json!(""), json!("  ")],
            Kind::Texts | Kind::List => vec![json!(null), json!([])],
            _ => vec![json!(null)],
        };
        cases.extend(sent.into_iter().map(|sent| case(sent, BLANK)));
    }
    cases
}

/// Wrong types and formats.
pub fn wrong(samples: &Samples, _: &str, schema: &Value, _: bool) -> Vec<Case> {
    const INVALID: &str = "is invalid";
    let no_text = [json!(5), json!(true), json!([]), json!({ "a": 1 }), json!("a\0")];
    let no_number = [json!(true), json!([]), json!({ "a": 1 }), json!("x"), json!("")];
    let mut cases: Vec<Case> = Vec::new();
    let sent = match kind(schema) {
        Kind::Text => no_text.to_vec(),
        Kind::Words => [&no_text[..], &[json!("nonsense"), upper(schema)]].concat(),
        Kind::Integer => [&no_number[..], &[json!("2"), json!(1.5)]].concat(),
        Kind::Decimal => [&no_number[..], &[json!("1e1"), json!("0.00000001")]].concat(),
        Kind::Money => {
            [&no_number[..], &[json!("1e1"), json!(1.5), json!("1.00000"), json!("1234567890123456")]].concat()
        }
        Kind::Boolean => [json!("true"), json!(1), json!([]), json!({ "a": 1 }), json!("")].to_vec(),
        Kind::Texts | Kind::List => [json!("x"), json!(5), json!(true), json!({ "a": 1 })].to_vec(),
        Kind::Object | Kind::Json => [json!("x"), json!(5), json!(true), json!([5])].to_vec(),
    };
    cases.extend(sent.into_iter().map(|sent| case(sent, INVALID)));
    match kind(schema) {
        Kind::Text => cases.extend(format_of(schema)),
        Kind::Texts => {
            cases.extend([json!(["x"]), json!([5])].map(|sent| case(sent, "has an invalid entry")));
        }
        Kind::List => {
            cases.push(case(json!([5]), "0 is invalid"));
            let entry = samples::entry(schema);
            for (name, schema) in fields(entry).filter(|(_, schema)| schema["type"] != "null") {
                if schema["anyOf"][0].get("const").is_none() {
                    let mut bad = samples.entry(&json!({ "items": entry }));
                    bad.insert(name.clone(), json!("a\0"));
                    cases.push(case(json!([bad]), format!("0.{name} is invalid")));
                }
            }
        }
        _ => cases.extend(inside(samples, schema, wrong)),
    }
    cases
}

/// The first of its words in capitals.
fn upper(schema: &Value) -> Value {
    schema["enum"][0].as_str().expect("a word").to_uppercase().into()
}

/// Texts that are none of this format.
fn format_of(schema: &Value) -> Vec<Case> {
    let (bad, told) = match schema["format"].as_str() {
        Some("email") => (&["x", "a@b@c.example"][..], "has invalid format"),
        Some("phone") => (&["desk"][..], "has invalid format"),
        Some("uri") => (&["x", "ftp://farol.example/a", "https://"][..], "has invalid format"),
        Some("time-of-day") => (&["24:00", "9:00", "09:60", "09:00:00"][..], "has invalid format"),
        Some("date") => (&["2027-02-29", "27-01-01", "x"][..], "is invalid"),
        Some("iso-4217") => (&["ZZZ", "EU", "EURO"][..], "is invalid"),
        Some("iso-3166-1") => (&["ZZ", "PRT"][..], "is invalid"),
        Some("iana-time-zone") => (&["Mars/Base", "x"][..], "is invalid"),
        Some("uuid") => (&["x", "0197a3b2-0000-7000-8000-00000000000"][..], "is invalid"),
        // A title is one line.
        None if schema.get("minLength").is_some() => (&["a\nb", "a\u{7f}b"][..], "is invalid"),
        None => (&[][..], ""),
        Some(other) => panic!("unknown format {other}"),
    };
    bad.iter().map(|bad| case(json!(bad), told)).collect()
}

/// Values just beyond bounds and lengths.
pub fn beyond(samples: &Samples, name: &str, schema: &Value, _: bool) -> Vec<Case> {
    // A positive number has no bound of its own.
    let low = |schema: &Value| match (&schema["minimum"], schema["maximum"].as_i64()) {
        (least, Some(most)) if *least == 1 && most == i64::from(i32::MAX) => "must be greater than 0".to_owned(),
        (least, _) => format!("must be greater than or equal to {least}"),
    };
    let bounds = |schema: &Value| match (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
        (Some(least), Some(most)) => vec![
            case(json!(least - 1), low(schema)),
            case(json!(most + 1), format!("must be less than or equal to {most}")),
        ],
        _ => panic!("no bounds of {name}: {schema}"),
    };
    match kind(schema) {
        Kind::Text => schema["maxLength"]
            .as_u64()
            .map(|most| {
                let text = longest(schema, usize::try_from(most).expect("a length") + 1);
                case(json!(text), format!("should be at most {most} character(s)"))
            })
            .into_iter()
            .collect(),
        Kind::Integer => bounds(schema),
        Kind::Decimal => bounds(samples::number(schema)),
        Kind::Money => {
            let number = samples::number(schema);
            let text = if number["minimum"] == 1 { "0.00" } else { "-0.01" };
            let mut cases = bounds(number);
            cases.push(case(json!(text), low(number)));
            cases
        }
        Kind::List => schema["maxItems"]
            .as_u64()
            .map(|most| {
                let entries = vec![samples.entry(schema); usize::try_from(most).expect("a length") + 1];
                case(json!(entries), format!("should have at most {most} item(s)"))
            })
            .into_iter()
            .collect(),
        _ => inside(samples, schema, beyond),
    }
}

/// A text of so many characters.
pub fn longest(schema: &Value, length: usize) -> String {
    match schema["format"].as_str() {
        Some("uri") => format!("{:a<length$}", "https://farol.example/"),
        _ => "é".repeat(length),
    }
}

/// The cases of an object's fields: the first of each together, then the second of each, and so on.
fn inside(samples: &Samples, schema: &Value, cases: Cases) -> Vec<Case> {
    if kind(schema) != Kind::Object {
        return Vec::new();
    }
    let all: Vec<_> = fields(schema).map(|(name, schema)| (name, cases(samples, name, schema, false))).collect();
    let rounds = all.iter().map(|(_, cases)| cases.len()).max().unwrap_or(0);
    let round = |round: usize| {
        let (mut sent, mut told) = (Map::new(), Map::new());
        for (name, cases) in &all {
            if let Some(Case { sent: Some(value), told: messages }) = cases.get(round) {
                sent.insert((*name).clone(), value.clone());
                told.insert((*name).clone(), messages.clone());
            }
        }
        Case { sent: Some(sent.into()), told: told.into() }
    };
    (0..rounds).map(round).collect()
}
