//! A user's keys as the profile lists them: searched, filtered, sorted and paged by the database.

use std::collections::HashMap;

use crate::{
    base::{
        clock::Moment,
        ids::{ApiKeyId, UserId},
    },
    db::{Bind, Statement, Tx, folded, impl_from_row},
    keys::{ApiKey, store},
};

/// Keys per page.
pub const PER_PAGE: i64 = 25;

/// Words that are looked for at most: each is a condition.
const MOST_WORDS: usize = 16;

/// Characters that are searched for at most: no title is longer.
const LONGEST_SEARCH: usize = 255;

/// Whether a key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Active,
    Expired,
    Withdrawn,
}

impl Status {
    pub const ALL: [Status; 3] = [Status::Active, Status::Expired, Status::Withdrawn];

    /// The word in addresses and in the list.
    pub fn name(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Expired => "expired",
            Status::Withdrawn => "withdrawn",
        }
    }

    pub fn read(text: &str) -> Option<Self> {
        Status::ALL.into_iter().find(|status| status.name() == text)
    }

    fn number(self) -> i64 {
        self as i64
    }
}

/// The status of a key as [`Status::number`]; `$2` is now.
const STATUS: &str = "case when withdrawn_at is not null then 2 when expires_at <= $2 then 1 else 0 end";

/// A column that the list can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortColumn {
    Title,
    Status,
    Created,
    LastUsed,
}

impl SortColumn {
    pub const ALL: [SortColumn; 4] = [SortColumn::Title, SortColumn::Status, SortColumn::Created, SortColumn::LastUsed];

    pub fn name(self) -> &'static str {
        match self {
            SortColumn::Title => "title",
            SortColumn::Status => "status",
            SortColumn::Created => "created",
            SortColumn::LastUsed => "last_used",
        }
    }

    /// Of times, the latest is looked for first.
    fn begins_descending(self) -> bool {
        matches!(self, SortColumn::Created | SortColumn::LastUsed)
    }
}

/// The order of the list: by a column, or if none was chosen, keys that work first and new ones before old ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order(Option<(SortColumn, Direction)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl Order {
    /// From the query: `title`, `-title`; anything else is the order without a column.
    pub fn read(text: &str) -> Self {
        let (name, direction) = text.strip_prefix('-').map_or((text, Direction::Up), |name| (name, Direction::Down));
        Order(SortColumn::ALL.into_iter().find(|column| column.name() == name).map(|column| (column, direction)))
    }

    /// As [`Order::read`] takes it; empty for the order without a column.
    pub fn name(self) -> String {
        match self.0 {
            None => String::new(),
            Some((column, Direction::Up)) => column.name().to_owned(),
            Some((column, Direction::Down)) => format!("-{}", column.name()),
        }
    }

    /// The value of `aria-sort` of a column.
    pub fn sorted(self, column: SortColumn) -> &'static str {
        match self.0 {
            Some((by, Direction::Up)) if by == column => "ascending",
            Some((by, Direction::Down)) if by == column => "descending",
            _ => "none",
        }
    }

    /// The order to which the header of a column leads.
    pub fn next(self, column: SortColumn) -> Self {
        let direction = match self.0 {
            Some((by, Direction::Up)) if by == column => Direction::Down,
            Some((by, Direction::Down)) if by == column => Direction::Up,
            _ if column.begins_descending() => Direction::Down,
            _ => Direction::Up,
        };
        Order(Some((column, direction)))
    }

    /// Keys that were never used come last, both ways.
    fn sql(self) -> String {
        let Some((column, direction)) = self.0 else {
            return format!(" order by {STATUS}, created_at desc, id desc");
        };
        let way = if direction == Direction::Down { " desc" } else { "" };
        match column {
            SortColumn::Title => format!(" order by sort_title{way}, id"),
            SortColumn::Status => format!(" order by {STATUS}{way}, created_at desc, id desc"),
            SortColumn::Created => format!(" order by created_at{way}, id{way}"),
            SortColumn::LastUsed => {
                format!(" order by last_used_at is null, last_used_at{way}, created_at desc, id desc")
            }
        }
    }
}

/// Which keys, in which order, and which page of them.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Words that title or last characters contain, without regard to case and accents; empty for all keys.
    pub text: String,
    pub status: Option<Status>,
    pub order: Order,
    /// Counted from 1. A page past the end is the last one.
    pub page: i64,
}

/// A page of the list.
pub struct KeyPage {
    pub keys: Vec<ApiKey>,
    /// The page that it is.
    pub page: i64,
    pub pages: i64,
    /// How many keys match the text, by status.
    pub counts: Counts,
}

/// How many keys there are of each status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([i64; 3]);

impl Counts {
    pub fn of(self, status: Status) -> i64 {
        self.0[status as usize]
    }

    pub fn all(self) -> i64 {
        self.0.iter().sum()
    }
}

struct Counted {
    status: i64,
    count: i64,
}

impl_from_row!(Counted { status, count });

/// The page of a user's keys that is wanted.
pub async fn page(tx: &mut Tx, user: UserId, wanted: &Wanted, now: Moment) -> sqlx::Result<KeyPage> {
    let mut count = Statement::new(
        format!(
            "select cast(status as bigint) as status, count(*) as count from (
                select {STATUS} as status from api_keys where user_id = $1"
        ),
        vec![user.into(), now.into()],
    );
    matching(&mut count, tx.is_postgres(), &wanted.text);
    count.push(") keys group by status");
    let mut counts = Counts::default();
    for Counted { status, count } in count.fetch_all(tx).await? {
        if let Some(status) = Status::ALL.into_iter().find(|one| one.number() == status) {
            counts.0[status as usize] = count;
        }
    }
    let total = wanted.status.map_or(counts.all(), |status| counts.of(status));
    let pages = ((total + PER_PAGE - 1) / PER_PAGE).max(1);
    let page = wanted.page.clamp(1, pages);

    let mut ids =
        Statement::new("select id, $2 as now from api_keys where user_id = $1", vec![user.into(), now.into()]);
    matching(&mut ids, tx.is_postgres(), &wanted.text);
    if let Some(status) = wanted.status {
        ids.and(STATUS, Bind::Whole(status.number()));
    }
    ids.push(&wanted.order.sql());
    let (limit, offset) = (ids.bind(Bind::Whole(PER_PAGE)), ids.bind(Bind::Whole((page - 1) * PER_PAGE)));
    ids.push(&format!(" limit {limit} offset {offset}"));
    let ids: Vec<ApiKeyId> = ids.fetch_values(tx).await?;
    let mut found: HashMap<ApiKeyId, ApiKey> =
        store::among(tx, user, &ids).await?.into_iter().map(|key| (key.id, key)).collect();
    let keys = ids.iter().filter_map(|id| found.remove(id)).collect();
    Ok(KeyPage { keys, page, pages, counts })
}

/// Each word occurs in the title or among the last characters. As in the list, these may follow `***`.
fn matching(statement: &mut Statement, on_postgres: bool, text: &str) {
    let text: String = text.trim().trim_start_matches('*').chars().filter(|c| *c != '\0').collect();
    let folded = folded(&text);
    let words: Vec<&str> = folded.split_whitespace().collect();
    if words.len() > MOST_WORDS || text.chars().count() > LONGEST_SEARCH {
        return statement.push(" and 1 = 0");
    }
    for word in words {
        let title = statement.bind(Bind::Bytes(word.as_bytes().to_vec()));
        let tail = statement.bind(Bind::Text(word.to_owned()));
        // The one function has different names; patterns would need escapes, and do not search bytes everywhere.
        statement.push(&match on_postgres {
            true => format!(" and (position({title} in sort_title) > 0 or position({tail} in lower(tail)) > 0)"),
            false => format!(" and (instr(sort_title, {title}) > 0 or instr(lower(tail), {tail}) > 0)"),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_is_written_and_a_header_turns_it_round() {
        for text in ["", "title", "-title", "status", "-status", "created", "-created", "last_used", "-last_used"] {
            assert_eq!(Order::read(text).name(), text);
        }
        for text in ["--title", "Title", "digest", "-"] {
            assert_eq!(Order::read(text), Order::default(), "{text}");
        }
        assert_eq!(Order::default().next(SortColumn::Title).name(), "title");
        assert_eq!(Order::read("title").next(SortColumn::Title).name(), "-title");
        assert_eq!(Order::read("title").next(SortColumn::Created).name(), "-created");
        assert_eq!(Order::read("-created").next(SortColumn::Created).name(), "created");
        assert_eq!(Order::read("-created").sorted(SortColumn::Created), "descending");
        assert_eq!(Order::read("-created").sorted(SortColumn::Title), "none");
    }
}
