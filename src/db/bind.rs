//! Values bound to statements.

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
}
