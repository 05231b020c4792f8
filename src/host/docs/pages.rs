//! GET /docs and what is under it.

use std::borrow::Cow;

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use askama::Template;
use serde::Deserialize;

use crate::{
    access::signed_in::OptionalUser,
    base::error::{Error, Result},
    host::docs::{
        document::ApiDocument,
        reference::{Operation, Shape, Tag},
        rows::Table,
    },
    web::{
        assets,
        form::Arguments,
        page::{self, Layout},
        state::AppState,
    },
};

/// What stands around every page of the documentation.
pub struct Frame<'a> {
    css: &'static str,
    js: &'static str,
    /// The host's address.
    address: &'a str,
    /// The path of the page, and the tag that it is about.
    here: &'static str,
    tag: Option<&'a Tag>,
    tags: &'a [Tag],
}

impl<'a> Frame<'a> {
    fn new(document: &'a ApiDocument, state: &'a AppState, here: &'static str) -> Result<Self> {
        Ok(Frame {
            css: assets::url("docs.css"),
            js: assets::url("docs.js"),
            address: state.address(),
            here,
            tag: None,
            tags: &document.reference()?.tags,
        })
    }

    /// The mark of the link that leads to this page, or to the part that it belongs to.
    fn current(&self, path: &str) -> Option<&'static str> {
        (self.here == path).then_some(if self.tag.is_some() { "true" } else { "page" })
    }

    fn is_at(&self, tag: &Tag) -> bool {
        self.tag.is_some_and(|here| here.slug == tag.slug)
    }
}

/// The documentation reads the same for everybody; whoever is signed in keeps the header's links. Without the database
/// it still reads.
fn layout(state: &AppState, person: OptionalUser) -> Layout {
    Layout::new(state, person.0.as_ref().map(|person| person.user.display_name()))
}

#[derive(Template)]
#[template(path = "docs/overview.html")]
struct Overview<'a> {
    layout: Layout,
    frame: Frame<'a>,
}

/// GET /docs
pub async fn overview(
    state: Data<AppState>,
    document: Data<ApiDocument>,
    person: OptionalUser,
) -> Result<HttpResponse> {
    page::html(
        StatusCode::OK,
        &Overview { layout: layout(&state, person), frame: Frame::new(&document, &state, "/docs")? },
    )
}

#[derive(Template)]
#[template(path = "docs/api_key_access.html")]
struct ApiKeyAccess<'a> {
    layout: Layout,
    frame: Frame<'a>,
    /// `pms.example:8443`, as a request's `Host` names it.
    authority: &'a str,
    prefix: &'a str,
    max_keys: i64,
    max_key_days: u16,
    grace_days: u16,
    session_hours: u32,
}

/// GET /docs/api_key_access
pub async fn api_key_access(
    state: Data<AppState>,
    document: Data<ApiDocument>,
    person: OptionalUser,
) -> Result<HttpResponse> {
    let settings = &state.settings;
    let address = state.address();
    let page = ApiKeyAccess {
        layout: layout(&state, person),
        frame: Frame::new(&document, &state, "/docs/api_key_access")?,
        authority: address.split_once("://").map_or(address, |(_, authority)| authority),
        prefix: &settings.key_prefix,
        max_keys: settings.max_keys,
        max_key_days: settings.max_key_days,
        grace_days: settings.grace_days,
        session_hours: settings.session_hours,
    };
    page::html(StatusCode::OK, &page)
}

#[derive(Template)]
#[template(path = "docs/conventions.html")]
struct Conventions<'a> {
    layout: Layout,
    frame: Frame<'a>,
}

/// GET /docs/conventions
pub async fn conventions(
    state: Data<AppState>,
    document: Data<ApiDocument>,
    person: OptionalUser,
) -> Result<HttpResponse> {
    page::html(
        StatusCode::OK,
        &Conventions { layout: layout(&state, person), frame: Frame::new(&document, &state, "/docs/conventions")? },
    )
}

#[derive(Deserialize)]
pub struct Search {
    #[serde(default)]
    q: String,
}

#[derive(Template)]
#[template(path = "docs/reference.html")]
struct Operations<'a> {
    layout: Layout,
    frame: Frame<'a>,
    wanted: String,
    /// `12 operations`.
    found: String,
}

impl Operations<'_> {
    /// What a search leaves out is on the page all the same, unseen, so that the script can search on.
    fn is_found(&self, operation: &Operation) -> bool {
        operation.is_found(&self.wanted)
    }

    fn has_found(&self, tag: &Tag) -> bool {
        tag.operations.iter().any(|operation| self.is_found(operation))
    }
}

/// GET /docs/reference
pub async fn operations(
    state: Data<AppState>,
    document: Data<ApiDocument>,
    person: OptionalUser,
    search: Arguments<Search>,
) -> Result<HttpResponse> {
    let wanted = search.0.q;
    let frame = Frame::new(&document, &state, "/docs/reference")?;
    let all = frame.tags.iter().flat_map(|tag| &tag.operations);
    let found = match all.filter(|operation| operation.is_found(&wanted)).count() {
        0 => "No operation matches all these words.".to_owned(),
        1 => "1 operation".to_owned(),
        several => format!("{several} operations"),
    };
    page::html(StatusCode::OK, &Operations { layout: layout(&state, person), frame, wanted, found })
}

#[derive(Template)]
#[template(path = "docs/tag.html")]
struct TagPage<'a> {
    layout: Layout,
    frame: Frame<'a>,
    tag: &'a Tag,
    /// The bodies that answers of several operations have.
    shared: &'a [(Cow<'static, str>, Table)],
}

/// GET /docs/reference/{tag}
pub async fn tag(
    state: Data<AppState>,
    document: Data<ApiDocument>,
    person: OptionalUser,
    slug: Path<String>,
) -> Result<HttpResponse> {
    let reference = document.reference()?;
    let tag = reference.tag(&slug).ok_or(Error::NotFound)?;
    let frame = Frame { tag: Some(tag), ..Frame::new(&document, &state, "/docs/reference")? };
    page::html(StatusCode::OK, &TagPage { layout: layout(&state, person), frame, tag, shared: &reference.shared })
}
