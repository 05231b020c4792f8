//! Encrypted values: XChaCha20-Poly1305 with a random nonce before the ciphertext. A value is bound to its place, so that
//! it cannot be moved to another row.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use rand::{TryRng, rngs::SysRng};

/// Bytes of a nonce.
const NONCE: usize = 24;

/// A key: a secret, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SealingKey(pub [u8; 32]);

impl SealingKey {
    /// Encrypts a value; `place` says where it belongs.
    ///
    /// # Panics
    /// If the operating system provides no random numbers.
    pub fn seal(&self, place: &str, value: &[u8]) -> Vec<u8> {
        let mut sealed = vec![0; NONCE];
        SysRng.try_fill_bytes(&mut sealed).expect("random numbers from the operating system");
        let payload = Payload { msg: value, aad: place.as_bytes() };
        let nonce: &[u8; NONCE] = sealed.first_chunk().expect("as many bytes");
        // It fails beyond 256 GiB only.
        let ciphertext = self.cipher().encrypt(&XNonce::from(*nonce), payload).expect("a value that fits into memory");
        sealed.extend(ciphertext);
        sealed
    }

    /// Decrypts a value; `None` if it was sealed with another key or for another place, or is damaged.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: ciphertext, aad: place.as_bytes() };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_with_its_key_at_its_place_alone() {
        let (key, other) = (SealingKey([7; 32]), SealingKey([8; 32]));
        let sealed = key.seal("totp 1", b"secret");
        assert_eq!(key.open("totp 1", &sealed).as_deref(), Some(&b"secret"[..]));
        assert_ne!(key.seal("totp 1", b"secret"), sealed, "the nonce is random");
        assert_eq!(other.open("totp 1", &sealed), None);
        assert_eq!(key.open("totp 2", &sealed), None);
        for place in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[place] ^= 1;
            assert_eq!(key.open("totp 1", &damaged), None, "byte {place}");
        }
        for length in 0..sealed.len() {
            assert_eq!(key.open("totp 1", &sealed[..length]), None, "{length} bytes");
        }
        assert_eq!(key.open("", &key.seal("", b"")).as_deref(), Some(&b""[..]));
    }
}
