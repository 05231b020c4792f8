//! Validates a body field by field against a table: every broken field is named, all at once, in the contract's words
//! (docs/contract/README.md, sections 5, 9 and 15).

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    base::{
        error::{Error, Problems},
        ids, text,
    },
    resource::{
        fields::{Field, Kind, LARGEST, Need},
        numbers,
        values::{self, INVALID, Refusal},
    },
    web::parse,
};

const BLANK: &str = "can't be blank";
const BAD_ENTRY: &str = "has an invalid entry";

/// Entries of a list of objects at most.
pub const MOST_ENTRIES: usize = 1000;

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
            | Kind::Id(_)
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
        Kind::List(fields) => {
            let fields = fields();
            entries(value, |entry| judge_entry(&fields, entry, Operation::Create))
        }
        Kind::Batch(fields) => {
            let fields = fields();
            entries(value, |entry| {
                let known = entry.get("id").is_some_and(|id| !means_null(&Kind::Id(""), id));
                judge_entry(&fields, entry, if known { Operation::Update } else { Operation::Create })
            })
        }
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
            values::within(number, *min, *max).map(Value::from)
        }
        Kind::Positive => match value.as_number().and_then(numbers::whole).ok_or(INVALID)? {
            number if number < 1 => Err("must be greater than 0".into()),
            number => values::within(number, 1, LARGEST).map(Value::from),
        },
        Kind::Latitude => values::degrees(value, 90).map(Value::from),
        Kind::Longitude => values::degrees(value, 180).map(Value::from),
        Kind::Price => values::amount(value, false),
        Kind::Fee => values::amount(value, true),
        text => values::text_of(text, value.as_str().ok_or(INVALID)?),
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
