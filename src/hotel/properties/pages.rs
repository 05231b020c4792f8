//! The Properties page: what a person, and so each of their keys, reaches.

use std::collections::HashMap;

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use askama::Template;
use serde::Deserialize;

use crate::{
    access::signed_in::SignedIn,
    base::{error::Result, ids::PropertyId},
    hotel::{
        groups,
        properties::search::{self, Order, SortColumn},
    },
    resource::query::Paging,
    web::{
        form::Arguments,
        page::{self, Layout, Pager, counted},
        state::AppState,
    },
};

/// Rows of a page.
const LIMIT: i64 = 25;

#[derive(Template)]
#[template(path = "properties/list.html")]
struct PropertiesPage {
    layout: Layout,
    /// What was searched for, as typed.
    q: String,
    /// The same without white space around it: empty where nothing was searched for.
    searched: String,
    /// Where the same order stands without a search.
    all: String,
    order: Order,
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// `1 property`, `40 properties`.
    found: String,
    pager: Pager,
}

/// A column that can be sorted by.
struct Column {
    title: &'static str,
    /// For `aria-sort`.
    sorted: &'static str,
    /// Where it is sorted so, or, if it is already, the other way.
    address: String,
}

struct Row {
    id: String,
    title: String,
    city: String,
    currency: String,
    groups: Vec<String>,
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    order: String,
    #[serde(default)]
    page: String,
}

/// GET /properties
pub async fn list(state: Data<AppState>, person: SignedIn, asked: Arguments<Asked>) -> Result<HttpResponse> {
    let Arguments(asked) = asked;
    let (caller, order) = (person.caller(), Order::read(&asked.order));
    let mut tx = state.db.read().await?;
    let wanted = Paging { page: page::number(&asked.page), limit: LIMIT };
    let (found, Paging { page: shown, .. }, total) = search::page(&mut tx, &caller, &asked.q, order, wanted).await?;
    let ids: Vec<PropertyId> = found.iter().map(|property| property.id).collect();
    let mut groups: HashMap<PropertyId, Vec<String>> = HashMap::new();
    for group in groups::store::of_properties(&mut tx, &caller, &ids).await? {
        groups.entry(group.property_id).or_default().push(group.title);
    }
    drop(tx);
    let pages = page::pages_of(total, LIMIT);
    let at = |page: i64| address(&asked.q, order, page);
    let page = PropertiesPage {
        layout: Layout::new(&state, Some(person.user.display_name())),
        columns: SortColumn::ALL.map(|by| Column::new(by, &asked.q, order)).into(),
        rows: found
            .into_iter()
            .map(|property| Row {
                groups: groups.remove(&property.id).unwrap_or_default(),
                id: property.id.to_string(),
                title: property.title,
                city: property.city.unwrap_or_default(),
                currency: property.currency,
            })
            .collect(),
        found: counted(total, "property", "properties"),
        pager: Pager::new(shown, pages, at),
        order,
        searched: asked.q.trim().to_owned(),
        all: address("", order, 1),
        q: asked.q,
    };
    page::html(StatusCode::OK, &page)
}

/// Where this search stands in this order; what is as ever is left out.
fn address(q: &str, order: Order, page: i64) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if !q.trim().is_empty() {
        query.append_pair("q", q);
    }
    if order != Order::default() {
        query.append_pair("order", &order.name());
    }
    if page > 1 {
        query.append_pair("page", &page.to_string());
    }
    match query.finish() {
        query if query.is_empty() => "/properties".to_owned(),
        query => format!("/properties?{query}"),
    }
}

impl Column {
    fn new(by: SortColumn, q: &str, order: Order) -> Self {
        let is_sorted = order.by == by;
        Column {
            title: match by {
                SortColumn::Title => "Title",
                SortColumn::City => "City",
                SortColumn::Currency => "Currency",
            },
            sorted: match (is_sorted, order.descending) {
                (false, _) => "none",
                (true, false) => "ascending",
                (true, true) => "descending",
            },
            address: address(q, Order { by, descending: is_sorted && !order.descending }, 1),
        }
    }
}
