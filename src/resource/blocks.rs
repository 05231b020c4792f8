//! Lists that are answered whole, however long: their rows are found in blocks, each of which begins after the last row of
//! the one before. Between blocks nothing is held. What others change meanwhile may be found or not; what they leave alone
//! is found once.

use std::marker::PhantomData;

use uuid::Uuid;

use crate::{
    access::caller::Caller,
    base::{clock::Moment, error::Result},
    db::{Bind, Statement, Tx},
    resource::{
        collection::Resource,
        list::{Key, Orderable},
        query::Query,
        store::{self, Hit},
    },
};

/// Rows of a block, of which only ids and versions are in memory. Each block reads the whole list once to find its rows,
/// so with fewer a long list would cost more.
const ROWS: usize = 50_000;

/// The blocks of a list.
pub struct Blocks<R> {
    pub caller: Caller,
    query: Query,
    rows: usize,
    next: Next,
    of: PhantomData<fn() -> R>,
}

enum Next {
    First,
    /// After the row with this id and these values of the order; `None` is null.
    After(Uuid, Vec<Option<Bind>>),
    None,
}

impl<R: Resource> Blocks<R> {
    /// All rows that the caller can see and that the query asks for.
    pub fn new(caller: Caller, query: Query) -> Self {
        Blocks { caller, query, rows: ROWS, next: Next::First, of: PhantomData }
    }

    /// No rows: those of one page are known.
    pub fn none(caller: Caller) -> Self {
        Blocks { next: Next::None, ..Self::new(caller, Query::default()) }
    }

    /// With blocks of so many rows.
    #[cfg(test)]
    pub fn of(self, rows: usize) -> Self {
        Blocks { rows, ..self }
    }

    /// True when no block follows.
    pub fn is_over(&self) -> bool {
        matches!(self.next, Next::None)
    }

    /// The next block.
    pub async fn next(&mut self, tx: &mut Tx) -> Result<Vec<Hit>> {
        let listing = store::listing::<R>();
        let order = listing.order(&self.query)?;
        let mut rows = store::listed_hits::<R>(tx, &self.caller);
        rows.filter(tx.is_postgres(), &listing, &self.query)?;
        match &self.next {
            Next::First => {}
            Next::After(id, values) => rows.after(&order, values, &listing.id, *id),
            Next::None => return Ok(Vec::new()),
        }
        rows.order(&listing, &self.query)?;
        let limit = rows.bind(Bind::Whole(i64::try_from(self.rows).unwrap_or(i64::MAX)));
        rows.push(&format!(" limit {limit}"));
        let hits: Vec<Hit> = rows.fetch_all(tx).await?;
        self.next = match hits.last() {
            Some(last) if hits.len() >= self.rows => Next::After(last.id, self.values(tx, &order, last.id).await?),
            _ => Next::None,
        };
        Ok(hits)
    }

    /// The values by which a row is ordered. This transaction has just found the row.
    async fn values(&self, tx: &mut Tx, order: &[(Orderable, bool)], id: Uuid) -> Result<Vec<Option<Bind>>> {
        let mut values = Vec::new();
        for (Orderable { sql, key, .. }, _) in order {
            let expression = if let Key::Number(column) = key { column.as_str() } else { sql };
            let (table, row) = (R::NAME.many, R::ROW);
            let select = format!("select {expression} from {table} {row} where {row}.id = $1");
            let select = Statement::new(select, vec![Bind::Id(id)]);
            values.push(match key {
                Key::Bytes => select.fetch_value::<Option<Vec<u8>>>(tx).await?.map(Bind::Bytes),
                Key::Id => select.fetch_value::<Option<Uuid>>(tx).await?.map(Bind::Id),
                Key::Text | Key::Number(_) => select.fetch_value::<Option<String>>(tx).await?.map(Bind::Text),
                Key::Whole => select.fetch_value::<Option<i64>>(tx).await?.map(Bind::Whole),
                Key::Boolean => select.fetch_value::<Option<bool>>(tx).await?.map(Bind::Boolean),
                Key::Moment if tx.is_postgres() => select.fetch_value::<Option<Moment>>(tx).await?.map(Bind::Moment),
                // As it is written there, since it is compared as text.
                Key::Moment => select.fetch_value::<Option<String>>(tx).await?.map(Bind::Text),
            });
        }
        Ok(values)
    }
}

impl Statement {
    /// Adds the condition that a row comes after one with these values and this id. Nulls are last where the order is
    /// ascending, and first where it is descending; ids are ascending.
    fn after(&mut self, order: &[(Orderable, bool)], values: &[Option<Bind>], id_sql: &str, id: Uuid) {
        let id = self.bind(Bind::Id(id));
        let mut condition = format!("{id_sql} > {id}");
        for ((Orderable { sql, key, .. }, descending), value) in order.iter().zip(values).rev() {
            condition = match (value, descending) {
                (None, false) => format!("({sql} is null and {condition})"),
                (None, true) => format!("({sql} is not null or {condition})"),
                (Some(value), _) => {
                    let mut value = self.bind(value.clone());
                    if matches!(key, Key::Number(_)) {
                        value = format!("cast({value} as double precision)");
                    }
                    match descending {
                        false => format!("({sql} > {value} or {sql} is null or ({sql} = {value} and {condition}))"),
                        true => format!("({sql} < {value} or ({sql} = {value} and {condition}))"),
                    }
                }
            };
        }
        self.push(" and ");
        self.push(&condition);
    }
}
