//! Properties as pages list them: searched, sorted and paged by the database.

use std::collections::BTreeSet;

use crate::{
    access::{self, caller::Caller, totals},
    base::ids::{ApiKeyId, PropertyId},
    db::{Bind, Statement, Tx, folded, impl_from_row},
    hotel::properties::Property,
    resource::{query::Paging, store},
};

/// Characters that are searched for at most: no title with its city is longer. Databases limit patterns too.
const LONGEST_SEARCH: usize = 511;

/// Words that are looked for at most, after folding: one character can become several words, and each is a condition.
const MOST_WORDS: usize = 64;

/// Ids that one query takes at most; see [`among`].
pub const MOST_IDS: usize = 1000;

/// The order of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    pub by: SortColumn,
    pub descending: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortColumn {
    #[default]
    Title,
    City,
    Currency,
}

impl SortColumn {
    /// Every column that can be sorted by, in the order of the page.
    pub const ALL: [SortColumn; 3] = [SortColumn::Title, SortColumn::City, SortColumn::Currency];

    pub fn name(self) -> &'static str {
        match self {
            SortColumn::Title => "title",
            SortColumn::City => "city",
            SortColumn::Currency => "currency",
        }
    }
}

impl Order {
    /// From the query: `city`, `-city`; anything else is the order by title.
    pub fn read(text: &str) -> Self {
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        match SortColumn::ALL.into_iter().find(|by| by.name() == name) {
            Some(by) => Order { by, descending },
            None => Order::default(),
        }
    }

    /// As [`Order::read`] takes it.
    pub fn name(self) -> String {
        format!("{}{}", if self.descending { "-" } else { "" }, self.by.name())
    }

    /// Where there is no city it comes last, both ways.
    fn sql(self) -> &'static str {
        match (self.by, self.descending) {
            (SortColumn::Title, false) => " order by p.sort_title, p.id",
            (SortColumn::Title, true) => " order by p.sort_title desc, p.id",
            (SortColumn::City, false) => " order by p.sort_city = '', p.sort_city collate \"C\", p.sort_title, p.id",
            (SortColumn::City, true) => {
                " order by p.sort_city = '', p.sort_city collate \"C\" desc, p.sort_title, p.id"
            }
            (SortColumn::Currency, false) => " order by p.currency collate \"C\", p.sort_title, p.id",
            (SortColumn::Currency, true) => " order by p.currency collate \"C\" desc, p.sort_title, p.id",
        }
    }
}

/// A property in few words.
pub struct Brief {
    pub id: PropertyId,
    pub title: String,
    pub city: Option<String>,
    pub currency: String,
}

impl_from_row!(Brief { id, title, city, currency });

const BRIEF: &str = "p.id, p.title, p.city, p.currency";

/// Those of the caller's properties in whose title or city each word of `text` occurs, without regard to case and
/// accents; one page of them. `page` counts from 1 and may be past the end, which then gives the last one. The answer
/// has the page it is of, and how many there are over all pages.
pub async fn page(
    tx: &mut Tx,
    caller: &Caller,
    text: &str,
    order: Order,
    wanted: Paging,
) -> sqlx::Result<(Vec<Brief>, Paging, i64)> {
    let count = match text.trim().is_empty() && caller.limit().is_none() {
        true => totals::of(caller.user),
        false => {
            let mut count = store::listed::<Property>(tx, "count(*)", caller);
            matching(&mut count, text);
            count
        }
    };
    let total: i64 = count.fetch_value(tx).await?;
    let last = (total + wanted.limit - 1) / wanted.limit;
    let paging = Paging { page: wanted.page.clamp(1, last.max(1)), ..wanted };
    let mut rows = store::listed::<Property>(tx, BRIEF, caller);
    matching(&mut rows, text);
    rows.push(order.sql());
    rows.page(paging);
    Ok((rows.fetch_all(tx).await?, paging, total))
}

fn matching(select: &mut Statement, text: &str) {
    let text: String = text.trim().chars().filter(|c| *c != '\0').collect();
    if text.chars().count() > LONGEST_SEARCH {
        return select.push(" and false");
    }
    let folded = folded(&text);
    let words: BTreeSet<&str> = folded.split_whitespace().collect();
    if words.len() > MOST_WORDS {
        return select.push(" and false");
    }
    let patterns = words.into_iter().map(|word| {
        let pattern = word.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        Bind::Text(format!("%{pattern}%"))
    });
    for name in select.bind_each(patterns) {
        select.push(&format!(" and p.search like {name} escape '!'"));
    }
}

/// The first of the caller's properties by title, and how many there are in all.
pub async fn first(tx: &mut Tx, caller: &Caller, most: i64) -> sqlx::Result<(Vec<Brief>, i64)> {
    let (rows, _, total) = page(tx, caller, "", Order::default(), Paging { page: 1, limit: most }).await?;
    Ok((rows, total))
}

/// The properties among `ids` that the caller can see, ordered by title. Ids beyond [`MOST_IDS`] are ignored.
pub async fn among(tx: &mut Tx, caller: &Caller, ids: &[PropertyId]) -> sqlx::Result<Vec<Brief>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = store::listed::<Property>(tx, BRIEF, caller);
    let ids = rows.bind_ids(tx.is_postgres(), ids.iter().take(MOST_IDS).map(|id| id.0));
    rows.push(&format!(" and p.id in {ids}"));
    rows.push(Order::default().sql());
    rows.fetch_all(tx).await
}

/// A property to which one of the caller's keys is limited.
pub struct OfKey {
    pub key_id: ApiKeyId,
    pub title: String,
    /// How many there are of this key.
    pub total: i64,
}

impl_from_row!(OfKey { key_id, title, total });

/// Of each of the caller's limited keys the first properties by title: those that the caller still reaches.
pub async fn of_keys(tx: &mut Tx, caller: &Caller, most: i64) -> sqlx::Result<Vec<OfKey>> {
    let mut rows = access::seen(
        "select key_id, title, total from (
            select k.id as key_id, p.title,
                row_number() over (partition by k.id order by p.sort_title, p.id) as place,
                count(*) over (partition by k.id) as total
            from properties p
            join api_key_properties kp on kp.property_id = p.id
            join api_keys k on k.id = kp.key_id and k.user_id = $1",
        caller,
    );
    let most = rows.bind(Bind::Whole(most));
    rows.push(&format!(") as chosen where place <= {most} order by key_id, place"));
    rows.fetch_all(tx).await
}
