//! Reads: one SQL text and its values, run on the database of the transaction.

use std::borrow::Cow;

#[expect(clippy::disallowed_types, reason = "the one place that takes texts joined of constant parts")]
use sqlx::AssertSqlSafe;
use sqlx::{SqlSafeStr, SqlStr};
use uuid::Uuid;

use crate::db::{
    bind::Bind,
    database::{On, Tx},
    limits::in_time,
    row::{Column, FromRow, Row},
};

#[cfg(test)]
thread_local! {
    /// The statements that were run on this thread.
    pub static RAN: std::cell::RefCell<Vec<Statement>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// A statement that may be joined of parts, with the values that each part binds.
#[derive(Clone, Debug)]
pub struct Statement {
    sql: Cow<'static, str>,
    binds: Vec<Bind>,
    /// Prepared once per connection; if false, for each execution.
    cached: bool,
}

/// A query of PostgreSQL with its values.
macro_rules! query {
    ($statement:expr, $caches:expr) => {{
        let mut query = sqlx::query($statement.sql.sql()).persistent($statement.cached && $caches);
        for bind in $statement.binds {
            query = match bind {
                Bind::Id(id) => query.bind(id),
                Bind::MaybeId(id) => query.bind(id),
                Bind::Text(text) => query.bind(text),
                Bind::MaybeText(text) => query.bind(text),
                Bind::Bytes(bytes) => query.bind(bytes),
                Bind::Boolean(value) => query.bind(value),
                Bind::MaybeBoolean(value) => query.bind(value),
                Bind::Whole(number) => query.bind(number),
                Bind::MaybeWhole(number) => query.bind(number),
                Bind::Moment(moment) => query.bind(moment),
                Bind::MaybeMoment(moment) => query.bind(moment),
            };
        }
        query
    }};
}

impl Statement {
    /// A text that uses `$1`, `$2`… for these values.
    pub fn new(sql: impl Into<Cow<'static, str>>, binds: Vec<Bind>) -> Self {
        Self { sql: sql.into(), binds, cached: true }
    }

    /// The same statement after `explain`.
    #[cfg(test)]
    pub fn explained(&self, how: &str) -> Self {
        Statement { sql: format!("{how} {}", self.sql).into(), binds: self.binds.clone(), cached: false }
    }

    /// Appends SQL, which must be constant.
    pub fn push(&mut self, sql: &str) {
        self.sql.to_mut().push_str(sql);
    }

    /// Binds a value and returns its placeholder.
    pub fn bind(&mut self, value: Bind) -> String {
        self.binds.push(value);
        format!("${}", self.binds.len())
    }

    /// Appends a condition: a column equals a value.
    pub fn and(&mut self, column: &str, value: Bind) {
        let name = self.bind(value);
        self.push(&format!(" and {column} = {name}"));
    }

    /// Prepares the statement for one execution only: for texts of which callers could create any number.
    pub fn not_cached(&mut self) {
        self.cached = false;
    }

    /// Binds several values and returns their placeholders: `$3, $4, $5, $6`. The last one is repeated up to the next
    /// power of two: every count would be another statement in the caches. For up to a hundred or so; for more, see
    /// [`Statement::bind_ids`].
    pub fn bind_all(&mut self, values: impl IntoIterator<Item = Bind>) -> String {
        self.bind_each(values).join(", ")
    }

    /// The same, each placeholder separately.
    pub fn bind_each(&mut self, values: impl IntoIterator<Item = Bind>) -> Vec<String> {
        let mut values: Vec<Bind> = values.into_iter().collect();
        if let Some(last) = values.last().cloned() {
            values.resize(values.len().next_power_of_two(), last);
        }
        values.into_iter().map(|value| self.bind(value)).collect()
    }

    /// Binds any number of ids as one value, for `in`.
    pub fn bind_ids(&mut self, on_postgres: bool, ids: impl IntoIterator<Item = Uuid>) -> String {
        let ids: Vec<String> = ids.into_iter().map(|id| format!("\"{}\"", id.simple())).collect();
        let name = self.bind(Bind::Text(format!("[{}]", ids.join(","))));
        match on_postgres {
            true => format!("(select cast(value as uuid) from jsonb_array_elements_text(cast({name} as jsonb)))"),
            false => format!("(select unhex(value) from json_each({name}))"),
        }
    }

    /// Binds any number of texts as one value, for `in`. None may contain U+0000.
    pub fn bind_texts(&mut self, on_postgres: bool, texts: &[&str]) -> String {
        let name = self.bind(Bind::Text(serde_json::json!(texts).to_string()));
        match on_postgres {
            true => format!("(select value from jsonb_array_elements_text(cast({name} as jsonb)))"),
            false => format!("(select value from json_each({name}))"),
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.sql
    }

    /// All rows.
    pub async fn fetch_all<T: FromRow>(self, tx: &mut Tx) -> sqlx::Result<Vec<T>> {
        #[cfg(test)]
        RAN.with_borrow_mut(|ran| ran.push(self.clone()));
        match &mut tx.on {
            On::Reader(reader) => reader.all(self.sql, self.binds, self.cached).await,
            On::Sqlite(write) => write.all(self.sql, self.binds, self.cached).await,
            // Boxed: sqlx's futures are large, and every future that awaits them would be as large.
            On::Postgres(turn) => {
                Box::pin(in_time(async {
                    let rows = query!(self, turn.caches_statements).fetch_all(turn.connection()).await?;
                    rows.iter().map(|row| T::from_row(&Row::Postgres(row))).collect()
                }))
                .await
            }
        }
    }

    /// The first row, if there is any.
    pub async fn fetch_optional<T: FromRow>(self, tx: &mut Tx) -> sqlx::Result<Option<T>> {
        Ok(self.fetch_all(tx).await?.into_iter().next())
    }

    /// The first column of each row.
    pub async fn fetch_values<T: Column>(self, tx: &mut Tx) -> sqlx::Result<Vec<T>> {
        Ok(self.fetch_all(tx).await?.into_iter().map(|First(value)| value).collect())
    }

    /// The first column of the first row.
    pub async fn fetch_value<T: Column>(self, tx: &mut Tx) -> sqlx::Result<T> {
        self.fetch_values(tx).await?.into_iter().next().ok_or(sqlx::Error::RowNotFound)
    }

    /// Runs it as a write and returns the number of affected rows.
    pub async fn execute(self, tx: &mut Tx) -> sqlx::Result<u64> {
        match &mut tx.on {
            On::Reader(_) => Err(sqlx::Error::Configuration("a read-only transaction cannot write".into())),
            On::Sqlite(write) => write.execute(&self.sql, &self.binds, self.cached),
            On::Postgres(turn) => {
                Box::pin(in_time(async {
                    let done = query!(self, turn.caches_statements).execute(turn.connection()).await?;
                    Ok(done.rows_affected())
                }))
                .await
            }
        }
    }
}

trait Text {
    fn sql(self) -> SqlStr;
}

impl Text for Cow<'static, str> {
    fn sql(self) -> SqlStr {
        match self {
            Cow::Borrowed(sql) => sql.into_sql_str(),
            Cow::Owned(sql) => AssertSqlSafe(sql).into_sql_str(),
        }
    }
}

/// The one column of a row.
struct First<T>(T);

impl<T: Column> FromRow for First<T> {
    fn from_row(row: &Row<'_>) -> sqlx::Result<Self> {
        row.at(0).map(First)
    }
}
