//! Rows of both databases, read in the same way.

use rusqlite::types::FromSql;
use sqlx::{Decode, Postgres, Row as _, Type, postgres::PgRow};

use crate::{
    base::{
        ids::{ApiKeyId, GroupId, MemberId, PropertyId, RatePlanId, RoomTypeId, SessionId, UserId},
        secret::Digest,
    },
    db::faults::from_rusqlite,
};

/// A row of either database.
pub enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a PgRow),
}

/// A type that can be read from a column of both databases.
pub trait Column: FromSql + Type<Postgres> + for<'r> Decode<'r, Postgres> + Send + Unpin + 'static {}

impl<T> Column for T where T: FromSql + Type<Postgres> + for<'r> Decode<'r, Postgres> + Send + Unpin + 'static {}

/// A type that can be read from a row.
pub trait FromRow: Sized + Send + 'static {
    fn from_row(row: &Row<'_>) -> sqlx::Result<Self>;
}

impl Row<'_> {
    /// A column by its name.
    pub fn try_get<T: Column>(&self, name: &str) -> sqlx::Result<T> {
        match self {
            Row::Sqlite(row) => row.get(name).map_err(from_rusqlite),
            Row::Postgres(row) => row.try_get(name),
        }
    }

    /// A column by its position, from 0: for many rows, looking up names takes a good part of the time.
    pub fn at<T: Column>(&self, place: usize) -> sqlx::Result<T> {
        match self {
            Row::Sqlite(row) => row.get(place).map_err(from_rusqlite),
            Row::Postgres(row) => row.try_get(place),
        }
    }
}

/// Implements `FromRow` for a struct, whose fields are named as the columns.
macro_rules! impl_from_row {
    ($name:ident { $($field:ident),* $(,)? }) => {
        $crate::db::impl_from_row!($name, row => $name { $($field: row.try_get(stringify!($field))?),* });
    };
    ($name:ident, $row:ident => $read:expr) => {
        impl $crate::db::FromRow for $name {
            fn from_row($row: &$crate::db::Row<'_>) -> sqlx::Result<Self> {
                #[allow(unused_imports, reason = "not every row contains other rows")]
                use $crate::db::FromRow;
                Ok($read)
            }
        }
    };
}
pub(crate) use impl_from_row;

/// Lets a newtype be read from a column and be bound, on both databases; after `as` is the variant of
/// [`Bind`](super::Bind).
macro_rules! impl_column {
    ($name:ident($inner:ty) as $bind:ident) => {
        impl sqlx::Type<sqlx::Postgres> for $name {
            fn type_info() -> sqlx::postgres::PgTypeInfo {
                <$inner as sqlx::Type<sqlx::Postgres>>::type_info()
            }
            fn compatible(ty: &sqlx::postgres::PgTypeInfo) -> bool {
                <$inner as sqlx::Type<sqlx::Postgres>>::compatible(ty)
            }
        }
        impl<'r> sqlx::Decode<'r, sqlx::Postgres> for $name {
            fn decode(value: sqlx::postgres::PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                <$inner as sqlx::Decode<'r, sqlx::Postgres>>::decode(value).map(Self)
            }
        }
        impl rusqlite::types::FromSql for $name {
            fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
                <$inner as rusqlite::types::FromSql>::column_result(value).map(Self)
            }
        }
        impl From<$name> for $crate::db::Bind {
            fn from(value: $name) -> Self {
                $crate::db::Bind::$bind(value.0)
            }
        }
        impl From<&$name> for $crate::db::Bind {
            fn from(value: &$name) -> Self {
                $crate::db::Bind::$bind(value.0.clone())
            }
        }
    };
}
pub(crate) use impl_column;

impl_column!(Digest(Vec<u8>) as Bytes);

/// Ids, which may also be bound where there may be none.
macro_rules! impl_ids {
    ($($name:ident),*) => {
        $(impl_column!($name(uuid::Uuid) as Id);
        impl From<Option<$name>> for $crate::db::Bind {
            fn from(id: Option<$name>) -> Self {
                $crate::db::Bind::MaybeId(id.map(|id| id.0))
            }
        })*
    };
}

impl_ids!(UserId, SessionId, ApiKeyId, PropertyId, GroupId, MemberId, RoomTypeId, RatePlanId);
