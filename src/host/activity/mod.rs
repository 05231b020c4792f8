//! The page "Activity": what happened in the account of the signed-in user.

mod download;
mod filter;

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use askama::Template;
use chrono_tz::Tz;

pub use crate::host::activity::download::download;
use crate::{
    access::signed_in::SignedIn,
    base::error::Result,
    host::activity::filter::{FilterForm, Query},
    record::{
        activity::Kind,
        client,
        entries::{self, Recorded},
        sentence::{Part, Sentence, by, sentence},
    },
    web::{
        form::{Arguments, Field},
        page::{self, Layout, Pager, SortableColumn, When, counted},
        state::AppState,
    },
};

/// Entries per page.
const LIMIT: i64 = 25;

/// Maximum number of entries that the pages show; counting more would take long.
const MOST: i64 = 10_000;

#[derive(Template)]
#[template(path = "activity/list.html")]
struct ActivityPage {
    layout: Layout,
    form: FilterForm,
    /// How long entries are kept, such as `400 days`.
    kept: String,
    /// No columns to sort by.
    columns: [SortableColumn; 0],
    rows: Vec<Row>,
    pager: Pager,
    /// There are older entries than the pages show.
    has_more: bool,
}

struct Row {
    when: When,
    what: Sentence,
    by: Sentence,
    address: Option<String>,
    client: Option<Client>,
}

/// A client, by a short name and by its own.
struct Client {
    short: String,
    full: String,
}

impl Row {
    fn new(entry: &Recorded, person: &SignedIn, host: &str, zone: Tz) -> Self {
        let viewer = Some(person.user.id);
        Row {
            when: When::new(entry.at, zone),
            what: sentence(entry, viewer),
            by: by(entry, viewer, host),
            address: entry.address.clone(),
            client: entry.client.clone().map(|full| Client { short: client::describe(&full), full }),
        }
    }
}

impl ActivityPage {
    /// The attributes of a field for a date. An input for dates would not show a text that is none.
    fn date_input(&self, field: &Field) -> &'static str {
        if field.problem.is_some() { "" } else { "type=\"date\"" }
    }
}

/// GET /user_profile/activity
pub async fn show(state: Data<AppState>, person: SignedIn, query: Arguments<Query>) -> Result<HttpResponse> {
    respond(&state, &person, query.0).await
}

/// The page: with what was entered and the reasons beside the fields, if the filter is invalid.
async fn respond(state: &AppState, person: &SignedIn, query: Query) -> Result<HttpResponse> {
    let zone = person.user.zone();
    let wanted = query.page.parse().unwrap_or(1);
    let (form, filter) = FilterForm::read(query, person.user.id, zone);
    let mut page = ActivityPage {
        layout: Layout::new(state, Some(person.user.display_name())),
        kept: counted(state.settings.activity_days.into(), "day", "days"),
        columns: [],
        rows: Vec::new(),
        pager: Pager::new(1, 1, |_| String::new()),
        has_more: false,
        form,
    };
    let Some(filter) = filter else { return page::html(StatusCode::UNPROCESSABLE_ENTITY, &page) };
    let mut tx = state.db.read().await?;
    let count = entries::count(&mut tx, &filter, MOST + 1).await?;
    page.has_more = count > MOST;
    let pages = page::pages_of(count.min(MOST), LIMIT);
    let shown = wanted.clamp(1, pages);
    let found = entries::read(&mut tx, &filter, None, LIMIT, (shown - 1) * LIMIT).await?;
    drop(tx);
    page.rows = found.iter().map(|entry| Row::new(entry, person, &state.settings.host_name, zone)).collect();
    page.pager = Pager::new(shown, pages, |number| page.form.address("/user_profile/activity", number));
    page::html(StatusCode::OK, &page)
}
