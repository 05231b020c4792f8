//! The list of API keys on the User Profile page. Its search, filter, order and page are in the address of the page and of
//! every dialog that opens on it, so that each leads back to where it was opened.

use std::{fmt::Display, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use serde::Deserialize;

use crate::{
    access::signed_in::SignedIn,
    base::{
        clock::Moment,
        error::{Error, Result},
        ids::ApiKeyId,
    },
    db::Tx,
    host::profile::key_row::KeyRow,
    keys::{
        ApiKey,
        list::{self, Counts, Order, SortColumn, Status, Wanted},
        store, use_store,
        uses::KeyUses,
    },
    people::{sessions::kept_forms::Typed, subscriptions},
    web::{
        page::{self, Pager, When, counted},
        state::AppState,
    },
};

/// The fewest keys for which there is a search.
const SEARCHED_FROM: i64 = 2;

/// What the address says of the list.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ListQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    order: String,
    #[serde(default)]
    page: String,
}

/// What the list shows, as the address says.
#[derive(Clone)]
pub struct ListView {
    pub wanted: Wanted,
    /// Uses that are not written yet, which pages show as well.
    pub uses: KeyUses,
}

impl From<ListQuery> for Wanted {
    /// What is no status, order or page counts as none.
    fn from(query: ListQuery) -> Self {
        let page = page::number(&query.page);
        let (status, order) = (Status::read(&query.status), Order::read(&query.order));
        Wanted { text: query.q, status, order, page }
    }
}

impl FromRequest for ListView {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let query = Typed::<ListQuery>::from_request(request, payload);
        let uses = request.app_data::<Data<KeyUses>>().map(|uses| uses.get_ref().clone());
        Box::pin(async move {
            let uses = uses.ok_or_else(|| Error::Internal("no uses".to_owned()))?;
            query.await.map(|Typed(query)| ListView { wanted: query.into(), uses })
        })
    }
}

impl ListView {
    /// The parameters that differ from the default, for an address and for the hidden fields of a form.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let Wanted { text, status, order, page } = &self.wanted;
        let status = status.map(Status::name).unwrap_or_default().to_owned();
        let page = if *page > 1 { page.to_string() } else { String::new() };
        let fields = [("q", text.trim().to_owned()), ("status", status), ("order", order.name()), ("page", page)];
        fields.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// The same without the search, for the form that searches. It begins at the first page.
    pub fn fields_of_search(&self) -> Vec<(&'static str, String)> {
        self.fields().into_iter().filter(|(name, _)| !matches!(*name, "q" | "page")).collect()
    }

    /// The parameters with their question mark; empty if there are none.
    pub fn query(&self) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(self.fields()).finish();
        if query.is_empty() { query } else { format!("?{query}") }
    }

    /// The address of the list, at this part of the page: `api_keys`, `new_api_key`, or [`KeyRow::anchor`].
    pub fn address(&self, part: impl Display) -> String {
        format!("/user_profile{}#{part}", self.query())
    }

    fn with(&self, change: impl FnOnce(&mut Wanted)) -> Self {
        let mut view = self.clone();
        view.wanted.page = 1;
        change(&mut view.wanted);
        view
    }
}

/// The list, ready to be shown.
pub struct KeyList {
    pub rows: Vec<KeyRow>,
    pub columns: Vec<Column>,
    pub pager: Pager,
    /// Links that show all keys, or those of one status.
    pub filters: Vec<Filter>,
    pub has_search: bool,
    /// The user has no keys at all.
    pub is_empty: bool,
    /// How many keys the search found, such as `3 keys`.
    pub found: String,
    /// The limit of active keys is reached.
    pub full: bool,
    /// The limit, such as `100 active keys`.
    pub limit: String,
    pub view: ListView,
    /// When the subscription ends, if that is soon.
    pub ends: Option<When>,
}

/// The head of a column.
pub struct Column {
    pub title: &'static str,
    /// The value of `aria-sort`.
    pub sorted: &'static str,
    /// The address that sorts by it, or in the other direction; `None` if it cannot be sorted by.
    pub address: Option<String>,
}

/// A link that shows the keys of one status, or all.
pub struct Filter {
    pub title: String,
    pub count: i64,
    pub address: String,
    pub is_current: bool,
}

impl KeyList {
    /// Reads the page of the list that is wanted.
    pub async fn read(
        tx: &mut Tx,
        state: &AppState,
        person: &SignedIn,
        view: &ListView,
        now: Moment,
    ) -> sqlx::Result<Self> {
        let (user, zone) = (person.user.id, person.user.zone());
        let found = list::page(tx, user, &view.wanted, now).await?;
        let active = store::count_active(tx, user, now).await?;
        let ids: Vec<ApiKeyId> = found.keys.iter().map(|key| key.id).collect();
        let refusals = use_store::refusals(tx, &ids).await?;
        let row = |key: ApiKey| {
            let (refused, unwritten) = (refusals.iter().find(|one| one.id == key.id), view.uses.unwritten(key.id));
            KeyRow::with_uses(key, refused, &unwritten, zone, now)
        };
        let rows = found.keys.into_iter().map(row).collect();
        let mut view = view.clone();
        view.wanted.page = found.page;
        let is_searched = !view.wanted.text.trim().is_empty();
        Ok(KeyList {
            columns: columns(&view),
            pager: Pager::new(found.page, found.pages, |page| {
                view.with(|wanted| wanted.page = page).address("api_keys")
            }),
            filters: filters(&view, found.counts),
            has_search: is_searched || found.counts.all() >= SEARCHED_FROM,
            is_empty: !is_searched && found.counts.all() == 0,
            found: counted(found.counts.all(), "key", "keys"),
            full: active >= state.settings.max_keys,
            limit: counted(state.settings.max_keys, "active key", "active keys"),
            ends: subscriptions::ends_soon(person.subscription.as_ref(), state.settings.grace(), now)
                .map(|end| When::new(end, zone)),
            rows,
            view,
        })
    }

    /// What was searched for, without white space around it; empty if nothing was.
    pub fn searched(&self) -> &str {
        self.view.wanted.text.trim()
    }

    /// The word of the status that is filtered by, with a space after it; empty for all.
    pub fn status_word(&self) -> String {
        self.view.wanted.status.map(|status| format!("{} ", status.name())).unwrap_or_default()
    }
}

fn columns(view: &ListView) -> Vec<Column> {
    let order = view.wanted.order;
    let column = |title, by: Option<SortColumn>| Column {
        title,
        sorted: by.map_or("none", |by| order.sorted(by)),
        address: by.map(|by| view.with(|wanted| wanted.order = order.next(by)).address("api_keys")),
    };
    vec![
        column("Title", Some(SortColumn::Title)),
        column("API Key", None),
        column("Status", Some(SortColumn::Status)),
        column("Access", None),
        column("Created at", Some(SortColumn::Created)),
        column("Last used", Some(SortColumn::LastUsed)),
    ]
}

/// Links for each status that any key has, if there are several, and for the chosen one.
fn filters(view: &ListView, counts: Counts) -> Vec<Filter> {
    let chosen = view.wanted.status;
    let present: Vec<Status> =
        Status::ALL.into_iter().filter(|status| counts.of(*status) > 0 || chosen == Some(*status)).collect();
    if present.len() < 2 && chosen.is_none() {
        return Vec::new();
    }
    let link = |status: Option<Status>| Filter {
        title: match status {
            None => "All",
            Some(Status::Active) => "Active",
            Some(Status::Expired) => "Expired",
            Some(Status::Withdrawn) => "Withdrawn",
        }
        .to_owned(),
        count: status.map_or(counts.all(), |status| counts.of(status)),
        address: view.with(|wanted| wanted.status = status).address("api_keys"),
        is_current: chosen == status,
    };
    std::iter::once(None).chain(present.into_iter().map(Some)).map(link).collect()
}
