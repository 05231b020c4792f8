//! Reads JSON as it was written. To keep a number's digits, serde_json hands it over as an object with a key of its own
//! (its feature `arbitrary_precision`), and takes such an object for a number where a caller has written one. Here the
//! number is a number and the object an object.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

/// The key by which serde_json hands over a number.
pub const NUMBER: &str = "$serde_json::private::Number";

/// Reads one JSON value.
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

    /// A whole number that fits is handed over as what it is.
    fn visit_u64<E: Error>(self, number: u64) -> Result<Read, E> {
        Ok(Value::from(number).into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Read, E> {
        Ok(Value::from(number).into())
    }

    /// A text of the JSON, which is read from its bytes.
    fn visit_str<E: Error>(self, text: &str) -> Result<Read, E> {
        Ok(Value::from(text).into())
    }

    /// The digits of any other number: only they come as a string of their own.
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

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(100_000);
        for text in ["", "{", "01", "1.", "--1", "+1", "nul", "[1,]", "{\"a\":1,}", "1 2", "\"\\ud800\"", &deep] {
            assert!(json(text.as_bytes()).is_err(), "{text}");
        }
    }
}
