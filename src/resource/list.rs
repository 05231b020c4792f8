//! Turns a list's arguments into SQL. What may be filtered and ordered stands in one table per collection; a caller's
//! text reaches the database only as a bound value.

use std::{borrow::Cow, collections::BTreeSet};

use crate::{
    base::{
        error::{Error, Result},
        ids,
    },
    db::{Bind, FromRow, Statement, Tx},
    resource::{
        json::Meta,
        query::{Filter, Operator, Paging, Query},
    },
};

/// Filters and orders of one query whose statement is worth keeping: of more there are millions of combinations.
const MOST_CACHED: usize = 2;

/// What a collection can be filtered and ordered by.
#[derive(Clone)]
pub struct Listing {
    pub filters: Cow<'static, [Filterable]>,
    pub orders: Cow<'static, [Orderable]>,
    /// The order when none is asked for, without the closing tie break.
    pub default_order: Orderable,
    /// The SQL of the id, by which ties are broken.
    pub id: Cow<'static, str>,
}

/// A field that can be filtered.
#[derive(Clone)]
pub struct Filterable {
    pub name: &'static str,
    /// A condition with `{}` where the comparison goes: `p.title {}`.
    pub sql: Cow<'static, str>,
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
#[derive(Clone)]
pub struct Orderable {
    pub name: &'static str,
    pub sql: Cow<'static, str>,
    pub key: Key,
}

/// The type of the values by which rows are ordered.
#[derive(Clone)]
pub enum Key {
    Bytes,
    Id,
    Text,
    /// Text that is ordered as a number, with the SQL of the text.
    Number(String),
    Whole,
    Boolean,
    Moment,
}

impl Listing {
    /// By what a query is ordered, each with whether it is descending, without the closing tie break.
    pub fn order(&self, query: &Query) -> Result<Vec<(Orderable, bool)>> {
        let mut order = Vec::new();
        for (name, descending) in &query.orders {
            match self.orders.iter().find(|order| order.name == name) {
                Some(found) => order.push((found.clone(), *descending)),
                None => return Err(Error::bad_request(format!("order[{name}] is not supported"))),
            }
        }
        if order.is_empty() {
            order.push((self.default_order.clone(), false));
        }
        Ok(order)
    }
}

impl Statement {
    /// Adds the conditions of all filters, each with ` and ` before it, in the order of the table: the same filters are
    /// the same statement, in whatever order they are sent.
    pub fn filter(&mut self, on_postgres: bool, listing: &Listing, query: &Query) -> Result<()> {
        let mut filters = Vec::new();
        for filter in &query.filters {
            let Some(place) = listing.filters.iter().position(|f| f.name == filter.field) else {
                return Err(Error::bad_request(format!("filter[{}] is not supported", filter.field)));
            };
            filters.push((place, filter));
        }
        filters.sort_by_key(|(place, filter)| (*place, filter.operator));
        for (place, filter) in filters {
            let condition = self.condition(on_postgres, &listing.filters[place], filter)?;
            self.push(" and ");
            self.push(&condition);
        }
        if query.filters.len() + query.orders.len() > MOST_CACHED {
            self.not_cached();
        }
        Ok(())
    }

    /// Adds the order, ties broken by id, ascending in both directions.
    pub fn order(&mut self, listing: &Listing, query: &Query) -> Result<()> {
        self.push(" order by ");
        for (Orderable { sql, .. }, descending) in listing.order(query)? {
            self.push(&sql);
            self.push(match descending {
                true => " desc nulls first, ",
                false if query.orders.is_empty() => ", ",
                false => " asc nulls last, ",
            });
        }
        self.push(&listing.id);
        Ok(())
    }

    /// Limits the rows to one page.
    pub fn page(&mut self, paging: Paging) {
        self.rows(paging.limit, paging);
    }

    fn rows(&mut self, limit: i64, paging: Paging) {
        let limit = self.bind(Bind::Whole(limit));
        let offset = self.bind(Bind::Whole(paging.offset()));
        self.push(&format!(" limit {limit} offset {offset}"));
    }

    fn condition(&mut self, on_postgres: bool, field: &Filterable, filter: &Filter) -> Result<String> {
        let sign = match filter.operator {
            Operator::Equal => return self.one_of(on_postgres, field, filter),
            Operator::Not => return Ok(format!("({}) is not true", self.one_of(on_postgres, field, filter)?)),
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

    /// Equal to one of the entries; an empty text means null or empty. However many there are, they are one value in one
    /// statement, and looked up by an index that the database makes of them.
    fn one_of(&mut self, on_postgres: bool, field: &Filterable, filter: &Filter) -> Result<String> {
        let entries = entries(field.kind, filter);
        let entries: BTreeSet<&str> = entries.into_iter().collect();
        // Nothing means null, or an empty text.
        let has_blank = entries.contains(&"");
        let mut found = Vec::new();
        for entry in entries {
            if entry.is_empty() && field.kind != Compared::Text {
                continue;
            }
            match value_of(field.kind, entry) {
                Value::Bind(bind) => found.push((entry, bind)),
                Value::Nothing => {}
                Value::Invalid => return Err(Error::bad_request(format!("filter[{}] is invalid", field.name))),
            }
        }
        let list = match field.kind {
            _ if found.is_empty() => None,
            Compared::Text if found.len() > 1 => {
                let texts: Vec<&str> = found.iter().map(|(text, _)| *text).collect();
                Some(self.bind_texts(on_postgres, &texts))
            }
            Compared::Id if found.len() > 1 => {
                let ids = found.iter().filter_map(|(_, bind)| if let Bind::Id(id) = bind { Some(*id) } else { None });
                Some(self.bind_ids(on_postgres, ids))
            }
            _ => Some(format!("({})", self.bind_all(found.into_iter().map(|(_, bind)| bind)))),
        };
        let found = match list {
            Some(list) => field.sql.replace("{}", &format!("in {list}")),
            None => "false".to_owned(),
        };
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
    mut rows: Statement,
    mut count: Statement,
) -> Result<(Vec<T>, Meta)>
where
    T: FromRow,
{
    let paging = query.paging();
    rows.filter(tx.is_postgres(), listing, query)?;
    rows.order(listing, query)?;
    // One more than are shown tells whether others follow.
    rows.rows(paging.limit + 1, paging);
    count.filter(tx.is_postgres(), listing, query)?;
    let mut found: Vec<T> = rows.fetch_all(tx).await?;
    let rows = i64::try_from(found.len()).unwrap_or(i64::MAX);
    // The last page tells how many there are; a page past the end, or one that others follow, does not.
    let total = match rows > paging.limit || rows == 0 && paging.page > 1 {
        true => count.fetch_value(tx).await?,
        false => paging.offset() + rows,
    };
    found.truncate(usize::try_from(paging.limit).unwrap_or(usize::MAX));
    Ok((found, Meta::new(paging, total)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_values_come_in_steps() {
        let mut texts = BTreeSet::new();
        for count in 1..=100 {
            let mut select = Statement::new("select 1 where 1 in (", Vec::new());
            let names = select.bind_all((0..count).map(Bind::Whole));
            texts.insert(names);
        }
        assert_eq!(texts.len(), 8);
    }
}
