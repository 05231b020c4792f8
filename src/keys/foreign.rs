//! Keys of another system, which were imported by their hashes (`import`): they may have any form.

use std::{collections::HashSet, net::IpAddr};

use url::form_urlencoded;

use crate::{
    base::{
        error::{Error, LimitKind, Result},
        secret::Digest,
    },
    keys::KeyDigest,
    web::{client_ip, window_limit::WindowLimit},
};

/// Unknown keys per minute and address.
const PER_MINUTE: u32 = 100;

/// The same for all clients behind a proxy that is not in `LATCHKEY_TRUSTED_PROXIES`.
const PER_PROXY: u32 = 10_000;

/// How many characters a word has that may be a key, in a text in which somebody has found one.
const LENGTHS: std::ops::RangeInclusive<usize> = 20..=200;

/// Words of one text that are tried.
const MOST_WORDS: usize = 4_000;

/// What may stand between a key and other words.
const BETWEEN: &[char] =
    &['"', '\'', '`', '<', '>', ',', ';', '|', '\\', '(', ')', '[', ']', '{', '}', '?', '&', '#', '@'];

/// Counts unknown keys: guesses.
pub struct ForeignKeys {
    addresses: WindowLimit,
    proxies: WindowLimit,
}

impl Default for ForeignKeys {
    fn default() -> Self {
        ForeignKeys { addresses: WindowLimit::new(PER_MINUTE), proxies: WindowLimit::new(PER_PROXY) }
    }
}

impl ForeignKeys {
    /// Counts an unknown key.
    ///
    /// # Errors
    /// `TooMany` if the address has sent too many.
    pub fn count(&self, address: Option<IpAddr>, is_proxy: bool) -> Result<()> {
        let limit = if is_proxy { &self.proxies } else { &self.addresses };
        let counted = limit.take(address.map_or(0, client_ip::network));
        counted.map_err(|refusal| Error::TooMany(LimitKind::Address, refusal))
    }
}

/// A key that is not of our form, as sent. `None` for what is mistyped of ours, and for what is none.
pub fn parse<'a>(sent: &'a [u8], prefixes: &[&str]) -> Option<&'a str> {
    let text = std::str::from_utf8(sent).ok()?.trim();
    let is_ours = |prefix: &&str| text.strip_prefix(*prefix).is_some_and(|rest| rest.starts_with('_'));
    let is_key = !text.is_empty() && !text.contains(is_invisible) && !prefixes.iter().any(is_ours);
    is_key.then_some(text)
}

/// What is stored of such a key.
pub fn digest(key: &str) -> KeyDigest {
    KeyDigest(Digest::of(key).0)
}

fn is_invisible(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// The hashes of all words of a text that may be keys, each once: whole words, and what stands between punctuation.
pub fn digests_in(text: &[u8]) -> Vec<KeyDigest> {
    let text = String::from_utf8_lossy(text);
    let mut words = Words::default();
    words.add_all(text.split(is_invisible));
    words.add_parts(&text);
    // As PHP writes JSON, and in a URL.
    if text.contains("\\/") {
        words.add_parts(&text.replace("\\/", "/"));
    }
    if text.contains('%') {
        let escaped = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
        for (plain, _) in form_urlencoded::parse(escaped.as_bytes()) {
            words.add_parts(&plain);
        }
    }
    words.found
}

#[derive(Default)]
struct Words {
    seen: HashSet<String>,
    found: Vec<KeyDigest>,
}

impl Words {
    fn add_all<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        words.for_each(|word| self.add(word));
    }

    /// What stands between punctuation, with and without a name before it and a full stop after it.
    fn add_parts(&mut self, text: &str) {
        for part in text.split(|c| is_invisible(c) || BETWEEN.contains(&c)) {
            self.add(part);
            self.add(part.trim_matches(['.', ':', '=', '!']));
            for separator in ['=', ':'] {
                // The key itself may contain the separator, and so may what stands before it.
                for (_, value) in part.split_once(separator).into_iter().chain(part.rsplit_once(separator)) {
                    self.add(value);
                }
            }
        }
    }

    fn add(&mut self, word: &str) {
        // A long text is not counted to its end.
        let fits = LENGTHS.contains(&word.chars().take(LENGTHS.end() + 1).count());
        if fits && self.found.len() < MOST_WORDS && self.seen.insert(word.to_owned()) {
            self.found.push(digest(word));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "uU08XiMgk8a7CrY4xUjAReUIuTrn83R123adaVb8Tf/qMcVTEgriuJhXWs/1Q1P";

    #[test]
    fn a_foreign_key_is_found_however_it_stands_in_a_text() {
        for text in [
            KEY.to_owned(),
            format!("user-api-key: {KEY}\r\nhost: pms.example"),
            format!("curl -H 'user-api-key: {KEY}' https://pms.example"),
            format!("export KEY={KEY}"),
            format!("KEY:{KEY}, and more"),
            format!("It is {KEY}."),
            format!("{{\"key\":\"{KEY}\"}}"),
            format!("{{\"key\":\"{}\"}}", KEY.replace('/', "\\/")),
            format!("https://pms.example/?key={}&page=1", KEY.replace('/', "%2F")),
            format!("https://user:{KEY}@pms.example/"),
            format!("<code>{KEY}</code>"),
        ] {
            assert!(digests_in(text.as_bytes()).contains(&digest(KEY)), "{text}");
        }
        for text in ["short words only, 1234567890123456789", &"a".repeat(201), "", "%%%%%%%%%%%%%%%"] {
            assert_eq!(digests_in(text.as_bytes()).len(), 0, "{text}");
        }
        let many: String = (0..10_000).map(|number| format!("{number:020} ")).collect();
        assert_eq!(digests_in(many.as_bytes()).len(), MOST_WORDS);
    }

    #[test]
    fn what_is_mistyped_of_ours_is_no_foreign_key() {
        let prefixes = ["lk", "acme"];
        for (sent, is_foreign) in [
            (KEY, true),
            (" \tabc\t", true),
            ("lkx_abc", true),
            ("lk-abc", true),
            ("lk_abc", false),
            ("acme_abc", false),
            ("Bearer abc", false),
            ("", false),
            (" ", false),
            ("a\u{7f}", false),
        ] {
            assert_eq!(parse(sent.as_bytes(), &prefixes).is_some(), is_foreign, "{sent:?}");
        }
        assert_eq!(parse(b"\xff", &prefixes), None);
    }
}
