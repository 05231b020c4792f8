//! Random secrets and their digests: what is shown once, and what is stored.

use rand::{TryRng, rngs::SysRng};
use sha2::{Digest as _, Sha256};

/// SHA-256 of a secret with 256 random bits: one cheap pass is enough, and it cannot be reversed.
#[derive(Clone, PartialEq, Eq)]
pub struct Digest(pub Vec<u8>);

impl Digest {
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).to_vec())
    }
}

/// 256 bits from the operating system, as 43 characters of base62.
///
/// # Panics
/// If the operating system provides no random numbers: no secret can be created.
pub fn random() -> String {
    let mut bytes = [0; 32];
    SysRng.try_fill_bytes(&mut bytes).expect("random numbers from the operating system");
    base62(&bytes, 43)
}

/// The bytes, read as one big-endian number, in base62 (`0-9A-Za-z`), left-padded with zeros to `width`
/// characters.
pub fn base62(bytes: &[u8], width: usize) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut number = bytes.to_vec();
    let mut text = vec![b'0'; width];
    for place in text.iter_mut().rev() {
        let mut rest = 0;
        for digit in &mut number {
            let value = rest * 256 + u32::from(*digit);
            *digit = u8::try_from(value / 62).unwrap_or_default();
            rest = value % 62;
        }
        *place = ALPHABET[rest as usize];
    }
    text.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base62_writes_every_number_at_full_width() {
        assert_eq!(base62(&[0; 32], 43), "0".repeat(43));
        assert_eq!(base62(&[61], 2), "0z");
        assert_eq!(base62(&[62], 2), "10");
        // 2^32 - 1 = 4 · 62^5 + 42 · 62^4 + …
        assert_eq!(base62(&u32::MAX.to_be_bytes(), 6), "4gfFC3");
        // The largest secret still fits: one more would need no 44th character either, 2^256 < 62^43.
        assert_eq!(base62(&[0xff; 32], 43), base62(&[0xff; 32], 44)[1..]);
        assert!(base62(&[0xff; 32], 44).starts_with('0'));
        assert_ne!(random(), random());
    }
}
