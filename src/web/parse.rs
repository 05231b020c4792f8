//! Parses JSON within a budget, keeping numbers as they were written. The budget is checked as the bytes arrive, before
//! any value is built. To keep a number's digits, serde_json (with its feature `arbitrary_precision`) passes it as an
//! object with a special key, and so mistakes such an object in a body for a number. Here a number is a number and an
//! object an object.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

/// The key with which serde_json passes a number.
pub const NUMBER: &str = "$serde_json::private::Number";

/// Some programs write it before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Maximum number of characters of a number: real ones are shorter, and parsing longer ones is expensive.
const LONGEST_NUMBER: usize = 1000;

/// Counts the values of a JSON text while it arrives, in constant memory: every object, list, text, number, boolean and
/// null, at any depth. In malformed JSON it counts at least the values before the error.
pub struct Counter {
    limit: usize,
    values: usize,
    inside: Inside,
}

/// Where in the text the next byte is.
#[derive(Clone, Copy)]
enum Inside {
    Nothing,
    Text,
    /// After a backslash in a text.
    Escape,
    /// In a number or a word, after so many bytes.
    Scalar(usize),
}

/// Why a text is rejected.
#[derive(Debug, PartialEq, Eq)]
pub enum TooMuch {
    /// More values than this limit.
    Values(usize),
    /// A number that is too long.
    Digits,
}

impl Counter {
    pub fn new(limit: usize) -> Self {
        Counter { limit, values: 0, inside: Inside::Nothing }
    }

    /// Counts the values in the next bytes.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), TooMuch> {
        let mut rest = bytes;
        loop {
            if let Inside::Text = self.inside {
                let Some(end) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) else { return Ok(()) };
                self.inside = if rest[end] == b'"' { Inside::Nothing } else { Inside::Escape };
                rest = &rest[end + 1..];
            }
            let Some((byte, others)) = rest.split_first() else { return Ok(()) };
            rest = others;
            self.inside = match (self.inside, byte) {
                (Inside::Escape, _) => Inside::Text,
                (_, b'"') => self.one_more(Inside::Text)?,
                (_, b'{' | b'[') => self.one_more(Inside::Nothing)?,
                // The text before the colon was a name, not a value.
                (_, b':') => {
                    self.values = self.values.saturating_sub(1);
                    Inside::Nothing
                }
                (Inside::Scalar(length), b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-' | b'.') => {
                    if length == LONGEST_NUMBER {
                        return Err(TooMuch::Digits);
                    }
                    Inside::Scalar(length + 1)
                }
                (_, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-' | b'.') => {
                    self.one_more(Inside::Scalar(1))?
                }
                _ => Inside::Nothing,
            };
        }
    }

    fn one_more(&mut self, inside: Inside) -> Result<Inside, TooMuch> {
        self.values += 1;
        // The last text may turn out to be a name.
        if self.values > self.limit + 1 { Err(TooMuch::Values(self.limit)) } else { Ok(inside) }
    }

    /// Checks the budget at the end of the text.
    pub fn end(self) -> Result<(), TooMuch> {
        if self.values > self.limit { Err(TooMuch::Values(self.limit)) } else { Ok(()) }
    }
}

/// The text without a byte order mark.
pub fn unmarked(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// Parses one JSON value.
pub fn json(text: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice(text).map(|read: Read| read.value)
}

/// A value, and whether it is the digits of a number.
struct Read {
    value: Value,
    digits: bool,
}

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

impl From<Value> for Read {
    fn from(value: Value) -> Self {
        Read { value, digits: false }
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Read, E> {
        Ok(Value::Null.into())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Read, E> {
        Ok(Value::from(value).into())
    }

    /// An integer that fits is passed as it is.
    fn visit_u64<E: Error>(self, number: u64) -> Result<Read, E> {
        Ok(Value::from(number).into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Read, E> {
        Ok(Value::from(number).into())
    }

    /// A JSON text, which serde_json passes borrowed.
    fn visit_str<E: Error>(self, text: &str) -> Result<Read, E> {
        Ok(Value::from(text).into())
    }

    /// The digits of any other number, which serde_json passes as an owned string.
    fn visit_string<E: Error>(self, digits: String) -> Result<Read, E> {
        let number: Number = digits.parse().map_err(E::custom)?;
        Ok(Read { value: Value::Number(number), digits: true })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Read, A::Error> {
        let mut list = Vec::new();
        while let Some(Read { value, .. }) = entries.next_element()? {
            list.push(value);
        }
        Ok(Value::Array(list).into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Read, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let Read { value, digits } = entries.next_value()?;
            if digits && key == NUMBER {
                return Ok(value.into());
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_back_as_they_were() {
        for text in [
            "null",
            "[true,false,null,\"\",{}]",
            "[0,-0,1.10,-1e-400,1e+2,123456789012345678901234567890]",
            r#"{"$serde_json::private::Number":"15"}"#,
            r#"{"$serde_json::private::Number":"x"}"#,
            r#"{"$serde_json::private::Number":15}"#,
            r#"{"$serde_json::private::Number":{"$serde_json::private::Number":"15"}}"#,
            r#"{"$serde_json::private::Number":"15","a":{"b":[1.0]}}"#,
            r#"{"$serde_json::private::RawValue":"[1"}"#,
        ] {
            assert_eq!(json(text.as_bytes()).map(|value| value.to_string()).ok().as_deref(), Some(text));
        }
        let escaped = json(br#"{"\u0024serde_json::private::Number":"\u0031"}"#);
        assert!(escaped.is_ok_and(|value| value.is_object()));
    }

    /// The values of a text, which may arrive byte by byte.
    fn count(text: &str, piece: usize, limit: usize) -> Result<(), TooMuch> {
        let mut counter = Counter::new(limit);
        text.as_bytes().chunks(piece).try_for_each(|bytes| counter.take(bytes))?;
        counter.end()
    }

    #[test]
    fn every_value_counts_and_names_do_not() {
        for (text, values) in [
            ("1", 1),
            (" \n", 0),
            ("\u{feff}{}", 1),
            ("[]", 1),
            ("[[[]]]", 3),
            ("[1,-2.5e+7,true,false,null,\"x\"]", 7),
            (r#"{"a":1,"b":{"c":[],"d":"e"}}"#, 5),
            (r#"{"a:[{\"":"1,2\\","":""}"#, 3),
            (r#" { "a" : [ "b" , 1 , { "c" : null } ] } "#, 6),
        ] {
            for piece in [1, 2, 3, 100] {
                assert_eq!(count(text, piece, values), Ok(()), "{text}");
                let Some(less) = values.checked_sub(1) else { continue };
                assert_eq!(count(text, piece, less), Err(TooMuch::Values(less)), "{text}");
            }
        }
    }

    #[test]
    fn what_is_too_much_is_found_before_the_end() {
        let mut counter = Counter::new(10);
        assert_eq!(counter.take("[1,2,3,4,5,6,7,8,9,10,11".as_bytes()), Err(TooMuch::Values(10)));
        assert_eq!(Counter::new(10).take(&b"[".repeat(100)), Err(TooMuch::Values(10)));
        assert_eq!(Counter::new(10).take(&b"1".repeat(1001)), Err(TooMuch::Digits));
        assert_eq!(Counter::new(10).take(&b"1".repeat(1000)), Ok(()));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(100_000);
        for text in ["", "{", "01", "1.", "--1", "+1", "nul", "[1,]", "{\"a\":1,}", "1 2", "\"\\ud800\"", &deep] {
            assert!(json(text.as_bytes()).is_err(), "{text}");
        }
    }
}
