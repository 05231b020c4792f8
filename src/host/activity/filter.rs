//! The filter of the page "Activity".

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;
use serde::Deserialize;

use crate::{
    base::{days::beginning, ids::UserId},
    record::{activity::Kind, entries::Filter},
    web::form::Field,
};

#[derive(Deserialize)]
pub struct Query {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    pub page: String,
}

impl From<FilterForm> for Query {
    fn from(form: FilterForm) -> Self {
        let FilterForm { kind, from, to } = form;
        Query { kind: kind.value, from: from.value, to: to.value, page: String::new() }
    }
}

/// The filter as it was entered.
pub struct FilterForm {
    pub kind: Field,
    pub from: Field,
    pub to: Field,
}

const NO_DATE: &str = "Enter a date such as 2026-12-31.";

impl FilterForm {
    /// The form, and unless a field is invalid, the filter for this user: whole days in the time zone.
    pub fn read(query: Query, user: UserId, zone: Tz) -> (Self, Option<Filter>) {
        let Query { kind, from, to, .. } = query;
        let wanted = match &*kind {
            "" => Ok(None),
            name => Kind::from_name(name).map(Some).ok_or("Choose a kind from the list."),
        };
        let (first, last) = (day(&from), day(&to));
        let is_reversed = matches!((first, last), (Ok(Some(first)), Ok(Some(last))) if last < first);
        let last = if is_reversed { Err("This day is before the first one.") } else { last };
        let form = FilterForm {
            kind: Field { problem: wanted.err().map(str::to_owned), value: kind },
            from: Field { problem: first.err().map(str::to_owned), value: from },
            to: Field { problem: last.err().map(str::to_owned), value: to },
        };
        let (Ok(kind), Ok(first), Ok(last)) = (wanted, first, last) else { return (form, None) };
        let from = first.map(|day| beginning(day, zone));
        let before = last.and_then(|day| day.succ_opt()).map(|day| beginning(day, zone));
        (form, Some(Filter { user: Some(user), kind, from, before }))
    }

    pub fn is_used(&self) -> bool {
        [&self.kind, &self.from, &self.to].iter().any(|field| !field.value.trim().is_empty())
    }

    /// The field that has the focus: the first with a problem.
    pub fn focus(&self) -> &'static str {
        let fields = [("kind", &self.kind), ("from", &self.from), ("to", &self.to)];
        fields.iter().find(|(_, field)| field.problem.is_some()).map_or("", |(name, _)| name)
    }

    /// The address of the CSV with this filter.
    pub fn csv(&self) -> String {
        self.address("/user_profile/activity.csv", 1)
    }

    /// A path with this filter and page.
    pub fn address(&self, path: &str, page: i64) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, field) in [("kind", &self.kind), ("from", &self.from), ("to", &self.to)] {
            if !field.value.trim().is_empty() {
                query.append_pair(name, field.value.trim());
            }
        }
        if page > 1 {
            query.append_pair("page", &page.to_string());
        }
        match query.finish() {
            query if query.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }
}

/// Parses a day; `None` if the field is empty.
fn day(text: &str) -> Result<Option<NaiveDate>, &'static str> {
    match text.trim() {
        "" => Ok(None),
        text => match text.parse::<NaiveDate>() {
            Ok(day) if (1..=9999).contains(&day.year()) => Ok(Some(day)),
            _ => Err(NO_DATE),
        },
    }
}
