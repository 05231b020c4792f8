//! Invisible and misleading characters: titles and names must be visible, and shown in the order in which they are
//! written.

/// Invisible characters other than white space: Unicode's `Default_Ignorable_Code_Point`, and blanks that Unicode
/// counts as letters or symbols.
const INVISIBLE: &[(char, char)] = &[
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// True if a text has no visible character.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&c)))
}

/// True for characters that change the text direction, and so can disguise a text.
pub fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// True for a text of one line that is shown as it is written: no control characters, line breaks or changes of
/// direction.
pub fn is_plain_line(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || turns(c) || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// A phone number, with pasted look-alikes of spaces and hyphens replaced by those of a keyboard.
pub fn typed_phone(text: &str) -> String {
    let sign = |c: char| match c {
        '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}' => Some(' '),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some('-'),
        '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => None,
        c if turns(c) => None,
        c => Some(c),
    };
    text.chars().filter_map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_blank_and_scripts_that_need_joiners_are_not() {
        for text in ["", " ", "\u{200b}\u{2060}", "\u{3164}", "\u{feff} \u{202e}", "\u{2800}"] {
            assert!(is_blank(text), "{text:?}");
        }
        for text in ["a", "\u{200b}a", "می\u{200c}خواهم", "👩\u{200d}🍳", "0", "."] {
            assert!(!is_blank(text) && is_plain_line(text), "{text:?}");
        }
        for text in ["a\u{202e}b", "\u{2066}a", "a\nb", "a\u{2028}b", "a\0"] {
            assert!(!is_plain_line(text), "{text:?}");
        }
        assert_eq!(typed_phone("\u{202a}+351\u{a0}289\u{2011}123\u{202c} 456"), "+351 289-123 456");
    }
}
