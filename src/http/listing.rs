//! Turns a list's arguments into SQL. What may be filtered and ordered stands in one table per collection; a caller's
//! text reaches the database only as a bound value.

#[expect(clippy::disallowed_types, reason = "the one place that joins constant parts of SQL")]
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{
    error::{Error, Result},
    json::Meta,
    query::{Filter, Operator, Paging, Query},
};
use crate::{
    db::{Tx, on, run},
    ids,
};

/// Entries of one filter at most: both databases limit the values of a query.
const MOST_ENTRIES: usize = 1000;

/// What a collection can be filtered and ordered by.
pub struct Listing {
    pub filters: &'static [Filterable],
    pub orders: &'static [Orderable],
    /// The SQL of the order when none is asked for, without the closing tie break.
    pub default_order: &'static str,
    /// The SQL of the id, by which ties are broken.
    pub id: &'static str,
}

/// A field that can be filtered.
pub struct Filterable {
    pub name: &'static str,
    /// A condition with `{}` where the comparison goes: `p.title {}`.
    pub sql: &'static str,
    pub kind: Compared,
}

/// How a filter's text is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    Id,
    Text,
    Boolean,
}

/// A field that can be ordered, and the SQL to order by.
pub struct Orderable {
    pub name: &'static str,
    pub sql: &'static str,
}

/// A value bound to a query.
#[derive(Clone, Debug)]
pub enum Bind {
    Id(Uuid),
    MaybeId(Option<Uuid>),
    Text(String),
    Boolean(bool),
    Whole(i64),
}

/// A query made of parts, its values bound in step with its text.
#[derive(Clone, Debug)]
pub struct Select {
    sql: String,
    binds: Vec<Bind>,
}

/// What can be read from rows of both databases.
pub trait Rows:
    for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> + for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin
{
}

impl<T> Rows for T where
    T: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>
        + for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>
        + Send
        + Unpin
{
}

/// Binds all values to a query of either database.
macro_rules! bind {
    ($query:expr, $binds:expr) => {{
        let mut query = $query;
        for bind in $binds {
            query = match bind {
                Bind::Id(id) => query.bind(id),
                Bind::MaybeId(id) => query.bind(id),
                Bind::Text(text) => query.bind(text),
                Bind::Boolean(value) => query.bind(value),
                Bind::Whole(number) => query.bind(number),
            };
        }
        query
    }};
}

impl Select {
    /// Starts with a text that uses `$1`, `$2`… for these values.
    pub fn new(sql: impl Into<String>, binds: Vec<Bind>) -> Self {
        Self { sql: sql.into(), binds }
    }

    /// The same query, to be explained.
    #[cfg(test)]
    pub fn explained(&self, how: &str) -> Self {
        Select { sql: format!("{how} {}", self.sql), binds: self.binds.clone() }
    }

    /// Adds SQL of ours.
    pub fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// Binds a value; the answer is its name in the text.
    pub fn bind(&mut self, value: Bind) -> String {
        self.binds.push(value);
        format!("${}", self.binds.len())
    }

    /// Adds one more condition: a column of ours that equals a value.
    pub fn and(&mut self, column: &str, value: Bind) {
        let name = self.bind(value);
        self.push(&format!(" and {column} = {name}"));
    }

    /// Binds several values: `$3, $4, $5`.
    pub fn bind_all(&mut self, values: impl IntoIterator<Item = Bind>) -> String {
        let names: Vec<String> = values.into_iter().map(|value| self.bind(value)).collect();
        names.join(", ")
    }

    /// Adds the conditions of all filters, each with ` and ` before it.
    pub fn filter(&mut self, listing: &Listing, query: &Query) -> Result<()> {
        for filter in &query.filters {
            let Some(field) = listing.filters.iter().find(|f| f.name == filter.field) else {
                return Err(Error::bad_request(format!("filter[{}] is not supported", filter.field)));
            };
            let condition = self.condition(field, filter)?;
            self.push(" and ");
            self.push(&condition);
        }
        Ok(())
    }

    /// Adds the order, ties broken by id, ascending in both directions.
    pub fn order(&mut self, listing: &Listing, query: &Query) -> Result<()> {
        self.push(" order by ");
        for (name, descending) in &query.orders {
            let Some(field) = listing.orders.iter().find(|f| f.name == name) else {
                return Err(Error::bad_request(format!("order[{name}] is not supported")));
            };
            self.push(field.sql);
            self.push(if *descending { " desc nulls first, " } else { " asc nulls last, " });
        }
        if query.orders.is_empty() {
            self.push(listing.default_order);
            self.push(", ");
        }
        self.push(listing.id);
        Ok(())
    }

    /// Limits the rows to one page.
    pub fn page(&mut self, paging: Paging) {
        let limit = self.bind(Bind::Whole(paging.limit));
        let offset = self.bind(Bind::Whole(paging.offset()));
        self.push(&format!(" limit {limit} offset {offset}"));
    }

    pub async fn all<T: Rows>(self, tx: &mut Tx) -> sqlx::Result<Vec<T>> {
        #[cfg(test)]
        crate::plans::RAN.with_borrow_mut(|ran| ran.push(self.clone()));
        on!(tx, conn => bind!(sqlx::query_as(AssertSqlSafe(self.sql)), self.binds).fetch_all(conn).await)
    }

    /// Runs it as a write; the answer is the number of rows it touched.
    pub async fn run(self, tx: &mut Tx) -> sqlx::Result<u64> {
        run!(tx, bind!(sqlx::query(AssertSqlSafe(self.sql)), self.binds))
    }

    /// The number in the first column of the first row.
    pub async fn count(self, tx: &mut Tx) -> sqlx::Result<i64> {
        Ok(self.all::<(i64,)>(tx).await?.first().map_or(0, |row| row.0))
    }

    fn condition(&mut self, field: &Filterable, filter: &Filter) -> Result<String> {
        let sign = match filter.operator {
            Operator::Equal => return self.one_of(field, filter),
            Operator::Not => return Ok(format!("({}) is not true", self.one_of(field, filter)?)),
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
        };
        let invalid = || Error::bad_request(format!("filter[{}][{}] is invalid", field.name, filter.operator.name()));
        if filter.text.contains(',') || filter.text.is_empty() {
            return Err(invalid());
        }
        let comparison = match value_of(field.kind, &filter.text) {
            Value::Bind(bind @ Bind::Text(_)) => format!("{sign} {} collate \"C\"", self.bind(bind)),
            Value::Bind(bind) => format!("{sign} {}", self.bind(bind)),
            Value::Nothing => return Ok("false".to_owned()),
            Value::Invalid => return Err(invalid()),
        };
        Ok(field.sql.replace("{}", &comparison))
    }

    /// Equal to one of the entries; an empty text means null or empty.
    fn one_of(&mut self, field: &Filterable, filter: &Filter) -> Result<String> {
        let entries = entries(field.kind, filter);
        if entries.len() > MOST_ENTRIES {
            return Err(Error::bad_request(format!("filter[{}] has more than {MOST_ENTRIES} entries", field.name)));
        }
        // Nothing means null, or an empty text.
        let has_blank = entries.contains(&"");
        let mut binds = Vec::new();
        for entry in entries {
            if entry.is_empty() && field.kind != Compared::Text {
                continue;
            }
            match value_of(field.kind, entry) {
                Value::Bind(bind) => binds.push(bind),
                Value::Nothing => {}
                Value::Invalid => return Err(Error::bad_request(format!("filter[{}] is invalid", field.name))),
            }
        }
        let mut found = "false".to_owned();
        if !binds.is_empty() {
            let names = self.bind_all(binds);
            found = field.sql.replace("{}", &format!("in ({names})"));
        }
        match has_blank {
            true => Ok(format!("({found} or {})", field.sql.replace("{}", "is null"))),
            false => Ok(found),
        }
    }
}

/// One page of a list, with its numbers.
pub async fn page<T>(
    tx: &mut Tx,
    listing: &Listing,
    query: &Query,
    mut rows: Select,
    mut count: Select,
) -> Result<(Vec<T>, Meta)>
where
    T: Rows,
{
    rows.filter(listing, query)?;
    rows.order(listing, query)?;
    rows.page(query.paging());
    count.filter(listing, query)?;
    let found = rows.all(tx).await?;
    Ok((found, Meta::new(query.paging(), count.count(tx).await?)))
}

/// A list as a whole.
pub async fn whole<T: Rows>(tx: &mut Tx, listing: &Listing, query: &Query, mut rows: Select) -> Result<Vec<T>> {
    rows.filter(listing, query)?;
    rows.order(listing, query)?;
    Ok(rows.all(tx).await?)
}

/// A list that is whole unless pages are asked for.
pub async fn page_or_whole<T>(
    tx: &mut Tx,
    listing: &Listing,
    query: &Query,
    rows: Select,
    count: Select,
) -> Result<(Vec<T>, Option<Meta>)>
where
    T: Rows,
{
    if !query.is_paged() {
        return Ok((whole(tx, listing, query, rows).await?, None));
    }
    let (rows, meta) = page(tx, listing, query, rows, count).await?;
    Ok((rows, Some(meta)))
}

/// The entries of a list; a text with a comma is also tried as one literal.
fn entries(kind: Compared, filter: &Filter) -> Vec<&str> {
    if !filter.entries.is_empty() {
        return filter.entries.iter().map(String::as_str).collect();
    }
    let mut entries: Vec<&str> = filter.text.split(',').collect();
    if kind == Compared::Text && entries.len() > 1 {
        entries.push(&filter.text);
    }
    entries
}

enum Value {
    Bind(Bind),
    /// No record can have it.
    Nothing,
    Invalid,
}

fn value_of(kind: Compared, text: &str) -> Value {
    match (kind, text) {
        (Compared::Text, _) => Value::Bind(Bind::Text(text.to_owned())),
        (Compared::Id, _) => match ids::parse(text.trim()) {
            Some(id) => Value::Bind(Bind::Id(id)),
            None => Value::Nothing,
        },
        (Compared::Boolean, "true" | "1") => Value::Bind(Bind::Boolean(true)),
        (Compared::Boolean, "false" | "0") => Value::Bind(Bind::Boolean(false)),
        (Compared::Boolean, _) => Value::Invalid,
    }
}
