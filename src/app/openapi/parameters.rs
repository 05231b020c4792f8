//! Parameters of paths and queries, from the tables by which lists are asked.

use std::borrow::Cow;

use crate::{
    app::openapi::schemas::TEXT,
    resource::{
        collection::Pages,
        document::{
            Parameter, Place,
            schema::{Keyword, Schema},
        },
        fields::LARGEST,
        list::{Compared, Filterable, Listing},
        query::{DEFAULT_LIMIT, MOST},
    },
};

fn in_query(name: impl Into<Cow<'static, str>>, schema: Schema, about: impl Into<Cow<'static, str>>) -> Parameter {
    Parameter { shared: None, name: name.into(), place: Place::Query, schema, about: about.into() }
}

fn number() -> Schema {
    Schema::integer(1, LARGEST)
}

fn page(shared: &'static str, schema: Schema, about: &str) -> Parameter {
    let about = format!("Page number, counted from 1.{about}");
    Parameter { shared: Some(shared), ..in_query("pagination[page]", schema, about) }
}

fn limit(shared: &'static str, schema: Schema, about: &str) -> Parameter {
    let about = format!("Items per page; larger values are treated as {MOST}.{about}");
    Parameter { shared: Some(shared), ..in_query("pagination[limit]", schema, about) }
}

/// The page of a list that always has pages.
fn pages() -> [Parameter; 2] {
    let with = |default: i64| number().with(Keyword::Default(default.into()));
    [page("page", with(1), ""), limit("limit", with(DEFAULT_LIMIT), "")]
}

/// The page of a list that is whole where none is asked for. Without defaults: a client that sends them would get one
/// page where it wants all.
fn pages_if_any() -> [Parameter; 2] {
    let whole = format!(" {DEFAULT_LIMIT} if only the page is given; without both, the whole list is returned.");
    [
        page("page_if_any", number(), " Without page and limit, the whole list is returned."),
        limit("limit_if_any", number(), &whole),
    ]
}

/// Whether a delete also deletes what is mapped to a channel.
pub fn force() -> Parameter {
    let about = "`true` deletes it even if it is mapped to a channel.";
    Parameter { shared: Some("force"), ..in_query("force", truth(), about) }
}

/// Those that all lists share.
pub fn shared() -> Vec<Parameter> {
    [pages(), pages_if_any()].into_iter().flatten().chain([force()]).collect()
}

/// True or false in a query.
fn truth() -> Schema {
    Schema::one_of(&["true", "false", "1", "0"])
}

fn filter(Filterable { name, kind, .. }: &Filterable) -> Parameter {
    let text = || Schema::text().with(Keyword::Pattern(TEXT.into()));
    let (schema, about) = match kind {
        Compared::Boolean => (truth(), "Only those with this value.".to_owned()),
        Compared::Id => {
            (text(), format!("Exact match; comma-separate several IDs. `filter[{name}][not]`: none of them."))
        }
        Compared::Text => (
            text(),
            format!(
                "Exact match, case-sensitive; comma-separate several values. Also `filter[{name}][not]`, `[gt]`, \
                 `[gte]`, `[lt]`, `[lte]`."
            ),
        ),
    };
    in_query(format!("filter[{name}]"), schema, about)
}

/// What a list can be asked; `pages` is `None` for one that has none.
pub fn of_list(listing: &Listing, pages: Option<Pages>) -> Vec<Parameter> {
    let mut parameters = match pages {
        Some(Pages::Always) => self::pages().into(),
        Some(_) => pages_if_any().into(),
        None => Vec::new(),
    };
    parameters.extend(listing.filters.iter().map(filter));
    let about = "Sort direction. Several `order` parameters apply in the order given; ties are broken by ID.";
    parameters.extend(listing.orders.iter().map(|order| Parameter {
        place: Place::Order(order.name),
        ..in_query(format!("order[{}]", order.name), Schema::one_of(&["asc", "desc"]), about)
    }));
    parameters
}

/// The id in a path, of what is named.
pub fn in_path(name: &'static str, of: impl Into<Cow<'static, str>>, about: String) -> Parameter {
    let place = Place::Path { example: "0197a3b2-5c1e-7d34-8a86-2e8f4d6a1b37" };
    Parameter { place, ..in_query(name, Schema::id(of), about) }
}
