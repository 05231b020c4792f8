//! What all pages share: layout, times, pagers, and the way back after a sign-in.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header, uri::PathAndQuery},
};
use askama::Template;
use chrono::SecondsFormat;
use chrono_tz::Tz;

use crate::{
    base::{
        clock::Moment,
        error::{Error, Result},
    },
    web::{assets, methods, state::AppState},
};

/// The frame around every page.
pub struct Layout {
    /// The host's name.
    pub host: String,
    /// The support contact, and its link.
    pub support: Option<String>,
    pub support_href: Option<String>,
    /// The name, or else the email address, of the signed-in user.
    pub person: Option<String>,
    pub css: &'static str,
    pub js: &'static str,
    pub icon: &'static str,
}

/// The name of the signed-in user in the header; put into the request's extensions for the error page.
#[derive(Clone)]
pub struct CurrentUserName(pub String);

impl Layout {
    /// `person` is the name or the email address of the signed-in user.
    pub fn new(state: &AppState, person: Option<&str>) -> Self {
        let support = state.settings.support.clone();
        let support_href = support.as_deref().map(contact_href);
        Layout {
            host: state.settings.host_name.clone(),
            support,
            support_href,
            person: person.map(str::to_owned),
            css: assets::url("app.css"),
            js: assets::url("app.js"),
            icon: assets::url("icon.svg"),
        }
    }
}

/// The link of a contact: a URL, or an email address.
pub fn contact_href(contact: &str) -> String {
    if contact.contains("://") { contact.to_owned() } else { format!("mailto:{contact}") }
}

/// A moment, shown in a user's time zone.
pub struct When {
    /// For `<time datetime>`: RFC 3339, UTC.
    pub machine: String,
    pub text: String,
    /// To the second, with the time zone.
    pub exact: String,
}

impl When {
    /// The time of day in UTC, to compare clocks.
    pub fn utc(moment: Moment) -> Self {
        When {
            machine: moment.to_rfc3339_opts(SecondsFormat::Secs, true),
            text: moment.format("%H:%M UTC").to_string(),
            exact: moment.format("%-d %b %Y, %H:%M:%S UTC").to_string(),
        }
    }

    pub fn new(moment: Moment, zone: Tz) -> Self {
        When {
            machine: moment.to_rfc3339_opts(SecondsFormat::Secs, true),
            text: moment.with_timezone(&zone).format("%-d %b %Y, %H:%M").to_string(),
            exact: format!("{} {zone}", moment.with_timezone(&zone).format("%-d %b %Y, %H:%M:%S")),
        }
    }
}

/// How long ago a moment was, in words: `12 seconds ago`, `2 hours ago`. After a month it is the date; so is a moment that
/// is to come, since then a clock is wrong.
pub fn ago(moment: Moment, zone: Tz, now: Moment) -> String {
    let seconds = (now - moment).num_seconds();
    match seconds {
        ..-60 => moment.with_timezone(&zone).format("%-d %b %Y").to_string(),
        -60..=0 => "just now".to_owned(),
        1..60 => format!("{} ago", counted(seconds, "second", "seconds")),
        60..3_600 => format!("{} ago", counted(seconds / 60, "minute", "minutes")),
        3_600..86_400 => format!("{} ago", counted(seconds / 3_600, "hour", "hours")),
        86_400..2_678_400 => format!("{} ago", counted(seconds / 86_400, "day", "days")),
        _ => moment.with_timezone(&zone).format("%-d %b %Y").to_string(),
    }
}

/// The field for a one-time code or a recovery code; shown by the macro `code`.
pub struct CodeField {
    /// The field asks for a recovery code. Either kind is accepted anyway.
    pub is_recovery: bool,
    pub problem: Option<String>,
    pub has_focus: bool,
    /// The time of the server, after a wrong code.
    pub server_time: Option<When>,
}

/// The page of a list among all its pages, with the addresses of the previous and the next one; shown by the macro
/// `pages`.
pub struct Pager {
    pub page: i64,
    pub pages: i64,
    pub previous: Option<String>,
    pub next: Option<String>,
}

/// The head of a column that a table can be sorted by; shown by the macro `sortable_table`.
pub struct SortableColumn {
    pub title: &'static str,
    /// The value of `aria-sort`.
    pub sorted: &'static str,
    /// The address that sorts by it, or in the other direction if it is sorted by it already.
    pub address: String,
}

/// The number of a page in an address. What is no number is the first page; one with too many digits is past the end.
pub fn number(text: &str) -> i64 {
    let is_long = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().unwrap_or(if is_long { i64::MAX } else { 1 })
}

/// The number of pages for so many entries, at least one.
pub fn pages_of(entries: i64, per_page: i64) -> i64 {
    ((entries + per_page - 1) / per_page).max(1)
}

impl Pager {
    /// `address` returns the address of a page by its number.
    pub fn new(page: i64, pages: i64, address: impl Fn(i64) -> String) -> Self {
        Pager {
            page,
            pages,
            previous: (page > 1).then(|| address(page - 1)),
            next: (page < pages).then(|| address(page + 1)),
        }
    }
}

/// A number with its noun: `1 active key`, `6 active keys`.
pub fn counted(number: i64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Renders a page. `web/page_responses.rs` adds its headers.
pub fn html(status: StatusCode, page: &impl Template) -> Result<HttpResponse> {
    let body = page.render().map_err(|error| Error::Internal(format!("a template failed: {error}")))?;
    Ok(HttpResponse::build(status).content_type("text/html; charset=utf-8").body(body))
}

/// Redirects to another page of this site.
pub fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, path)).finish()
}

/// Maximum size of a page's address in bytes, which proxies accept.
pub const LONGEST_ADDRESS: usize = 8192;

/// Maximum size in bytes of an address that is carried through a sign-in, as a parameter of another one.
const LONGEST_RESUMED: usize = 8000;

/// The address of a page to continue at: that of the request, of a write without what was sent. An address that would be
/// too long as a parameter of another one is cut to its path.
pub fn resumed_address(request: &HttpRequest) -> String {
    let path = if fits(request.path()) { request.path() } else { "/" };
    let address = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    if methods::is_read(request.method()) && fits(address) { address } else { path }.to_owned()
}

/// The path, if it is one of this site, else that of the profile. Browsers read `//` and `/\` as another host.
pub fn own_path(path: &str) -> &str {
    let own = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && !path.chars().any(|c| c.is_control() || c.is_whitespace());
    if own { path } else { "/user_profile" }
}

/// True if a part of an address is short enough once it is encoded as a parameter, with the rest of the address.
fn fits(part: &str) -> bool {
    url::form_urlencoded::byte_serialize(part.as_bytes()).map(str::len).sum::<usize>() < LONGEST_RESUMED - 200
}

/// The address of the sign-in page that leads to `return_to`.
pub fn sign_in_address(return_to: &str, has_input: bool) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("return_to", return_to);
    if has_input {
        query.append_pair("notice", "kept");
    }
    format!("/sign_in?{}", query.finish())
}

/// The address of the page that asks who it is, and leads to `return_to`.
pub fn confirm_address(return_to: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", return_to).finish();
    format!("/confirm?{query}")
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, TimeZone, Utc};

    use super::*;

    #[test]
    fn how_long_ago_is_told_in_the_largest_unit_and_after_a_month_as_the_date() {
        let now = Utc.with_ymd_and_hms(2026, 11, 29, 23, 30, 0).single().expect("a time");
        for (seconds, words) in [
            (0, "just now"),
            (-59, "just now"),
            (1, "1 second ago"),
            (59, "59 seconds ago"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (7_200, "2 hours ago"),
            (86_399, "23 hours ago"),
            (86_400, "1 day ago"),
            (30 * 86_400, "30 days ago"),
            (31 * 86_400, "30 Oct 2026"),
            (-3_600, "30 Nov 2026"),
        ] {
            assert_eq!(ago(now - TimeDelta::seconds(seconds), Tz::Asia__Tokyo, now), words, "{seconds}");
        }
        assert_eq!(When::new(now, Tz::Asia__Tokyo).exact, "30 Nov 2026, 08:30:00 Asia/Tokyo");
    }
}
