//! Finds API keys in files and texts, without a database: by their form and their checksum.

use std::{
    collections::HashSet,
    io::{self, ErrorKind, Read},
};

use crate::{
    base::settings::LONGEST_PREFIX,
    keys::{CHECKSUM, PlainKey, RANDOM},
};

/// The length of a key from the `_` after its prefix on.
const REST: usize = 1 + RANDOM + CHECKSUM;

/// How many bytes before that `_` matter: the prefix, and an escape such as `\u000a` before it.
const BEFORE: usize = LONGEST_PREFIX + 6;

/// How many bytes are read at once.
const CHUNK: usize = 64 * 1024;

/// Where a key begins in a file, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub line: u64,
    /// In bytes.
    pub column: u64,
}

impl Place {
    fn advance(&mut self, text: &[u8]) {
        for byte in text {
            match byte {
                b'\n' => *self = Place { line: self.line + 1, column: 1 },
                _ => self.column += 1,
            }
        }
    }
}

/// Reads to the end and reports every key with one of these prefixes, in order. Memory is bounded, however long lines
/// are. A file in UTF-16 that says so in its first bytes is read as text, any other one as bytes.
///
/// # Errors
/// If reading fails.
pub fn scan(from: impl Read, prefixes: &[&str], mut found: impl FnMut(Place, &PlainKey)) -> io::Result<()> {
    let mut from = Decoder::new(from);
    let mut text = Vec::new();
    // Everything before `checked` is done; `place` is that of `text[placed]`.
    let (mut checked, mut placed) = (0, 0);
    let mut place = Place { line: 1, column: 1 };
    loop {
        let done = usize::saturating_sub(checked, BEFORE);
        if placed < done {
            place.advance(&text[placed..done]);
            placed = done;
        }
        text.drain(..done);
        (checked, placed) = (checked - done, placed - done);
        let is_end = !from.read_into(&mut text)?;
        // What follows a key must have been read.
        let end = if is_end { text.len() } else { text.len().saturating_sub(REST) };
        for at in checked..end {
            if text[at] == b'_'
                && let Some(key) = key_at(&text, at, prefixes)
            {
                let begin = at + REST - key.0.len();
                place.advance(&text[placed..begin]);
                placed = begin;
                found(place, &key);
            }
        }
        checked = checked.max(end);
        if is_end {
            return Ok(());
        }
    }
}

/// The key whose prefix ends before `text[at]`, if it stands alone there.
fn key_at(text: &[u8], at: usize, prefixes: &[&str]) -> Option<PlainKey> {
    let (end, after) = (at + REST, text.get(at + REST));
    let is_whole =
        text.get(at + 1..end)?.iter().all(u8::is_ascii_alphanumeric) && !after.is_some_and(u8::is_ascii_alphanumeric);
    let begins = |prefix: &&&str| text[..at].ends_with(prefix.as_bytes()) && may_begin(&text[..at - prefix.len()]);
    let prefix = prefixes.iter().filter(|_| is_whole).find(begins)?;
    PlainKey::parse(&text[at - prefix.len()..end])
}

/// True if a key may begin after this text: the same that [`crate::keys::scan_rules`] writes as a regular expression.
fn may_begin(before: &[u8]) -> bool {
    let is_escape = |mark: &[u8], digits: usize| {
        let begin = before.len().checked_sub(mark.len() + digits);
        let escape = begin.map(|begin| before[begin..].split_at(mark.len()));
        escape.is_some_and(|(begin, rest)| begin == mark && rest.iter().all(u8::is_ascii_hexdigit))
    };
    !before.last().is_some_and(u8::is_ascii_alphanumeric)
        || [b"\\n", b"\\r", b"\\t"].iter().any(|escape| before.ends_with(*escape))
        || is_escape(b"\\u", 4)
        || is_escape(b"\\x", 2)
        || is_escape(b"%", 2)
}

/// The first keys of a text, at most `most`, each once. Whatever the prefix and wherever they stand: the checksum
/// decides.
pub fn keys_in(text: &[u8], most: usize) -> Vec<PlainKey> {
    let (mut keys, mut seen) = (Vec::new(), HashSet::new());
    for (at, _) in text.iter().enumerate().filter(|(_, byte)| **byte == b'_') {
        let letters =
            text[..at].iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).take(LONGEST_PREFIX).count();
        let candidates = (1..=letters).filter_map(|length| text.get(at - length..at + REST));
        let found = candidates.filter_map(PlainKey::parse).filter(|key| seen.insert(key.0.clone()));
        keys.extend(found.collect::<Vec<_>>());
        if keys.len() >= most {
            keys.truncate(most);
            break;
        }
    }
    keys
}

/// Reads a file; one that begins with the byte order mark of UTF-16 as the ASCII in it, with one byte for every other
/// character.
struct Decoder<R> {
    from: R,
    encoding: Option<Encoding>,
    /// Bytes of UTF-16 that are not decoded yet.
    waiting: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Encoding {
    Bytes,
    Utf16(fn([u8; 2]) -> u16),
}

impl<R: Read> Decoder<R> {
    fn new(from: R) -> Self {
        Decoder { from, encoding: None, waiting: Vec::new() }
    }

    /// Reads more. False at the end.
    fn read_into(&mut self, text: &mut Vec<u8>) -> io::Result<bool> {
        let encoding = match self.encoding {
            Some(encoding) => encoding,
            None => self.begin(text)?,
        };
        let mut chunk = vec![0; CHUNK];
        let count = self.read(&mut chunk)?;
        match encoding {
            Encoding::Bytes => text.extend_from_slice(&chunk[..count]),
            Encoding::Utf16(unit) => {
                self.waiting.extend_from_slice(&chunk[..count]);
                let (units, rest) = self.waiting.as_chunks::<2>();
                text.extend(units.iter().map(|pair| u8::try_from(unit(*pair)).unwrap_or(u8::MAX)));
                self.waiting = rest.to_vec();
            }
        }
        Ok(count > 0)
    }

    /// Reads the first two bytes.
    fn begin(&mut self, text: &mut Vec<u8>) -> io::Result<Encoding> {
        let mut first = [0; 2];
        let mut count = 0;
        while count < first.len() {
            match self.read(&mut first[count..])? {
                0 => break,
                more => count += more,
            }
        }
        let encoding = match first {
            [0xff, 0xfe] => Encoding::Utf16(u16::from_le_bytes),
            [0xfe, 0xff] => Encoding::Utf16(u16::from_be_bytes),
            _ => {
                text.extend_from_slice(&first[..count]);
                Encoding::Bytes
            }
        };
        self.encoding = Some(encoding);
        Ok(encoding)
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.from.read(into) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a few bytes at a time, so that keys are cut at every place.
    struct Dripping<'a>(&'a [u8], usize);

    impl Read for Dripping<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(self.1).min(into.len());
            let (now, later) = self.0.split_at(count);
            into[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    fn found(text: &[u8], at_once: usize) -> Vec<(u64, u64, String)> {
        let mut all = Vec::new();
        scan(Dripping(text, at_once), &["lk", "old"], |place, key| {
            all.push((place.line, place.column, key.reveal().to_owned()));
        })
        .expect("it reads");
        all
    }

    #[test]
    fn keys_are_found_wherever_the_text_is_cut_with_line_and_column() {
        let (one, two) = (PlainKey::generate("lk"), PlainKey::generate("old"));
        let (one, two) = (one.reveal(), two.reveal());
        let text = format!("{one}\nKEY_{two} {one},{two}\r\n\n  {{\"a\":\"\\n{one}\"}}?k=%22{two}");
        let places = [(1, 1, one), (2, 5, two), (2, 59, one), (2, 112, two), (4, 11, one), (4, 71, two)];
        let expected: Vec<_> = places.iter().map(|(line, column, key)| (*line, *column, (*key).to_owned())).collect();
        for at_once in [1, 2, 7, 51, 52, 53, 1_000] {
            assert_eq!(found(text.as_bytes(), at_once), expected, "{at_once}");
        }
        let long = format!("{}{one}{}", "x ".repeat(CHUNK), "_".repeat(2 * CHUNK + 7));
        assert_eq!(found(long.as_bytes(), usize::MAX), [(1, 2 * CHUNK as u64 + 1, one.to_owned())].map(|hit| hit));
    }

    #[test]
    fn text_in_utf_16_is_read_and_binary_data_too() {
        let key = PlainKey::generate("lk");
        let text = format!("é\n\"{}\"", key.reveal());
        for (mark, bytes) in [([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]), ([0xfe, 0xff], u16::to_be_bytes)]
        {
            let encoded: Vec<u8> = mark.into_iter().chain(text.encode_utf16().flat_map(bytes)).collect();
            for at_once in [1, 3, 1_000] {
                assert_eq!(found(&encoded, at_once), [(2, 2, key.reveal().to_owned())]);
            }
        }
        let binary = [b"\0\xff\xfe\0", key.reveal().as_bytes(), b"\0"].concat();
        assert_eq!(found(&binary, 3), [(1, 5, key.reveal().to_owned())]);
        for nothing in [&b""[..], b"\xff", b"\xff\xfe", b"\xff\xfel", b"_", b"lk_"] {
            assert_eq!(found(nothing, 1), []);
        }
    }

    #[test]
    fn a_text_is_searched_for_keys_of_any_prefix_each_once() {
        let keys: Vec<PlainKey> = ["lk", "a", "ABCDEFGH"].map(PlainKey::generate).into();
        let text: String = keys.iter().map(|key| format!("glued{}glued {} ", key.reveal(), key.reveal())).collect();
        let found: Vec<String> = keys_in(text.as_bytes(), 100).into_iter().map(|key| key.0).collect();
        assert_eq!(found, keys.iter().map(|key| key.0.clone()).collect::<Vec<_>>());
        assert_eq!(keys_in(text.as_bytes(), 2).len(), 2);
        assert_eq!(keys_in(&[b'_'; 200], 100).len() + keys_in(b"lk_", 100).len() + keys_in(b"", 100).len(), 0);
    }
}
