//! One-time codes by time (RFC 6238): SHA-1, six digits, steps of 30 seconds, a secret of 160 bits, which all
//! authenticator apps know.

use qrcodegen::{QrCode, QrCodeEcc};
use rand::{TryRng, rngs::SysRng};
use totp_rs::{Builder, Secret, Totp};

use crate::base::{
    clock::Moment,
    error::{Error, Result},
};

/// Seconds of a step.
pub const STEP: i64 = 30;

const DIGITS: usize = 6;

/// Bytes of a secret.
const SECRET: usize = 20;

/// A secret shared with an authenticator app. It has no `Debug`.
pub struct SharedSecret(Vec<u8>);

impl SharedSecret {
    /// # Panics
    /// If the operating system provides no random numbers.
    pub fn generate() -> Self {
        let mut bytes = vec![0; SECRET];
        SysRng.try_fill_bytes(&mut bytes).expect("random numbers from the operating system");
        SharedSecret(bytes)
    }

    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        SharedSecret(bytes)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// In base32, as apps take it by hand.
    pub fn base32(&self) -> String {
        Secret::from(self.0.clone()).to_base32()
    }

    /// The step of a code, if it is right at this moment, or `drift` steps before or after.
    ///
    /// # Errors
    /// `Internal` if the secret is no secret of ours.
    pub fn step_of(&self, code: &str, drift: u16, now: Moment) -> Result<Option<i64>> {
        let totp = self.totp(drift)?;
        let step = totp.check(code, u64::try_from(now.timestamp()).unwrap_or_default());
        Ok(step.and_then(|step| i64::try_from(step).ok()))
    }

    fn totp(&self, drift: u16) -> Result<Totp> {
        let builder = Builder::new().with_secret(self.0.clone()).with_skew(drift);
        builder.build().map_err(|error| Error::Internal(format!("a secret for one-time codes is invalid: {error}")))
    }

    /// The address that apps read from the QR code (Key URI Format of Google Authenticator).
    pub fn address(&self, host: &str, email: &str) -> String {
        let encoded = |text: &str| {
            url::form_urlencoded::byte_serialize(text.replace(':', " ").as_bytes())
                .collect::<String>()
                .replace('+', "%20")
        };
        let (issuer, secret) = (encoded(host), self.base32());
        format!(
            "otpauth://totp/{issuer}:{}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP}",
            encoded(email)
        )
    }
}

/// A QR code as the path of an SVG: one unit per module, with a quiet zone of four.
pub struct QrPath {
    /// Width and height.
    pub size: i32,
    pub path: String,
}

/// # Errors
/// `Internal` if the text is too long.
pub fn qr(text: &str) -> Result<QrPath> {
    const QUIET: i32 = 4;
    let code = QrCode::encode_text(text, QrCodeEcc::Medium)
        .map_err(|error| Error::Internal(format!("could not make a QR code: {error}")))?;
    let modules = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
    let dark = modules.filter(|(x, y)| code.get_module(*x, *y));
    let path = dark.map(|(x, y)| format!("M{},{}h1v1h-1z", x + QUIET, y + QUIET)).collect();
    Ok(QrPath { size: code.size() + 2 * QUIET, path })
}

/// The six digits of a code as people write it: with blanks, or in full-width digits. `None` if it is none.
pub fn read(text: &str) -> Option<String> {
    if text.len() > 200 {
        return None;
    }
    let digits = text.chars().filter(|c| !c.is_whitespace()).map(|c| match c {
        '0'..='9' => Some(c),
        '０'..='９' => char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')),
        _ => None,
    });
    let code: String = digits.collect::<Option<_>>()?;
    (code.len() == DIGITS).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Moment {
        Moment::from_timestamp(seconds, 0).expect("a moment")
    }

    /// Appendix B of RFC 6238, the last six of eight digits.
    #[test]
    fn the_test_vectors_of_the_rfc() {
        let secret = SharedSecret::from_bytes(b"12345678901234567890".to_vec());
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret.step_of(code, 0, at(seconds)).expect("a secret"), Some(seconds / STEP), "{seconds}");
        }
    }

    #[test]
    fn a_code_is_right_in_its_step_and_as_far_beside_it_as_clocks_may_differ() {
        let secret = SharedSecret::from_bytes(b"12345678901234567890".to_vec());
        let step = |drift, seconds| secret.step_of("050471", drift, at(seconds)).expect("a secret");
        let begin = 1_111_111_110;
        for (drift, seconds, is_right) in [
            (0, begin, true),
            (0, begin + 29, true),
            (0, begin - 1, false),
            (0, begin + 30, false),
            (1, begin - 30, true),
            (1, begin + 59, true),
            (1, begin - 31, false),
            (1, begin + 60, false),
        ] {
            assert_eq!(step(drift, seconds), is_right.then_some(begin / STEP), "{drift} {seconds}");
        }
    }

    #[test]
    fn codes_are_read_as_people_write_them() {
        for written in ["123456", " 123 456 ", "１２３４５６", "12\u{a0}34\t56"] {
            assert_eq!(read(written).as_deref(), Some("123456"), "{written}");
        }
        for none in ["", "12345", "1234567", "12345a", "-12345", "1234.6", "一二三四五六", &"1".repeat(300)] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn the_address_names_host_and_account() {
        let secret = SharedSecret::from_bytes(b"12345678901234567890".to_vec());
        let address = secret.address("Stay: & Go", "rita+1@farol.example");
        let query =
            "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Stay%20%20%26%20Go&algorithm=SHA1&digits=6&period=30";
        assert_eq!(address, format!("otpauth://totp/Stay%20%20%26%20Go:rita%2B1%40farol.example?{query}"));
        let qr = qr(&address).expect("a QR code");
        assert!(qr.size > 40 && qr.path.starts_with("M4,4h1v1h-1z"), "{}", qr.size);
    }
}
