//! The record of activity, as the command and the page give it as CSV.

use std::collections::BTreeMap;

use crate::host::Host;

/// An entry: its cells by the names of the columns.
pub type Entry = BTreeMap<String, String>;

impl Host {
    /// What `activity list --csv …` prints: entries, the newest first.
    pub fn activity(&self, args: &[&str]) -> Vec<Entry> {
        let args = [&["activity", "list", "--csv"], args].concat();
        entries(&self.run(&args).ok())
    }

    /// Account, actor and sentence of each entry of this kind, sorted.
    pub fn recorded(&self, kind: &str) -> Vec<String> {
        let found = self.activity(&["--kind", kind]);
        let mut found: Vec<_> =
            found.iter().map(|entry| format!("{}: {}: {}", entry["account"], entry["by"], entry["what"])).collect();
        found.sort();
        found
    }
}

/// An entry that a test writes by itself.
#[derive(Clone, Default)]
pub struct Written<'a> {
    pub kind: &'a str,
    /// Such as `2026-01-31T15:30:00Z`.
    pub at: &'a str,
    pub client: &'a str,
    pub count: i64,
}

impl Host {
    /// Writes entries into the record of the user with this address, behind the program's back.
    pub async fn write_activity(&self, email: &str, entries: &[Written<'_>]) {
        let is_postgres = self.database_url().is_some();
        let rows = entries.iter().map(|Written { kind, at, client, count }| {
            let at = chrono::DateTime::parse_from_rfc3339(at).expect("a time").to_utc();
            let time =
                uuid::Timestamp::from_unix(uuid::NoContext, u64::try_from(at.timestamp()).expect("after 1970"), 0);
            let id = uuid::Uuid::new_v7(time);
            let id = if is_postgres { format!("cast('{id}' as uuid)") } else { format!("unhex('{}')", id.simple()) };
            let at = at.to_rfc3339();
            let at = if is_postgres { format!("cast('{at}' as timestamptz)") } else { format!("'{at}'") };
            format!("select {id} as id, {at} as at, '{kind}' as kind, '{client}' as client, {count} as count")
        });
        let rows = rows.collect::<Vec<_>>().join(" union all ");
        let sql = format!(
            "insert into activity (id, at, user_id, actor, actor_id, kind, address, client, count)
            select e.id, e.at, u.id, 'person', case when e.kind = 'sign_in_failed' then null else u.id end, e.kind,
                '203.0.113.7', e.client, e.count
            from users u cross join ({rows}) e where u.email = '{email}'"
        );
        assert_eq!(self.sql(&sql).await, entries.len() as u64);
    }
}

/// The entries of a CSV with a header line.
pub fn entries(csv: &str) -> Vec<Entry> {
    let mut lines = parsed(csv).into_iter();
    let header = lines.next().expect("a header line");
    lines
        .map(|cells| {
            assert_eq!(cells.len(), header.len(), "{cells:?}");
            header.iter().cloned().zip(cells).collect()
        })
        .collect()
}

/// The cells of each line (RFC 4180).
fn parsed(csv: &str) -> Vec<Vec<String>> {
    let (mut lines, mut cells, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut rest = csv.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => cell.push(rest.next().expect("a quotation mark")),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            '\r' if !quoted => assert_eq!(rest.peek(), Some(&'\n'), "lines end with CR LF"),
            '\n' if !quoted => {
                cells.push(std::mem::take(&mut cell));
                lines.push(std::mem::take(&mut cells));
            }
            other => cell.push(other),
        }
    }
    assert!(cells.is_empty() && cell.is_empty() && !quoted, "the last line has no end: {csv}");
    lines
}
