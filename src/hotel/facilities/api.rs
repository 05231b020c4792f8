//! `/api/v1/property_facilities` and `/api/v1/room_facilities` (docs/contract/facilities.md): for every caller the same.

use std::{cmp::Ordering, sync::LazyLock};

use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

use crate::{
    access::caller::Caller,
    base::{
        error::{Error, Result},
        ids,
    },
    db::folded,
    hotel::facilities::{Catalogue, Facility, OF_PROPERTIES, OF_ROOMS},
    resource::{
        collection::{self, Resource, Stored},
        json::{self, Meta},
        list::Listing,
        query::{Filter, Operator, Query},
        store,
    },
};

/// What a catalogue can be filtered and ordered by. It is in memory, so the SQL is of no use.
pub static LISTING: LazyLock<Listing> = LazyLock::new(store::listing::<Facility>);

fn answer(catalogue: &Catalogue, request: &HttpRequest, paged: bool) -> Result<HttpResponse> {
    let query = Query::read(request.query_string())?;
    let mut found: Vec<&Stored<Facility>> = catalogue.entries.iter().collect();
    for filter in &query.filters {
        check(filter)?;
        found.retain(|facility| fits(facility, filter));
    }
    for (field, _) in &query.orders {
        if !LISTING.orders.iter().any(|known| known.name == field) {
            return Err(Error::bad_request(format!("order[{field}] is not supported")));
        }
    }
    // The catalogue is by title already.
    if !query.orders.is_empty() {
        found.sort_by(|a, b| {
            let compared = query.orders.iter().map(|(field, descending)| {
                let order = match field.as_str() {
                    "title" => folded(&a.resource.title.0).cmp(&folded(&b.resource.title.0)),
                    // All are as old as the program.
                    "inserted_at" => Ordering::Equal,
                    field => value(a, field).cmp(&value(b, field)),
                };
                if *descending { order.reverse() } else { order }
            });
            compared.fold(Ordering::Equal, Ordering::then).then(a.id.cmp(&b.id))
        });
    }
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let mut meta = None;
    if paged {
        let paging = query.paging();
        let before = usize::try_from(paging.offset()).unwrap_or(usize::MAX);
        let limit = usize::try_from(paging.limit).unwrap_or(usize::MAX);
        found = found.into_iter().skip(before).take(limit).collect();
        meta = Some(Meta::new(paging, total));
    }
    let bodies: Vec<Value> = found.into_iter().map(collection::body).collect();
    Ok(json::many(&bodies, meta))
}

/// What a filter or an order compares.
fn value(facility: &Stored<Facility>, field: &str) -> String {
    match Facility::FIELDS.iter().find(|attribute| attribute.field.name == field) {
        Some(attribute) => attribute.json(&facility.resource, "").as_str().unwrap_or_default().to_owned(),
        None => facility.id.to_string(),
    }
}

fn check(filter: &Filter) -> Result<()> {
    let field = &filter.field;
    if !LISTING.filters.iter().any(|known| known.name == field) {
        return Err(Error::bad_request(format!("filter[{field}] is not supported")));
    }
    match filter.operator {
        Operator::Equal | Operator::Not => Ok(()),
        one if filter.text.is_empty() || filter.text.contains(',') => {
            Err(Error::bad_request(format!("filter[{field}][{}] is invalid", one.name())))
        }
        _ => Ok(()),
    }
}

fn fits(facility: &Stored<Facility>, filter: &Filter) -> bool {
    let value = value(facility, &filter.field);
    // An id is compared as an id: in any letter case, and what is none matches nothing.
    let comparable = |text: &str| match filter.field.as_str() {
        "id" => ids::parse(text.trim()).map(|id| id.to_string()),
        _ => Some(text.to_owned()),
    };
    let is = |entry: &str| comparable(entry).is_some_and(|entry| entry == value);
    let compared = || comparable(&filter.text).map(|text| value.cmp(&text));
    let one_of = || match filter.entries.as_slice() {
        [] => is(&filter.text) || filter.text.split(',').any(is),
        entries => entries.iter().any(|entry| is(entry)),
    };
    match filter.operator {
        Operator::Equal => one_of(),
        Operator::Not => !one_of(),
        Operator::Less => compared().is_some_and(Ordering::is_lt),
        Operator::LessOrEqual => compared().is_some_and(Ordering::is_le),
        Operator::Greater => compared().is_some_and(Ordering::is_gt),
        Operator::GreaterOrEqual => compared().is_some_and(Ordering::is_ge),
    }
}

/// GET /property_facilities
pub async fn of_properties(_: Caller, request: HttpRequest) -> Result<HttpResponse> {
    answer(&OF_PROPERTIES, &request, true)
}

/// GET /property_facilities/options
pub async fn options_of_properties(_: Caller, request: HttpRequest) -> Result<HttpResponse> {
    answer(&OF_PROPERTIES, &request, false)
}

/// GET /room_facilities
pub async fn of_rooms(_: Caller, request: HttpRequest) -> Result<HttpResponse> {
    answer(&OF_ROOMS, &request, true)
}

/// GET /room_facilities/options
pub async fn options_of_rooms(_: Caller, request: HttpRequest) -> Result<HttpResponse> {
    answer(&OF_ROOMS, &request, false)
}
