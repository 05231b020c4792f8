//! Keys that no server has made, in the form of those that it makes.

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A well-formed key that exists nowhere.
pub fn foreign_key(prefix: &str) -> String {
    let random: String = (0..43).map(|_| char::from(BASE62[rand::random_range(0..62)])).collect();
    let body = format!("{prefix}_{random}");
    let sum = checksum(&body);
    format!("{body}{sum}")
}

/// The same key with another last character: its checksum is wrong.
pub fn mistyped(key: &str) -> String {
    let (rest, last) = key.split_at(key.len() - 1);
    format!("{rest}{}", if last == "x" { "y" } else { "x" })
}

fn checksum(body: &str) -> String {
    let mut number = crc32fast::hash(body.as_bytes());
    let mut text = [0; 6];
    for place in text.iter_mut().rev() {
        *place = BASE62[(number % 62) as usize];
        number /= 62;
    }
    text.into_iter().map(char::from).collect()
}

/// The SHA-256 of a text in hexadecimal digits, as in the file of an import.
pub fn sha256_hex(text: &str) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(text.as_bytes()).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}
