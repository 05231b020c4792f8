//! What people see of a page, and waiting for what comes in a moment.

use std::time::{Duration, Instant};

use crate::html;
use crate::response::Response;

/// Long enough for a loaded machine; what never comes still fails the test.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks until the answer is there.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < end, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The text of HTML as a reader sees it: no tags, entities resolved, white space collapsed.
pub fn seen(html: &str) -> String {
    let mut text = String::new();
    for (place, part) in html.split('<').enumerate() {
        match part.split_once('>') {
            Some((_tag, after)) if place > 0 => {
                text.push(' ');
                text.push_str(after);
            }
            _ => text.push_str(part),
        }
    }
    resolved(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The value that an input of the page holds.
pub fn typed(page: &Response, name: &str) -> Option<String> {
    html::input_value(page.text(), name).map(|value| resolved(&value))
}

/// The reason that stands beside a field.
pub fn problem(page: &Response, field: &str) -> Option<String> {
    let id = format!("id=\"{field}_problem\">");
    let (_, after) = page.text().split_once(&id)?;
    Some(seen(after.split("</p>").next().unwrap_or(after)))
}

/// The rows of the list of keys, as they are read.
pub fn key_rows(page: &Response) -> Vec<String> {
    html::rows(page.text()).filter(|row| row.contains("***")).map(seen).collect()
}

/// The titles in the list of keys, in its order.
pub fn key_titles(page: &Response) -> Vec<String> {
    let rows = html::rows(page.text()).filter(|row| row.contains("***"));
    rows.map(|row| {
        let cell = row.split_once("<th").expect("a title").1;
        let cell = cell.split("</span>").next().unwrap_or(cell);
        resolved(cell.rsplit_once('>').expect("a tag").1)
    })
    .collect()
}

/// An answer as its reader can tell it from another: without ids and times of its own, also in its text.
pub fn face(answer: &Response) -> (u16, Vec<(String, String)>, String) {
    let (status, headers, body) = answer.face();
    let id = answer.header("x-request-id").expect("a request id");
    (status, headers, body.replace(id, "(id)"))
}

fn resolved(text: &str) -> String {
    let mut parts = text.split("&#");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let known = part.split_once(';').and_then(|(code, after)| {
            let character = char::from_u32(code.parse().ok()?)?;
            Some((character, after))
        });
        match known {
            Some((character, after)) => {
                plain.push(character);
                plain.push_str(after);
            }
            None => {
                plain.push_str("&#");
                plain.push_str(part);
            }
        }
    }
    plain
}
