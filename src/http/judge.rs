//! Judges a body field by field against a table: every broken field is named, all at once, in the contract's words
//! (contract/README.md, sections 5, 9 and 15).

use serde_json::{Map, Number, Value};
use validator::{ValidateEmail, ValidateUrl};

use super::{
    error::Problems,
    fields::{Field, Kind, Need},
};
use crate::countries;

const BLANK: &str = "can't be blank";
const INVALID: &str = "is invalid";
const BAD_FORMAT: &str = "has invalid format";
const BAD_ENTRY: &str = "has an invalid entry";

/// What a judged body is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Required fields must be there.
    Create,
    /// Fields that are not there keep their value.
    Update,
}

/// The fields that were sent, each valid and in the form it is kept in; a null has become its default.
/// Fields that are in no table are left out. What is wrong goes to `problems`.
pub fn judge(
    fields: &[Field],
    sent: &Map<String, Value>,
    defaults: &Map<String, Value>,
    purpose: Purpose,
    problems: &mut Problems,
) -> Map<String, Value> {
    let mut judged = Map::new();
    for field in fields {
        let default = defaults.get(field.name).unwrap_or(&Value::Null);
        match sent.get(field.name) {
            _ if field.need == Need::OnCreate && purpose == Purpose::Update => {}
            None if field.need == Need::Required && purpose == Purpose::Create => problems.add(field.name, BLANK),
            None => {}
            Some(value) if matches!(field.need, Need::Required | Need::NotNull) && is_blank(value) => {
                problems.add(field.name, BLANK)
            }
            Some(Value::Null) => {
                judged.insert(field.name.to_owned(), default.clone());
            }
            Some(value) => match judge_value(&field.kind, value, default, purpose) {
                Ok(value) => {
                    judged.insert(field.name.to_owned(), value);
                }
                Err(Refusal::Message(message)) => problems.add(field.name, message),
                Err(Refusal::Inside(inside)) => problems.add_inside(field.name, inside),
            },
        }
    }
    judged
}

/// Lays judged fields over a resource as it is. Objects merge field by field, everything else is replaced.
pub fn merge(resource: &mut Map<String, Value>, judged: Map<String, Value>) {
    for (name, value) in judged {
        match (resource.get_mut(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, value) => {
                resource.insert(name, value);
            }
        }
    }
}

enum Refusal {
    Message(String),
    Inside(Problems),
}

impl From<&str> for Refusal {
    fn from(message: &str) -> Self {
        Refusal::Message(message.to_owned())
    }
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

fn judge_value(kind: &Kind, value: &Value, default: &Value, purpose: Purpose) -> Result<Value, Refusal> {
    match kind {
        Kind::Object(fields) => {
            let sent = value.as_object().ok_or(INVALID)?;
            let empty = Map::new();
            let mut problems = Problems::default();
            let judged = judge(fields, sent, default.as_object().unwrap_or(&empty), purpose, &mut problems);
            if problems.is_empty() { Ok(Value::Object(judged)) } else { Err(Refusal::Inside(problems)) }
        }
        Kind::NoEntries => match value.as_array() {
            Some(list) if list.is_empty() => Ok(value.clone()),
            Some(_) => Err(BAD_ENTRY.into()),
            None => Err(INVALID.into()),
        },
        Kind::Boolean => value.as_bool().map(Value::from).ok_or(INVALID.into()),
        Kind::Integer { min, max } => {
            let number = value.as_number().and_then(whole).ok_or(INVALID)?;
            within(number, *min, *max).map(Value::from)
        }
        Kind::Decimal { min, max, places } => decimal(value, *min, *max, *places).map(Value::from),
        Kind::Price => price(value),
        text => judge_text(text, value.as_str().ok_or(INVALID)?),
    }
}

fn judge_text(kind: &Kind, text: &str) -> Result<Value, Refusal> {
    if text.contains('\0') {
        return Err(INVALID.into());
    }
    let at_most = |max: usize, text: &str| match text.chars().count() > max {
        true => Err(Refusal::Message(format!("should be at most {max} character(s)"))),
        false => Ok(Value::from(text)),
    };
    let when = |good: bool, message: &str| if good { Ok(Value::from(text)) } else { Err(message.into()) };
    match kind {
        Kind::Title => match text.trim() {
            title if title.chars().any(char::is_control) => Err(INVALID.into()),
            title => at_most(255, title),
        },
        Kind::Text { max } => at_most(*max, text),
        Kind::Email => when(text.validate_email(), BAD_FORMAT),
        Kind::Phone => {
            at_most(32, text)?;
            let fits = |c: char| c.is_ascii_digit() || c == ' ' || c.is_ascii_punctuation();
            when(!text.is_empty() && text.chars().all(fits), BAD_FORMAT)
        }
        Kind::Url => when(is_web_url(text), BAD_FORMAT),
        Kind::Currency => {
            let code = text.to_ascii_uppercase();
            iso_currency::Currency::from_code(&code).map(|_| Value::from(code)).ok_or(INVALID.into())
        }
        Kind::Country => {
            let code = text.to_ascii_uppercase();
            if countries::is_known(&code) { Ok(Value::from(code)) } else { Err(INVALID.into()) }
        }
        Kind::TimeZone => when(text.parse::<chrono_tz::Tz>().is_ok(), INVALID),
        Kind::OneOf(words) => when(words.contains(&text), INVALID),
        Kind::Id => text.parse::<uuid::Uuid>().map(|id| Value::from(id.to_string())).map_err(|_| INVALID.into()),
        _ => Ok(Value::from(text)),
    }
}

/// An absolute http(s) URL. Parsers drop line breaks and forgive spaces; a client that shows the URL may not.
fn is_web_url(text: &str) -> bool {
    (text.starts_with("http://") || text.starts_with("https://"))
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
        && text.validate_url()
}

/// A number without fraction or exponent, as far as `i128` goes.
fn whole(number: &Number) -> Option<i128> {
    let text = number.to_string();
    let digits = text.strip_prefix('-').unwrap_or(&text);
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(if text.starts_with('-') { i128::MIN } else { i128::MAX }))
}

fn within(number: i128, min: i64, max: i64) -> Result<i64, Refusal> {
    if number < min.into() {
        Err(Refusal::Message(format!("must be greater than or equal to {min}")))
    } else if number > max.into() {
        Err(Refusal::Message(format!("must be less than or equal to {max}")))
    } else {
        i64::try_from(number).map_err(|_| INVALID.into())
    }
}

/// True for digits with at most one point between them, and perhaps a minus sign before.
pub fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// A coordinate: kept as sent (contract/properties.md, quirk 1).
fn decimal(value: &Value, min: i32, max: i32, places: usize) -> Result<String, Refusal> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(INVALID.into()),
    };
    let fraction = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    if !is_decimal(&text) || fraction > places || text.len() > 32 {
        return Err(INVALID.into());
    }
    let number: f64 = text.parse().map_err(|_| INVALID)?;
    if number < f64::from(min) {
        Err(Refusal::Message(format!("must be greater than or equal to {min}")))
    } else if number > f64::from(max) {
        Err(Refusal::Message(format!("must be less than or equal to {max}")))
    } else {
        Ok(text)
    }
}

/// A price keeps its notation: how many decimals it may have hangs on the currency, which is another field.
fn price(value: &Value) -> Result<Value, Refusal> {
    match value {
        Value::Number(number) => {
            let minor = whole(number).ok_or(INVALID)?;
            if minor <= 0 {
                return Err("must be greater than 0".into());
            }
            within(minor, 1, i64::from(i32::MAX)).map(Value::from)
        }
        Value::String(text) if is_decimal(text) && text.len() <= 32 => {
            if text.starts_with('-') || text.bytes().all(|b| matches!(b, b'0' | b'.')) {
                return Err("must be greater than 0".into());
            }
            Ok(value.clone())
        }
        _ => Err(INVALID.into()),
    }
}
