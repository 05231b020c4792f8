//! Email addresses: validation, and when two are the same.

use unicode_normalization::UnicodeNormalization;
use validator::ValidateEmail;

/// The form in which addresses are compared: case-insensitive in any script, the domain in ASCII by UTS 46, so that
/// `info@münchen.example` equals `info@xn--mnchen-3ya.example`, which browsers send. Accents before the @ are
/// significant. `None` if the text is not an address.
pub fn key(text: &str) -> Option<String> {
    if !text.validate_email() {
        return None;
    }
    let (local, domain) = text.rsplit_once('@')?;
    let domain = idna::domain_to_ascii(domain).ok().filter(|domain| !domain.is_empty())?;
    Some(format!("{}@{domain}", local.nfc().collect::<String>().to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn one_mailbox_has_one_form() {
        let form = key("info@xn--mnchen-hotel-dlb.example");
        assert!(form.is_some());
        for spelling in [
            "info@münchen-hotel.example",
            "Info@MÜNCHEN-Hotel.example",
            "info@mu\u{308}nchen-hotel.example",
            "INFO@XN--MNCHEN-HOTEL-DLB.example",
        ] {
            assert_eq!(key(spelling), form, "{spelling}");
        }
        assert_ne!(key("é@farol.example"), key("e@farol.example"));
        for wrong in ["desk", "desk@", "desk@xn--a.example", "desk@xn--\u{fc}.example"] {
            assert_eq!(key(wrong), None, "{wrong}");
        }
    }
}
