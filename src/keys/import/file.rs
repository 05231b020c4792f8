//! The file: CSV (RFC 4180) in UTF-8, with a header line. Messages never repeat what stands in the columns of a key: some
//! file may have the key itself there.

use std::fmt;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime};
use csv::{ByteRecord, ReaderBuilder, Trim};

use crate::{
    base::{clock::Moment, ids::PropertyId, text},
    hotel::properties::search::MOST_IDS,
    keys::{self, KeyDigest},
    people::users::Email,
};

/// The columns, in any order.
const COLUMNS: [&str; 7] = ["email", "title", "sha256", "tail", "expires_at", "read_only", "property_ids"];

/// Maximum number of keys in a file: they are imported in one transaction.
const MOST_KEYS: usize = 10_000;

/// Maximum number of characters of a key that are shown.
const LONGEST_TAIL: usize = 4;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A reason why nothing is imported.
#[derive(Debug)]
pub struct Problem {
    /// The number of the line in the file, from 1.
    pub line: u64,
    /// The column, if it is about one.
    field: Option<&'static str>,
    /// What is wrong, and how to mend it.
    text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.field {
            Some(field) => write!(f, "line {}, {field}: {}", self.line, self.text),
            None => write!(f, "line {}: {}", self.line, self.text),
        }
    }
}

/// A valid line: one key.
pub struct Line {
    /// From 1.
    pub number: u64,
    pub email: Email,
    pub title: String,
    pub digest: KeyDigest,
    pub tail: String,
    pub expires_at: Option<Moment>,
    pub read_only: bool,
    /// `None` for all.
    pub properties: Option<Vec<PropertyId>>,
}

impl Line {
    pub fn problem(&self, field: &'static str, text: String) -> Problem {
        Problem { line: self.number, field: Some(field), text }
    }
}

/// Reads a file: its valid lines, and what is wrong with others.
pub fn read(file: &[u8]) -> (Vec<Line>, Vec<Problem>) {
    let text = file.strip_prefix(BYTE_ORDER_MARK).unwrap_or(file);
    let mut records =
        ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(text).into_byte_records();
    let mut numbers = Numbers { text, byte: 0, line: 1 };
    let alone = |line, text: String| (Vec::new(), vec![Problem { line, field: None, text }]);
    let Some(Ok(header)) = records.next() else {
        return alone(1, format!("The file is empty. It begins with the line {}", COLUMNS.join(",")));
    };
    let number = numbers.of(&header);
    let columns = match columns(&header) {
        Ok(columns) => columns,
        Err(problem) => return alone(number, problem),
    };
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    // Bytes in memory can be read, and records may have any length.
    for record in records.filter_map(Result::ok) {
        let number = numbers.of(&record);
        if record.len() == 1 && record[0].is_empty() {
            continue;
        }
        if lines.len() == MOST_KEYS {
            return alone(number, format!("A file may have {MOST_KEYS} keys. Split it."));
        }
        match (Record { number, record: &record, columns }).read() {
            Ok(line) => lines.push(line),
            Err(found) => problems.extend(found),
        }
    }
    if lines.is_empty() && problems.is_empty() {
        return alone(number, "The file has no keys, only this header.".to_owned());
    }
    (lines, problems)
}

/// Finds the numbers of lines, as editors count them: from 1, with blank ones and those within quotation marks.
struct Numbers<'a> {
    text: &'a [u8],
    byte: usize,
    line: u64,
}

impl Numbers<'_> {
    /// The number of the line in which a record begins; records come in order.
    fn of(&mut self, record: &ByteRecord) -> u64 {
        let end = record.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or_default();
        let rest = self.text.get(end..).unwrap_or_default();
        // The rest of the line break before it, and blank lines.
        let begin = end + rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = self.text.get(self.byte..begin).unwrap_or_default();
        self.line += u64::try_from(passed.iter().filter(|byte| **byte == b'\n').count()).unwrap_or_default();
        self.byte = self.byte.max(begin);
        self.line
    }
}

/// Where each column stands.
fn columns(header: &ByteRecord) -> Result<[usize; COLUMNS.len()], String> {
    let names: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).to_lowercase()).collect();
    let wanted = COLUMNS.join(",");
    if let [only] = &*names
        && only.contains([';', '\t', '\0'])
    {
        return Err(format!("Save the file as CSV in UTF-8 with commas between fields. Its first line is {wanted}"));
    }
    if let Some(unknown) = names.iter().find(|name| !COLUMNS.contains(&&***name)) {
        return Err(format!("There is no column “{unknown:.40}”. The first line of the file is {wanted}"));
    }
    if names.len() > COLUMNS.len() {
        return Err(format!("A column stands there twice. The first line of the file is {wanted}"));
    }
    let mut places = [0; COLUMNS.len()];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        *place = names
            .iter()
            .position(|name| name == column)
            .ok_or_else(|| format!("The column {column} is missing. The first line of the file is {wanted}"))?;
    }
    Ok(places)
}

struct Record<'a> {
    number: u64,
    record: &'a ByteRecord,
    columns: [usize; COLUMNS.len()],
}

impl Record<'_> {
    /// All problems of the line, or its content.
    fn read(&self) -> Result<Line, Vec<Problem>> {
        let (found, expected) = (self.record.len(), COLUMNS.len());
        if found != expected {
            let text = format!(
                "The line has {found} fields, and must have {expected}. Write quotation marks around a field that \
                 contains a comma, and write those within it twice."
            );
            return Err(vec![Problem { line: self.number, field: None, text }]);
        }
        let mut problems = Vec::new();
        let fields = (
            self.field(0, &mut problems, email),
            self.field(1, &mut problems, keys::title),
            self.field(2, &mut problems, sha256),
            self.field(3, &mut problems, tail),
            self.field(4, &mut problems, end),
            self.field(5, &mut problems, read_only),
            self.field(6, &mut problems, properties),
        );
        match fields {
            (
                Some(email),
                Some(title),
                Some(digest),
                Some(tail),
                Some(expires_at),
                Some(read_only),
                Some(properties),
            ) => Ok(Line { number: self.number, email, title, digest, tail, expires_at, read_only, properties }),
            _ => Err(problems),
        }
    }

    /// Reads a field. `None` if it has a problem.
    fn field<T>(
        &self,
        column: usize,
        problems: &mut Vec<Problem>,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let bytes = self.record.get(self.columns[column]).unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|_| "This is not UTF-8. Save the file in UTF-8.".to_owned());
        let found = text.and_then(read);
        found.map_err(|text| problems.push(Problem { line: self.number, field: Some(COLUMNS[column]), text })).ok()
    }
}

fn email(text: &str) -> Result<Email, String> {
    text.parse().map_err(|_| "This is not an email address. Enter that of the user.".to_owned())
}

fn sha256(text: &str) -> Result<KeyDigest, String> {
    let digits = text.as_bytes();
    let byte = |pair: &[u8; 2]| {
        let digits = std::str::from_utf8(pair).ok().filter(|_| pair.iter().all(u8::is_ascii_hexdigit))?;
        u8::from_str_radix(digits, 16).ok()
    };
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    let bytes = bytes.filter(|bytes| rest.is_empty() && bytes.len() == 32);
    let digest =
        bytes.ok_or("This is not a SHA-256 in 64 hexadecimal digits. Make it with: printf %s KEY | sha256sum")?;
    if digest == secret_of("") || digest == secret_of("\n") {
        return Err("This is the SHA-256 of an empty text. Make it with: printf %s KEY | sha256sum".to_owned());
    }
    Ok(KeyDigest(digest))
}

fn secret_of(text: &str) -> Vec<u8> {
    crate::base::secret::Digest::of(text).0
}

fn tail(text: &str) -> Result<String, String> {
    if text.chars().count() > LONGEST_TAIL {
        Err(format!("Enter at most the last {LONGEST_TAIL} characters of the key, or nothing."))
    } else if text.chars().any(char::is_whitespace) || !text::is_plain_line(text) {
        Err("Enter visible characters only: the last ones of the key, or nothing.".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// An end: of a day in UTC, or a moment.
fn end(text: &str) -> Result<Option<Moment>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let end = match text.parse::<NaiveDate>() {
        Ok(day) => day.checked_add_days(Days::new(1)).map(|next| next.and_time(NaiveTime::MIN).and_utc()),
        Err(_) => DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.to_utc()),
    };
    match end {
        None => Err("Enter a date such as 2027-12-31, a moment such as 2027-12-31T12:00:00Z, or nothing.".to_owned()),
        Some(end) if end.year() > 9999 => Err("Enter an end before the year 10000, or nothing.".to_owned()),
        Some(end) => Ok(Some(end)),
    }
}

fn read_only(text: &str) -> Result<bool, String> {
    match &*text.to_lowercase() {
        "" | "false" | "no" | "0" => Ok(false),
        "true" | "yes" | "1" => Ok(true),
        _ => Err("Enter true or false.".to_owned()),
    }
}

fn properties(text: &str) -> Result<Option<Vec<PropertyId>>, String> {
    let ids = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';')).filter(|id| !id.is_empty());
    let ids: Result<Vec<PropertyId>, _> = ids.map(str::parse).collect();
    let mut ids =
        ids.map_err(|_| "Enter IDs of properties with blanks between them, or nothing for all.".to_owned())?;
    ids.sort_unstable();
    ids.dedup();
    match ids.len() {
        0 => Ok(None),
        1..=MOST_IDS => Ok(Some(ids)),
        count => Err(format!("Enter at most {MOST_IDS} IDs of properties (these are {count}).")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "email,title,sha256,tail,expires_at,read_only,property_ids";

    #[test]
    fn lines_are_counted_as_editors_count_them() {
        let sha256 = "ab".repeat(32);
        let file = format!(
            "\u{feff}{HEADER}\r\n\r\na@b.example,\"Two\r\nlines\",{sha256},,,,\r\n\
             \"a@b.example\",\"The \"\"other\"\", one\",{sha256},1Q1P,,yes,\r\nx,y\r\n"
        );
        let (lines, problems) = read(file.as_bytes());
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(said[0].starts_with("line 3, title: Titles cannot contain line breaks"), "{said:?}");
        assert!(said[1].starts_with("line 6: The line has 2 fields, and must have 7."), "{said:?}");
        assert_eq!((lines.len(), lines[0].number, &*lines[0].title), (1, 5, "The \"other\", one"));
        assert!(lines[0].read_only && lines[0].tail == "1Q1P" && lines[0].properties.is_none());
    }

    #[test]
    fn no_bytes_make_it_fail() {
        for file in
            [&b""[..], b"\xef\xbb\xbf", b"\xff\xfee\0m\0", b"\"", b"email;title", b"\0", b"email,title\n,,,,,,,,"]
        {
            let (lines, problems) = read(file);
            assert!(lines.is_empty() && problems.len() == 1, "{file:?}: {problems:?}");
        }
        let file = [HEADER.as_bytes(), b"\na@b.example,\xff,x,12345,soon,maybe,1\n"].concat();
        let (_, problems) = read(&file);
        let fields: Vec<_> = problems.iter().filter_map(|problem| problem.field).collect();
        assert_eq!(fields, COLUMNS[1..]);
    }
}
