//! Query arguments as callers send them: `filter[f][op]=v`, `order[f]=asc`, `pagination[page]=1`
//! (docs/contract/README.md, sections 6 to 8 and 15).

use crate::{
    base::error::{Error, Result},
    resource::fields::LARGEST,
};

/// Rows of a page when nothing is asked for, and at most.
pub const DEFAULT_LIMIT: i64 = 10;
pub const MOST: i64 = 100;

/// Entries of all filters of a request at most.
const MOST_ENTRIES: usize = 1000;

/// The arguments of a list, read but not yet compared with what the list offers.
#[derive(Debug, Default)]
pub struct Query {
    pub filters: Vec<Filter>,
    /// Field and whether descending, in the order written.
    pub orders: Vec<(String, bool)>,
    page: Option<i64>,
    limit: Option<i64>,
}

/// One `filter[field][op]=text`.
#[derive(Debug)]
pub struct Filter {
    pub field: String,
    pub operator: Operator,
    /// The text as sent. Entries of a list are separated by commas.
    pub text: String,
    /// The entries of `filter[f][]=v` or `filter[f][0]=v`, which are never split.
    pub entries: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    Equal,
    Not,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Which rows of a list.
#[derive(Clone, Copy, Debug)]
pub struct Paging {
    /// Counted from 1.
    pub page: i64,
    /// 1 to 100.
    pub limit: i64,
}

impl Paging {
    /// Rows before the page; a page past all numbers is past the end too.
    pub fn offset(&self) -> i64 {
        (self.page - 1).saturating_mul(self.limit)
    }
}

impl Query {
    /// Reads a query string. Arguments that are none of a list's are ignored.
    pub fn read(query: &str) -> Result<Self> {
        let mut read = Query::default();
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if key.contains('\0') || value.contains('\0') {
                return Err(Error::bad_request(format!("{} is invalid", key.replace('\0', ""))));
            }
            let (name, inside) = key.split_once('[').unwrap_or((&key, ""));
            let inside: Vec<&str> = match inside.strip_suffix(']') {
                Some(inside) => inside.split("][").collect(),
                // Ignored, it would give the caller more than was asked for.
                None if key.contains('[') && matches!(name, "filter" | "order" | "pagination") => {
                    return Err(not_supported(&key));
                }
                None => Vec::new(),
            };
            match (name, inside.as_slice()) {
                ("filter", [field]) => read.filter(field, Operator::Equal, &value),
                // PHP numbers the entries of a list.
                ("filter", [field, place]) if place.bytes().all(|b| b.is_ascii_digit()) => {
                    read.filter_entry(field, &value)
                }
                ("filter", [field, operator]) => {
                    let operator = Operator::ALL.into_iter().find(|known| known.name() == *operator);
                    let operator = operator.ok_or_else(|| not_supported(&key))?;
                    read.filter(field, operator, &value);
                }
                ("order", [field]) => read.order(field, &value)?,
                ("pagination", ["page"]) | ("page", []) => read.page = Some(positive(&value, "pagination[page]")?),
                ("pagination", ["limit"]) | ("limit", []) => read.limit = Some(positive(&value, "pagination[limit]")?),
                ("filter" | "order" | "pagination", [_, ..]) => return Err(not_supported(&key)),
                _ => {}
            }
        }
        if read.filters.iter().map(Filter::size).sum::<usize>() > MOST_ENTRIES {
            return Err(Error::bad_request(format!("filter has more than {MOST_ENTRIES} entries")));
        }
        Ok(read)
    }

    /// True where all is asked for, in the usual order.
    pub fn is_plain(&self) -> bool {
        self.filters.is_empty() && self.orders.is_empty()
    }

    /// The value of a field where all that is asked for is what has this one value, in the usual order.
    pub fn only(&self, field: &str) -> Option<&str> {
        let [filter] = self.filters.as_slice() else { return None };
        let is_one = filter.entries.is_empty() && !filter.text.is_empty() && !filter.text.contains(',');
        let is_only = self.orders.is_empty() && filter.field == field && filter.operator == Operator::Equal;
        (is_one && is_only).then_some(&filter.text)
    }

    /// True when the caller asked for pages.
    pub fn is_paged(&self) -> bool {
        self.page.is_some() || self.limit.is_some()
    }

    pub fn paging(&self) -> Paging {
        Paging { page: self.page.unwrap_or(1), limit: self.limit.unwrap_or(DEFAULT_LIMIT).min(MOST) }
    }

    /// The same argument twice: the last one wins.
    fn filter(&mut self, field: &str, operator: Operator, text: &str) {
        self.filters.retain(|f| f.field != field || f.operator != operator);
        self.filters.push(Filter { field: field.to_owned(), operator, text: text.to_owned(), entries: Vec::new() });
    }

    fn filter_entry(&mut self, field: &str, text: &str) {
        let same = |f: &&mut Filter| f.field == field && !f.entries.is_empty();
        match self.filters.iter_mut().find(same) {
            Some(filter) => filter.entries.push(text.to_owned()),
            None => {
                self.filter(field, Operator::Equal, "");
                if let Some(filter) = self.filters.last_mut() {
                    filter.entries.push(text.to_owned());
                }
            }
        }
    }

    fn order(&mut self, field: &str, direction: &str) -> Result<()> {
        let descending = match direction {
            "asc" => false,
            "desc" => true,
            _ => return Err(Error::bad_request(format!("order[{field}] is invalid"))),
        };
        self.orders.retain(|(other, _)| other != field);
        self.orders.push((field.to_owned(), descending));
        Ok(())
    }
}

/// Reads `force` of a delete: true where what is mapped to a channel goes too.
pub fn is_forced(query: &str) -> Result<bool> {
    let mut forced = false;
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == "force") {
        forced = match &*value {
            "true" | "1" => true,
            "false" | "0" => false,
            _ => return Err(Error::bad_request(format!("{key} is invalid"))),
        };
    }
    Ok(forced)
}

fn not_supported(argument: &str) -> Error {
    Error::bad_request(format!("{argument} is not supported"))
}

impl Filter {
    /// How many entries it has.
    fn size(&self) -> usize {
        self.entries.len().max(self.text.split(',').count())
    }
}

impl Operator {
    pub const ALL: [Operator; 6] = [
        Operator::Equal,
        Operator::Not,
        Operator::Less,
        Operator::LessOrEqual,
        Operator::Greater,
        Operator::GreaterOrEqual,
    ];

    /// As it is written in a query.
    pub fn name(self) -> &'static str {
        match self {
            Operator::Equal => "eq",
            Operator::Not => "not",
            Operator::Less => "lt",
            Operator::LessOrEqual => "lte",
            Operator::Greater => "gt",
            Operator::GreaterOrEqual => "gte",
        }
    }
}

fn positive(text: &str, name: &str) -> Result<i64> {
    match text.parse::<i64>() {
        Ok(number) if (1..=LARGEST).contains(&number) && !text.starts_with('+') => Ok(number),
        _ => Err(Error::bad_request(format!("{name} is invalid"))),
    }
}
