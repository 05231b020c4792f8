//! Validates single values: texts with a format, numbers, amounts (docs/contract/README.md, sections 5 and 9).

use chrono::{NaiveDate, NaiveTime};
use serde_json::{Number, Value};
use validator::ValidateUrl;

use crate::{
    base::{countries, error::Problems, ids, text},
    resource::{
        fields::{Kind, LARGEST},
        numbers,
    },
};

/// What is said of most invalid values.
pub const INVALID: &str = "is invalid";
const BAD_FORMAT: &str = "has invalid format";

/// Characters of a title at most.
const LONGEST_TITLE: usize = 255;

/// Characters of an address on the web at most.
pub const LONGEST_URL: usize = 2048;

/// Digits of an amount at most, before its point and after: no currency has more decimals.
pub const MOST_DIGITS: usize = 15;
pub const MOST_DECIMALS: usize = 4;

/// Why a value is refused.
pub enum Refusal {
    Message(String),
    Messages(Vec<String>),
    Inside(Problems),
}

impl From<&str> for Refusal {
    fn from(message: &str) -> Self {
        Refusal::Message(message.to_owned())
    }
}

/// Validates a text; it comes back in the form that is stored.
pub fn text_of(kind: &Kind, text: &str) -> Result<Value, Refusal> {
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
        Kind::Id(_) => ids::parse(text).map(|id| Value::from(id.to_string())).ok_or(INVALID.into()),
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

pub fn within(number: i128, min: i64, max: i64) -> Result<i64, Refusal> {
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

/// Decimals of a coordinate at most.
pub const MOST_PLACES: usize = 7;

/// A coordinate: kept as sent (docs/contract/properties.md, quirk 1).
pub fn degrees(value: &Value, most: i32) -> Result<String, Refusal> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => numbers::plain(number, 32, MOST_PLACES).ok_or(INVALID)?,
        _ => return Err(INVALID.into()),
    };
    let unsigned = text.trim_start_matches('-');
    if !is_decimal(&text) || !is_short(unsigned, 32, MOST_PLACES) {
        return Err(INVALID.into());
    }
    let number: f64 = text.parse().map_err(|_| INVALID)?;
    if number < f64::from(-most) {
        Err(Refusal::Message(format!("must be greater than or equal to -{most}")))
    } else if number > f64::from(most) {
        Err(Refusal::Message(format!("must be less than or equal to {most}")))
    } else if !is_short(unsigned, "180".len(), MOST_PLACES) {
        Err(INVALID.into())
    } else {
        Ok(text)
    }
}

/// An amount keeps its notation: how many decimals it may have hangs on the currency, which is another field.
pub fn amount(value: &Value, may_be_zero: bool) -> Result<Value, Refusal> {
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
