//! Values bound to statements.

use chrono::SecondsFormat;
use rusqlite::{
    ToSql,
    types::{ToSqlOutput, Value, ValueRef},
};
use uuid::Uuid;

use crate::base::clock::Moment;

/// A value bound to a statement.
#[derive(Clone, Debug)]
pub enum Bind {
    Id(Uuid),
    MaybeId(Option<Uuid>),
    Text(String),
    MaybeText(Option<String>),
    Bytes(Vec<u8>),
    Boolean(bool),
    MaybeBoolean(Option<bool>),
    Whole(i64),
    MaybeWhole(Option<i64>),
    Moment(Moment),
    MaybeMoment(Option<Moment>),
}

/// As columns of SQLite have them.
impl ToSql for Bind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Bind::Id(id) | Bind::MaybeId(Some(id)) => ToSqlOutput::Borrowed(ValueRef::Blob(id.as_bytes())),
            Bind::MaybeId(None)
            | Bind::MaybeText(None)
            | Bind::MaybeBoolean(None)
            | Bind::MaybeWhole(None)
            | Bind::MaybeMoment(None) => ToSqlOutput::Owned(Value::Null),
            Bind::Text(text) | Bind::MaybeText(Some(text)) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Bind::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Bind::Boolean(value) | Bind::MaybeBoolean(Some(value)) => {
                ToSqlOutput::Owned(Value::Integer((*value).into()))
            }
            Bind::Whole(number) | Bind::MaybeWhole(Some(number)) => ToSqlOutput::Owned(Value::Integer(*number)),
            Bind::Moment(moment) | Bind::MaybeMoment(Some(moment)) => {
                ToSqlOutput::Owned(Value::Text(moment.to_rfc3339_opts(SecondsFormat::AutoSi, false)))
            }
        })
    }
}

/// What may be bound as which variant.
macro_rules! from {
    ($($type:ty => $variant:ident, $value:ident => $bound:expr;)*) => {
        $(impl From<$type> for Bind {
            fn from($value: $type) -> Self {
                Bind::$variant($bound)
            }
        })*
    };
}

from! {
    Uuid => Id, id => id;
    Option<Uuid> => MaybeId, id => id;
    String => Text, text => text;
    Option<String> => MaybeText, text => text;
    &str => Text, text => text.to_owned();
    &String => Text, text => text.clone();
    Option<&str> => MaybeText, text => text.map(str::to_owned);
    Option<&String> => MaybeText, text => text.cloned();
    &Option<String> => MaybeText, text => text.clone();
    Vec<u8> => Bytes, bytes => bytes;
    &Vec<u8> => Bytes, bytes => bytes.clone();
    &[u8] => Bytes, bytes => bytes.to_vec();
    bool => Boolean, value => value;
    i64 => Whole, number => number;
    Moment => Moment, moment => moment;
    Option<Moment> => MaybeMoment, moment => moment;
}
