//! Common passwords: lists, keyboard patterns, common words with digits around them.
//!
//! `common_passwords.txt` has the most common passwords of 15 and more characters, `common_words.txt` the most common
//! ones that are one word, both folded. They are compiled from the lists of zxcvbn-ts (@zxcvbn-ts/language-common
//! 4.1.3, MIT, copyright 2012-2016 Dan Wheeler and Dropbox, Inc., 2021 @zxcvbn-ts) and of Django (5.2, BSD-3-Clause,
//! copyright Django Software Foundation; the list is Royce Williams's), and of a few lines of our own.

use std::{collections::HashSet, sync::LazyLock};

static PASSWORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());
static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common_words.txt").lines().collect());

/// Rows of keys, and other sequences.
const ROWS: [&str; 6] =
    ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz", "qwertzuiop"];

/// True for a folded password that attackers try first.
pub fn is_common(plain: &str) -> bool {
    PASSWORDS.contains(plain) || is_repetition(plain) || has_few_characters(plain) || is_runs(plain) || is_words(plain)
}

/// True for a short unit repeated: `abcabcabcabcabc`.
fn is_repetition(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    (1..=characters.len() / 2).any(|unit| characters.iter().zip(&characters[unit..]).all(|(a, b)| a == b))
}

/// True for `111111111111112`.
fn has_few_characters(text: &str) -> bool {
    text.chars().collect::<HashSet<char>>().len() <= 3
}

/// True if almost every character follows the one before, in the alphabet, among the digits or on a keyboard.
fn is_runs(text: &str) -> bool {
    let characters: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
    let follows = |a: char, b: char| {
        a == b || ROWS.iter().any(|row| row.contains(&format!("{a}{b}")) || row.contains(&format!("{b}{a}")))
    };
    let steps = characters.windows(2).filter(|pair| follows(pair[0], pair[1])).count();
    !characters.is_empty() && steps * 4 >= (characters.len() - 1) * 3
}

/// True for one or two common words, with any digits and signs around them or in place of letters.
fn is_words(text: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
    let core = text.trim_matches(|c: char| !c.is_alphabetic());
    let unmasked: String = core
        .chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            other => other,
        })
        .collect();
    [letters(core), letters(&unmasked)].iter().any(|letters| is_one_or_two(letters))
}

fn is_one_or_two(letters: &str) -> bool {
    WORDS.contains(letters)
        || letters.char_indices().skip(1).any(|(at, _)| {
            let (first, second) = letters.split_at(at);
            WORDS.contains(first) && WORDS.contains(second)
        })
}

#[cfg(test)]
mod tests {
    use super::is_common;

    #[test]
    fn common_passwords_are_recognised_and_others_are_not() {
        for weak in [
            "password1234567",
            "iloveyou1234567",
            "111111111111112",
            "123456789012345",
            "abcdefghijklmnop",
            "qwertyuiopasdfgh",
            "q1w2e3r4t5y6u7i8",
            "p@ssw0rd1234567",
            "1234567dragon!!!",
            "monkey-football-1",
            "passwordpassword",
            "987654321987654321",
        ] {
            assert!(is_common(weak), "{weak}");
        }
        for good in [
            "seven boats at noon",
            "harbour-lantern-77",
            "пароль от маяка 7",
            "correct horse battery",
            "x7f9qk2mw8zr4tb",
        ] {
            assert!(!is_common(good), "{good}");
        }
    }
}
