//! Validates a body field by field against a table: every broken field is named, all at once, in the contract's words
//! (docs/contract/README.md, sections 5, 9 and 15).

use chrono::{NaiveDate, NaiveTime};
use serde::Serialize;
use serde_json::{Map, Number, Value, json};
use validator::ValidateUrl;

use crate::{
    base::{
        countries,
        error::{Error, Problems},
        ids, text,
    },
    resource::{
        fields::{Field, Kind, LARGEST, Need},
        numbers,
    },
    web::parse,
};

const BLANK: &str = "can't be blank";
const INVALID: &str = "is invalid";
const BAD_FORMAT: &str = "has invalid format";
const BAD_ENTRY: &str = "has an invalid entry";

/// Entries of a list of objects at most.
pub const MOST_ENTRIES: usize = 1000;

/// Characters of a title at most.
const LONGEST_TITLE: usize = 255;

/// Characters of an address on the web at most.
pub const LONGEST_URL: usize = 2048;

/// Digits of an amount at most, before its point and after: no currency has more decimals.
pub const MOST_DIGITS: usize = 15;
pub const MOST_DECIMALS: usize = 4;

/// What a validated body is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Required fields must be there.
    Create,
    /// Fields that are not there keep their value.
    Update,
}

/// The fields that were sent, each valid and in the form it is kept in; a null has become its default.
/// Fields that are in no table are left out. What is wrong goes to `problems`.
pub fn validate<'a>(
    fields: impl IntoIterator<Item = &'a Field>,
    sent: &Map<String, Value>,
    defaults: &Map<String, Value>,
    operation: Operation,
    problems: &mut Problems,
) -> Map<String, Value> {
    let mut validated = Map::new();
    for field in fields {
        let default = defaults.get(field.name).unwrap_or(&Value::Null);
        let never_blank = matches!(field.need, Need::Required | Need::RequiredOnCreate | Need::NotNull);
        match sent.get(field.name) {
            _ if field.need == Need::ReadOnly => {}
            _ if operation == Operation::Update && matches!(field.need, Need::OnCreate | Need::RequiredOnCreate) => {}
            None if operation == Operation::Create && never_blank && field.need != Need::NotNull => {
                problems.add(field.name, BLANK)
            }
            None => {}
            Some(value) if never_blank && is_blank(&field.kind, value) => problems.add(field.name, BLANK),
            Some(value) if means_null(&field.kind, value) => {
                validated.insert(field.name.to_owned(), default.clone());
            }
            Some(value) => match judge_value(&field.kind, value, default, operation) {
                Ok(value) => {
                    validated.insert(field.name.to_owned(), value);
                }
                Err(Refusal::Message(message)) => problems.add(field.name, message),
                Err(Refusal::Messages(messages)) => {
                    messages.into_iter().for_each(|message| problems.add(field.name, message))
                }
                Err(Refusal::Inside(inside)) => problems.add_inside(field.name, inside),
            },
        }
    }
    validated
}

/// Lays validated fields over a resource as it is. Objects merge field by field, everything else is replaced.
pub fn merge(resource: &mut Map<String, Value>, validated: Map<String, Value>) {
    for (name, value) in validated {
        match (resource.get_mut(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, value) => {
                resource.insert(name, value);
            }
        }
    }
}

/// A resource as the object that bodies are merged into.
pub fn object(resource: &impl Serialize) -> Result<Map<String, Value>, Error> {
    match serde_json::to_value(resource)? {
        Value::Object(object) => Ok(object),
        other => Err(Error::Internal(format!("a resource is no object: {other}"))),
    }
}

enum Refusal {
    Message(String),
    Messages(Vec<String>),
    Inside(Problems),
}

impl From<&str> for Refusal {
    fn from(message: &str) -> Self {
        Refusal::Message(message.to_owned())
    }
}

/// Null, in the forms in which callers send it: an empty text where a format says what a text may be, and white space too
/// (docs/contract/README.md, section 15, 115). Free texts keep theirs.
fn means_null(kind: &Kind, value: &Value) -> bool {
    let has_format = matches!(
        kind,
        Kind::Email
            | Kind::Phone
            | Kind::Url
            | Kind::Currency
            | Kind::Country
            | Kind::TimeZone
            | Kind::OneOf(_)
            | Kind::Date
            | Kind::Time
            | Kind::Id
    );
    match value {
        Value::Null => true,
        Value::String(text) => has_format && text.trim().is_empty(),
        _ => false,
    }
}

/// Nothing, in the forms in which callers send it (docs/contract/README.md, section 15, 9).
fn is_blank(kind: &Kind, value: &Value) -> bool {
    match value {
        Value::Null => true,
        // An empty text is no number; that is another mistake.
        Value::String(text) => match kind {
            Kind::Positive | Kind::Integer { .. } | Kind::Price | Kind::Fee | Kind::Boolean => false,
            Kind::Title => text::is_blank(text),
            _ => text.trim().is_empty(),
        },
        Value::Array(list) => list.is_empty() && matches!(kind, Kind::List(_) | Kind::Ids(_) | Kind::Batch(_)),
        _ => false,
    }
}

fn judge_value(kind: &Kind, value: &Value, default: &Value, operation: Operation) -> Result<Value, Refusal> {
    match kind {
        Kind::Object(fields) => {
            let empty = Map::new();
            let sent = object_in(value, &empty).ok_or(INVALID)?;
            let mut problems = Problems::default();
            let validated = validate(fields(), sent, default.as_object().unwrap_or(&empty), operation, &mut problems);
            if problems.is_empty() { Ok(Value::Object(validated)) } else { Err(Refusal::Inside(problems)) }
        }
        Kind::List(fields) => entries(value, |entry| judge_entry(&fields(), entry, Operation::Create)),
        Kind::Batch(fields) => entries(value, |entry| {
            let known = entry.get("id").is_some_and(|id| !means_null(&Kind::Id, id));
            judge_entry(&fields(), entry, if known { Operation::Update } else { Operation::Create })
        }),
        Kind::Ids(is_known) => known_ids(value, *is_known),
        Kind::Json(shape) => {
            let empty = json!({});
            let value = if value == &json!([]) && !(shape.fits)(value) { &empty } else { value };
            let is_short = shape.most_bytes.is_none_or(|most| fits_in(value, most));
            if is_short && (shape.fits)(value) && !is_unkeepable(value) {
                Ok(value.clone())
            } else {
                Err(INVALID.into())
            }
        }
        Kind::Boolean => value.as_bool().map(Value::from).ok_or(INVALID.into()),
        Kind::Integer { min, max } => {
            let number = value.as_number().and_then(numbers::whole).ok_or(INVALID)?;
            within(number, *min, *max).map(Value::from)
        }
        Kind::Positive => match value.as_number().and_then(numbers::whole).ok_or(INVALID)? {
            number if number < 1 => Err("must be greater than 0".into()),
            number => within(number, 1, LARGEST).map(Value::from),
        },
        Kind::Decimal { min, max, places } => decimal(value, *min, *max, *places).map(Value::from),
        Kind::Price => amount(value, false),
        Kind::Fee => amount(value, true),
        text => judge_text(text, value.as_str().ok_or(INVALID)?),
    }
}

/// Validates every entry of a list; what is wrong begins with the entry's place, counted from 0.
fn entries(value: &Value, validate: impl Fn(&Map<String, Value>) -> Result<Value, Problems>) -> Result<Value, Refusal> {
    let list = value.as_array().ok_or(INVALID)?;
    if list.len() > MOST_ENTRIES {
        return Err(Refusal::Message(format!("should have at most {MOST_ENTRIES} item(s)")));
    }
    let empty = Map::new();
    let mut messages = Vec::new();
    let mut validated = Vec::new();
    for (place, entry) in list.iter().enumerate() {
        match object_in(entry, &empty).map(&validate) {
            Some(Ok(entry)) => validated.push(entry),
            Some(Err(problems)) => messages.extend(problems.in_a_line(&place.to_string())),
            None => messages.push(format!("{place} {INVALID}")),
        }
    }
    if messages.is_empty() { Ok(Value::Array(validated)) } else { Err(Refusal::Messages(messages)) }
}

/// The object that a value is: PHP writes an empty one as an empty list.
fn object_in<'a>(value: &'a Value, empty: &'a Map<String, Value>) -> Option<&'a Map<String, Value>> {
    match value {
        Value::Array(list) if list.is_empty() => Some(empty),
        other => other.as_object(),
    }
}

/// True for JSON of so many bytes at most, which are counted but not kept.
fn fits_in(value: &Value, most: usize) -> bool {
    struct Room(usize);
    impl std::io::Write for Room {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    serde_json::to_writer(Room(most), value).is_ok()
}

fn judge_entry(fields: &[&Field], entry: &Map<String, Value>, operation: Operation) -> Result<Value, Problems> {
    let mut problems = Problems::default();
    // An entry to be removed needs no fields of its own.
    let operation = if entry.get("is_removed") == Some(&Value::Bool(true)) { Operation::Update } else { operation };
    let validated = validate(fields.iter().copied(), entry, &Map::new(), operation, &mut problems);
    if problems.is_empty() { Ok(Value::Object(validated)) } else { Err(problems) }
}

/// Ids in the order sent, each once.
fn known_ids(value: &Value, is_known: fn(uuid::Uuid) -> bool) -> Result<Value, Refusal> {
    let mut known: Vec<Value> = Vec::new();
    for entry in value.as_array().ok_or(INVALID)? {
        let id = entry.as_str().and_then(ids::parse).filter(|id| is_known(*id)).ok_or(BAD_ENTRY)?;
        let id = Value::from(id.to_string());
        if !known.contains(&id) {
            known.push(id);
        }
    }
    Ok(Value::Array(known))
}

/// True for what would not come back as it was: U+0000 is more than a database takes, and the number's key more than
/// the JSON library gives back.
fn is_unkeepable(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(is_unkeepable),
        Value::Object(object) => {
            object.iter().any(|(name, value)| name == parse::NUMBER || name.contains('\0') || is_unkeepable(value))
        }
        _ => false,
    }
}

fn judge_text(kind: &Kind, text: &str) -> Result<Value, Refusal> {
    if text.contains('\0') {
        return Err(INVALID.into());
    }
    let at_most = |max: usize, text: &str| match is_longer(text, max) {
        true => Err(Refusal::Message(format!("should be at most {max} character(s)"))),
        false => Ok(Value::from(text)),
    };
    let when = |good: bool, message: &str| if good { Ok(Value::from(text)) } else { Err(message.into()) };
    match kind {
        Kind::Title => match text.trim() {
            title if is_longer(title, LONGEST_TITLE) => at_most(LONGEST_TITLE, title),
            title if !text::is_plain_line(title) || text::is_blank(title) => Err(INVALID.into()),
            title => Ok(Value::from(title)),
        },
        Kind::Text { max } => at_most(*max, text),
        Kind::Email => when(crate::base::email::key(text).is_some(), BAD_FORMAT),
        Kind::Phone => {
            let text = &text::typed_phone(text);
            at_most(32, text)?;
            let fits = |c: char| c.is_ascii_digit() || c == ' ' || c.is_ascii_punctuation();
            if !text.trim().is_empty() && text.chars().all(fits) {
                Ok(Value::from(text.as_str()))
            } else {
                Err(BAD_FORMAT.into())
            }
        }
        Kind::Url => {
            at_most(LONGEST_URL, text)?;
            when(is_web_url(text), BAD_FORMAT)
        }
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
        Kind::Date => when(is_date(text), INVALID),
        Kind::Time => when(is_time(text), BAD_FORMAT),
        Kind::Id => ids::parse(text).map(|id| Value::from(id.to_string())).ok_or(INVALID.into()),
        _ => Ok(Value::from(text)),
    }
}

/// `YYYY-MM-DD`, a day of the calendar.
fn is_date(text: &str) -> bool {
    is_like(text, "2026-11-28") && text.parse::<NaiveDate>().is_ok()
}

/// `HH:MM` of 24 hours.
fn is_time(text: &str) -> bool {
    is_like(text, "23:59") && NaiveTime::parse_from_str(text, "%H:%M").is_ok()
}

/// True where digits and signs stand as in `form`: chrono forgives spaces and a plus.
fn is_like(text: &str, form: &str) -> bool {
    let alike = |(byte, of_form): (u8, u8)| byte == of_form || (byte.is_ascii_digit() && of_form.is_ascii_digit());
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(alike)
}

/// True for a text of more characters. It is not read further than that: it may have 10 MiB.
fn is_longer(text: &str, max: usize) -> bool {
    text.chars().nth(max).is_some()
}

/// An absolute http(s) URL. Parsers drop line breaks and forgive spaces; a client that shows the URL may not.
fn is_web_url(text: &str) -> bool {
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
        && text.validate_url()
}

/// A number written without fraction or exponent, as far as `i128` goes: `100.0` may mean 100 or 10,000 minor units.
fn written_whole(number: &Number) -> Option<i128> {
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

/// True for a decimal with at most so many digits before and after its point.
pub fn is_short(text: &str, digits: usize, decimals: usize) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    whole.len() <= digits && fraction.len() <= decimals
}

/// A coordinate: kept as sent (docs/contract/properties.md, quirk 1).
fn decimal(value: &Value, min: i32, max: i32, places: usize) -> Result<String, Refusal> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => numbers::plain(number, 32, places).ok_or(INVALID)?,
        _ => return Err(INVALID.into()),
    };
    let unsigned = text.trim_start_matches('-');
    if !is_decimal(&text) || !is_short(unsigned, 32, places) {
        return Err(INVALID.into());
    }
    let number: f64 = text.parse().map_err(|_| INVALID)?;
    if number < f64::from(min) {
        Err(Refusal::Message(format!("must be greater than or equal to {min}")))
    } else if number > f64::from(max) {
        Err(Refusal::Message(format!("must be less than or equal to {max}")))
    } else if !is_short(unsigned, "180".len(), places) {
        Err(INVALID.into())
    } else {
        Ok(text)
    }
}

/// An amount keeps its notation: how many decimals it may have hangs on the currency, which is another field.
fn amount(value: &Value, may_be_zero: bool) -> Result<Value, Refusal> {
    let (is_negative, is_zero) = match value {
        Value::Number(number) => {
            let minor = written_whole(number).ok_or(INVALID)?;
            if minor > LARGEST.into() {
                return Err(Refusal::Message(format!("must be less than or equal to {LARGEST}")));
            }
            (minor < 0, minor == 0)
        }
        Value::String(text) if is_decimal(text) && is_short(text, MOST_DIGITS, MOST_DECIMALS) => {
            (text.starts_with('-'), text.bytes().all(|b| matches!(b, b'0' | b'.')))
        }
        _ => return Err(INVALID.into()),
    };
    match may_be_zero {
        true if is_negative => Err("must be greater than or equal to 0".into()),
        false if is_negative || is_zero => Err("must be greater than 0".into()),
        _ => Ok(value.clone()),
    }
}
