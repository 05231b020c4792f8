//! Rows of all three drivers, read in the same way.

use rusqlite::types::FromSql;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow};

use crate::{
    base::{
        ids::{ApiKeyId, GroupId, MemberId, PropertyId, RatePlanId, RoomTypeId, UserId},
        secret::Digest,
    },
    db::faults::from_rusqlite,
};

/// A row of any of the three drivers.
pub enum Row<'a> {
    /// Of a read; see `sqlite_reader.rs`.
    Reader(&'a rusqlite::Row<'a>),
    /// Of a writing transaction.
    Sqlite(&'a SqliteRow),
    Postgres(&'a PgRow),
}

/// A type that can be read from a column of both databases.
pub trait Column:
    FromSql
    + Type<Sqlite>
    + Type<Postgres>
    + for<'r> Decode<'r, Sqlite>
    + for<'r> Decode<'r, Postgres>
    + Send
    + Unpin
    + 'static
{
}

impl<T> Column for T where
    T: FromSql
        + Type<Sqlite>
        + Type<Postgres>
        + for<'r> Decode<'r, Sqlite>
        + for<'r> Decode<'r, Postgres>
        + Send
        + Unpin
        + 'static
{
}

/// A type that can be read from a row.
pub trait FromRow: Sized + Send + 'static {
    fn from_row(row: &Row<'_>) -> sqlx::Result<Self>;
}

impl Row<'_> {
    /// A column by its name.
    pub fn try_get<T: Column>(&self, name: &str) -> sqlx::Result<T> {
        match self {
            Row::Reader(row) => row.get(name).map_err(from_rusqlite),
            Row::Sqlite(row) => row.try_get(name),
            Row::Postgres(row) => row.try_get(name),
        }
    }

    /// A column by its position, from 0: for many rows, looking up names takes a good part of the time.
    pub fn at<T: Column>(&self, place: usize) -> sqlx::Result<T> {
        match self {
            Row::Reader(row) => row.get(place).map_err(from_rusqlite),
            Row::Sqlite(row) => row.try_get(place),
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
        impl<DB: sqlx::Database> sqlx::Type<DB> for $name
        where
            $inner: sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <$inner>::type_info()
            }
            fn compatible(ty: &DB::TypeInfo) -> bool {
                <$inner>::compatible(ty)
            }
        }
        impl<'q, DB: sqlx::Database> sqlx::Encode<'q, DB> for $name
        where
            $inner: sqlx::Encode<'q, DB>,
        {
            fn encode_by_ref(
                &self,
                buf: &mut DB::ArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                self.0.encode_by_ref(buf)
            }
        }
        impl<'r, DB: sqlx::Database> sqlx::Decode<'r, DB> for $name
        where
            $inner: sqlx::Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                <$inner>::decode(value).map(Self)
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
    };
}
pub(crate) use impl_column;

impl_column!(Digest(Vec<u8>) as Bytes);
impl_column!(UserId(uuid::Uuid) as Id);
impl_column!(ApiKeyId(uuid::Uuid) as Id);
impl_column!(PropertyId(uuid::Uuid) as Id);
impl_column!(GroupId(uuid::Uuid) as Id);
impl_column!(MemberId(uuid::Uuid) as Id);
impl_column!(RoomTypeId(uuid::Uuid) as Id);
impl_column!(RatePlanId(uuid::Uuid) as Id);
