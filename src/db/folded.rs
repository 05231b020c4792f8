//! The folded form of a text, for sorting and searching.

/// The key by which titles are sorted and searched: case and accents folded, as UTF-8, so that both databases sort it
/// alike, byte by byte (docs/contract/README.md, section 15, 15).
pub fn folded(text: &str) -> String {
    use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}
