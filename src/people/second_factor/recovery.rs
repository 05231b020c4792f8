//! Recovery codes: 120 random bits each, in Crockford's base32. With so many bits one pass of SHA-256 is enough to store
//! them, and nobody can guess one (ASVS 5.0, 6.5.2).

use rand::{TryRng, rngs::SysRng};

use crate::base::secret::Digest;

/// How many codes a user gets at a time.
pub const CODES: usize = 10;

/// Codes left at which the user is warned.
pub const FEW: i64 = 3;

/// Characters of a code, and of a group of it.
const LENGTH: usize = 24;
const GROUP: usize = 6;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A new code, in groups: `XXXXXX-XXXXXX-XXXXXX-XXXXXX`.
///
/// # Panics
/// If the operating system provides no random numbers.
pub fn generate() -> String {
    let mut bytes = [0; LENGTH];
    SysRng.try_fill_bytes(&mut bytes).expect("random numbers from the operating system");
    let characters: Vec<char> = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    characters.chunks(GROUP).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// The characters of a code as people write it: in any case, with blanks and dashes, O for 0, and I or L for 1. `None` if
/// it is none.
pub fn read(text: &str) -> Option<String> {
    // Longer texts are no codes, whatever is in them.
    if text.len() > 200 {
        return None;
    }
    let mut code = String::new();
    for character in text.chars().filter(|c| !c.is_whitespace() && !is_dash(*c)) {
        let character = match character.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        if !u8::try_from(character).is_ok_and(|byte| ALPHABET.contains(&byte)) {
            return None;
        }
        code.push(character);
    }
    (code.len() == LENGTH).then_some(code)
}

fn is_dash(character: char) -> bool {
    matches!(character, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// The digest under which a code is stored.
pub fn digest(code: &str) -> Digest {
    Digest::of(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_write_it() {
        let code = generate();
        assert_eq!(code.len(), 27);
        let plain = code.replace('-', "");
        for written in
            [code.clone(), code.to_lowercase(), format!(" {} ", code.replace('-', " ")), code.replace('-', "–")]
        {
            assert_eq!(read(&written), Some(plain.clone()), "{written}");
        }
        assert_eq!(read("oOiIlL-000000-000000-000000"), Some(format!("001111{}", "0".repeat(18))));
        for none in
            ["", "123456", &code[..26], &format!("{code}0"), &code.replacen(&code[..1], "U", 1), &"0".repeat(300)]
        {
            assert_eq!(read(none), None, "{none}");
        }
        assert_ne!(generate(), code);
    }

    #[test]
    fn every_character_occurs() {
        let codes: String = (0..200).map(|_| generate()).collect();
        assert!(ALPHABET.iter().all(|byte| codes.contains(char::from(*byte))));
    }
}
